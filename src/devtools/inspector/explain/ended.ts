import { type FlowFacts, timeIn } from '../facts.ts'
import { bad, type Cause, type Explanation, moment, say } from './cause.ts'

/** Why a conversation is over; undefined while it is open. */
export function explainEnd(facts: FlowFacts): Explanation | undefined {
  const { timeline } = facts
  if (timeline.closed === null || timeline.ended === undefined) return undefined
  const { rule } = timeline.ended
  const at = moment(timeIn(timeline.ended.at))
  switch (timeline.closed) {
    case 'completed':
      return explainGrant(facts)
    case 'recovered':
      return {
        cause: 'password-set',
        tone: 'good',
        sentence: say`The new password was set at ${at}; the person signs in with it herself, as the policy asks.`,
      }
    case 'cancelled':
      return bad('cancelled', say`The visitor cancelled at ${at}; the app goes on with a new conversation.`)
    case 'locked':
      return bad(
        'guesses-spent',
        say`Too many wrong answers: the ${ordinal(timeline.misses)} one, at ${at}, closed the conversation.`,
        'The person begins anew. Wrong answers stay counted on her account.',
      )
    case 'denied':
      return explainDenial(facts, rule)
  }
  return explainOutside(facts, rule)
}

const ordinal = (count: number): string =>
  ({ 1: 'first', 2: 'second', 3: 'third', 4: 'fourth', 5: 'fifth' })[count] ?? `${count}th`

function explainGrant({ timeline, exchanges }: FlowFacts): Explanation {
  const at = moment(timeIn(timeline.ended?.at ?? timeline.updatedAt))
  const isWatched = exchanges.some(({ offered }) => offered.includes('successWithInteractionCode'))
  if (!isWatched)
    return { cause: 'signed-in', tone: 'good', sentence: say`The person was signed in at ${at}.` }
  return {
    cause: 'code-not-redeemed',
    tone: 'waiting',
    sentence: say`The person was signed in at ${at}, and the app has not redeemed the interaction code.`,
    advice: 'The app sends the interaction code to token, with its code verifier.',
  }
}

const ofStatus: Readonly<Record<string, { readonly cause: Cause; readonly words: string }>> = {
  SUSPENDED: { cause: 'person-suspended', words: 'is suspended' },
  STAGED: { cause: 'person-staged', words: 'is staged: nobody has activated it yet' },
  PROVISIONED: { cause: 'person-not-ready', words: 'was never activated by its owner' },
  DEPROVISIONED: { cause: 'person-deactivated', words: 'is deactivated' },
  LOCKED_OUT: { cause: 'person-locked', words: 'is locked' },
  REMOVED: { cause: 'person-removed', words: 'was removed' },
}

/** What a person's status means for her; undefined where it stands in nobody's way. */
export function statusOf(
  rule: string | undefined,
): { readonly cause: Cause; readonly words: string } | undefined {
  const status = /^status (\w+)$/.exec(rule ?? '')?.[1]
  if (status === undefined) return undefined
  return ofStatus[status] ?? { cause: 'person-not-ready', words: `has the status ${status}` }
}

function explainDenial({ timeline }: FlowFacts, rule: string): Explanation {
  const at = moment(timeIn(timeline.ended?.at ?? timeline.updatedAt))
  const status = statusOf(rule)
  if (status !== undefined) {
    return bad(
      status.cause,
      say`The person proved at ${at} who she is, but her account ${status.words}.`,
      'Visitors are told so only after they have proven who they are.',
    )
  }
  if (rule === 'not-assigned') {
    return bad(
      'person-not-assigned',
      say`The person proved at ${at} who she is, but she is not assigned to ${timeline.clientId}.`,
      'Put her into one of the app’s groups.',
    )
  }
  if (rule.startsWith('policy ')) {
    return bad(
      'factor-missing',
      say`The policy (${rule.slice(7)}) asks for another factor, and the person has none; told at ${at}.`,
      'Enrol another authenticator, or ask for one factor only.',
    )
  }
  return bad('ended', say`The conversation was denied at ${at} by the rule ${rule}.`)
}

/** Ended by something that happened elsewhere. */
function explainOutside({ timeline }: FlowFacts, rule: string): Explanation {
  const at = moment(timeIn(timeline.ended?.at ?? timeline.updatedAt))
  const status = statusOf(rule)
  if (status !== undefined) {
    return bad(
      status.cause,
      say`The account was changed at ${at} while the conversation was under way: it ${status.words}.`,
    )
  }
  switch (rule) {
    case 'password-changed':
      return bad(
        'password-changed-elsewhere',
        say`The person’s password was changed elsewhere at ${at}, which ends all her other conversations with their codes and links.`,
        'She signs in with the new password, or begins anew.',
      )
    case 'email-changed':
      return bad(
        'email-changed',
        say`The person’s email address was changed at ${at}, which ends all codes and links mailed to the old one.`,
      )
    case 'person-removed':
      return bad('person-removed', say`The person was removed at ${at}.`)
  }
  return bad('ended', say`The conversation was ended at ${at} by the rule ${rule}.`)
}
