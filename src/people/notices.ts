import type { MailVariables, NewMail, NoticeTemplate } from '../delivery/index.ts'
import { mailboxKey, maskName, type Profile } from '../directory/index.ts'
import type { Budget } from '../limits/index.ts'

/** Which notices are sent; those of a changed email or login cannot be switched off, as in Okta. */
export interface NoticeSettings {
  readonly passwordChanged: boolean
  readonly authenticatorEnrolled: boolean
  readonly authenticatorReset: boolean
  readonly accountUnlocked: boolean
}

/** For how long the delivery of a notice is tried, in milliseconds. */
export const noticeLifetimeMs = 3 * 24 * 3_600_000

/**
 * After how many changes an hour a user's notices of one kind are not sent any more: a caller that may change emails could else have
 * mails sent to any number of addresses. The window begins with the first change and is not renewed: in every hour the address
 * that the user had first is written to (A59).
 */
export const noticeBudget: Budget = { purpose: 'notices', limit: 10, windowMs: 3_600_000 }

/** What has become of the things that a user signs in with. */
export interface CredentialChange {
  readonly personId: string
  readonly before: Profile
  readonly after: Profile
  /** What the user was until a moment ago, where several changes belong together: its address gets the notices as well. */
  readonly formerly?: Profile | undefined
  /** Verified secondary addresses, before and after it: they get the notices as well. */
  readonly secondary?: readonly string[]
  /** Another password, or none that signs in. */
  readonly password?: 'changed' | 'expired' | undefined
  /** The names of authenticators that were set up, or set up anew. */
  readonly enrolled?: readonly string[]
  /** The names of authenticators that the user does not have any more. */
  readonly removed?: readonly string[]
  /** The user opened the account, which was locked. */
  readonly unlocked?: boolean
}

interface NoticeContext {
  readonly settings: NoticeSettings
  readonly now: number
  /** An administrator or a program made the change, not the user. */
  readonly byAdministrator: boolean
  readonly locale: string | undefined
  /** The variables of a mail to the user, with the profile that the reader knows. */
  variablesFor(profile: Profile): MailVariables
}

/** A notice to be queued. */
export type Notice = Omit<NewMail, 'transactionId' | 'source' | 'template'> & {
  readonly template: NoticeTemplate
}

/**
 * The mails that report a change: to the address the user had before, to the new one where it differs, and to verified secondary
 * ones. The former address is the one that a thief who changes it does not read (A59, ASVS 6.3.7).
 */
export function noticesOf(change: CredentialChange, context: NoticeContext): readonly Notice[] {
  const { before, after, formerly = before, secondary = [] } = change
  const readers = [formerly, before, after]
  const all = [...readers, ...secondary.map((email) => ({ ...after, email }))]
  const addresses = all.map(({ email }) => mailboxKey(email))
  const current = mailboxKey(after.email)
  const each = all.filter((_, index) => addresses.indexOf(addresses[index] ?? '') === index)
  return each.flatMap((profile) =>
    // Who reads a former address need not be the user: the new names are recognisable there, and not readable.
    reportsOf(
      change,
      context.settings,
      mailboxKey(profile.email) === current ? (name) => name : maskName,
    ).map(([template, variables]) => ({
      template,
      recipient: profile.email,
      personId: change.personId,
      variables: {
        ...context.variablesFor(profile),
        ...variables,
        ...(context.byAdministrator && { administrator: 'yes' }),
      },
      endsAt: context.now + noticeLifetimeMs,
      locale: context.locale,
    })),
  )
}

function reportsOf(
  { before, after, password, enrolled = [], removed = [], unlocked = false }: CredentialChange,
  settings: NoticeSettings,
  shown: (name: string) => string,
): readonly (readonly [NoticeTemplate, MailVariables])[] {
  const newLogin = before.login === after.login ? undefined : shown(after.login)
  return [
    ...(password !== undefined && settings.passwordChanged
      ? [[password === 'changed' ? 'PasswordChanged' : 'PasswordExpired', {}] as const]
      : []),
    ...(before.email !== after.email
      ? [['EmailChanged', { newEmail: shown(after.email), newLogin }] as const]
      : newLogin !== undefined
        ? [['LoginChanged', { newLogin }] as const]
        : []),
    ...(enrolled.length > 0 && settings.authenticatorEnrolled
      ? [['AuthenticatorEnrolled', { 'request.factors': enrolled.join(', ') }] as const]
      : []),
    ...(removed.length > 0 && settings.authenticatorReset
      ? [['AuthenticatorReset', { 'request.factors': removed.join(', ') }] as const]
      : []),
    ...(unlocked && settings.accountUnlocked ? [['AccountUnlocked', {}] as const] : []),
  ]
}
