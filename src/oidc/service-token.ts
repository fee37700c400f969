import { listScopeGrants } from '../clients/index.ts'
import { isAnyRevoked, keyRevocation } from './artifacts.store.ts'
import { findActiveClient } from './client-auth.ts'
import type { Claims } from './keys.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { hasExpired, readToken } from './token-status.ts'

/** The service client of an access token. */
export interface ServiceCaller {
  readonly clientId: string
  readonly label: string
  /** The scopes of the token that are still granted. */
  readonly scopes: readonly string[]
  readonly claims: Claims
}

/**
 * The service client of a valid access token, with the scopes that are still granted; the client must be active.
 * Undefined for every other token, in particular for tokens of users.
 */
export async function findServiceCaller(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
): Promise<ServiceCaller | undefined> {
  const verified = await readToken(parts, server, token)
  if (verified === undefined) return undefined
  const { claims, kid } = verified
  if (hasExpired(parts, claims) || claims.aud !== server.audience) return undefined
  const { cid, sub, jti, scp, uid, sid } = claims
  // Tokens of users have `uid` and `sid`. Their `sub` is a login, which a user may choose to equal a client id.
  if (uid !== undefined || sid !== undefined) return undefined
  if (typeof cid !== 'string' || sub !== cid || typeof jti !== 'string' || !Array.isArray(scp))
    return undefined
  const { db } = parts.storage
  const client = await findActiveClient(db, cid)
  if (client?.settings.applicationType !== 'service' || (await isAnyRevoked(db, [jti, keyRevocation(kid)])))
    return undefined
  const granted = await listScopeGrants(db, cid)
  const scopes = granted.map(({ scope }) => scope).filter((scope) => scp.includes(scope))
  return { clientId: cid, label: client.label, scopes, claims }
}
