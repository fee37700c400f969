import { type EventCursor, type EventQuery, type LogEvent, queryEvents } from '../audit/index.ts'
import { describeUserAgent, parseTime } from '../base/index.ts'
import type { Storage } from '../storage/index.ts'
import { invalid } from './errors.ts'
import { parseEventFilter } from './filter.ts'
import { parameter, type Query } from './input.ts'

const day = 24 * 3_600_000
const defaultLimit = 100
const highestLimit = 1000

/**
 * How long an event may take from its timestamp to its commit. On PostgreSQL events commit in another order than that
 * of their timestamps. Events younger than this are withheld from readers that follow the log, who would otherwise skip
 * those that commit late.
 */
const settlingMs = 1000

export interface LogPage {
  readonly events: readonly object[]
  /** The query parameters of the next page, in place of this page's; undefined on the last page. */
  readonly next: { readonly after: string } | undefined
}

/**
 * One page of `GET /api/v1/logs`. An ascending query without `until` follows the log: it always has a next page and never
 * skips an event. Other queries end with a last page. A page holds fewer events than were asked for, or none, where they
 * had to be read one by one (keywords, an outcome) and enough were read: the next page goes on behind them. Throws 400
 * `E0000001`, or `E0000053` for the filter.
 */
export async function readLog(
  { storage, now }: { readonly storage: Storage; readonly now: number },
  query: Query,
): Promise<LogPage> {
  const wanted = readQuery(query, now)
  const follows = query.until === undefined && wanted.order === 'asc'
  const newest = follows && storage.kind === 'postgres' ? now - settlingMs : Number.MAX_SAFE_INTEGER
  const { events, end, isCut } = await queryEvents(storage.db, {
    ...wanted,
    until: Math.min(wanted.until, newest),
  })
  const cursor =
    (isCut && end !== undefined) || follows
      ? (end ?? wanted.after ?? { at: wanted.since, ordinal: 0, id: '' })
      : undefined
  return { events: events.map(toWire), next: cursor && { after: writeCursor(cursor) } }
}

function readQuery(query: Query, now: number): EventQuery {
  const since = timeAt(query, 'since')
  const until = timeAt(query, 'until')
  const filter = parameter(query, 'filter')
  const after = parameter(query, 'after')
  const order = parameter(query, 'sortOrder') ?? 'ASCENDING'
  if (order !== 'ASCENDING' && order !== 'DESCENDING') {
    throw invalid(['sortOrder: must be ASCENDING or DESCENDING'])
  }
  return {
    since: since ?? (until ?? now) - 7 * day,
    until: until ?? Number.MAX_SAFE_INTEGER,
    filter: filter === undefined ? undefined : parseEventFilter(filter),
    keywords: keywordsOf(query),
    order: order === 'ASCENDING' ? 'asc' : 'desc',
    limit: limitOf(query),
    after: after === undefined ? undefined : readCursor(after),
  }
}

function timeAt(query: Query, name: string): number | undefined {
  const text = parameter(query, name)
  if (text === undefined) return undefined
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/.test(text)
  const at = isTime ? parseTime(text) : undefined
  if (at === undefined) throw invalid([`${name}: must be a time such as 2026-01-31T12:00:00Z`])
  return at
}

function limitOf(query: Query): number {
  const text = parameter(query, 'limit')
  if (text === undefined) return defaultLimit
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > highestLimit) throw invalid([`limit: must be 1 to ${highestLimit}`])
  return limit
}

function keywordsOf(query: Query): readonly string[] {
  const words = (parameter(query, 'q') ?? '').split(/\s+/).filter(Boolean)
  if (words.length > 10 || words.some((word) => word.length > 40)) {
    throw invalid(['q: must be at most 10 keywords of at most 40 characters'])
  }
  return words
}

const writeCursor = ({ at, ordinal, id }: EventCursor): string => `${at}_${ordinal}_${id}`

function readCursor(text: string): EventCursor {
  const [, at, ordinal, id = ''] = /^(\d{1,15})_(\d{1,15})_([A-Za-z0-9]{0,40})$/.exec(text) ?? []
  if (at === undefined) throw invalid(['after: must be taken from a Link header'])
  return { at: Number(at), ordinal: Number(ordinal), id }
}

/** An event in the shape of Okta's System Log API, with the members that the engine does not fill as null. */
function toWire(event: LogEvent): object {
  const { ipAddress, userAgent } = event.client
  const { browser, system } = describeUserAgent(userAgent?.rawUserAgent ?? '')
  return {
    ...event,
    legacyEventType: null,
    actor: { alternateId: null, displayName: null, detailEntry: null, ...event.actor },
    outcome: { reason: null, ...event.outcome },
    target: event.target?.map((target) => ({
      alternateId: null,
      displayName: null,
      detailEntry: null,
      ...target,
    })),
    client: {
      ...event.client,
      userAgent: userAgent && { ...userAgent, browser, os: system },
      zone: null,
      device: null,
      geographicalContext: null,
    },
    authenticationContext: { authenticationStep: 0, externalSessionId: event.transaction.id },
    securityContext: { asNumber: null, asOrg: null, isp: null, domain: null, isProxy: null },
    request: {
      ipChain: ipAddress === null ? [] : [{ ip: ipAddress, version: ipAddress.includes(':') ? 'V6' : 'V4' }],
    },
    transaction: { ...event.transaction, detail: {} },
  }
}
