import type { FlowParts, TransactionContext } from '../load.ts'
import { localesOf, mailVariables } from '../mail-variables.ts'
import type { Effect, Outcome } from '../outcome.ts'
import type { Grant } from '../settle.ts'

/**
 * Adds to the end of a registration what makes the user one: ACTIVE, with the event and a mail. Not before, since no other mail
 * may come while a code is awaited, and nothing that was abandoned is an account.
 */
export function withRegistered(
  { org, lifetimes }: Pick<FlowParts, 'org' | 'lifetimes'>,
  { client, interaction, person }: Pick<TransactionContext, 'client' | 'interaction' | 'person'>,
  outcome: Outcome,
  grant: Grant | undefined,
  now: number,
): Outcome {
  if (grant === undefined || outcome.progress.intent !== 'registration' || person === undefined)
    return outcome
  const { id, profile } = person
  const actor = { id, type: 'User', alternateId: profile.login } as const
  const added: readonly Effect[] = [
    { type: 'person.update', personId: id, changes: { status: 'ACTIVE' } },
    {
      type: 'audit.record',
      event: {
        eventType: 'user.lifecycle.activate',
        displayMessage: 'Activate user',
        outcome: { result: 'SUCCESS' },
        actor,
        target: [actor, { id: client.id, type: 'AppInstance', displayName: client.label }],
      },
    },
    {
      type: 'mail.queue',
      mail: {
        template: 'Welcome',
        variables: mailVariables({ client, interaction, now, org }, person, lifetimes.code),
        recipient: profile.email,
        personId: id,
        endsAt: now + lifetimes.notice,
        locale: localesOf(interaction, person),
      },
    },
  ]
  return { ...outcome, effects: [...(outcome.effects ?? []), ...added] }
}
