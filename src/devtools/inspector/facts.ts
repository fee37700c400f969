import { parseTime } from '../../base/index.ts'
import { noticeTemplates } from '../../delivery/index.ts'
import type { Timeline } from '../../flow/index.ts'
import type { ClockMove, FlowChange, Recorded } from './recorder.ts'

/** All facts about one transaction. */
export interface FlowFacts {
  readonly timeline: Timeline
  readonly exchanges: readonly Recorded[]
  readonly moves: readonly ClockMove[]
  /** The current status of the user; undefined for an unknown or removed user. */
  readonly personStatus: string | undefined
  /** The lifetime of a mailed code, in milliseconds. */
  readonly codeLifetimeMs: number
  readonly now: number
}

/** An exchange that belongs to no transaction. */
export interface StrayFacts {
  readonly exchange: Recorded
  /** The calling app, if it is registered, with the redirect URIs that it accepts, in words. */
  readonly client: { readonly label: string; readonly redirects: string } | undefined
}

/** The data source of the inspector. */
export interface FlowReader {
  /** Newest first. */
  list(limit: number): Promise<readonly FlowFacts[]>
  get(id: string): Promise<FlowFacts | undefined>
  /** Newest first. */
  strays(limit: number): Promise<readonly StrayFacts[]>
  subscribe(listener: (change: FlowChange) => void): () => void
}

/** The data source if nothing is recorded. */
export const noFlows: FlowReader = {
  list: async () => [],
  get: async () => undefined,
  strays: async () => [],
  subscribe: () => () => {},
}

/** Whether a transaction can go on. */
export const isOpen = ({ timeline, now }: FlowFacts): boolean =>
  timeline.closed === null && now < timeIn(timeline.expiresAt)

/** Whether an event names its user. The last event of a closed transaction may not: then it has `unknown`. */
const isName = ({
  type,
  alternateId,
}: {
  readonly type: string
  readonly alternateId?: string | undefined
}) => type === 'User' && alternateId !== undefined && alternateId !== 'unknown'

/**
 * The name that was entered: of the transaction, else of its latest event. A sign-in with a wrong password identifies no
 * user, so its transaction has no name, but its events have. Undefined: none was entered.
 */
export function nameIn({ timeline }: FlowFacts): string | undefined {
  if (timeline.identifier !== null) return timeline.identifier
  const named = timeline.events.findLast(({ actor }) => isName(actor))
  // In the log stands a hash in place of what is no address: it may be a password in the wrong field.
  return named?.actor.alternateId?.replace(/^typed:.*/, 'A name that is not an address')
}

/** A mail, text or call of a transaction, from the log and the outbox. */
export interface MailFacts {
  readonly id: string
  readonly channel: 'email' | 'sms' | 'voice'
  readonly template: string
  readonly queuedAt: number
  /** The mail has no recipient: it was queued for an unknown or unavailable user, to take the same path. */
  readonly isWithoutRecipient: boolean
  readonly state: 'waiting' | 'sent' | 'dead' | 'expired' | 'dropped'
  readonly attempts: number
  readonly error: string | undefined
  /** When it was sent or given up. */
  readonly closedAt: number | undefined
  /** When its code and link expire; undefined if it has none. */
  readonly codeEndsAt: number | undefined
}

const ends = { SUCCESS: 'sent', DEAD: 'dead', EXPIRED: 'expired', NOBODY: 'dropped' } as const

/** The events at the end of a mail, text or call. */
const endEvents: readonly string[] = [
  'system.email.delivery',
  'system.sms.receive_status',
  'system.voice.receive_status',
]

export const isDelivery = ({ eventType }: { readonly eventType: string }): boolean =>
  endEvents.includes(eventType)

/** The mails, texts and calls of a transaction, oldest first. */
export function mailsOf({ timeline, codeLifetimeMs }: FlowFacts): readonly MailFacts[] {
  const closed = timeline.events.filter(isDelivery)
  return timeline.events.flatMap((event): MailFacts[] => {
    const { mail: id, template, recipient } = event.debugContext.debugData
    const channel = /^system\.(email|sms|voice)\./.exec(event.eventType)?.[1] as
      | MailFacts['channel']
      | undefined
    if (channel === undefined || closed.includes(event) || id === undefined) return []
    const end = closed.find(({ debugContext }) => debugContext.debugData.mail === id)
    const waiting = timeline.waiting.find((mail) => mail.id === id)
    const reason = end && (end.outcome.reason ?? end.outcome.result)
    const queuedAt = timeIn(event.published)
    return [
      {
        id,
        channel,
        template: template ?? '',
        queuedAt,
        isWithoutRecipient: recipient === 'nobody',
        state: ends[reason as keyof typeof ends] ?? 'waiting',
        attempts: Number(end?.debugContext.debugData.attempts ?? waiting?.attempts ?? 0),
        error: end?.debugContext.debugData.error ?? waiting?.error ?? undefined,
        closedAt: end && timeIn(end.published),
        codeEndsAt: noticeTemplates.some((name) => name === template) ? undefined : queuedAt + codeLifetimeMs,
      },
    ]
  })
}

/** The epoch milliseconds of a time in the log. */
export const timeIn = (iso: string): number => parseTime(iso) ?? 0

/** The rule that an event refers to. */
export const ruleOf = (
  event: { readonly debugContext: { readonly debugData: Readonly<Record<string, string>> } } | undefined,
) => event?.debugContext.debugData.rule
