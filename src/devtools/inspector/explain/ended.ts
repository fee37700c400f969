import { type FlowFacts, timeIn } from '../facts.ts'
import { bad, type Cause, type Explanation, moment, say } from './cause.ts'

/** Why a transaction is closed; undefined while it is open. */
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
        sentence: say`The new password was set at ${at}; the policy requires a separate sign-in with it.`,
      }
    case 'unlocked':
      return {
        cause: 'account-unlocked',
        tone: 'good',
        sentence: say`The account was unlocked at ${at}; the user signs in with the same password as before.`,
      }
    case 'cancelled':
      return bad('cancelled', say`The user cancelled at ${at}; the app continues with a new transaction.`)
    case 'locked':
      return bad(
        'guesses-spent',
        say`Too many wrong answers: the ${ordinal(timeline.misses)} one, at ${at}, closed the transaction.`,
        'The user starts again. Wrong answers still count for the account.',
      )
    case 'unmet':
      return bad(
        'access-denied',
        say`The user was authenticated at ${at}, but has no way to prove what the app asks for (acr_values, max_age); the app was answered unmet_authentication_requirements.`,
        'Ask for less, or let the user enroll what proves it.',
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
  const isRecorded = exchanges.some(({ offered }) => offered.includes('successWithInteractionCode'))
  if (!isRecorded)
    return { cause: 'signed-in', tone: 'good', sentence: say`The user was signed in at ${at}.` }
  return {
    cause: 'code-not-redeemed',
    tone: 'waiting',
    sentence: say`The user was signed in at ${at}, but the app has not redeemed the interaction code.`,
    advice: 'Send the interaction code to the token endpoint, with its code verifier.',
  }
}

const ofStatus: Readonly<Record<string, { readonly cause: Cause; readonly words: string }>> = {
  SUSPENDED: { cause: 'person-suspended', words: 'is suspended' },
  STAGED: { cause: 'person-staged', words: 'is staged: it has not been activated yet' },
  PROVISIONED: { cause: 'person-not-ready', words: 'was never activated by the user' },
  DEPROVISIONED: { cause: 'person-deactivated', words: 'is deactivated' },
  LOCKED_OUT: { cause: 'person-locked', words: 'is locked' },
  REMOVED: { cause: 'person-removed', words: 'was removed' },
}

/** The cause for a rule `status …`; undefined for other rules. */
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
      say`The user was authenticated at ${at}, but the account ${status.words}.`,
      'The reason is shown to users only after authentication.',
    )
  }
  if (rule === 'not-assigned') {
    return bad(
      'person-not-assigned',
      say`The user was authenticated at ${at}, but is not assigned to ${timeline.clientId}.`,
      'Add the user to one of the groups of the app.',
    )
  }
  if (rule === 'policy selfServiceUnlock') {
    return bad(
      'unlock-off',
      say`The user was authenticated at ${at}, but the account is locked, and the policy lets no user unlock it alone.`,
      'See selfServiceUnlock in the rules of the policies of the type PASSWORD.',
    )
  }
  if (rule === 'policy selfServicePasswordReset') {
    return bad(
      'recovery-off',
      say`The user was authenticated at ${at}, but the password policy of the user allows no recovery, though another one offers it.`,
      'See selfServicePasswordReset in the rules of the policies of the type PASSWORD.',
    )
  }
  if (rule === 'policy signOn.access') {
    return bad(
      'access-denied',
      say`The user was authenticated at ${at}, but a rule of the policies denies access.`,
      'See the rules of the policies of the types ACCESS_POLICY and OKTA_SIGN_ON that apply to the user: one has the access DENY, or asks for what no authenticator in use can meet.',
    )
  }
  if (rule.startsWith('policy ')) {
    return bad(
      'factor-missing',
      say`At ${at} the policy (${rule.slice(7)}) required another factor, and the user has none.`,
      'Enroll another authenticator, or require only one factor.',
    )
  }
  return bad('ended', say`The transaction was denied at ${at} by the rule ${rule}.`)
}

/** Explains a transaction that was ended by an event outside of it. */
function explainOutside({ timeline }: FlowFacts, rule: string): Explanation {
  const at = moment(timeIn(timeline.ended?.at ?? timeline.updatedAt))
  const status = statusOf(rule)
  if (status !== undefined) {
    return bad(
      status.cause,
      say`The account was changed at ${at} while the transaction was open: it ${status.words}.`,
    )
  }
  switch (rule) {
    case 'password-changed':
      return bad(
        'password-changed-elsewhere',
        say`The password of the user was changed elsewhere at ${at}, which ends all other transactions of the user with their codes and links.`,
        'The user signs in with the new password, or starts again.',
      )
    case 'email-changed':
      return bad(
        'email-changed',
        say`The email address of the user was changed at ${at}, which invalidates all codes and links mailed to the old address.`,
      )
    case 'person-removed':
      return bad('person-removed', say`The user was removed at ${at}.`)
  }
  return bad('ended', say`The transaction was ended at ${at} by the rule ${rule}.`)
}
