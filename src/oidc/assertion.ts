import {
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import { plainHash, systemClock } from '../base/index.ts'
import type { Client } from '../clients/index.ts'
import { rememberAssertion } from './artifacts.store.ts'
import type { Parts } from './parts.ts'
import { type AuthorizationServer, assertionAlgorithms } from './server.ts'

/** The endpoints at which a client authenticates. */
export type Authenticated = 'token' | 'introspect' | 'revoke' | 'par'

/** The longest lifetime of an assertion, in seconds, as at Okta. Bounds how long used ones are stored. */
const maxLifetime = 3600

/** By how much the clock of a client may be wrong, in seconds. */
const clockTolerance = 15

type Keys = NonNullable<Client['settings']['jwks']>['keys']

/** Whom an assertion says that it is about. Undefined where it is no JWT; empty where it names no client. */
export function subjectOf(assertion: string): string | undefined {
  try {
    const { sub } = decodeJwt(assertion) as { readonly sub?: unknown }
    return typeof sub === 'string' ? sub : ''
  } catch {
    return undefined
  }
}

/**
 * Whether an assertion proves a service client (RFC 7523, section 3): signed by one of the keys it is registered with, for
 * this server or this endpoint, for an hour at most, and not used before. The audience comes from the configured issuer,
 * never from the request's Host (A20). Of one assertion that is sent twice at once a single use succeeds.
 */
export async function isAssertionOf(
  parts: Parts,
  server: AuthorizationServer,
  endpoint: Authenticated,
  { id, settings }: Client,
  assertion: string,
): Promise<boolean> {
  if (settings.applicationType !== 'service') return false
  const audience = [server.issuer, `${server.oauth}/v1/token`, `${server.oauth}/v1/${endpoint}`]
  const claims = await verified(assertion, id, audience, settings.jwks?.keys ?? [])
  const { exp = 0, jti } = claims ?? {}
  const isLimited = exp <= systemClock.now() / 1000 + maxLifetime
  if (!isLimited || typeof jti !== 'string' || jti === '' || jti.length > 255) return false
  // For as long as it is accepted: else it could be used once more after its expiry.
  return rememberUse(parts, plainHash(JSON.stringify([id, jti])), exp + clockTolerance)
}

/** The claims, where one of the keys has signed them and they are of the client and for the audience. */
async function verified(
  assertion: string,
  clientId: string,
  audience: string[],
  keys: Keys,
): Promise<JWTPayload | undefined> {
  const checks = {
    ...{ issuer: clientId, subject: clientId, audience, algorithms: [...assertionAlgorithms] },
    ...{ requiredClaims: ['exp', 'jti'], clockTolerance },
  }
  for (const key of keys) {
    try {
      const header = decodeProtectedHeader(assertion) as JWTHeaderParameters
      if (!isMeant(key, header)) continue
      return (await jwtVerify(assertion, await importJWK({ ...key }, header.alg), checks)).payload
    } catch {
      // By another key, or of another client, endpoint or time.
    }
  }
  return undefined
}

/** Whether a key may have signed: what it says of its use holds (RFC 7517, section 4). One without a name may be any. */
const isMeant = (key: Keys[number], { alg, kid }: JWTHeaderParameters): boolean =>
  (kid === undefined || key.kid === undefined || kid === key.kid) &&
  (key.alg ?? alg) === alg &&
  (key.use ?? 'sig') === 'sig'

/** Stores that an assertion was used, until it is accepted no more (in seconds). False where it was used before. */
export function rememberUse(parts: Parts, id: string, until: number): Promise<boolean> {
  const now = parts.clock.now()
  // `until` is in the host's time; the row expires by the engine's clock, which differs from it in tests.
  const remainingMs = Math.max(0, until * 1000 - systemClock.now())
  return rememberAssertion(parts.storage.db, id, { now, until: now + remainingMs })
}
