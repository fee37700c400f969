import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { isoTime, type Random, randomId } from '../base/index.ts'
import { type Db, insert, type Row, run, type Schema, withCommit } from '../storage/index.ts'
import type { EventType } from './event-types.ts'

export interface Party {
  readonly id: string
  readonly type: string
  readonly alternateId?: string
  readonly displayName?: string
}

/** An event to record. Members are named as in Okta's System Log. */
export interface NewEvent {
  readonly eventType: EventType
  readonly displayMessage: string
  readonly severity?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'
  readonly outcome: {
    readonly result: 'SUCCESS' | 'FAILURE' | 'SKIPPED' | 'ALLOW' | 'DENY' | 'CHALLENGE'
    readonly reason?: string
  }
  readonly actor?: Party | undefined
  readonly target?: readonly Party[]
  readonly client?: {
    readonly ipAddress?: string | undefined
    readonly userAgent?: string | undefined
    readonly id?: string | undefined
  }
  readonly transactionId?: string | undefined
  readonly debugData?: Readonly<Record<string, string>>
}

export interface LogEvent extends Omit<NewEvent, 'client' | 'debugData' | 'transactionId' | 'actor'> {
  readonly uuid: string
  readonly published: string
  readonly version: '0'
  readonly severity: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'
  readonly actor: Party
  readonly client: {
    readonly ipAddress: string | null
    readonly userAgent: { readonly rawUserAgent: string } | null
    readonly id: string | null
  }
  readonly transaction: { readonly type: 'WEB'; readonly id: string | null }
  readonly debugContext: { readonly debugData: Readonly<Record<string, string>> }
}

const unknownUser: Party = { id: 'unknown', type: 'User', alternateId: 'unknown' }

/** Records an event. In the database transaction of the change it describes: both are committed, or neither. */
export const record = (db: Db, event: NewEvent, context: RecordContext): Promise<void> =>
  recordEvents(db, [event], context)

interface RecordContext {
  readonly random: Random
  readonly now: number
}

/** Records several events of the same time, in their order, in one statement, which travels with the end of its transaction. */
export async function recordEvents(
  db: Db,
  events: readonly NewEvent[],
  context: RecordContext,
): Promise<void> {
  const rows = events.map((event) => rowOf(event, context))
  await withCommit(db, insert(db, 'events', rows))
}

// Orders the events of one millisecond only, so it may start again at 0 with each process.
let lastOrdinal = 0

function rowOf(event: NewEvent, context: RecordContext): Row<'events'> {
  const uuid = randomId(context.random, 'evt')
  const body: LogEvent = {
    uuid,
    published: isoTime(context.now),
    version: '0',
    eventType: event.eventType,
    displayMessage: event.displayMessage,
    severity: event.severity ?? (warningResults.has(event.outcome.result) ? 'WARN' : 'INFO'),
    outcome: event.outcome,
    actor: event.actor ?? unknownUser,
    target: event.target ?? [],
    client: {
      ipAddress: event.client?.ipAddress ?? null,
      userAgent: event.client?.userAgent === undefined ? null : { rawUserAgent: event.client.userAgent },
      id: event.client?.id ?? null,
    },
    transaction: { type: 'WEB', id: event.transactionId ?? null },
    debugContext: { debugData: event.debugData ?? {} },
  }
  return {
    id: uuid,
    published_at: context.now,
    ordinal: ++lastOrdinal,
    type: event.eventType,
    outcome: event.outcome.result,
    actor_id: event.actor?.id ?? null,
    target_id: event.target?.[0]?.id ?? null,
    transaction_id: event.transactionId ?? null,
    body: JSON.stringify(body),
  }
}

const warningResults: ReadonlySet<string> = new Set(['FAILURE', 'DENY'])

const toEvent = (row: Row<'events'>): LogEvent => JSON.parse(row.body) as LogEvent

/** Events, newest first. */
export async function listEvents(
  db: Db,
  query: { readonly limit: number; readonly transactionId?: string; readonly eventType?: string },
): Promise<readonly LogEvent[]> {
  let select = db
    .selectFrom('events')
    .selectAll()
    .orderBy('published_at', 'desc')
    .orderBy('ordinal', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit)
  if (query.transactionId !== undefined) select = select.where('transaction_id', '=', query.transactionId)
  if (query.eventType !== undefined) select = select.where('type', '=', query.eventType)
  return (await select.execute()).map(toEvent)
}

/** How many users have completed a sign-in since then; each counts once. */
export async function countSignIns(db: Db, since: number): Promise<number> {
  const text = `
    select count(distinct actor_id) as users from events
    where type = $1 and outcome = $2 and published_at > $3`
  const type: EventType = 'user.session.start'
  const [row] = await run<{ users: number }>(db, text, [type, 'SUCCESS', since])
  return Number(row?.users ?? 0)
}

