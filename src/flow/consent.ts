import { scopesConsentedTo } from '../clients/index.ts'
import type { ConsentScope, Interaction } from '../interactions/index.ts'
import type { Db } from '../storage/index.ts'
import type { Progress } from './progress.ts'

/** What a user is asked to agree to: the scopes that the app wants and was not allowed before. */
export interface ConsentAsked {
  readonly scopes: readonly ConsentScope[]
}

/**
 * What of a request the user is still to agree to. Nothing is read where the request has no scope that asks for it, as in every
 * transaction that no browser has brought.
 */
export async function consentAsked(
  db: Db,
  { clientId, request: { hosted } }: Interaction,
  personId: string,
  { consented }: Progress,
): Promise<{ readonly consent?: ConsentAsked }> {
  const { consent } = hosted ?? {}
  if (consent === undefined || consented !== undefined) return {}
  if (consent.anew) return { consent: { scopes: consent.scopes } }
  const names = consent.scopes.map(({ name }) => name)
  const given = await scopesConsentedTo(db, { personId, clientId }, names)
  const scopes = consent.scopes.filter(({ name }) => !given.includes(name))
  return scopes.length === 0 ? {} : { consent: { scopes } }
}
