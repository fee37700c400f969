import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * A version of each user that counts changes of a secret, the status, the login or the email. What was checked against a user
 * as it was read is written only while that version stands: check and write are a slow hash apart (A49).
 */
export const userVersion: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('people')
      .addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
      .execute()
  },
}
