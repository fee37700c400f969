import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/** Users whose sign-up never ended are found by how long it waits, to be removed. Only adds. */
export const unfinishedSignUps: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.createIndex('people_by_unfinished_at').on('people').column('unfinished_at').execute()
  },
}
