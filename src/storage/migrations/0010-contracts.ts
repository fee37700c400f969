import type { Kysely } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * Which older versions may run on this database. Each migration from here on has a row: the newest migration that a
 * version has to know, or null where it only expands. A version that finds a migration that it does not know runs where
 * there is such a row and it knows what the row asks for.
 */
export const contracts: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('migration_contracts')
      .addColumn('migration', 'text', (c) => c.primaryKey())
      .addColumn('oldest', 'text')
      .execute()
  },
}
