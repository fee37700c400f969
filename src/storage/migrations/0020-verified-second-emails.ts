import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * When a user has proven to read the mails of a secondary address, and which address that was: a version of before changes the
 * profile and knows neither column. Only adds. Users of before have proven nothing that is known.
 */
export const verifiedSecondEmails: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('people').addColumn('second_email_verified_at', 'bigint').execute()
    await db.schema.alterTable('people').addColumn('verified_second_email_key', 'text').execute()
  },
}
