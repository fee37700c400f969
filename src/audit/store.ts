import { isoTime, type Random, randomId } from '../base/index.ts'
import type { Db, Row } from '../storage/index.ts'

export interface Party {
  readonly id: string
  readonly type: string
  readonly alternateId?: string
  readonly displayName?: string
}

/** What is recorded; named as in Okta's System Log. */
export interface NewEvent {
  readonly eventType: string
  readonly displayMessage: string
  readonly severity?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'
  readonly outcome: {
    readonly result: 'SUCCESS' | 'FAILURE' | 'ALLOW' | 'DENY' | 'CHALLENGE'
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

const nobody: Party = { id: 'unknown', type: 'User', alternateId: 'unknown' }

/** Records what happened, in the caller's transaction: an event stands if and only if what it tells of does. */
export async function record(
  db: Db,
  event: NewEvent,
  context: { readonly random: Random; readonly now: number },
): Promise<void> {
  const uuid = randomId(context.random, 'evt')
  const body: LogEvent = {
    uuid,
    published: isoTime(context.now),
    version: '0',
    eventType: event.eventType,
    displayMessage: event.displayMessage,
    severity: event.severity ?? (event.outcome.result === 'FAILURE' ? 'WARN' : 'INFO'),
    outcome: event.outcome,
    actor: event.actor ?? nobody,
    target: event.target ?? [],
    client: {
      ipAddress: event.client?.ipAddress ?? null,
      userAgent: event.client?.userAgent === undefined ? null : { rawUserAgent: event.client.userAgent },
      id: event.client?.id ?? null,
    },
    transaction: { type: 'WEB', id: event.transactionId ?? null },
    debugContext: { debugData: event.debugData ?? {} },
  }
  await db
    .insertInto('events')
    .values({
      id: uuid,
      published_at: context.now,
      type: event.eventType,
      outcome: event.outcome.result,
      actor_id: event.actor?.id ?? null,
      target_id: event.target?.[0]?.id ?? null,
      transaction_id: event.transactionId ?? null,
      body: JSON.stringify(body),
    })
    .execute()
}

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
    .orderBy('id', 'desc')
    .limit(query.limit)
  if (query.transactionId !== undefined) select = select.where('transaction_id', '=', query.transactionId)
  if (query.eventType !== undefined) select = select.where('type', '=', query.eventType)
  return (await select.execute()).map(toEvent)
}
