import { record } from '../audit/index.ts'
import { randomToken } from '../base/index.ts'
import { listScopeGrants } from '../clients/index.ts'
import { findActiveClient } from './client-auth.ts'
import { oauthError } from './errors.ts'
import { type Form, optional } from './form.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import type { TokenResponse } from './tokens.ts'

/**
 * The grant `client_credentials` (RFC 6749, section 4.4): a service client gets a token for the management API, with
 * scopes that were granted to it. As at Okta: from the org server only, and only with `private_key_jwt`.
 */
export async function grantClientCredentials(
  parts: Parts,
  server: AuthorizationServer,
  clientId: string,
  form: Form,
): Promise<TokenResponse> {
  const client = await findActiveClient(parts.storage.db, clientId)
  if (client?.settings.applicationType !== 'service') {
    throw oauthError(
      'invalid_client',
      'Client credentials requests must use the private_key_jwt token_endpoint_auth_method.',
      { status: 401 },
    )
  }
  const scopes = await grantedScopes(parts, server, clientId, optional(form, 'scope'))
  await parts.keys.current()
  const id = `AT.${randomToken(parts.random)}`
  const issuedAt = Math.floor(parts.tokenClock.now() / 1000)
  const lifetime = Math.floor(parts.lifetimes.accessTokenMs / 1000)
  const token = await parts.keys.sign({
    ver: 1,
    jti: id,
    iss: server.issuer,
    aud: server.audience,
    sub: clientId,
    iat: issuedAt,
    exp: issuedAt + lifetime,
    cid: clientId,
    scp: scopes,
  })
  const grant = {
    eventType: 'app.oauth2.token.grant.access_token',
    displayMessage: 'A token was granted: access_token',
    outcome: { result: 'SUCCESS' },
    actor: { id: clientId, type: 'PublicClientApp', displayName: client.label },
    target: [{ id, type: 'access_token' }],
    client: { id: clientId },
    debugData: { grantType: 'client_credentials', scopes: scopes.join(' ') },
  } as const
  await record(parts.storage.db, grant, { random: parts.random, now: parts.clock.now() })
  return { token_type: 'Bearer', expires_in: lifetime, access_token: token, scope: scopes.join(' ') }
}

/**
 * The requested scopes. One that was not granted fails the request: a token with fewer scopes would fail later, at the
 * API.
 */
async function grantedScopes(
  { storage }: Parts,
  server: AuthorizationServer,
  clientId: string,
  requested: string | undefined,
): Promise<readonly string[]> {
  const wanted = [...new Set((requested ?? '').split(' ').filter(Boolean))]
  if (wanted.length === 0) throw oauthError('invalid_scope', "The 'scope' parameter is required.")
  const granted = server.id === 'org' ? await listScopeGrants(storage.db, clientId) : []
  if (!wanted.every((scope) => granted.some((grant) => grant.scope === scope))) {
    throw oauthError('invalid_scope', 'One or more scopes are not granted to the client.')
  }
  return wanted
}
