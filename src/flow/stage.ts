import type { Policy } from '../policies/index.ts'
import { type Progress, recoveryToken } from './progress.ts'

/** What is asked next. */
export type Stage =
  | 'identify'
  | 'identify-recovery'
  | 'select'
  | 'verify'
  | 'reset'
  | 'reenroll'
  | 'granted'
  | 'closed'

export const stages: readonly Stage[] = [
  'identify',
  'identify-recovery',
  'select',
  'verify',
  'reset',
  'reenroll',
  'granted',
  'closed',
]

/** The authenticator that recovery replaces. */
export const recovered = 'okta_password'

/** The only place that decides what comes next; a step never names the next step. */
export function stageOf(progress: Progress, policy: Policy): Stage {
  if (progress.closed !== undefined) return 'closed'
  if (progress.subject === undefined) return progress.intent === 'recovery' ? 'identify-recovery' : 'identify'
  if (progress.challenge !== undefined) return 'verify'
  if (progress.intent === 'recovery' && !progress.replaced.includes(recovered)) {
    return isRecoveryProven(progress, policy) ? 'reset' : 'select'
  }
  if (!isAssured(progress, policy)) return 'select'
  return progress.expired?.some((key) => !progress.replaced.includes(key)) ? 'reenroll' : 'granted'
}

/** Which authenticators the visitor may choose from, in the order in which they are offered. */
export function choicesOf(progress: Progress, policy: Policy): readonly string[] {
  const proven = progress.proofs.map(({ authenticator }) => authenticator)
  // Recovery never offers the password: that is what was lost, and the SDK would pick it by itself and start over.
  const candidates =
    progress.intent === 'recovery' && !progress.replaced.includes(recovered)
      ? policy.recovery.authenticators
      : policy.signOn.authenticators
  const left = candidates.filter((key) => !proven.includes(key))
  if (progress.intent === 'recovery' && !progress.replaced.includes(recovered)) return left
  // What the app asks for by name comes first; once it is there, anything makes up the number.
  const asked = policy.signOn.alternatives.flat()
  return isOneWay(progress, policy) ? left : left.filter((key) => asked.includes(key))
}

/** Whether one of the ways that the app's policy allows has been gone to its end. */
const isOneWay = ({ proofs }: Progress, { signOn: { alternatives } }: Policy): boolean =>
  alternatives.length === 0 ||
  alternatives.some((way) => way.every((key) => proofs.some(({ authenticator }) => authenticator === key)))

const isAssured = (progress: Progress, policy: Policy): boolean =>
  provenFactors(progress) >= policy.signOn.factors && isOneWay(progress, policy)

/** Whether somebody has proven something, and has nothing left to prove the rest with. */
export const isStuck = (progress: Progress, policy: Policy): boolean =>
  stageOf(progress, policy) === 'select' &&
  progress.proofs.length > 0 &&
  choicesOf(progress, policy).length === 0

/**
 * A recovery needs one of the authenticators that may start it, or a token that was handed out; a required second
 * factor must come on top.
 */
function isRecoveryProven(progress: Progress, policy: Policy): boolean {
  const hasToken = progress.proofs.some(({ authenticator }) => authenticator === recoveryToken)
  // Where nobody recovers a password herself there is nothing to ask on top: the token is the only way there is.
  const isOnlyWay = hasToken && policy.recovery.authenticators.length === 0
  const needed = policy.recovery.secondFactor === 'required' && !isOnlyWay ? 2 : 1
  return (
    provenFactors(progress) + (hasToken ? 1 : 0) >= needed &&
    (hasToken ||
      progress.proofs.some(({ authenticator }) => policy.recovery.authenticators.includes(authenticator)))
  )
}

/** A token is no factor of hers: whoever handed it out had it first. */
const provenFactors = (progress: Progress): number =>
  new Set(progress.proofs.map(({ authenticator }) => authenticator).filter((key) => key !== recoveryToken))
    .size
