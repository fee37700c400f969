import type { Secrets } from '../../base/index.ts'
import { intents } from '../intents.ts'
import type { Effect, Outcome } from '../outcome.ts'
import type { Settled } from '../settle.ts'

const purpose = 'deferred effect'

/**
 * Holds back what a transaction that completes an account writes of it, sealed in its progress, until its end: then all of it is
 * written at once. So what a visitor has enrolled who never came to the end is no part of the account: the next holder of a token
 * begins with nothing of it (A63).
 */
export function withDeferred(secrets: Secrets, { outcome, grant }: Settled): Outcome {
  const { progress, effects = [] } = outcome
  const { deferred = [], ...others } = progress
  if (!intents[progress.intent].activates) return outcome
  if (grant !== undefined) {
    const earlier = deferred.map((sealed) => JSON.parse(opened(secrets, sealed)) as Effect)
    return { ...outcome, progress: others, effects: [...earlier, ...effects] }
  }
  const later = effects.filter(isOfAccount)
  if (progress.closed !== undefined) {
    return { ...outcome, progress: others, effects: effects.filter((effect) => !isOfAccount(effect)) }
  }
  if (later.length === 0) return outcome
  const sealed = later.map((effect) => secrets.seal(purpose, JSON.stringify(effect)))
  return {
    ...outcome,
    progress: { ...progress, deferred: [...deferred, ...sealed] },
    effects: effects.filter((effect) => !isOfAccount(effect)),
  }
}

/** What the account gets, and the record of it. That a mailbox was proven, and what was charged and sent, stays where it is. */
const isOfAccount = (effect: Effect): boolean =>
  effect.type === 'enrollment.put' ||
  (effect.type === 'person.update' && effect.changes.passwordChangedAt !== undefined) ||
  (effect.type === 'audit.record' && recordedAtEnd.includes(effect.event.eventType))

const recordedAtEnd: readonly string[] = ['user.mfa.factor.activate', 'user.account.update_password']

function opened(secrets: Secrets, sealed: string): string {
  const text = secrets.open(purpose, sealed)
  if (text === undefined) throw new Error('a deferred effect cannot be opened: its secret is missing')
  return text
}
