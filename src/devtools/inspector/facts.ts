import { parseTime } from '../../base/index.ts'
import type { Timeline } from '../../flow/index.ts'
import type { ClockMove, FlowChange, Recorded } from './recorder.ts'

/** Everything that is known of one conversation. */
export interface FlowFacts {
  readonly timeline: Timeline
  readonly exchanges: readonly Recorded[]
  readonly moves: readonly ClockMove[]
  /** The person's present status; undefined: nobody is known by what was typed, or she was removed. */
  readonly personStatus: string | undefined
  /** How long a mailed code is good, in milliseconds. */
  readonly codeLifetimeMs: number
  readonly now: number
}

/** An exchange that belongs to no conversation. */
export interface StrayFacts {
  readonly exchange: Recorded
  /** The app that called, where it is registered. */
  readonly client: { readonly label: string; readonly redirectUris: readonly string[] } | undefined
}

/** Where the inspector reads. */
export interface FlowReader {
  /** Newest first. */
  list(limit: number): Promise<readonly FlowFacts[]>
  get(id: string): Promise<FlowFacts | undefined>
  /** Newest first. */
  strays(limit: number): Promise<readonly StrayFacts[]>
  subscribe(listener: (change: FlowChange) => void): () => void
}

/** Where nothing is watched. */
export const noFlows: FlowReader = {
  list: async () => [],
  get: async () => undefined,
  strays: async () => [],
  subscribe: () => () => {},
}

/** A mail of a conversation, as far as the log and the outbox tell. */
export interface MailFacts {
  readonly id: string
  readonly template: string
  readonly queuedAt: number
  readonly toNobody: boolean
  readonly state: 'waiting' | 'sent' | 'dead' | 'expired' | 'dropped'
  readonly attempts: number
  readonly error: string | undefined
  /** When it came to its end. */
  readonly closedAt: number | undefined
  /** Until when its code and link are good; undefined: it holds none. */
  readonly codeEndsAt: number | undefined
}

const ends = { SUCCESS: 'sent', DEAD: 'dead', EXPIRED: 'expired', NOBODY: 'dropped' } as const

/** The mails of a conversation, oldest first. */
export function mailsOf({ timeline, codeLifetimeMs }: FlowFacts): readonly MailFacts[] {
  const closed = timeline.events.filter(({ eventType }) => eventType === 'system.email.delivery')
  return timeline.events.flatMap((event): MailFacts[] => {
    const { mail: id, template, recipient } = event.debugContext.debugData
    if (!event.eventType.startsWith('system.email.') || closed.includes(event) || id === undefined) return []
    const end = closed.find(({ debugContext }) => debugContext.debugData.mail === id)
    const waiting = timeline.waiting.find((mail) => mail.id === id)
    const reason = end && (end.outcome.reason ?? end.outcome.result)
    const queuedAt = timeIn(event.published)
    return [
      {
        id,
        template: template ?? '',
        queuedAt,
        toNobody: recipient === 'nobody',
        state: ends[reason as keyof typeof ends] ?? 'waiting',
        attempts: Number(end?.debugContext.debugData.attempts ?? waiting?.attempts ?? 0),
        error: end?.debugContext.debugData.error ?? waiting?.error ?? undefined,
        closedAt: end && timeIn(end.published),
        codeEndsAt: template === 'PasswordChanged' ? undefined : queuedAt + codeLifetimeMs,
      },
    ]
  })
}

/** Epoch milliseconds of a moment as the log writes it. */
export const timeIn = (iso: string): number => parseTime(iso) ?? 0

/** The rule that an event names. */
export const ruleOf = (
  event: { readonly debugContext: { readonly debugData: Readonly<Record<string, string>> } } | undefined,
) => event?.debugContext.debugData.rule
