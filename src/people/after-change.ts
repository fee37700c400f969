import { type NewEvent, type Party, record, sessionsCleared } from '../audit/index.ts'
import type { Random, Secrets } from '../base/index.ts'
import {
  endCodeMails,
  type MailVariables,
  type NoticeTemplate,
  queueMail,
  removeSuppressionsOf,
} from '../delivery/index.ts'
import {
  type Enrollment,
  endPersonTokens,
  type Person,
  type PersonStatus,
  verifiedSecondEmail,
} from '../directory/index.ts'
import { dateInWords, languageFor, timeInWords } from '../i18n/index.ts'
import { endTransactionsOf } from '../interactions/index.ts'
import { spend } from '../limits/index.ts'
import { passwordKey } from '../passwords/index.ts'
import { revokeSessionsOf } from '../sessions/index.ts'
import type { Tx } from '../storage/index.ts'
import { mailClosed, queuedEvents } from './mail-events.ts'
import { type CredentialChange, type NoticeSettings, noticeBudget, noticesOf } from './notices.ts'

/** What mails to users need, beside what they report. */
export interface MailParts {
  readonly secrets: Secrets
  readonly random: Random
  readonly notices: NoticeSettings
  /** The name of this installation, and its public address where it is known. */
  readonly org: { readonly name: string; readonly baseUrl: string | undefined }
  /** The name of an authenticator as users read it. */
  nameOf(authenticator: string): string
}

/** A change of a user that is written, in the database transaction that has written it. */
export interface Changed {
  readonly before: Person
  readonly after: Person
  readonly password: boolean
  /** Authenticators that were set up, besides the password. */
  readonly enrolled: readonly string[]
  readonly removed: readonly string[]
  readonly by: Party
  /** An administrator or a program made it. */
  readonly byAdministrator: boolean
  /** What the user was until a moment ago, where several changes belong together. */
  readonly formerly?: Person['profile'] | undefined
  /** Another mail of the same transaction says that the password is of no use any more. */
  readonly announced?: boolean | undefined
  /** Whether the user's sessions end, whatever else is changed. */
  readonly endsSessions?: boolean
  /** False: no notices are queued. */
  readonly notifies?: boolean
}

const mayKeepSessions: readonly PersonStatus[] = ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED']

/**
 * What every change of a user ends, whatever caller made it: codes, links and tokens that went out before must not work
 * on what the account has become, and a thief who signed in with the old password must not stay. To be called before
 * anything new is issued to the user.
 */
export async function endOutdated(
  tx: Tx,
  { random }: Pick<MailParts, 'random'>,
  {
    before,
    after,
    password,
    by,
    endsSessions,
  }: Pick<Changed, 'before' | 'after' | 'password' | 'by' | 'endsSessions'>,
  now: number,
): Promise<void> {
  const personId = after.id
  const second = verifiedSecondEmail(before)
  const emailChanged =
    after.profile.email !== before.profile.email ||
    (second !== undefined && second !== verifiedSecondEmail(after))
  const statusChanged = after.status !== before.status
  const rule = statusChanged
    ? `status ${after.status}`
    : password
      ? 'password-changed'
      : emailChanged && 'email-changed'
  if (rule) {
    await endTransactionsOf(tx, personId, now, { rule })
    await endPersonTokens(tx, personId)
    for (const mail of await endCodeMails(tx, personId, now)) {
      await record(tx, mailClosed(mail, 'expired'), { random, now })
    }
  }
  // A new email is tried at once, whatever the old one or an earlier holder of it was refused for.
  if (emailChanged) await removeSuppressionsOf(tx, personId, [after.profile.email])
  if (endsSessions || password || (statusChanged && !mayKeepSessions.includes(after.status))) {
    const ended = await revokeSessionsOf(tx, personId, now)
    if (ended > 0) await record(tx, sessionsCleared(personId, ended, by), { random, now })
  }
}

/**
 * Queues the notices of a change, in the transaction that makes it: neither exists without the other (A59). Answers
 * how many.
 */
