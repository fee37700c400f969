import { verifiedSecondEmail } from '../../directory/index.ts'
import { passwordKey } from '../../passwords/index.ts'
import { noticesOf } from '../../people/index.ts'
import type { FlowParts, TransactionContext } from '../load.ts'
import { mailVariables } from '../mail-variables.ts'
import type { Effect, Outcome } from '../outcome.ts'
import { isUnlocking } from './unlocked.ts'

/**
 * Adds to an outcome the notices of what it changes of the credentials of its user. Here, where everything is written, and not in
 * the steps: no authenticator can set one up in silence (A59).
 */
export function withNotices(
  { org, notices, lifetimes, authenticators }: FlowParts,
  { client, interaction, person }: Pick<TransactionContext, 'client' | 'interaction' | 'person'>,
  outcome: Outcome,
  now: number,
): Outcome {
  const { effects = [] } = outcome
  const put = effects.flatMap((effect) => (effect.type === 'enrollment.put' ? [effect.enrollment] : []))
  const isUnlocked = person?.status === 'LOCKED_OUT' && effects.some(isUnlocking)
  const removed = effects.flatMap((effect) =>
    effect.type === 'enrollment.remove' ? [effect.authenticator] : [],
  )
  // The new user has just set all of it up.
  if (outcome.progress.intent === 'registration') return outcome
  if ((put.length === 0 && removed.length === 0 && !isUnlocked) || person === undefined) return outcome
  const keys = [...new Set(put.map(({ authenticator }) => authenticator))]
  const nameOf = (key: string) => authenticators.get(key)?.displayName ?? key
  const { profile } = person
  const change = {
    personId: person.id,
    before: profile,
    after: profile,
    unlocked: isUnlocked,
    secondary: [verifiedSecondEmail(person)].filter((address) => address !== undefined),
    password: keys.includes(passwordKey) ? ('changed' as const) : undefined,
    enrolled: keys.filter((key) => key !== passwordKey).map(nameOf),
    removed: [...new Set(removed)].map(nameOf),
  }
  const mails = noticesOf(change, {
    settings: notices,
    now,
    byAdministrator: false,
    // Not what the browser asked for: that of a thief would choose in which language the user is warned (A59).
    locale: profile.locale,
    variablesFor: (read) =>
      mailVariables(
        { client, interaction, now, org },
        { profile: read },
        lifetimes.code,
        profile.locale ?? 'en',
      ),
  })
  const queued = mails.map((mail): Effect => ({ type: 'mail.queue', mail }))
  const first = effects.findIndex(({ type }) => type === 'audit.record')
  const at = first === -1 ? effects.length : first
  return { ...outcome, effects: [...effects.slice(0, at), ...queued, ...effects.slice(at)] }
}
