import type { NewEvent, Party } from '../audit/index.ts'
import type { NewMail, NewText } from '../delivery/index.ts'
import type { Interaction } from '../interactions/index.ts'
import type { Budget, Violation } from '../limits/index.ts'
import { queuedEvents, textEvents } from '../people/index.ts'
import { intents, unmetWish } from './intents.ts'
import type { Outcome } from './outcome.ts'
import type { Closing, Progress } from './progress.ts'

/** Adds details to an event. */
export const withDebugData = (event: NewEvent, debugData: Readonly<Record<string, string>>): NewEvent => ({
  ...event,
  debugData: { ...event.debugData, ...debugData },
})

/** The user that an event is about: the id where the user is known, and what was typed. */
const visitor = ({ subject }: Progress): Party => ({
  id: subject?.userId ?? 'unknown',
  type: 'User',
  alternateId: subject?.identifier ?? 'unknown',
})

/** The rule that ended a transaction, where its outcome names none. */
const rules: Readonly<Record<Closing, string>> = {
  cancelled: 'cancelled',
  completed: 'completed',
  recovered: 'completed',
  unlocked: 'completed',
  requested: 'completed',
  locked: 'guesses-per-transaction',
  denied: 'denied',
  declined: 'consent-declined',
  unmet: unmetWish.rule,
  superseded: 'superseded',
}

/** By which rule an outcome ends its transaction; undefined where it does not. */
export const endedBy = ({ progress, rule }: Outcome): string | undefined =>
  progress.closed === undefined ? undefined : (rule ?? rules[progress.closed])

/**
 * The events of a move from one progress to the next, besides what the step itself records: that a recovery
 * began, that a transaction ended uncompleted, and by which rule. The same for unknown users.
 */
export function eventsOfMove(
  before: Progress,
  outcome: Outcome,
  interaction: Interaction,
): readonly NewEvent[] {
  const { progress: after, rule } = outcome
  const about = {
    actor: visitor(after.subject === undefined ? before : after),
    target: [{ id: interaction.clientId, type: 'AppInstance' }],
  }
  if (rule === 'not-assigned') {
    const displayMessage = 'User attempted unauthorized access to app'
    const result = { result: 'FAILURE', reason: 'NOT_ASSIGNED' } as const
    const eventType = 'app.generic.unauth_app_access_attempt'
    return [{ ...about, eventType, displayMessage, outcome: result, debugData: { rule } }]
  }
  const ended = endedBy(outcome)
  if (ended !== undefined) {
    // A page that was left before any name was typed is nothing that a user did: a loop of it would fill the log.
    if (after.closed === 'cancelled' && isUntouched(before)) return []
    const end = endOf(after)
    return end === undefined ? [] : [{ ...about, ...end, debugData: { rule: ended } }]
  }
  const { begun } = intents[after.intent].events
  if (begun === undefined || !begins(before, after)) return []
  return [{ ...about, ...begun, outcome: { result: 'CHALLENGE' } }]
}

/** No name was typed, and no answer was wrong. */
const isUntouched = ({ subject, misses }: Progress): boolean => subject === undefined && misses === 0

const begins = (before: Progress, { intent, subject }: Progress): boolean =>
  subject !== undefined && (before.intent !== intent || before.subject === undefined)

/** The bad ends; the good ones are recorded by what brings them about. */
function endOf({
  closed,
  intent,
}: Progress): Pick<NewEvent, 'eventType' | 'displayMessage' | 'outcome'> | undefined {
  const { noun, events } = intents[intent]
  switch (closed) {
    case 'locked':
      return {
        eventType: events.failed,
        displayMessage: `${noun} ended: too many wrong answers`,
        outcome: { result: 'FAILURE', reason: 'TOO_MANY_ATTEMPTS' },
      }
    case 'declined':
      return {
        eventType: events.failed,
        displayMessage: `${noun} ended: the user did not consent`,
        outcome: { result: 'SKIPPED', reason: 'CONSENT_DECLINED' },
      }
    case 'cancelled':
      return {
        eventType: events.failed,
        displayMessage: `${noun} cancelled`,
        outcome: { result: 'SKIPPED', reason: 'CANCELLED' },
      }
    case 'unmet':
      return {
        eventType: events.denied,
        displayMessage: `${noun} denied: the user cannot prove what the app asks for`,
        outcome: { result: 'DENY', reason: 'UNMET_AUTHENTICATION_REQUIREMENTS' },
      }
    case 'denied':
      return {
        eventType: events.denied,
        displayMessage: `${noun} denied`,
        outcome: { result: 'DENY', reason: 'ACCESS_DENIED' },
      }
    default:
      return undefined
  }
}

