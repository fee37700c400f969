import type { Secrets } from '../base/index.ts'
import { compareKey, looksLikeAddress, type Person } from '../directory/index.ts'

/** What is counted by the name as typed: a keyed hash, as names may be addresses. Says nothing of whether it is known. */
export const nameSubject = (secrets: Secrets, identifier: string): string =>
  typedAs(nameHash(secrets, identifier))

/** What is counted by account. Users who do not exist have an account of their own kind, by name. */
export const accountSubject = (secrets: Secrets, identifier: string, person: Person | undefined): string =>
  // Hashed even where it is not needed, so that both take the same time (A02).
  accountOf(nameHash(secrets, identifier), person)

/** Both, with one hash. */
export function nameAndAccount(
  secrets: Secrets,
  identifier: string,
  person: Person | undefined,
): { readonly typed: string; readonly account: string } {
  const hash = nameHash(secrets, identifier)
  return { typed: typedAs(hash), account: accountOf(hash, person) }
}

/**
 * What is counted of an address that is not proven: by the mailbox without dots and what stands behind a plus sign, or each new
 * sign-up would have mails of its own (A28).
 */
export const mailboxSubjects = (
  secrets: Secrets,
  address: string,
): { readonly typed: string; readonly account: string } =>
  nameAndAccount(secrets, spelledPlainly(address), undefined)

/** An address as it is counted: what several providers deliver to one mailbox is one. Others share a budget, and nothing else. */
function spelledPlainly(address: string): string {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at).replace(/\+.*/, '').replaceAll('.', '')
  return `${local}${address.slice(at)}`
}

/**
 * What was typed about no known user, as the log has it: an address, or a keyed hash of anything else, by which the same
 * name is recognised. A password that was typed into the field for the name is not readable there.
 */
export const nameInLog = (secrets: Secrets, typed: string): string =>
  looksLikeAddress(typed.trim())
    ? typed
    : `typed:${secrets.hash('name in log', compareKey(typed)).slice(-22)}`

const typedAs = (hash: string): string => `typed:${hash}`

const accountOf = (hash: string, person: Person | undefined): string =>
  person === undefined ? `nobody:${hash}` : `person:${person.id}`

const nameHash = (secrets: Secrets, identifier: string): string =>
  secrets.hash('budget subject', compareKey(identifier))
