import { claimSources } from './claim-sources.ts'
import { claimsOf } from './claims.ts'
import { comesAsBound, type Presented, proofAlgorithms, schemeOf } from './dpop.ts'
import { oauthError } from './errors.ts'
import { type Form, optional } from './form.ts'
import type { Claims } from './keys.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import { findLiveAccessToken } from './token-status.ts'

/** A refusal with its reason in `WWW-Authenticate`, from where the SDK reads it (RFC 6750, section 3; RFC 9449, section 7.1). */
const refusal = (
  status: number,
  error: string,
  description: string,
  scheme: Presented['scheme'] = 'Bearer',
) => {
  const algorithms = scheme === 'DPoP' ? `, algs="${proofAlgorithms.join(' ')}"` : ''
  const reason = `error="${error}", error_description="${description}"`
  return oauthError(error, description, {
    status,
    headers: { 'WWW-Authenticate': `${scheme} ${reason}${algorithms}` },
  })
}

const tokenOf = (authorization: string | undefined): string | undefined =>
  /^(?:bearer|dpop) ([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1]

/**
 * The claims that the scopes of an access token release; `sub` is that of the ID token (OpenID Connect Core 1.0,
 * section 5.3.2). The token stands in the Authorization header, or in the form of a POST (RFC 6750, section 2.2).
 */
export async function userinfo(
  parts: Parts,
  server: AuthorizationServer,
  {
    authorization,
    form,
    ...call
  }: Omit<Presented, 'scheme'> & { readonly authorization: string | undefined; readonly form: Form },
): Promise<Claims> {
  const token =
    tokenOf(authorization) ?? (authorization === undefined ? optional(form, 'access_token') : undefined)
  if (token === undefined) {
    throw refusal(401, 'invalid_token', 'An access token is required in the Authorization header.')
  }
  const live = await findLiveAccessToken(parts, server, token)
  const scheme = schemeOf(authorization)
  if (live === undefined || !(await comesAsBound(parts, token, live.claims, { ...call, scheme }))) {
    throw refusal(401, 'invalid_token', 'The access token is invalid.', scheme)
  }
  const scopes = Array.isArray(live.claims.scp) ? (live.claims.scp as readonly string[]) : []
  if (!scopes.includes('openid')) {
    throw refusal(
      ...([403, 'insufficient_scope'] as const),
      "The access token must provide access to the scope 'openid'.",
      scheme,
    )
  }
  const { person } = live
  const claims = await claimsOf(person, scopes, claimSources(parts.storage.db, person.id))
  return { sub: person.id, ...claims }
}