export async function queueNotices(tx: Tx, parts: MailParts, changed: Changed, now: number): Promise<number> {
  const { before, after, by, byAdministrator } = changed
  const { secrets, random, notices: settings, nameOf } = parts
  // The one that the user has had: a change that brings another locale along does not choose the language of its notice.
  const { locale } = before.profile
  const change: CredentialChange = {
    personId: after.id,
    before: before.profile,
    formerly: changed.formerly,
    after: after.profile,
    secondary: [before, after].flatMap((person) => verifiedSecondEmail(person) ?? []),
    password: passwordReport(changed),
    enrolled: changed.enrolled.map(nameOf),
    removed: changed.removed.map(nameOf),
  }
  const variablesFor = (profile: Person['profile']) => variablesOf(parts, profile, locale, now)
  const wanted = noticesOf(change, { settings, now, byAdministrator, locale, variablesFor })
  const eventOf = (template: NoticeTemplate): Omit<NewEvent, 'outcome' | 'displayMessage'> => ({
    eventType: queuedEvents[template],
    actor: by,
    target: [{ id: after.id, type: 'User' }],
    debugData: { template },
  })
  const tooMany: NoticeTemplate[] = []
  for (const template of new Set(wanted.map((mail) => mail.template))) {
    const { allowed } = await spend(tx, noticeBudget, `${after.id} ${template}`, now)
    if (allowed) continue
    tooMany.push(template)
    const skipped = {
      displayMessage: 'Email not queued',
      outcome: { result: 'SKIPPED', reason: 'RATE_LIMIT' },
    } as const
    await record(tx, { ...eventOf(template), ...skipped }, { random, now })
  }
  const mails = wanted.filter(({ template }) => !tooMany.includes(template))
  for (const mail of mails) {
    const id = await queueMail(tx, { ...mail, transactionId: null }, { secrets, random, now })
    const queued = { displayMessage: 'Email queued', outcome: { result: 'SUCCESS' } } as const
    const event = eventOf(mail.template)
    await record(tx, { ...event, ...queued, debugData: { mail: id, ...event.debugData } }, { random, now })
  }
  return mails.length
}

const outOfUse: readonly PersonStatus[] = ['PASSWORD_EXPIRED', 'RECOVERY']

function passwordReport({ before, after, password, announced }: Changed): CredentialChange['password'] {
  if (password) return 'changed'
  const isEnded = after.status !== before.status && outOfUse.includes(after.status)
  return isEnded && !announced ? 'expired' : undefined
}

function variablesOf(
  { org }: MailParts,
  profile: Person['profile'],
  locale: string | undefined,
  now: number,
): MailVariables {
  const language = languageFor(locale)
  return {
    'user.profile.firstName': profile.firstName,
    'user.profile.lastName': profile.lastName,
    'user.profile.login': profile.login,
    'user.profile.email': profile.email,
    'org.name': org.name,
    'org.locale': language,
    baseURL: org.baseUrl,
    'request.date': dateInWords(language, now),
    'request.time': timeInWords(language, now),
  }
}

/** Which authenticators differ between two moments: what a caller wrote of a user's enrollments, however it did. */
export function enrollmentChanges(
  before: readonly Enrollment[],
  after: readonly Enrollment[],
): Pick<Changed, 'enrolled' | 'removed'> & { readonly password: boolean } {
  const sameAs = (one: Enrollment) => (other: Enrollment) => other.id === one.id
  const set = after.filter((one) => {
    const same = before.find(sameAs(one))
    // A row of an import may have the version of the one that it replaces.
    return same?.version !== one.version || same.stored !== one.stored
  })
  const gone = before.filter((one) => !after.some(sameAs(one)))
  const keysOf = (list: readonly Enrollment[]) =>
    [...new Set(list.map(({ authenticator }) => authenticator))].filter((key) => key !== passwordKey)
  const isPassword = ({ authenticator }: Enrollment) => authenticator === passwordKey
  return { enrolled: keysOf(set), removed: keysOf(gone), password: [...set, ...gone].some(isPassword) }
}
