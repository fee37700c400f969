import { Type } from 'typebox'
import { type EventCursor, type EventQuery, queryEvents } from '../../audit/index.ts'
import { parseTime } from '../../base/index.ts'
import { invalid } from '../errors.ts'
import { isTime, parseEventFilter } from '../filter.ts'
import { type Answer, type Call, type Operation, operation } from '../operation.ts'
import { type LogQuery, logEvent, logQuery } from './schema.ts'
import { renderEvent } from './wire.ts'

const day = 24 * 3_600_000

/**
 * How long an event may take from its timestamp to its commit. On PostgreSQL events commit in another order than that
 * of their timestamps. Events younger than this are withheld from readers that follow the log, who would otherwise skip
 * those that commit late.
 */
const settlingMs = 1000

/**
 * One page of the log. An ascending query without `until` follows the log: it always has a next page and never skips an
 * event. Other queries end with a last page. A page holds fewer events than were asked for, or none, where they had to be
 * read one by one (keywords, an outcome) and enough were read: the next page goes on behind them.
 */
async function list({ parts, query, now }: Call<unknown, LogQuery>): Promise<Answer> {
  const { storage } = parts
  const wanted = toEventQuery(query, now)
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
  return { body: events.map(renderEvent), next: cursor && { after: writeCursor(cursor) } }
}

/** Throws 400 `E0000001`, or `E0000053` for the filter. */
function toEventQuery(
  { since, until, filter, q, after, sortOrder, limit }: LogQuery,
  now: number,
): EventQuery {
  const end = until === undefined ? undefined : timeOf('until', until)
  return {
    since: since === undefined ? (end ?? now) - 7 * day : timeOf('since', since),
    until: end ?? Number.MAX_SAFE_INTEGER,
    filter: filter === undefined ? undefined : parseEventFilter(filter),
    keywords: keywordsOf(q),
    order: sortOrder === 'ASCENDING' ? 'asc' : 'desc',
    limit,
    after: after === undefined ? undefined : readCursor(after),
  }
}

function timeOf(name: string, text: string): number {
  const at = isTime(text) ? parseTime(text) : undefined
  if (at === undefined) throw invalid([`${name}: must be a time such as 2026-01-31T12:00:00Z`])
  return at
}

function keywordsOf(q = ''): readonly string[] {
  const words = q.split(/\s+/).filter(Boolean)
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

export const logOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/logs',
    role: 'read',
    summary: 'List events of the system log',
    query: logQuery,
    response: Type.Array(logEvent),
    handle: list,
  }),
]
