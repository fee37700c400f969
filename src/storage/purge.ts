import { type RawBuilder, sql } from 'kysely'
import type { Db } from './storage.ts'
import { type TableName, tables } from './tables.ts'

/** The tables that grow with use. */
export type GrowingTable = {
  [Name in TableName]: (typeof tables)[Name]['facts'] extends { readonly grows: object } ? Name : never
}[TableName]

/**
 * Deletes rows whose time ended up to `before`, oldest first and at most `limit`: one statement over all rows that a
 * flood has left would block other writers (A45). Answers how many were deleted.
 */
export async function purge(
  db: Db,
  table: GrowingTable,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<number> {
  const { until: time, key } = tables[table].facts.grows
  const { numAffectedRows = 0n } = await sql`
    delete from ${sql.table(table)} where ${sql.ref(key)} in (
      select ${sql.ref(key)} from ${sql.table(table)} where ${sql.ref(time)} <= ${before}
      order by ${sql.ref(time)} limit ${limit})`.execute(db)
  return Number(numAffectedRows)
}

/**
 * What is deleted earlier than other rows of its table: it is stored for anyone who asks for it, and says nothing of a user
 * (A60). Each is found by an index on the time, so that reading a short span of it is cheap.
 */
const shortLived = {
  /** Transactions in which no name was typed. */
  'unnamed transactions': {
    table: 'transactions',
    time: 'expires_at',
    where: sql`person_id is null`,
  },
  /** Interactions that no transaction belongs to: begun, and left. */
  'unused interactions': {
    table: 'interactions',
    time: 'expires_at',
    where: sql`not exists (select 1 from transactions where transactions.interaction_id = interactions.id)`,
  },
  /** Events of unknown users, and of callers who are no user at all. That an attack began concerns all users. */
  'events of unknown users': {
    table: 'events',
    time: 'published_at',
    where: sql`actor_id = 'unknown' and type <> 'security.attack.start'`,
  },
  /** That a recovery was begun, or a transaction cancelled: anyone who knows a name can. What was mailed or proven stays. */
  'events of transactions begun and left': {
    table: 'events',
    time: 'published_at',
    where: sql`type in ('user.account.reset_password', 'user.session.start') and outcome in ('CHALLENGE', 'SKIPPED')`,
  },
  /** Deliveries of mails that were for an unknown user. */
  'deliveries without a recipient': {
    table: 'events',
    time: 'published_at',
    where: sql`type = 'system.email.delivery' and outcome = 'SKIPPED'`,
  },
} as const satisfies Readonly<
  Record<string, { readonly table: GrowingTable; readonly time: string; readonly where: RawBuilder<unknown> }>
>

export type ShortLived = keyof typeof shortLived

/**
 * The time of the oldest row of a table with short-lived rows, in epoch milliseconds, of those later than `after`; undefined where
 * there is none. It is the first entry of an index.
 */
export async function oldest(db: Db, what: ShortLived, after = -1): Promise<number | undefined> {
  const { table, time } = shortLived[what]
  const { rows } = await sql<{ at: number | string | null }>`
    select min(${sql.ref(time)}) as at from ${sql.table(table)} where ${sql.ref(time)} > ${after}`.execute(db)
  const at = rows[0]?.at ?? undefined
  return at === undefined ? undefined : Number(at)
}

/** As `purge`, of the short-lived rows whose time ended after `after`: those before were deleted by an earlier run. */
export async function purgeShortLived(
  db: Db,
  what: ShortLived,
  { after, before, limit }: { readonly after: number; readonly before: number; readonly limit: number },
): Promise<number> {
  const { table, time, where } = shortLived[what]
  const { numAffectedRows = 0n } = await sql`
    delete from ${sql.table(table)} where id in (
      select id from ${sql.table(table)} where ${sql.ref(time)} > ${after} and ${sql.ref(time)} <= ${before}
      and ${where} order by ${sql.ref(time)} limit ${limit})`.execute(db)
  return Number(numAffectedRows)
}
