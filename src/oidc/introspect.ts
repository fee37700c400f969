import { isConfidential } from '../clients/index.ts'
import { authenticateCaller, type Caller } from './client-auth.ts'
import { type Form, optional, required } from './form.ts'
import type { Claims } from './keys.ts'
import { type Parts, tokenSeconds } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { findLiveAccessToken, findLiveIdToken, findLiveRefreshToken } from './token-status.ts'

const inactive = { active: false }

type Answer = { readonly clientId: string; readonly body: Claims } | undefined
type Lookup = (parts: Parts, server: AuthorizationServer, token: string) => Promise<Answer>

/**
 * What a token is worth now (RFC 7662). A confidential client may ask for every token of the server, as the APIs it
 * stands for get tokens of many apps; a public one, which anybody can claim to be, for its own only.
 */
export async function introspect(
  parts: Parts,
  server: AuthorizationServer,
  call: { readonly form: Form; readonly authorization: string | undefined },
): Promise<Claims> {
  const caller = await authenticateCaller(parts.storage.db, call, parts.secrets)
  const token = required(call.form, 'token')
  const answer = await lookUp(parts, server, token, optional(call.form, 'token_type_hint'))
  return answer !== undefined && mayAsk(caller, answer.clientId) ? answer.body : inactive
}

const mayAsk = ({ client }: Caller, clientId: string): boolean =>
  isConfidential(client) || client.id === clientId

/** The hint says where to look first; a wrong one is no error (RFC 7662, section 2.1). */
async function lookUp(...args: [...Parameters<Lookup>, hint: string | undefined]): Promise<Answer> {
  const [parts, server, token, hint] = args
  const order = [...lookups].sort((a, b) => Number(b.hint === hint) - Number(a.hint === hint))
  for (const { look } of order) {
    const answer = await look(parts, server, token)
    if (answer !== undefined) return answer
  }
  return undefined
}

const accessToken: Lookup = async (parts, server, token) => {
  const live = await findLiveAccessToken(parts, server, token)
  if (live === undefined) return undefined
  const { scp, cid, ver: _, ...claims } = live.claims
  const body = {
    active: true,
    token_type: 'Bearer',
    scope: Array.isArray(scp) ? scp.join(' ') : '',
    client_id: cid,
    username: live.person.profile.login,
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

const lookups: readonly { readonly hint: string; readonly look: Lookup }[] = [
  { hint: 'access_token', look: accessToken },
  { hint: 'refresh_token', look: refreshToken },
  { hint: 'id_token', look: idToken },
]
