import { domainToASCII } from 'node:url'
import { hasInvisible } from '../base/index.ts'
import type { Person } from './person.ts'

/**
 * The key that decides whether two identifiers are the same: NFKC, then each code point in lower case where that
 * is a single code point, and the domain of an address as UTS-46 puts it into ASCII. Idempotent: a name whose key has
 * another key would belong to two users (Spotify, 2013).
 *
 * Only lower-casing, never upper-casing: `ı` (dotless) upper-cases to `I` and would then meet `i`, which once mailed
 * reset links of other users' accounts. What is compared is this key; what is mailed is always the stored address.
 */
export function compareKey(identifier: string): string {
  const folded = stable(identifier, (text) => lower(text.normalize('NFKC')).trim())
  const at = folded.lastIndexOf('@')
  if (at < 1) return folded
  const domain = folded.slice(at + 1)
  return `${folded.slice(0, at)}@${asciiDomain(domain)}`
}

/**
 * Only domains in letters of their own are converted, and none with a sign in it: what converts them reads a URL's
 * host, which takes `a.com/x` and `a.com?x` for `a.com`, `%61.com` as well, and `127.1` for an address.
 */
const asciiDomain = (domain: string): string =>
  /^[-.0-9a-z\u0080-\u{10ffff}]*$/u.test(domain) && /[^-.0-9a-z]/.test(domain)
    ? domainToASCII(domain) || domain
    : domain

function lower(text: string): string {
  let result = ''
  for (const character of text) {
    const lowered = character.toLowerCase()
    result += [...lowered].length === 1 ? lowered : character
  }
  return result
}

/** Repeats a normalisation until it changes nothing, so that normalising twice is the same as once. */
function stable(text: string, normalise: (text: string) => string): string {
  let current = normalise(text)
  for (let next = normalise(current); next !== current; next = normalise(current)) current = next
  return current
}

/** Whether a text can be a mail address as far as this product cares: one `@`, something on both sides, no white space. */
export const looksLikeAddress = (text: string): boolean =>
  text.length <= 254 && /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\]]+$/u.test(text)

/**
 * The key that decides whether two addresses are one mailbox: the local part as it is, but for the case of ASCII letters,
 * and the domain as `compareKey` has it. Stricter than `compareKey`: a mail server takes a fullwidth letter, or the Kelvin
 * sign, for another name, so the proof of one mailbox says nothing of the other.
 */
export function mailboxKey(address: string): string {
  const key = compareKey(address)
  const local = address.slice(0, Math.max(0, address.lastIndexOf('@')))
  const lowered = local.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  return `${lowered}@${key.slice(key.lastIndexOf('@') + 1)}`
}

/** Whether the user has proven to read the mails of the present email (OpenID Connect Core 1.0, section 5.1). */
export const hasVerifiedEmail = ({ profile, verifiedEmail }: Person): boolean =>
  verifiedEmail !== undefined && verifiedEmail.key === mailboxKey(profile.email)

/**
 * Whether a visitor made the account and has proven no mailbox since: it may be a stranger's, with the address of another, and
 * all in it the stranger's (A63). Who proves the mailbox gets it without any of that.
 */
export const isUnclaimed = (person: Person): boolean =>
  person.unfinishedAt !== undefined && !hasVerifiedEmail(person)

/**
 * The secondary address, where the user has proven to read its mails and it is another mailbox than the primary one. One that
 * an administrator set, or that was proven before it was changed, is none.
 */
export function verifiedSecondEmail({ profile, verifiedSecondEmail: verified }: Person): string | undefined {
  const { email, secondEmail } = profile
  if (typeof secondEmail !== 'string' || !looksLikeAddress(secondEmail)) return undefined
  const key = mailboxKey(secondEmail)
  return verified?.key === key && key !== mailboxKey(email) ? secondEmail : undefined
}

/**
 * What is wrong with a login. Invisible characters, which are pasted from web pages, are refused (RFC 8265, section 3.3): the
 * name looks right everywhere, and is another one.
 */
export function loginProblem(login: unknown): string | undefined {
  if (typeof login !== 'string' || login.trim() === '' || login.length > 100 || /\p{Cc}/u.test(login)) {
    return 'a text of 1 to 100 characters is needed'
  }
  return hasInvisible(login) ? 'contains an invisible character' : undefined
}

/** What is wrong with an email address. With an invisible character in it no mail can be sent to it. */
export function addressProblem(address: unknown): string | undefined {
  if (typeof address !== 'string' || !looksLikeAddress(address)) {
    return 'must be in the form of an email address'
  }
  return hasInvisible(address) ? 'contains an invisible character' : undefined
}

/** What is wrong with the names of a user, by field. */
export function nameProblems({
  login,
  email,
}: {
  readonly login: unknown
  readonly email: unknown
}): readonly (readonly ['login' | 'email', string])[] {
  const ofLogin = loginProblem(login)
  const ofEmail = addressProblem(email)
  return [
    ...(ofLogin === undefined ? [] : [['login', ofLogin] as const]),
    ...(ofEmail === undefined ? [] : [['email', ofEmail] as const]),
  ]
}

/**
 * An address as a stranger may see it: `mary@example.com` is `m***y@example.com`. Made from what was typed, never
 * from what is stored, so that it is the same for known and unknown users.
 */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return `${maskText(address.slice(0, at))}${address.slice(at)}`
}

/** A login or an address as a stranger may see it: `newlogin77` is `n***7`. */
export const maskName = (name: string): string =>
  looksLikeAddress(name) ? maskAddress(name) : maskText(name)

function maskText(text: string): string {
  const letters = [...text]
  const last = letters.length > 2 ? letters.at(-1) : ''
  return `${letters[0] ?? ''}***${last}`
}
