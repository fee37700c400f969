import { type Use, usesOfPool } from '../limits/index.ts'
import type { StepContext } from './authenticator.ts'
import type { Effect } from './outcome.ts'
import { accountSubject } from './subjects.ts'

const subjectOf = ({ person, progress, secrets }: StepContext, authenticator: string): string =>
  `${accountSubject(secrets, progress.subject?.identifier ?? '', person)} ${authenticator}`

/**
 * What the codes of an authenticator that the user has enrolled are counted on, by account: a day, and until the next
 * success, so that no number of days suffices to guess one. Known sources have a reserve: a stranger who knows the
 * password cannot keep the owner out by wrong codes (A56). Before a proof, where a rule lets codes begin a recovery, there is half of
 * it: what strangers without the password use up leaves the rest for who has it.
 */
export function codeBudgets(context: StepContext, authenticator: string): readonly Use[] {
  const { budgets, person, progress, source } = context
  const known = context.isKnownSource(person)
  const uses = { subject: subjectOf(context, authenticator), known }
  const all = [budgets.otpPerDay, budgets.otpUntilSuccess].flatMap((pool) => usesOfPool(pool, source, uses))
  if (known || progress.proofs.length > 0) return all
  return all.map(({ budget, subject }) => ({
    budget: { ...budget, limit: Math.ceil(budget.limit / 2) },
    subject,
  }))
}

/** A right code: the count until the next success begins anew, for this source and for all. */
export const codeSuccess = (context: StepContext, authenticator: string): readonly Effect[] =>
  codeBudgets(context, authenticator)
    .filter(({ budget }) => budget.purpose.startsWith(context.budgets.otpUntilSuccess.purpose))
    .map(({ budget, subject }) => ({ type: 'budget.clear', budget, subject }))
