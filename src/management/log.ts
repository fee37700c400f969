import { type EventCursor, type EventQuery, type LogEvent, queryEvents } from '../audit/index.ts'
import { describeUserAgent, ProtocolError, parseTime } from '../base/index.ts'
import type { Storage } from '../storage/index.ts'
import { parseEventFilter } from './filter.ts'

/** The parameters of a request as they came: a name may stand more than once. */
export type Query = Readonly<Record<string, unknown>>

const day = 24 * 3_600_000
const defaultLimit = 100
const highestLimit = 1000

/**
 * How long an event may take from its time to its commit. On PostgreSQL, events commit in another order than that of
 * their times; a reader who follows the log would step over late ones, so the newest wait this long for them.
 */
const settlingMs = 1000

const invalid = (name: string, why: string): ProtocolError =>
  new ProtocolError(400, 'E0000001', `Api validation failed: ${name}`, { causes: [`${name}: ${why}`] })

export interface LogPage {
  readonly events: readonly object[]
  /** The parameters of the next page, in place of this page's; undefined where this was the last. */
  readonly next: { readonly after: string } | undefined
}

/**
 * One page of `GET /api/v1/logs`. Without `until`, upwards, a reader follows the log: there is always a next page, and
 * nothing is stepped over. Else the pages end. Throws 400 `E0000001` or, of the filter, `E0000053`.
 */
export async function readLog(
  { storage, now }: { readonly storage: Storage; readonly now: number },
  query: Query,
): Promise<LogPage> {
  const wanted = readQuery(query, now)
  const follows = query.until === undefined && wanted.order === 'asc'
  const late = follows && storage.kind === 'postgres' ? now - settlingMs : Number.MAX_SAFE_INTEGER
  const { events, end } = await queryEvents(storage.db, { ...wanted, until: Math.min(wanted.until, late) })
  const full = events.length === wanted.limit && end !== undefined
  const cursor =
    full || follows ? (end ?? wanted.after ?? { at: wanted.since, ordinal: 0, id: '' }) : undefined
  return { events: events.map(toWire), next: cursor && { after: writeCursor(cursor) } }
}

function readQuery(query: Query, now: number): EventQuery {
  const since = timeAt(query, 'since')
  const until = timeAt(query, 'until')
  const filter = textOf(query, 'filter')
  const after = textOf(query, 'after')
  const order = textOf(query, 'sortOrder') ?? 'ASCENDING'
  if (order !== 'ASCENDING' && order !== 'DESCENDING') {
    throw invalid('sortOrder', 'must be ASCENDING or DESCENDING')
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

/** A parameter's text. Given twice it has no meaning: two readers would take different ones. */
function textOf(query: Query, name: string): string | undefined {
  const value = query[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw invalid(name, 'must be given once')
  if (value.includes('\0')) throw invalid(name, 'has a character that is not allowed')
  return value
}

function timeAt(query: Query, name: string): number | undefined {
  const text = textOf(query, name)
  if (text === undefined) return undefined
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/.test(text)
  const at = isTime ? parseTime(text) : undefined
  if (at === undefined) throw invalid(name, 'must be a time such as 2026-01-31T12:00:00Z')
  return at
}

function limitOf(query: Query): number {
  const text = textOf(query, 'limit')
  if (text === undefined) return defaultLimit
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > highestLimit) throw invalid('limit', `must be 1 to ${highestLimit}`)
  return limit
}

function keywordsOf(query: Query): readonly string[] {
  const words = (textOf(query, 'q') ?? '').split(/\s+/).filter(Boolean)
  if (words.length > 10 || words.some((word) => word.length > 40)) {
    throw invalid('q', 'takes 10 keywords of 40 characters')
  }
  return words
}

const writeCursor = ({ at, ordinal, id }: EventCursor): string => `${at}_${ordinal}_${id}`

function readCursor(text: string): EventCursor {
  const [, at, ordinal, id = ''] = /^(\d{1,15})_(\d{1,15})_([A-Za-z0-9]{0,40})$/.exec(text) ?? []
  if (at === undefined) throw invalid('after', 'is not one that a Link header gave')
  return { at: Number(at), ordinal: Number(ordinal), id }
}

/** An event with the members that Okta's have beside ours, so that readers of the field find each where they look. */
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