/** A filter of the system log: one comparison, or several joined by `and` or `or`. */
export type EventFilter =
  | { readonly attribute: FilterAttribute; readonly is: string }
  | { readonly every: readonly EventFilter[] }
  | { readonly some: readonly EventFilter[] }

export type FilterAttribute = keyof typeof columns

/**
 * The attributes of a filter with their columns. All have an index but `outcome.result`, which narrows another
 * condition.
 */
const columns = {
  eventType: 'type',
  'transaction.id': 'transaction_id',
  'actor.id': 'actor_id',
  'target.id': 'target_id',
  'outcome.result': 'outcome',
} as const

export const filterAttributes = Object.keys(columns) as readonly FilterAttribute[]

/** A position in the log: just behind an event. */
export interface EventCursor {
  readonly at: number
  readonly ordinal: number
  readonly id: string
}

export interface EventQuery {
  /** Epoch milliseconds, inclusive. */
  readonly since: number
  /** Epoch milliseconds, exclusive. */
  readonly until: number
  readonly filter?: EventFilter | undefined
  /** An event matches that contains all of them. */
  readonly keywords?: readonly string[]
  readonly order: 'asc' | 'desc'
  readonly limit: number
  readonly after?: EventCursor | undefined
}

/** A page of events. */
export interface EventPage {
  readonly events: readonly LogEvent[]
  /** The position up to which the log was read; undefined where nothing was. */
  readonly end: EventCursor | undefined
  /** Whether the page ended before the log did, although it may hold fewer events than were asked for. */
  readonly isCut: boolean
}

/**
 * The most events that a page reads one by one, where an index does not find them: a page with keywords, say, would
 * otherwise read all events of its time, millions on a large installation. Such a page may be short, and has a next one.
 */
const mostRead = 10_000

/** A page of events. `mostRead` is what it reads at most where no index finds the events; tests lower it. */
export async function queryEvents(
  db: Db,
  { since, until, filter, keywords = [], order, limit, after }: EventQuery,
  most = mostRead,
): Promise<EventPage> {
  const beyond = order === 'asc' ? '>' : '<'
  const inOrder = (indexed: readonly EventFilter[]) => {
    let select = db
      .selectFrom('events')
      .where('published_at', '>=', since)
      .where('published_at', '<', until)
      .orderBy('published_at', order)
      .orderBy('ordinal', order)
      .orderBy('id', order)
    for (const part of indexed) select = select.where((eb) => conditionOf(eb, part))
    if (after !== undefined) {
      select = select.where((eb) =>
        eb(eb.refTuple('published_at', 'ordinal', 'id'), beyond, eb.tuple(after.at, after.ordinal, after.id)),
      )
    }
    return select
  }

  const indexed = indexedParts(filter)
  const isScan = keywords.length > 0 || (filter !== undefined && !isIndexed(filter))
  // The last event that this page may read, where there are so many.
  const last = isScan
    ? await inOrder(indexed)
        .select(['published_at', 'ordinal', 'id'])
        .offset(most - 1)
        .limit(1)
        .executeTakeFirst()
    : undefined
  let select = inOrder(filter === undefined ? [] : [filter])
    .selectAll()
    .limit(limit)
  if (last !== undefined) {
    select = select.where((eb) =>
      eb.not(
        eb(
          eb.refTuple('published_at', 'ordinal', 'id'),
          beyond,
          eb.tuple(last.published_at, last.ordinal, last.id),
        ),
      ),
    )
  }
  for (const keyword of keywords) {
    const pattern = `%${keyword.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    select = select.where((eb) => sql<SqlBool>`lower(${eb.ref('body')}) like ${pattern} escape '\\'`)
  }
  const rows = await select.execute()
  const isFull = rows.length === limit
  const end = isFull || last === undefined ? rows.at(-1) : last
  return {
    events: rows.map(toEvent),
    end: end && { at: end.published_at, ordinal: end.ordinal, id: end.id },
    isCut: isFull || last !== undefined,
  }
}

/** Whether an index finds the events of a filter. The outcome alone has none. */
function isIndexed(filter: EventFilter): boolean {
  if ('every' in filter) return filter.every.every(isIndexed)
  if ('some' in filter) return filter.some.every(isIndexed)
  return filter.attribute !== 'outcome.result'
}

/** The parts of a filter that indexes answer, all of which its events satisfy. */
function indexedParts(filter: EventFilter | undefined): readonly EventFilter[] {
  if (filter === undefined) return []
  if (isIndexed(filter)) return [filter]
  return 'every' in filter ? filter.every.flatMap(indexedParts) : []
}

function conditionOf(eb: ExpressionBuilder<Schema, 'events'>, filter: EventFilter): Expression<SqlBool> {
  if ('every' in filter) return eb.and(filter.every.map((part) => conditionOf(eb, part)))
  if ('some' in filter) return eb.or(filter.some.map((part) => conditionOf(eb, part)))
  return eb(columns[filter.attribute], '=', filter.is)
}
