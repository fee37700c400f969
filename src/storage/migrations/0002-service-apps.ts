import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The scopes that service apps were granted. */
export const serviceApps: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('client_scopes')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('client_id', 'text', (c) => c.notNull())
      .addColumn('scope', 'text', (c) => c.notNull())
      .addColumn('created_by', 'text', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addUniqueConstraint('client_scopes_scope', ['client_id', 'scope'])
      .execute()
  },
}
