import { listScopeGrants } from '../clients/index.ts'
import { isAnyRevoked } from './artifacts.store.ts'
import { findActiveClient } from './client-auth.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { hasExpired, readToken } from './token-status.ts'

/** A service app that shows a token of its own. */
export interface ServiceCaller {
  readonly clientId: string
  readonly label: string
  /** Those of the token that are still granted. */
  readonly scopes: readonly string[]
}

/**
 * The service app whose access token this is, if it is worth something now: the app is active, and counts only what it
 * is still granted. Undefined for everything else, above all for tokens that a person stands behind.
 */
export async function findServiceCaller(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
): Promise<ServiceCaller | undefined> {
  const claims = await readToken(parts, server, token)
  if (claims === undefined || hasExpired(parts, claims) || claims.aud !== server.audience) return undefined
  const { cid, sub, jti, scp, uid, sid } = claims
  // Tokens of people carry who they are and their session; their subject is a login, which anybody may choose.
  if (uid !== undefined || sid !== undefined) return undefined
  if (typeof cid !== 'string' || sub !== cid || typeof jti !== 'string' || !Array.isArray(scp))
    return undefined
  const { db } = parts.storage
  const client = await findActiveClient(db, cid)
  if (client?.settings.applicationType !== 'service' || (await isAnyRevoked(db, [jti]))) return undefined
  const granted = await listScopeGrants(db, cid)
  const scopes = granted.map(({ scope }) => scope).filter((scope) => scp.includes(scope))
  return { clientId: cid, label: client.label, scopes }
}
