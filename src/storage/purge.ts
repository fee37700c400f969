import { sql } from 'kysely'
import type { Schema } from './schema.ts'
import type { Db } from './storage.ts'

/** The tables that grow with use: by which column a row's time is told, and by which it is named. */
const growing = {
  transactions: ['expires_at', 'id'],
  interactions: ['expires_at', 'id'],
  sessions: ['expires_at', 'id'],
  person_tokens: ['expires_at', 'id'],
  artifacts: ['expires_at', 'id'],
  budgets: ['expires_at', 'key'],
  outbox: ['done_at', 'id'],
  events: ['published_at', 'id'],
} as const satisfies Partial<Record<keyof Schema, readonly [string, string]>>

export type GrowingTable = keyof typeof growing

/**
 * Removes rows whose time was up before a moment, oldest first and `limit` at most, so that a flood's remains never hold
 * the database up. Answers how many went.
 */
export async function purge(
  db: Db,
  table: GrowingTable,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<number> {
  const [time, key] = growing[table]
  const { numAffectedRows = 0n } = await sql`
    delete from ${sql.table(table)} where ${sql.ref(key)} in (
      select ${sql.ref(key)} from ${sql.table(table)} where ${sql.ref(time)} <= ${before}
      order by ${sql.ref(time)} limit ${limit})`.execute(db)
  return Number(numAffectedRows)
}

const noted = 'clock.highest'

/** Takes note of the time, so that an engine that starts on a host with a wrong clock knows that it was later once. */
export async function noteTime(db: Db, now: number): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key: noted, value: String(now) })
    .onConflict((oc) =>
      // Nodes differ by a little: the note never goes back.
      oc
        .column('key')
        .doUpdateSet({ value: String(now) })
        .where('settings.value', '<', String(now)),
    )
    .execute()
}

/** The time that was noted last, in epoch milliseconds; 0 in an empty database. */
export async function notedTime(db: Db): Promise<number> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', noted).executeTakeFirst()
  return Number(row?.value ?? 0)
}
