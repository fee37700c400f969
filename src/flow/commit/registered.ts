import { hasVerifiedEmail } from '../../directory/index.ts'
import { sourceOf, spend, usesOfPool } from '../../limits/index.ts'
import type { Tx } from '../../storage/index.ts'
import type { FlowParts, TransactionContext } from '../load.ts'
import { localesOf, mailVariables } from '../mail-variables.ts'
import type { Effect, Outcome } from '../outcome.ts'
import type { Grant } from '../settle.ts'
import { mailboxSubjects } from '../subjects.ts'

/**
 * Adds to the end of a registration what makes the user one: ACTIVE, with the event and a mail. Not before, since no other mail
 * may come while a code is awaited, and nothing that was abandoned is an account. To a mailbox that was not proven the mail says
 * nothing that was typed, and leaves only while the mailbox may get mails: it may be that of another (A28, A63).
 */
export async function withRegistered(
  parts: Pick<FlowParts, 'org' | 'lifetimes' | 'budgets' | 'secrets'>,
  tx: Tx,
  context: Pick<TransactionContext, 'client' | 'interaction' | 'person'>,
  outcome: Outcome,
  grant: Grant | undefined,
  now: number,
): Promise<Outcome> {
  const { client, interaction, person } = context
  if (grant === undefined || outcome.progress.intent !== 'registration' || person === undefined)
    return outcome
  const { org, lifetimes } = parts
  const { id, profile } = person
  const { email } = profile
  const actor = { id, type: 'User', alternateId: profile.login } as const
  const isProven = hasVerifiedEmail(person) || (outcome.effects ?? []).some(provesMailbox)
  const isMailed = isProven || (await hasRoom(parts, tx, context, now))
  const named = isProven ? person : { profile: { email, login: email } }
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
  ]
  const locale = localesOf(interaction, person)
  const welcome: Effect = {
    type: 'mail.queue',
    mail: {
      template: 'Welcome',
      variables: mailVariables({ client, interaction, now, org }, named, lifetimes.code, locale),
      recipient: email,
      personId: id,
      endsAt: now + lifetimes.notice,
      locale,
    },
  }
  return { ...outcome, effects: [...(outcome.effects ?? []), ...added, ...(isMailed ? [welcome] : [])] }
}

const provesMailbox = (effect: Effect): boolean =>
  effect.type === 'person.create'
    ? hasVerifiedEmail(effect.person)
    : effect.type === 'person.update' && effect.changes.verifiedEmail !== undefined

/** Charges the mail as one of a code is charged: in silence, as what others have used up of a mailbox is shown at no page. */
async function hasRoom(
  { budgets, secrets }: Pick<FlowParts, 'budgets' | 'secrets'>,
  tx: Tx,
  { interaction, person }: Pick<TransactionContext, 'interaction' | 'person'>,
  now: number,
): Promise<boolean> {
  const { account: subject } = mailboxSubjects(secrets, person?.profile.email ?? '')
  for (const use of usesOfPool(budgets.mails, sourceOf(interaction), { subject, known: false })) {
    if (!(await spend(tx, use.budget, use.subject, now)).allowed) return false
  }
  return true
}
