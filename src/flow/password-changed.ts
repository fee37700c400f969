import type { NewEnrollment, Person, PersonStatus } from '../directory/index.ts'
import type { StepContext } from './authenticator.ts'
import { intents } from './intents.ts'
import { lockoutBudget } from './lockout.ts'
import type { Effect } from './outcome.ts'
import { nameSubject } from './subjects.ts'

/** What a new password causes, all of it in the database transaction that stores it. The commit adds the notice. */
export function passwordChangedEffects(
  context: StepContext,
  person: Person,
  enrollment: NewEnrollment,
  keepSessions: boolean,
): readonly Effect[] {
  const { budgets, client, now, policy, progress } = context
  const { id: personId } = person
  const account = `person:${personId}`
  return [
    { type: 'enrollment.put', enrollment },
    {
      type: 'person.update',
      personId,
      // Sources that the old password signed in from are not known any more (A56).
      changes: {
        // A new user is active at the end of the registration.
        ...(progress.intent !== 'registration' && { status: 'ACTIVE' satisfies PersonStatus }),
        passwordChangedAt: now,
        knownSources: '',
        // What is enrolled from now on may be that of a thief who reads the mailbox (A76).
        ...(progress.intent === 'recovery' && { recoveredAt: now }),
      },
    },
    { type: 'codes.end', personId },
    ...(keepSessions ? [] : [{ type: 'sessions.revoke', personId } as const]),
    { type: 'budget.clear', budget: budgets.passwords, subject: account },
    // By every name of the user, as far as this source has used it up; shares by account end with the old password.
    ...[...new Set([person.profile.login, person.profile.email, progress.subject?.identifier ?? ''])].map(
      (name) =>
        ({
          type: 'budget.clear',
          budget: budgets.passwordsByName,
          subject: `${nameSubject(context.secrets, name)} ${context.source.key}`,
        }) as const,
    ),
    { type: 'budget.clear', budget: lockoutBudget(policy, 0, true), subject: account },
    { type: 'budget.clear', budget: budgets.codesUntilSuccess, subject: account },
    {
      type: 'audit.record',
      event: {
        ...intents[progress.intent].events.replaced,
        outcome: { result: 'SUCCESS' },
        actor: { id: personId, type: 'User', alternateId: progress.subject?.identifier ?? '' },
        target: [
          { id: personId, type: 'User' },
          { id: client.id, type: 'AppInstance', displayName: client.label },
        ],
      },
    },
  ]
}
