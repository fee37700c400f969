import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/** What users have agreed that apps get of them. Only adds: an engine of before runs beside it, and asks for nothing. */
export const userConsents: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('user_consents')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('person_id', 'text', (c) => c.notNull())
      .addColumn('client_id', 'text', (c) => c.notNull())
      .addColumn('scope', 'text', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addUniqueConstraint('user_consents_once', ['person_id', 'client_id', 'scope'])
      .execute()
    await db.schema
      .createIndex('user_consents_by_client_id')
      .on('user_consents')
      .column('client_id')
      .execute()
  },
}
