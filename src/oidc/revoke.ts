import { lockPerson } from '../directory/index.ts'
import { findRefreshToken, rememberRevoked, revokeFamily } from './artifacts.store.ts'
import { authenticateCaller } from './authenticate.ts'
import { recordRevocation } from './events.ts'
import { type Form, required } from './form.ts'
import { type Parts, revocationTimes } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { readToken } from './token-status.ts'

/**
 * Token revocation (RFC 7009). With a refresh token its whole family is revoked, access tokens included; an access token
 * is revoked alone. For an unknown or expired token nothing happens, which is a success (section 2.2).
 */
export async function revoke(
  parts: Parts,
  server: AuthorizationServer,
  call: { readonly form: Form; readonly authorization: string | undefined },
): Promise<void> {
  const { client } = await authenticateCaller(parts, server, 'revoke', call)
  const token = required(call.form, 'token')
  if (!(await revokeRefreshToken(parts, server, token, client.id))) {
    await revokeAccessToken(parts, server, token, client.id)
  }
}

/**
 * A token of another client stays as it is, and the answer is the same: a sign-out that revokes with a second app's client
 * id goes on, as at Okta. Only the log shows it.
 */
const ignored = ({ log }: Parts, clientId: string, issuedTo: string): void =>
  log.info({ clientId, issuedTo }, 'a token was not revoked: it was issued to another client')

async function revokeRefreshToken(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
  clientId: string,
): Promise<boolean> {
  const refresh = await findRefreshToken(parts.storage.db, token, parts.clock.now())
  if (refresh === undefined || refresh.server !== server.id) return false
  if (refresh.clientId !== clientId) {
    ignored(parts, clientId, refresh.clientId)
    return true
  }
  const { familyId, personId } = refresh
  await parts.storage.transaction(async (tx) => {
    // A refresh at the same moment has stored its successor by then, so that the successor ends with the family.
    await lockPerson(tx, personId)
    await revokeFamily(tx, familyId, revocationTimes(parts))
    const revocation = { event: 'revoke', kind: 'refresh_token', personId, clientId, id: familyId } as const
    await recordRevocation(tx, parts, revocation)
  })
  return true
}

async function revokeAccessToken(
  parts: Parts,
  server: AuthorizationServer,
  token: string,
  clientId: string,
): Promise<void> {
  const { jti, cid, uid } = (await readToken(parts, server, token))?.claims ?? {}
  if (typeof jti !== 'string' || typeof cid !== 'string') return
  if (cid !== clientId) return ignored(parts, clientId, cid)
  await parts.storage.transaction(async (tx) => {
    await rememberRevoked(tx, jti, revocationTimes(parts))
    // A token of a service has no user: the app itself is the one that acts.
    const personId = typeof uid === 'string' ? uid : undefined
    const revocation = { event: 'revoke', kind: 'access_token', personId, clientId, id: jti } as const
    await recordRevocation(tx, parts, revocation)
  })
}
