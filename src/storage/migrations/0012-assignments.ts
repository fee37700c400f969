import { type Kysely, sql } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * When the members of a group last changed, and what an assignment of an app was made with: when, with which priority and
 * profile. Only adds; rows of before have none of it.
 */
export const assignments: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('groups').addColumn('membership_updated_at', 'bigint').execute()
    await sql`update groups set membership_updated_at = updated_at`.execute(db)
    await db.schema.alterTable('client_groups').addColumn('priority', 'integer').execute()
    for (const table of ['client_groups', 'client_people']) {
      await db.schema.alterTable(table).addColumn('profile', 'text').execute()
      await db.schema.alterTable(table).addColumn('created_at', 'bigint').execute()
    }
  },
}
