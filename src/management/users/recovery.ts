import { record } from '../../audit/index.ts'
import { type MailVariables, queueMail, type TemplateName } from '../../delivery/index.ts'
import { issuePersonToken, type Person, type PersonTokenKind } from '../../directory/index.ts'
import { languageFor, spanInWords } from '../../i18n/index.ts'
import { activationLifetimeMs, tokenLink } from '../../people/index.ts'
import type { Tx } from '../../storage/index.ts'
import type { Context, ManagementParts } from '../operation.ts'

const hour = 3_600_000

/** A user token to issue: its purpose, its mail, and whether the mail or the response contains it. */
export interface UserTokenRequest {
  readonly kind: PersonTokenKind
  readonly lifetimeMs: number
  readonly template: Extract<TemplateName, 'PasswordResetByAdmin' | 'ForgotPassword' | 'UserActivation'>
  /** False: the token is returned to the caller instead. */
  readonly sendsMail: boolean
}

export const recoveryTokenRequest = (
  sendsMail: boolean,
  template: 'PasswordResetByAdmin' | 'ForgotPassword',
): UserTokenRequest => ({ kind: 'recovery', lifetimeMs: hour, template, sendsMail })

export const activationTokenRequest = (sendsMail: boolean): UserTokenRequest => ({
  kind: 'activation',
  lifetimeMs: activationLifetimeMs,
  template: 'UserActivation',
  sendsMail,
})

/** What a mail with a token is made from. */
interface Issuing extends Pick<Context, 'actor' | 'now'> {
  readonly parts: Pick<ManagementParts, 'random' | 'secrets' | 'orgName' | 'baseUrl'>
}

/**
 * Mails a user the link by which the account is completed, as `POST /users` does, in the database transaction of the change that calls for
 * it. Earlier tokens of the user become invalid.
 */
export const mailActivation = async (issuing: Issuing, tx: Tx, person: Person): Promise<void> =>
  void (await issueUserToken(issuing, tx, person, activationTokenRequest(true)))

/**
 * Issues a token for a user, in the transaction of the change that requires it, and queues the mail that contains it.
 * Earlier tokens of the user become invalid. Returns the token for callers that deliver it by other means.
 */
export async function issueUserToken(
  call: Issuing,
  tx: Tx,
  person: Person,
  wanted: UserTokenRequest,
): Promise<string> {
  const { parts, now } = call
  const { random, secrets } = parts
  const { kind, lifetimeMs, template } = wanted
  const token = await issuePersonToken(
    tx,
    { personId: person.id, kind, lifetimeMs, ...(wanted.sendsMail && { mailedTo: person.profile.email }) },
    { random, secrets, now },
  )
  if (!wanted.sendsMail) return token
  const { email, locale } = person.profile
  const mail = {
    template,
    recipient: email,
    personId: person.id,
    transactionId: null,
    variables: variablesOf(call, person, wanted, tokenLink(parts.baseUrl(), kind, token)),
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

function variablesOf(
  { parts }: Issuing,
  { profile }: Person,
  wanted: UserTokenRequest,
  link: string,
): MailVariables {
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
