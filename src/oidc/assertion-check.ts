import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose'
import { plainHash, systemClock } from '../base/index.ts'
import type { Client } from '../clients/index.ts'
import { maxLifetime, rememberUse } from './assertion.ts'
import type { Parts } from './parts.ts'
import { type AuthorizationServer, assertionAlgorithms } from './server.ts'

/** The value of `client_assertion_type` (RFC 7523, section 2.2). */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** By how much the clock of a client may be wrong, in seconds: that of the library at the token endpoint. */
const clockTolerance = 15

/** The client that an assertion is of, as it says itself; undefined where it cannot be read. */
export function clientOfAssertion(assertion: string): string | undefined {
  try {
    const { iss, sub } = decodeJwt(assertion)
    return iss === sub ? sub : undefined
  } catch {
    return undefined // Not a JWT.
  }
}

/**
 * Whether an assertion proves a service client (RFC 7523, section 3): signed by one of the keys it is registered with,
 * for this server or this endpoint, for an hour at most, and not used before. As at the token endpoint, where the library
 * checks it.
 */
export async function isAssertionOf(
  parts: Parts,
  server: AuthorizationServer,
  endpoint: 'introspect' | 'revoke' | 'par',
  { id, settings }: Client,
  assertion: string,
): Promise<boolean> {
  if (settings.applicationType !== 'service') return false
  const audience = [server.issuer, `${server.oauth}/v1/token`, `${server.oauth}/v1/${endpoint}`]
  const claims = await verified(assertion, id, audience, settings.jwks?.keys ?? [])
  const { exp = 0, jti } = claims ?? {}
  const isLimited = exp <= systemClock.now() / 1000 + maxLifetime
  if (!isLimited || typeof jti !== 'string' || jti === '' || jti.length > 255) return false
  // For as long as it is accepted, as at the token endpoint: else it could be used once more after its expiry.
  return rememberUse(parts, plainHash(JSON.stringify([id, jti])), exp + clockTolerance)
}

/** The claims, where one of the keys has signed them and they are of the client and for the audience. */
async function verified(
  assertion: string,
  clientId: string,
  audience: readonly string[],
  keys: NonNullable<Client['settings']['jwks']>['keys'],
): Promise<JWTPayload | undefined> {
  const checks = {
    ...{ issuer: clientId, subject: clientId, audience: [...audience], algorithms: [...assertionAlgorithms] },
    ...{ requiredClaims: ['exp', 'jti'], clockTolerance },
  }
  for (const key of keys) {
    try {
      const { alg, kid } = decodeProtectedHeader(assertion)
      if (kid !== undefined && key.kid !== undefined && kid !== key.kid) continue
      return (await jwtVerify(assertion, await importJWK({ ...key }, alg), checks)).payload
    } catch {
      // By another key, or of another client, endpoint or time.
    }
  }
  return undefined
}
