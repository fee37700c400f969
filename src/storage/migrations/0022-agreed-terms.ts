import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/** Which version of the terms a user has agreed to, and when. Only adds. Users of before have agreed to nothing that is known. */
export const agreedTerms: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('people').addColumn('terms_version', 'text').execute()
    await db.schema.alterTable('people').addColumn('terms_agreed_at', 'bigint').execute()
  },
}
