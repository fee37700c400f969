import type { LogEvent } from '../audit/index.ts'
import { parseTime } from '../base/index.ts'
import type { Timeline } from '../flow/index.ts'

interface Line {
  readonly at: number
  readonly kind: 'step' | 'event' | 'mail' | 'end'
  readonly text: string
  readonly facts: string
}

/** Renders a transaction as text: its steps, events and mails by time, and the rule that ended it. Contains no secrets. */
export function renderTimeline(timeline: Timeline): string {
  const beganAt = at(timeline.createdAt)
  const lines = linesOf(timeline)
  const width = Math.max(0, ...lines.map(({ text }) => text.length))
  const body = lines.map(({ at, kind, text, facts }) =>
    `  ${relative(at - beganAt).padStart(10)}  ${kind.padEnd(5)}  ${text.padEnd(width)}  ${facts}`.trimEnd(),
  )
  return [...headOf(timeline), '', ...body, ''].join('\n')
}

function headOf(timeline: Timeline): readonly string[] {
  const { id, intent, clientId, identifier, personId, proofs, misses, ended } = timeline
  const what = intent === 'activation' ? `an ${intent}` : `a ${intent}`
  const from = timeline.events.find(({ client }) => client.ipAddress !== null)?.client.ipAddress
  return [
    `transaction ${id}: ${what} for the app ${clientId}${from ? ` from ${from}` : ''}`,
    `user        ${identifier ?? 'not identified yet'}${personId ? ` (${personId})` : identifier ? ' (unknown user)' : ''}`,
    `began       ${timeline.createdAt}`,
    ended ? `ended       ${ended.at} by the rule: ${ended.rule}` : `open until  ${timeline.expiresAt}`,
    `proven by   ${proofs.length > 0 ? proofs.join(', ') : 'nothing'}; wrong answers: ${misses}`,
  ]
}

/** All lines by time; at the same time a step comes before what it caused, and the end comes last. */
function linesOf(timeline: Timeline): readonly Line[] {
  const steps = timeline.steps.map(
    ({ step, result, at: time }): Line => ({
      at: at(time),
      kind: 'step',
      text: step,
      facts: result === 'accepted' ? '' : result,
    }),
  )
  const waiting = timeline.waiting.map(
    (mail): Line => ({
      at: mail.nextAt,
      kind: 'mail',
      text: `${mail.template} waits`,
      facts: `attempts=${mail.attempts}${mail.error ? ` error=${mail.error}` : ''}`,
    }),
  )
  const end: readonly Line[] =
    timeline.ended === undefined
      ? []
      : [{ at: at(timeline.ended.at), kind: 'end', text: `ended by ${timeline.ended.rule}`, facts: '' }]
  const order: readonly Line['kind'][] = ['step', 'event', 'mail']
  return [...steps, ...timeline.events.map(eventLine), ...waiting, ...end].toSorted(
    (a, b) => a.at - b.at || rank(order, a) - rank(order, b),
  )
}

const rank = (order: readonly Line['kind'][], { kind }: Line): number =>
  kind === 'end' ? order.length : Math.min(order.indexOf(kind), 1)

function eventLine({ eventType, published, outcome, debugContext }: LogEvent): Line {
  const { template, ...data } = debugContext.debugData
  const facts = Object.entries(data).map(([name, value]) => `${name}=${value}`)
  const result = [outcome.result, outcome.reason].filter(Boolean).join(' ')
  const isMail = eventType.startsWith('system.email.')
  return {
    at: at(published),
    kind: isMail ? 'mail' : 'event',
    text: isMail ? `${template ?? 'mail'} ${mailResult(eventType, outcome)}` : `${eventType} ${result}`,
    facts: facts.join(' '),
  }
}

const mailResult = (eventType: string, { result, reason }: LogEvent['outcome']): string =>
  eventType === 'system.email.delivery'
    ? result === 'SUCCESS'
      ? 'sent'
      : `not sent: ${(reason ?? result).toLowerCase()}`
    : 'queued'

const at = (time: string): number => parseTime(time) ?? 0

/** `+3.250s`, `+4m05s`. */
function relative(ms: number): string {
  if (ms < 60_000) return `+${(ms / 1000).toFixed(3)}s`
  const seconds = Math.round(ms / 1000)
  return `+${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}
