import { sql } from 'kysely'
import type { Schema } from './schema.ts'
import type { Db } from './storage.ts'

/** The tables that grow with use: the column that holds the end of a row's time, and the primary key. */
const growingTables = {
  transactions: ['expires_at', 'id'],
  interactions: ['expires_at', 'id'],
  sessions: ['expires_at', 'id'],
  person_tokens: ['expires_at', 'id'],
  artifacts: ['expires_at', 'id'],
  budgets: ['expires_at', 'key'],
  outbox: ['done_at', 'id'],
  mail_suppressions: ['expires_at', 'key'],
  events: ['published_at', 'id'],
} as const satisfies Partial<Record<keyof Schema, readonly [string, string]>>

export type GrowingTable = keyof typeof growingTables

/**
 * Deletes rows whose time ended up to `before`, oldest first and at most `limit`: one statement over all rows that a
 * flood has left would block other writers (A45). Answers how many were deleted.
 */
export async function purge(
  db: Db,
  table: GrowingTable,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<number> {
  const [time, key] = growingTables[table]
  const { numAffectedRows = 0n } = await sql`
    delete from ${sql.table(table)} where ${sql.ref(key)} in (
      select ${sql.ref(key)} from ${sql.table(table)} where ${sql.ref(time)} <= ${before}
      order by ${sql.ref(time)} limit ${limit})`.execute(db)
  return Number(numAffectedRows)
}
