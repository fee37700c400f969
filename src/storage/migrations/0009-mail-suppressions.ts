import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Addresses that a mail server has refused for good, and how often a mail was sent whole without an answer. Only adds:
 * an engine of before runs beside it. The address is stored as it is: an administrator has to recognise it, and it
 * stands in the directory and in the outbox as well.
 */
export const mailSuppressions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('mail_suppressions')
      .addColumn('key', 'text', (c) => c.primaryKey())
      .addColumn('address', 'text', (c) => c.notNull())
      .addColumn('person_id', 'text')
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .execute()
    await db.schema
      .createIndex('mail_suppressions_by_expires_at')
      .on('mail_suppressions')
      .column('expires_at')
      .execute()
    await db.schema
      .createIndex('mail_suppressions_by_person_id')
      .on('mail_suppressions')
      .column('person_id')
      .execute()
    await db.schema
      .alterTable('outbox')
      .addColumn('unanswered', 'integer', (c) => c.notNull().defaultTo(0))
      .execute()
  },
}
