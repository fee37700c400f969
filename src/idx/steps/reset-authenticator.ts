import type { PersonStatus } from '../../directory/index.ts'
import {
  type Authenticator,
  close,
  type Effect,
  localesOf,
  lockoutBudget,
  mailVariables,
  nameSubject,
  type Outcome,
  recovered,
  replace,
  type Step,
  type StepContext,
  sessionExpired,
  type View,
  valueAt,
} from '../../flow/index.ts'
import { badRequest } from './identifier.ts'

/**
 * The new password. Everything it ends happens with it or not at all: the person's other codes and links, her other
 * sessions, and the notice that her password was changed.
 */
export const resetAuthenticator: Step = {
  name: 'reset-authenticator',
  path: 'challenge/answer',
  place: 'remediation',
  stages: ['reset'],
  fields: (view) => resettable(view).reset.fields(view.policy),
  async accept(input, context): Promise<Outcome> {
    const { person, policy, progress } = context
    if (person === undefined) throw sessionExpired('the person is gone')
    const revoke = valueAt(input, 'credentials.revokeSessions')
    if (revoke !== undefined && typeof revoke !== 'boolean') return { progress, refused: badRequest }

    const result = await resettable(context).reset.accept(input, context, person)
    if ('refused' in result) return { progress, refused: result.refused }
    const replaced = replace(progress, recovered, context.now)
    const keepSessions = policy.recovery.offerRevokeSessions && revoke === false
    const effects = passwordChangedEffects(context, person.id, result.data, keepSessions)
    if (policy.recovery.signIn && policy.signOn.access === 'ALLOW') return { progress: replaced, effects }
    return { progress: close(replaced, 'recovered'), effects, notice: { key: 'idx.recovery.completed' } }
  },
}

export function resettable({ authenticators }: View) {
  const authenticator: Authenticator | undefined = authenticators.get(recovered)
  if (authenticator?.reset === undefined) throw new Error(`${recovered} cannot be reset`)
  return { ...authenticator, reset: authenticator.reset }
}

/** What a new password brings about. */
export function passwordChangedEffects(
  context: StepContext,
  personId: string,
  data: unknown,
  keepSessions: boolean,
): readonly Effect[] {
  const { budgets, client, lifetimes, now, person, policy, progress } = context
  const account = `person:${personId}`
  return [
    { type: 'credential.put', personId, authenticator: recovered, data },
    {
      type: 'person.update',
      personId,
      // Sources that the old password signed in from are not known any more (A56).
      changes: { status: 'ACTIVE' satisfies PersonStatus, passwordChangedAt: now, knownSources: '' },
    },
    { type: 'codes.end', personId },
    ...(keepSessions ? [] : [{ type: 'sessions.revoke', personId } as const]),
    { type: 'budget.clear', budget: budgets.passwords, subject: account },
    // By every name she has, as far as this source has used it up; shares by account end with the old password.
    ...[...new Set([person?.profile.login, person?.profile.email, progress.subject?.identifier])].map(
      (name = '') =>
        ({
          type: 'budget.clear',
          budget: budgets.passwordsByName,
          subject: `${nameSubject(context.secrets, name)} ${context.source.key}`,
        }) as const,
    ),
    { type: 'budget.clear', budget: lockoutBudget(policy, 0, true), subject: account },
    { type: 'budget.clear', budget: budgets.codesUntilSuccess, subject: account },
    {
      type: 'mail.queue',
      mail: {
        template: 'PasswordChanged',
        recipient: person?.profile.email ?? null,
        personId,
        variables: mailVariables(context, person, lifetimes.code),
        endsAt: now + lifetimes.notice,
        locale: localesOf(context.interaction, person),
      },
    },
    {
      type: 'audit.record',
      event: {
        ...(progress.intent === 'recovery'
          ? { eventType: 'user.account.reset_password', displayMessage: 'User reset password' }
          : { eventType: 'user.account.update_password', displayMessage: 'User updated password' }),
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
