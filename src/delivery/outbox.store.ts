import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { type Db, type NewRow, type Row, run, type Storage, slots } from '../storage/index.ts'
import { codeTemplates, noticeTemplates } from './email/definitions.ts'
import type { Channel } from './text/definitions.ts'

// A row's status: `queued` until it is closed as `sent`, `dead`, `expired`, or `dropped` when it had no recipient.
// While a worker has it, `next_at` is the end of that worker's lease: a row whose worker died is simply due again.

/** By how much a mail of a source comes after the one before it that still waits, in the order of the queue. */
const spacingMs = 1000

const columns = [
  'id',
  'template',
  'recipient',
  'person_id',
  'transaction_id',
  'sealed',
  'status',
  'attempts',
  'next_at',
  'lease_owner',
  'created_at',
  'ends_at',
  'done_at',
  'error',
  'source',
  'channel',
] as const satisfies readonly (keyof NewRow<'outbox'>)[]

// The place in the queue is decided here and not when mails are taken, which so reads no more than it takes.
const insertText = `
  insert into outbox (${columns.join(', ')}, fair_at) values (${slots(columns, 1)}, (
    select max(place) from (
      select max(fair_at) + ${spacingMs} as place from outbox where status = 'queued' and source = $15
      union all select cast($9 as bigint)) as places))`

/**
 * Puts a mail at the end of its source's line: a source with a thousand mails holds back one that has a single mail by
 * no more than what is in hand (A57). Mails without a source are placed by their time.
 */
export async function insertMail(db: Db, row: Omit<NewRow<'outbox'>, 'fair_at'>): Promise<void> {
  await run(
    db,
    insertText,
    columns.map((column) => row[column] ?? null),
  )
}

/** What one worker sends: mails, texts and calls, or logout tokens. A service that is slow for one holds nothing of the others back. */
export type Lane = 'mails' | 'texts' | 'logouts'

/** The rows of a lane. The latter two share an index (`outbox_queued_texts`), whose condition SQLite takes by its words. */
const inLane: Readonly<Record<Lane, string>> = {
  mails: "channel = 'email'",
  texts: "channel <> 'email' and channel <> 'logout'",
  logouts: "channel <> 'email' and channel = 'logout'",
}

export interface Claim {
  readonly lane: Lane
  readonly owner: string
  readonly limit: number
  readonly leaseMs: number
  readonly now: number
  /** Rows that this worker still has in hand, should their lease have run out meanwhile. */
  readonly except: readonly string[]
}

/**
 * Takes mails that are due, in the order of the queue. One conditional statement, so that no two workers ever take the same row:
 * on PostgreSQL each steps around the rows that another one has locked, and looks at a row again once it has locked it.
 */
export async function claimMails(storage: Storage, claim: Claim): Promise<readonly Row<'outbox'>[]> {
  const { lane, owner, limit, leaseMs, now, except } = claim
  const ids = padded(except)
  const others = ids.length === 0 ? '' : `and id not in (${slots(ids, 5)})`
  // The one branch between the databases: on PostgreSQL workers step around each other's rows instead of queueing up.
  const unlocked = storage.kind === 'postgres' ? 'for update skip locked' : ''
  const text = `
    with due as materialized (
      select id from outbox where status = 'queued' and ${inLane[lane]} and next_at <= $1 ${others}
      order by fair_at, id limit $2 ${unlocked})
    update outbox set attempts = attempts + 1, next_at = $3, lease_owner = $4
    where id in (select id from due) and status = 'queued' and next_at <= $1
    returning *`
  const rows = await run<Row<'outbox'>>(storage.db, text, [now, limit, now + leaseMs, owner, ...ids])
  // An update answers rows in any order; they are sent in that of the queue (A57).
  return [...rows].sort((one, other) => one.fair_at - other.fair_at || (one.id < other.id ? -1 : 1))
}

/** The list, filled up with its last member to one of few lengths: a statement's text depends on it, and texts are prepared once. */
function padded<T>(list: readonly T[]): readonly T[] {
  const last = list.at(-1)
  if (last === undefined) return list
  const length = Math.max(4, 2 ** Math.ceil(Math.log2(list.length)))
  return [...list, ...Array.from({ length: length - list.length }, () => last)]
}

/**
 * Gives mails back that were claimed and not begun: due at once, for any worker, as if they had not been taken. Those that are
 * the owner's no more stay as they are.
 */
