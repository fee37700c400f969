import { isConfidential } from '../clients/index.ts'
import { authenticateCaller } from './authenticate.ts'
import type { Caller } from './client-auth.ts'
import { type Form, optional, required } from './form.ts'
import type { Claims } from './keys.ts'
import { type Parts, tokenSeconds } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { findServiceCaller } from './service-token.ts'
import { findLiveAccessToken, findLiveIdToken, findLiveRefreshToken } from './token-status.ts'

const inactive = { active: false }

type Introspection = { readonly clientId: string; readonly body: Claims } | undefined
type Lookup = (parts: Parts, server: AuthorizationServer, token: string) => Promise<Introspection>

/**
 * Token introspection (RFC 7662). A confidential client may introspect every token of the server: an API gets tokens of
 * many apps. A public client may introspect its own only, since any caller can claim to be it.
 */
export async function introspect(
  parts: Parts,
  server: AuthorizationServer,
  call: { readonly form: Form; readonly authorization: string | undefined },
): Promise<Claims> {
  const caller = await authenticateCaller(parts, server, 'introspect', call)
  const token = required(call.form, 'token')
  const found = await lookUp(parts, server, token, optional(call.form, 'token_type_hint'))
  return found !== undefined && mayIntrospect(caller, found.clientId) ? found.body : inactive
}

const mayIntrospect = ({ client }: Caller, clientId: string): boolean =>
  isConfidential(client) || client.id === clientId

/** Tries the type of the hint first, then the others: a wrong hint is not an error (RFC 7662, section 2.1). */
async function lookUp(...args: [...Parameters<Lookup>, hint: string | undefined]): Promise<Introspection> {
  const [parts, server, token, hint] = args
  const order = [...lookups].sort((a, b) => Number(b.hint === hint) - Number(a.hint === hint))
  for (const { find } of order) {
    const found = await find(parts, server, token)
    if (found !== undefined) return found
  }
  return undefined
}

const accessToken: Lookup = async (parts, server, token) => {
  const live = await findLiveAccessToken(parts, server, token)
  if (live === undefined) return undefined
  const { scp, cid, ver: _, ...claims } = live.claims
  const body = {
    active: true,
    token_type: claims.cnf === undefined ? 'Bearer' : 'DPoP',
    scope: Array.isArray(scp) ? scp.join(' ') : '',
    client_id: cid,
    username: live.person.profile.login,
    ...claims,
  }
  return { clientId: live.clientId, body }
}

const serviceToken: Lookup = async (parts, server, token) => {
  const live = await findServiceCaller(parts, server, token)
  if (live === undefined) return undefined
  const { scp: _, cid, ver: __, ...claims } = live.claims
  const body = {
    ...{ active: true, token_type: 'Bearer', scope: live.scopes.join(' '), client_id: cid },
    ...claims,
  }
  return { clientId: live.clientId, body }
}

const idToken: Lookup = async (parts, server, token) => {
  const live = await findLiveIdToken(parts, server, token)
  if (live === undefined) return undefined
  const body = { active: true, client_id: live.clientId, username: live.person.profile.login, ...live.claims }
  return { clientId: live.clientId, body }
}

const refreshToken: Lookup = async (parts, server, token) => {
  const live = await findLiveRefreshToken(parts, server, token)
  if (live === undefined) return undefined
  const { refresh, person } = live
  const body = {
    active: true,
    token_type: 'Bearer',
    scope: refresh.scope,
    client_id: refresh.clientId,
    username: person.profile.login,
    iss: server.issuer,
    aud: server.audience,
    sub: person.profile.login,
    uid: person.id,
    jti: refresh.familyId,
    iat: tokenSeconds(parts, refresh.createdAt),
    exp: tokenSeconds(parts, refresh.expiresAt),
  }
  return { clientId: refresh.clientId, body }
}

const lookups: readonly { readonly hint: string; readonly find: Lookup }[] = [
  { hint: 'access_token', find: accessToken },
  { hint: 'access_token', find: serviceToken },
  { hint: 'refresh_token', find: refreshToken },
  { hint: 'id_token', find: idToken },
]
