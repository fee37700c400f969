import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * When a user has proven to read the mails of an address, and which address that was: a version of before changes the email and
 * knows neither column, so that the time alone could be that of the address before. A token has the address that it was
 * mailed to; one that was handed to a caller proves no mailbox. Only adds. Users of before have proven nothing that is known.
 */
export const verifiedEmails: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('people').addColumn('email_verified_at', 'bigint').execute()
    await db.schema.alterTable('people').addColumn('verified_email_key', 'text').execute()
    await db.schema.alterTable('person_tokens').addColumn('mailed_to_key', 'text').execute()
  },
}