/** A mail was queued; without a recipient as well, so that unknown users cost the same. */
export function mailQueued(
  mail: Omit<NewMail, 'transactionId'>,
  id: string,
  { before, after }: { readonly before: Progress; readonly after: Progress },
): NewEvent {
  const replaces = before.challenge?.linkHash !== undefined && after.challenge !== before.challenge
  return {
    eventType: queuedEvents[mail.template],
    displayMessage: 'Email queued',
    outcome: { result: 'SUCCESS' },
    actor: visitor(after.subject === undefined ? before : after),
    target: mail.personId === null ? [] : [{ id: mail.personId, type: 'User' }],
    debugData: {
      mail: id,
      template: mail.template,
      ...(mail.recipient === null && { recipient: 'nobody' }),
      ...(replaces && { rule: 'link-superseded' }),
    },
  }
}

/** A user has removed what the user had of an authenticator. */
export const factorRemoved = (removed: {
  readonly personId: string
  readonly id: string
  readonly authenticator: string
}): NewEvent => ({
  eventType: 'user.mfa.factor.deactivate',
  displayMessage: 'Reset factor for user',
  outcome: { result: 'SUCCESS' },
  actor: { id: removed.personId, type: 'User' },
  target: [{ id: removed.personId, type: 'User' }],
  debugData: { authenticator: removed.authenticator, enrollment: removed.id },
})

/** A text or call was queued; without a number as well. The number is not in the log: the user's own is in the directory. */
export function textQueued(
  {
    channel,
    template,
    personId,
    recipient,
  }: Pick<NewText, 'channel' | 'template' | 'personId' | 'recipient'>,
  id: string,
  { before, after }: { readonly before: Progress; readonly after: Progress },
): NewEvent {
  return {
    eventType: textEvents[channel][template],
    displayMessage: channel === 'sms' ? 'SMS message queued' : 'Call queued',
    outcome: { result: 'SUCCESS' },
    actor: visitor(after.subject === undefined ? before : after),
    target: personId === null ? [] : [{ id: personId, type: 'User' }],
    debugData: { mail: id, template, ...(recipient === null && { recipient: 'nobody' }) },
  }
}

/** A budget that visitors can see is spent. */
export function budgetSpent(
  eventType: 'system.operation.rate_limit.violation' | 'security.attack.start',
  budget: Budget,
  progress: Progress,
): NewEvent {
  return {
    eventType,
    displayMessage: eventType === 'security.attack.start' ? 'Too many wrong answers' : 'Rate limit violation',
    outcome: { result: 'DENY', reason: 'TOO_MANY_REQUESTS' },
    actor: visitor(progress),
    debugData: { rule: budget.purpose, limit: String(budget.limit), windowMs: String(budget.windowMs) },
  }
}

/** A request budget is spent. */
export const requestsRefused = ({ rule, endpoint, limit, windowMs, source }: Violation): NewEvent => ({
  eventType: 'system.operation.rate_limit.violation',
  displayMessage: 'Rate limit violation',
  outcome: { result: 'DENY', reason: 'TOO_MANY_REQUESTS' },
  actor: { id: source.client ?? 'unknown', type: 'PublicClientApp' },
  client: { ipAddress: source.address, id: source.client },
  transactionId: source.transaction,
  debugData: { rule, endpoint, limit: String(limit), windowMs: String(windowMs) },
})
