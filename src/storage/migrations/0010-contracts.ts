import { type Kysely, sql } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * Which older versions may run on this database: the newest migration that a version has to know, and the migration that
 * asks for it. An older version reads it where it finds migrations that it does not know. The table has one row for each
 * migration that took something away; the highest `oldest` counts.
 */
export const contracts: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('migration_contracts')
      .addColumn('migration', 'text', (c) => c.primaryKey())
      .addColumn('oldest', 'text', (c) => c.notNull())
      .execute()
    // It removed the table of credentials, which versions from before it read.
    await sql`insert into migration_contracts (migration, oldest)
      values ('0007-enrollments', '0007-enrollments')`.execute(db)
  },
}
