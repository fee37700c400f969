import { record } from '../../audit/index.ts'
import { type MailVariables, queueMail, type TemplateName } from '../../delivery/index.ts'
import { issuePersonToken, type Person, type PersonTokenKind } from '../../directory/index.ts'
import { languageFor, spanInWords } from '../../i18n/index.ts'
import type { Tx } from '../../storage/index.ts'
import { flag } from '../input.ts'
import type { Call } from '../operation.ts'

const hour = 3_600_000

/** A token to be handed out: what for, by which mail, and whether the mail or the answer carries it. */
export interface Handout {
  readonly kind: PersonTokenKind
  readonly lifetimeMs: number
  readonly template: Extract<TemplateName, 'PasswordResetByAdmin' | 'ForgotPassword' | 'UserActivation'>
  readonly mails: boolean
}

const mails = ({ query }: Call): boolean => flag(query, 'sendEmail', true)

export const recoveryOf = (call: Call, template: 'PasswordResetByAdmin' | 'ForgotPassword'): Handout => ({
  kind: 'recovery',
  lifetimeMs: hour,
  template,
  mails: mails(call),
})

export const activationOf = (call: Call): Handout => ({
  kind: 'activation',
  lifetimeMs: 7 * 24 * hour,
  template: 'UserActivation',
  mails: mails(call),
})

/** Where a token's link leads: the last part of its path is the token. */
export const linkOf = (base: string, kind: PersonTokenKind, token: string): string =>
  `${base}/${kind === 'recovery' ? 'signin/reset-password' : 'welcome'}/${token}`

/**
 * Makes a token for somebody, in the transaction of what gave the reason, and queues the mail that carries it. The
 * tokens she had before end. Answers it for the caller who hands it over by other means.
 */
export async function handOut(call: Call, tx: Tx, person: Person, wanted: Handout): Promise<string> {
  const { parts, now } = call
  const { random, secrets } = parts
  const { kind, lifetimeMs, template } = wanted
  const token = await issuePersonToken(
    tx,
    { personId: person.id, kind, lifetimeMs },
    { random, secrets, now },
  )
  if (!wanted.mails) return token
  const { email, locale } = person.profile
  const mail = {
    template,
    recipient: email,
    personId: person.id,
    transactionId: null,
    variables: variablesOf(call, person, wanted, linkOf(parts.baseUrl(), kind, token)),
    endsAt: now + lifetimeMs,
    locale,
  }
  const id = await queueMail(tx, mail, { secrets, random, now })
  const queued = {
    eventType:
      kind === 'recovery' ? 'system.email.password_reset.sent_message' : 'system.email.new_user.sent_message',
    displayMessage: 'Email queued',
    outcome: { result: 'SUCCESS' },
    actor: call.actor,
    target: [{ id: person.id, type: 'User' }],
    debugData: { mail: id, template },
  } as const
  await record(tx, queued, { random, now })
  return token
}

function variablesOf({ parts }: Call, { profile }: Person, wanted: Handout, link: string): MailVariables {
  const language = languageFor(profile.locale)
  return {
    'user.profile.firstName': profile.firstName,
    'user.profile.lastName': profile.lastName,
    'user.profile.login': profile.login,
    'user.profile.email': profile.email,
    'org.name': parts.orgName,
    'org.locale': language,
    baseURL: parts.baseUrl(),
    lifetime: spanInWords(language, wanted.lifetimeMs),
    ...(wanted.kind === 'recovery' ? { resetPasswordLink: link } : { activationLink: link }),
  }
}
