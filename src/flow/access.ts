import type { Person, PersonStatus } from '../directory/index.ts'
import type { Policy } from '../policies/index.ts'
import type { Outcome } from './outcome.ts'
import { begin, close } from './progress.ts'
import { isStuck, type Stage } from './stage.ts'

/** Who may set a new password once the mailbox is proven. */
const mayReset: readonly PersonStatus[] = [
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
]

/** Whose password and codes are good for signing in. */
export const maySignIn = (person: Person | undefined): boolean => person?.status === 'ACTIVE'

/** Whether an outcome sets a password or signs in. A recovery that ends without a sign-in sets one all the same. */
export const needsAccess = ({ progress }: Outcome, stage: Stage): boolean =>
  stage === 'reset' || stage === 'reenroll' || stage === 'granted' || progress.closed === 'recovered'

/**
 * Whether a proven person may go on to where an outcome leads. Asked only once something has been proven: before that
 * no answer may depend on who somebody is. The outcome that stands instead, or undefined where she may.
 */
export function checkAccess(
  outcome: Outcome,
  stage: Stage,
  {
    person,
    assigned,
    policy,
  }: { readonly person: Person | undefined; readonly assigned: boolean; readonly policy: Policy },
): Outcome | undefined {
  const { progress } = outcome
  const recovering = progress.intent === 'recovery'

  if (isStuck(progress, policy)) {
    return recovering
      ? denied(outcome, 'oie.selfservice.reset.password.not.allowed', 'policy recovery.secondFactor')
      : denied(outcome, 'security.access_denied', 'policy signOn.factors')
  }
  if (!needsAccess(outcome, stage)) return undefined

  const status = `status ${person?.status ?? 'REMOVED'}`
  if (recovering && !(person && mayReset.includes(person.status))) {
    return denied(outcome, 'oie.selfservice.reset.password.not.allowed', status)
  }
  if (recovering && person?.status === 'LOCKED_OUT' && !policy.recovery.unlocks) {
    return denied(outcome, 'oie.selfservice.reset.password.not.allowed', 'policy selfServiceUnlock')
  }
  // Whoever may not enter may still have a new password, which other apps take.
  if (policy.signOn.access === 'DENY' && (stage === 'granted' || stage === 'reenroll')) {
    return denied(outcome, 'security.access_denied', 'policy signOn.access')
  }
  const expired = person?.status === 'PASSWORD_EXPIRED' && progress.expired !== undefined
  if (!recovering && !maySignIn(person) && !expired) return denied(outcome, 'security.access_denied', status)
  if (!assigned) return unassigned(outcome)
  return undefined
}

const denied = (outcome: Outcome, key: string, rule: string): Outcome => ({
  progress: close(outcome.progress, 'denied'),
  refused: { status: 403, key },
  rule,
  ...recordedOnly(outcome),
})

/** What was judged stays judged: it is charged and recorded. Nothing else of the outcome happens. */
const recordedOnly = ({ charges = [], effects = [] }: Outcome): Pick<Outcome, 'charges' | 'effects'> => ({
  charges,
  effects: effects.filter(({ type }) => type === 'audit.record'),
})

/** A sign-in starts over with the first page, so that somebody else may sign in; a recovery is over. */
const unassigned = (outcome: Outcome): Outcome => ({
  progress:
    outcome.progress.intent === 'recovery'
      ? close(outcome.progress, 'denied')
      : { ...begin(), misses: outcome.progress.misses },
  refused: { status: 400, key: 'idx.error.user.not.assigned.to.app' },
  rule: 'not-assigned',
  ...recordedOnly(outcome),
})
