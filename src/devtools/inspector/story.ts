import type { LogEvent } from '../../audit/index.ts'
import { type FlowFacts, isDelivery, type MailFacts, mailsOf, timeIn } from './facts.ts'
import type { ClockMove, Recorded } from './recorder.ts'

/** An entry of the history of a transaction. */
export type Chapter =
  | {
      readonly kind: 'exchange'
      readonly at: number
      readonly exchange: Recorded
      /** The log events of the exchange. */
      readonly events: readonly LogEvent[]
      /** The rate limits that it used, such as `codes-per-day: 3 of 20`. */
      readonly budgets: readonly (readonly [name: string, used: string])[]
      readonly mails: readonly MailFacts[]
    }
  | { readonly kind: 'mail'; readonly at: number; readonly mail: MailFacts }
  | { readonly kind: 'event'; readonly at: number; readonly event: LogEvent }
  | { readonly kind: 'clock'; readonly at: number; readonly move: ClockMove }

/** The history of a transaction: each exchange with its effects, and events from elsewhere in between, by time. */
export function storyOf(facts: FlowFacts): readonly Chapter[] {
  const { exchanges, moves, timeline } = facts
  const mails = mailsOf(facts)
  const caused = new Map<string, LogEvent[]>()
  const elsewhere: LogEvent[] = []
  for (const event of timeline.events) {
    const cause = causeOf(event, exchanges)
    if (cause !== undefined) caused.set(cause.id, [...(caused.get(cause.id) ?? []), event])
    // Delivery events are shown as part of their mail, text or call.
    else if (!isDelivery(event)) elsewhere.push(event)
  }
  const began = Math.min(timeIn(timeline.createdAt), ...exchanges.map(({ at }) => at))
  const chapters: readonly Chapter[] = [
    ...exchanges.map((exchange): Chapter => {
      const events = caused.get(exchange.id) ?? []
      const ids = events.map(({ debugContext }) => debugContext.debugData.mail)
      return {
        kind: 'exchange',
        at: exchange.at,
        exchange,
        events,
        budgets: budgetsIn(events),
        mails: mails.filter(({ id }) => ids.includes(id)),
      }
    }),
    ...mails.flatMap((mail): Chapter[] =>
      mail.closedAt === undefined ? [] : [{ kind: 'mail', at: mail.closedAt, mail }],
    ),
    ...elsewhere.map((event): Chapter => ({ kind: 'event', at: timeIn(event.published), event })),
    ...moves.filter(({ at }) => at >= began).map((move): Chapter => ({ kind: 'clock', at: move.at, move })),
  ]
  return chapters.toSorted((a, b) => a.at - b.at || order.indexOf(a.kind) - order.indexOf(b.kind))
}

const order: readonly Chapter['kind'][] = ['clock', 'exchange', 'event', 'mail']

/** The exchange that caused an event: the first one that was in progress at the time of the event. */
function causeOf(event: LogEvent, exchanges: readonly Recorded[]): Recorded | undefined {
  if (isDelivery(event)) return undefined
  const at = timeIn(event.published)
  return exchanges.find((exchange) => exchange.at >= at && exchange.at - exchange.durationMs - 50 <= at)
}

function budgetsIn(events: readonly LogEvent[]): readonly (readonly [string, string])[] {
  const used = events.flatMap(({ debugContext }) => Object.entries(debugContext.debugData))
  return [...new Map(used.filter(([, value]) => /^\d+ of \d+$/.test(value)))]
}
