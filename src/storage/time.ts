import { sql } from 'kysely'
import { type Db, latestChange, type Storage, type Tx, takeLock } from './storage.ts'
import { type Rebased, tables } from './tables.ts'

const highestTimeKey = 'clock.highest'
const resetKey = 'clock.reset'

/** What the database notes of the time. */
interface NotedTime {
  /** The highest time that `noteTime` has stored, in epoch milliseconds; 0 in an empty database. */
  readonly highest: number
  /** Changes each time that `rebaseTime` sets the time back; empty where it never did. */
  readonly reset: string
}

/**
 * Stores the time. An engine that later starts on a host whose clock is behind takes it from here (A44). Nothing is
 * stored where the time was set back since `reset` was read: the caller does not know of it yet.
 */
export async function noteTime(db: Db, now: number, reset: string): Promise<void> {
  // The clocks of nodes differ a little: the stored time never goes back.
  await sql`
    insert into settings (key, value)
    select cast(${highestTimeKey} as text), cast(${String(now)} as text)
    where coalesce((select value from settings where key = ${resetKey}), '') = ${reset}
    on conflict (key) do update set value = excluded.value
    where settings.value < excluded.value`.execute(db)
}

/** The highest time that was stored. */
export const notedTime = async (db: Db): Promise<number> => (await readNoted(db)).highest

/** The highest time that was stored, and the mark of the last reset. One statement. */
export async function readNoted(db: Db): Promise<NotedTime> {
  const rows = await db
    .selectFrom('settings')
    .selectAll()
    .where('key', 'in', [highestTimeKey, resetKey])
    .execute()
  const noted = (key: string) => rows.find((row) => row.key === key)?.value
  return { highest: Number(noted(highestTimeKey) ?? 0), reset: noted(resetKey) ?? '' }
}

const timesThat = (rebased: Rebased): readonly (readonly [table: string, column: string])[] =>
  Object.entries(tables).flatMap(([table, { columns }]) =>
    Object.entries<{ readonly rebased?: Rebased }>(columns).flatMap(([column, facts]) =>
      facts.rebased === rebased ? [[table, column] as const] : [],
    ),
  )
const ends = timesThat('end')
const moments = timesThat('moment')

interface Rebase {
  /** The time that the database held for right; absent: the highest that it knows. */
  readonly from?: number
  /** The right time; absent: the database server's. */
  readonly to?: number
  /**
   * For a clock that is moved on purpose: of rows that were made before `to` nothing moves, and no time of what happened is
   * changed. Budgets, and codes that were mailed after it, move all the same.
   */
  readonly onlyNewer?: boolean
}

/** A noted time that is ahead by no more than this is that of a node whose clock differs a little. */
export const noteToleranceMs = 5_000

/**
 * Sets the time back, all at once and on all nodes: what had expired stays expired, and what is alive has as long to
 * live as it had (A44), for every end is moved by the same span. Events stay as they were recorded. Nodes that are running
 * follow within a minute (`NotedTime.reset`). Answers by how many milliseconds the time went back; 0 where it was not
 * ahead, and nothing was written.
 */
export async function rebaseTime(storage: Storage, rebase: Rebase): Promise<number> {
  const { from, onlyNewer = false } = rebase
  return storage.transaction(async (tx) => {
    // So many rows may be written as never in one statement otherwise.
    if (storage.kind === 'postgres') await sql`set local statement_timeout = 0`.execute(tx)
    await takeLock(tx, 'clock')
    const highest = from ?? Math.max(await notedTime(tx), await latestChange(tx))
    // After the highest time, which nodes raise meanwhile: a slow answer must not look like a clock that is ahead.
    const to = rebase.to ?? (await serverTimeOf(tx))
    const by = highest - to
    if (by <= (from === undefined ? noteToleranceMs : 0)) return 0
    await moveChallenges(tx, { highest, by, to })
    for (const [table, column] of ends) {
      const newer = onlyNewer && table !== 'budgets' ? sql`and created_at > ${to}` : sql``
      // Rows that ended before the new time have ended either way, and stay unwritten.
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sql.ref(column)} - cast(${by} as bigint)
        where ${sql.ref(column)} > ${to} ${newer}`.execute(tx)
    }
    for (const [table, column] of onlyNewer ? [] : moments) {
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${to}
        where ${sql.ref(column)} > ${to}`.execute(tx)
    }
    await put(tx, highestTimeKey, String(to))
    await put(tx, resetKey, `${highest} ${to}`)
    return by
  })
}

async function serverTimeOf(tx: Tx): Promise<number> {
  const { rows } = await sql<{ now: number }>`
    select extract(epoch from clock_timestamp()) * 1000 as now`.execute(tx)
  return Math.round(Number(rows[0]?.now))
}

/** The end of an open challenge, such as a mailed code, is in the JSON of its transaction. */
async function moveChallenges(tx: Tx, { highest, by, to }: { highest: number; by: number; to: number }) {
  const open = await tx
    .selectFrom('transactions')
    .select(['id', 'progress'])
    .where('closed_at', 'is', null)
    .where('expires_at', '>', highest)
    .execute()
  // Every number that is a time after the new one. No other number in it is as large.
  const isTime = (value: unknown): value is number => typeof value === 'number' && value > Math.max(to, 1e11)
  for (const { id, progress } of open) {
    const moved = JSON.stringify(
      JSON.parse(progress, (_, value: unknown) => (isTime(value) ? value - by : value)),
    )
    if (moved !== progress)
      await tx.updateTable('transactions').set({ progress: moved }).where('id', '=', id).execute()
  }
}

const put = (tx: Tx, key: string, value: string) =>
  tx
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
