import { consentsAt } from '../clients/index.ts'
import type { ConsentScope, Interaction } from '../interactions/index.ts'
import type { Db } from '../storage/index.ts'
import type { Progress } from './progress.ts'

/** What a user is asked to agree to: the scopes that the app wants and was not allowed before. */
export interface ConsentAsked {
  readonly scopes: readonly ConsentScope[]
  /** Optional ones that the user has left out before, which are not asked for: none of them is in what the app gets. Absent: none. */
  readonly leftOut?: readonly string[]
}

/**
 * What of a request the user is still to agree to, and what of it the user has left out before. Nothing is read where the request has no scope
 * that asks for it, as in every transaction that no browser has brought.
 */
export async function consentAsked(
  db: Db,
  { clientId, request: { hosted } }: Interaction,
  personId: string,
  { consented }: Progress,
): Promise<{ readonly consent?: ConsentAsked; readonly leftOut?: readonly string[] }> {
  const { consent } = hosted ?? {}
  if (consent === undefined || consented !== undefined) return {}
  if (consent.anew) return { consent: { scopes: consent.scopes } }
  const names = consent.scopes.map(({ name }) => name)
  const { given, leftOut: found } = await consentsAt(db, { personId, clientId }, names)
  // What cannot be left out any more is asked for.
  const leftOut = consent.scopes.flatMap(({ name, optional }) =>
    optional && found.includes(name) && !given.includes(name) ? [name] : [],
  )
  const scopes = consent.scopes.filter(({ name }) => !given.includes(name) && !leftOut.includes(name))
  const without = leftOut.length > 0 ? { leftOut } : {}
  return scopes.length === 0 ? without : { consent: { scopes, ...without } }
}
