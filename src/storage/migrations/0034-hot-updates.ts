import { type Kysely, PostgresAdapter, sql } from 'kysely'
import type { SchemaChange } from '../migrator.ts'

/**
 * A step writes the row of its transaction anew. PostgreSQL leaves the indexes alone (a HOT update) where no column of an index has changed
 * and the page has room: the newest transactions are found by when they began, not by their last step, and half of each page is
 * left for the versions of its rows. Nothing looks a transaction up by the hash of its link. Versions of before need neither of the
 * two indexes: they read the newest time once, as they start.
 */
export const transactionsByBeginning: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex('transactions_by_created_at')
      .on('transactions')
      .column('created_at')
      .execute()
  },
}

export const hotUpdates: SchemaChange = {
  async up(db: Kysely<unknown>) {
    await db.schema.dropIndex('transactions_by_updated_at').ifExists().execute()
    await db.schema.dropIndex('transactions_by_link_hash').ifExists().execute()
    if (!(db.getExecutor().adapter instanceof PostgresAdapter)) return
    for (const [table, percent] of Object.entries(filled)) {
      await sql`alter table ${sql.table(table)} set (fillfactor = ${sql.lit(percent)})`.execute(db)
    }
  },
}

/** How full a page is made, in percent: what is left is for new versions of its rows, until they are cleaned up. */
const filled = { transactions: 50, sessions: 80, people: 85 }