export async function releaseMails(
  db: Db,
  { owner, ids, now }: { readonly owner: string; readonly ids: readonly string[]; readonly now: number },
): Promise<void> {
  if (ids.length === 0) return
  await db
    .updateTable('outbox')
    .set(({ eb }) => ({ next_at: now, lease_owner: null, attempts: eb('attempts', '-', 1) }))
    .where('id', 'in', ids)
    .where('status', '=', 'queued')
    .where('lease_owner', '=', owner)
    .execute()
}

export interface Closing {
  readonly id: string
  readonly status: 'sent' | 'dead' | 'expired' | 'dropped'
  /** What stays of the sealed values: those of a refused mail, so that it can be retried. */
  readonly sealed: string | null
  readonly error: string | null
}

/**
 * Closes mails in one statement, whatever became of each. Answers the ids of those that were still open: another worker had closed
 * the others.
 */
export async function closeMails(
  db: Db,
  now: number,
  closings: readonly Closing[],
): Promise<ReadonlySet<string>> {
  const rows = closings.map((_, at) => {
    const first = 4 * at + 2
    return `(${[0, 1, 2, 3].map((column) => `cast($${first + column} as text)`).join(', ')})`
  })
  const text = `
    with endings (id, status, sealed, error) as (values ${rows.join(', ')})
    update outbox set status = endings.status, sealed = endings.sealed, lease_owner = null, done_at = $1, error = endings.error
    from endings where outbox.id = endings.id and outbox.status = 'queued'
    returning outbox.id`
  const values = closings.flatMap(({ id, status, sealed, error }) => [id, status, sealed, error])
  const closed = await run<{ readonly id: string }>(db, text, [now, ...values])
  return new Set(closed.map(({ id }) => id))
}

/** Puts a mail off, if it is still the caller's. */
export async function postponeMail(
  db: Db,
  id: string,
  postponed: {
    readonly owner: string
    readonly nextAt: number
    readonly error: string
    /** How often it was sent without an answer. */
    readonly unanswered: number
  },
): Promise<void> {
  const { nextAt, error, unanswered } = postponed
  await db
    .updateTable('outbox')
    .set({ next_at: nextAt, lease_owner: null, error, unanswered })
    .where('id', '=', id)
    .where('status', '=', 'queued')
    .where('lease_owner', '=', postponed.owner)
    .execute()
}

/** Renews the leases of mails that a worker has in hand: a slow server may take minutes for one. */
export async function renewLeases(
  db: Db,
  { owner, ids, until }: { readonly owner: string; readonly ids: readonly string[]; readonly until: number },
): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ next_at: until })
    .where('id', 'in', ids)
    .where('status', '=', 'queued')
    .where('lease_owner', '=', owner)
    .execute()
}

/** The states of a mail in the outbox. `dropped`: it had no recipient. */
export const mailStatuses = ['queued', 'sent', 'dead', 'expired', 'dropped'] as const
export type MailStatus = (typeof mailStatuses)[number]

/** A mail, text or call of the outbox as an administrator sees it: nothing of its content. */
export interface StoredMail {
  readonly id: string
  readonly channel: Channel
  readonly template: string
  /** An address or a number. Null: it is for an unknown user, and is not sent. */
  readonly recipient: string | null
  readonly personId: string | null
  readonly transactionId: string | null
  readonly status: MailStatus
  readonly attempts: number
  /** Epoch milliseconds, as all times here. While a worker has the mail in hand: when its lease ends. */
  readonly nextAt: number
  readonly inHand: boolean
  readonly createdAt: number
  /** After this it is of no use, and is not sent. */
  readonly endsAt: number
  readonly doneAt: number | null
  /** What the last attempt failed with. */
  readonly error: string | null
}

/** Mails by status, newest first. Without `ids`, at most `limit`. */
export async function listMails(
  db: Db,
  {
    statuses,
    ids,
    limit,
  }: { readonly statuses: readonly MailStatus[]; readonly ids?: readonly string[]; readonly limit: number },
): Promise<readonly StoredMail[]> {
  const rows = await db
    .selectFrom('outbox')
    .selectAll()
    .where('status', 'in', statuses)
    .where('channel', '<>', 'logout')
    .$if(ids !== undefined, (query) => query.where('id', 'in', ids ?? []))
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(toStoredMail)
}

const toStoredMail = (row: Row<'outbox'>): StoredMail => ({
  id: row.id,
  channel: row.channel as Channel,
  template: row.template,
  recipient: row.recipient,
  personId: row.person_id,
  transactionId: row.transaction_id,
  status: row.status as MailStatus,
  attempts: row.attempts,
  nextAt: row.next_at,
  inHand: row.lease_owner !== null,
  createdAt: row.created_at,
  endsAt: row.ends_at,
  doneAt: row.done_at,
  error: row.error,
})

