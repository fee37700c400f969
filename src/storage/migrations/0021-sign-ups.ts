import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * Since when a sign-up that made a user waits for its end: who proves the mailbox anew takes that user's place. Only adds. A
 * version of before makes no user by a sign-up, and leaves the column empty.
 */
export const signUps: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('people').addColumn('unfinished_at', 'bigint').execute()
  },
}
