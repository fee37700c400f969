import { randomToken } from '../../base/index.ts'
import {
  accountSubject,
  close,
  type Effect,
  localesOf,
  mailVariables,
  type Outcome,
  type Step,
  type StepContext,
} from '../../flow/index.ts'
import { usesOfPool } from '../../limits/index.ts'
import { activationLifetimeMs, tokenLink } from '../../people/index.ts'

/**
 * Another activation mail in place of one whose link has expired. The answer is the same whatever has become of the user, and the
 * budgets of all mails count it: of the source openly, of the account in silence (A57).
 */
export const requestActivationEmail: Step = {
  name: 'request-activation-email',
  path: 'request-activation',
  place: 'remediation',
  stages: ['request-activation'],
  fields: () => [],
  async accept(_, context) {
    const { budgets, person, progress, source } = context
    const refused = await context.chargeMail()
    if (refused !== undefined) return { progress, refused }
    const requested: Outcome = {
      progress: close(progress, 'requested'),
      notice: { key: 'idx.request.activation.email' },
    }
    const account = accountSubject(context.secrets, progress.subject?.identifier ?? '', person)
    const pool = usesOfPool(budgets.mails, source, {
      subject: account,
      known: context.isKnownSource(person),
    })
    return {
      ...requested,
      effects: mailed(context),
      charges: pool.map((use) => ({ ...use, otherwise: { ...requested, effects: mailed(context, true) } })),
    }
  },
}

/** The mail with its token; to no address, and without a token that works, where the user waits for no activation or has had too many. */
function mailed(context: StepContext, isSpent = false): readonly Effect[] {
  const { interaction, now, org, person, random } = context
  const addressee = person?.status === 'PROVISIONED' && !isSpent ? person : undefined
  const token = randomToken(random)
  const { lifetime: _, ...variables } = mailVariables(context, person, activationLifetimeMs)
  const mail: Effect = {
    type: 'mail.queue',
    mail: {
      template: 'UserActivation',
      recipient: addressee?.profile.email ?? null,
      personId: addressee?.id ?? null,
      variables: { ...variables, activationLink: tokenLink(org.baseUrl, 'activation', token) },
      endsAt: now + activationLifetimeMs,
      locale: localesOf(interaction, person),
    },
  }
  if (addressee === undefined) return [mail]
  const mailedTo = addressee.profile.email
  return [{ type: 'activation.issue', personId: addressee.id, token, mailedTo }, mail]
}