/** Makes a dead or waiting mail due at once. False where it is closed otherwise, is in hand, or is of no use any more. */
export async function makeDue(db: Db, id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('outbox')
    .set({ status: 'queued', next_at: now, done_at: null })
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'dead'])
    .where('lease_owner', 'is', null)
    .where('sealed', 'is not', null)
    .where('ends_at', '>', now)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** A mail that has not left yet. */
export interface WaitingMail {
  readonly id: string
  readonly template: string
  readonly attempts: number
  /** Epoch milliseconds. */
  readonly nextAt: number
  /** What the last attempt failed with. */
  readonly error: string | null
}

/** The mails of a transaction that have not left yet, oldest first. */
export async function waitingMailsOf(db: Db, transactionId: string): Promise<readonly WaitingMail[]> {
  const rows = await db
    .selectFrom('outbox')
    .select(['id', 'template', 'attempts', 'next_at', 'error'])
    .where('transaction_id', '=', transactionId)
    .where('status', '=', 'queued')
    .orderBy('created_at')
    .execute()
  return rows.map(({ next_at: nextAt, ...mail }) => ({ ...mail, nextAt }))
}

const channelsOf: Readonly<Record<Lane, RawBuilder<SqlBool>>> = {
  mails: sql.raw(inLane.mails),
  texts: sql.raw(inLane.texts),
  logouts: sql.raw(inLane.logouts),
}

export interface Backlog {
  readonly waiting: number
  /** When the oldest waiting mail was queued (epoch milliseconds), or null where none waits. */
  readonly oldestAt: number | null
  /** When the oldest waiting mail that has a code was queued, or null where none waits: a user waits for it. */
  readonly codeAt: number | null
  /** Since when the mail that is due the longest is due, or null where none is due. */
  readonly dueAt: number | null
}

/**
 * How many mails, or texts and calls, wait: for metrics and health. Phantoms are among them, so the number reveals nothing
 * about a user.
 */
export async function backlogOf(db: Db, now: number, lane: Lane = 'mails'): Promise<Backlog> {
  const row = await db
    .selectFrom('outbox')
    .select(({ fn }) => [
      fn.countAll<number | string>().as('waiting'),
      fn.min('created_at').as('oldestAt'),
      fn.min('created_at').filterWhere('template', 'in', codeTemplates).as('codeAt'),
      fn.min('next_at').as('nextAt'),
    ])
    .where('status', '=', 'queued')
    .where(channelsOf[lane])
    .executeTakeFirstOrThrow()
  const { waiting, oldestAt, codeAt, nextAt } = row
  // A mail that a worker has in hand is due when its lease ends: later.
  return {
    waiting: Number(waiting),
    oldestAt,
    codeAt,
    dueAt: nextAt !== null && nextAt <= now ? nextAt : null,
  }
}

/** How many notices were closed since a moment that no server has taken. */
export async function countLostNotices(db: Db, since: number): Promise<number> {
  const { count } = await db
    .selectFrom('outbox')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('template', 'in', noticeTemplates)
    .where('status', 'in', ['dead', 'expired'])
    .where('done_at', '>=', since)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Removes mails that were closed before a moment. Answers how many went. */
export async function purgeMails(db: Db, closedBefore: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('outbox')
    .where('done_at', '<', closedBefore)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/**
 * Closes the mails of a user that wait and have a code, a link or a token: what they lead to has ended. Notices go on.
 * Answers them. One that a worker has in hand at this moment may still arrive; nothing accepts what is in it.
 */
export async function endCodeMailsOf(
  db: Db,
  personId: string,
  { now, error }: { readonly now: number; readonly error: string },
): Promise<readonly Row<'outbox'>[]> {
  return run(
    db,
    `update outbox set status = 'expired', sealed = null, lease_owner = null, done_at = $2, error = $3
     where person_id = $1 and status = 'queued' and channel <> 'logout' and template not in (${slots(noticeTemplates, 4)}) returning *`,
    [personId, now, error, ...noticeTemplates],
  )
}

/** Deletes every mail to a user, sent or not: by the user's id, and by the addresses that are among the names. */
export async function forgetMailsOf(db: Db, personId: string, names: readonly string[]): Promise<void> {
  const addresses = names.map((name) => name.toLowerCase())
  await run(
    db,
    `delete from outbox where person_id = $1${addresses.length === 0 ? '' : ` or lower(recipient) in (${slots(addresses, 2)})`}`,
    [personId, ...addresses],
  )
}
