import { sourceOf, usesOfPool } from '../../limits/index.ts'
import { isKnownSource } from '../known-sources.ts'
import type { FlowParts, TransactionContext } from '../load.ts'
import type { Effect, Outcome } from '../outcome.ts'
import { nameSubject } from '../subjects.ts'

/** Whether an effect opens a locked account, and nothing else. A reset opens it, too: with a new password. */
export const isUnlocking = (effect: Effect): boolean =>
  effect.type === 'person.update' &&
  effect.changes.status === 'ACTIVE' &&
  effect.from?.includes('LOCKED_OUT') === true

/**
 * Adds to an unlock what else keeps its user out: the wrong passwords of the account, and those of this source. Who has
 * unlocked an account by a mail and then types the right password is not to be refused for the wrong ones before it.
 */
export function withUnlock(
  { budgets, secrets }: Pick<FlowParts, 'budgets' | 'secrets'>,
  { interaction, person }: Pick<TransactionContext, 'interaction' | 'person'>,
  outcome: Outcome,
  typed: string | undefined,
): Outcome {
  const { effects = [] } = outcome
  if (person === undefined || !effects.some(isUnlocking)) return outcome
  const source = sourceOf(interaction)
  const account = `person:${person.id}`
  const names = [...new Set([person.profile.login, person.profile.email, typed ?? ''])]
  const cleared: readonly Effect[] = [
    { budget: budgets.passwords, subject: account },
    ...usesOfPool(budgets.passwords, source, {
      subject: account,
      ofShare: `${account} ${person.passwordChangedAt}`,
      known: isKnownSource(person.knownSources, secrets, interaction),
    }),
    ...names.map((name) => ({
      budget: budgets.passwordsByName,
      subject: `${nameSubject(secrets, name)} ${source.key}`,
    })),
  ].map((use) => ({ type: 'budget.clear', ...use }))
  return { ...outcome, effects: [...effects, ...cleared] }
}
