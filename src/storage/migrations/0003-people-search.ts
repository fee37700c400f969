import { type Kysely, PostgresAdapter, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Users are found by when they were created and changed, and by the beginning of their names in any locale. */
export const peopleSearch: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ['created_at', 'updated_at']) {
      await db.schema.createIndex(`people_by_${column}`).on('people').column(column).execute()
    }
    // SQLite orders texts by their bytes as they are.
    if (!(db.getExecutor().adapter instanceof PostgresAdapter)) return
    for (const column of ['login_key', 'email_key', 'first_key', 'last_key']) {
      await db.schema
        .createIndex(`people_by_start_of_${column}`)
        .on('people')
        .expression(sql`${sql.ref(column)} collate "C"`)
        .execute()
    }
  },
}
