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
 * What was typed about no known user, as the log has it: an address, or a keyed hash of anything else, by which the same
 * name is recognised. A password that was typed into the field for the name is not readable there (F26).
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
