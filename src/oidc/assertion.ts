import type Provider from 'oidc-provider'
import type { Configuration, errors as Errors } from 'oidc-provider'
import { plainHash, systemClock } from '../base/index.ts'
import { rememberAssertion } from './artifacts.store.ts'
import type { Parts } from './parts.ts'
import { type AuthorizationServer, assertionAlgorithms } from './server.ts'

/** The longest lifetime of an assertion, in seconds, as at Okta. Bounds how long used ones are stored. */
export const maxLifetime = 3600

/** The library's configuration of client authentication by an assertion (RFC 7523, section 3). */
export const assertionConfiguration = (errors: typeof Errors): Configuration => ({
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  enabledJWA: { clientAuthSigningAlgValues: [...assertionAlgorithms] },
  async assertJwtClientAuthClaimsAndHeader(_context, { exp, jti }) {
    if (typeof exp !== 'number' || exp > systemClock.now() / 1000 + maxLifetime) {
      throw new errors.InvalidClientAuth('the assertion is good for too long')
    }
    if (typeof jti !== 'string' || jti.length > 255) {
      throw new errors.InvalidClientAuth('the assertion has no usable jti')
    }
  },
})

/**
 * Replaces two checks of the library: the expected audience comes from the configured issuer, never from the request's
 * Host (A20), and of one assertion that is sent twice at once a single use succeeds.
 */
export function guardAssertions(provider: Provider, parts: Parts, server: AuthorizationServer): void {
  const audience = new Set([server.issuer, `${server.oauth}/v1/token`])
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => audience
  Object.assign(provider.ReplayDetection, {
    unique: (issuer: string, jti: string, expiresAt: number): Promise<boolean> =>
      rememberUse(parts, plainHash(JSON.stringify([issuer, jti])), expiresAt),
  })
}

/** Stores that an assertion was used, until it is accepted no more (in seconds). False where it was used before. */
export function rememberUse(parts: Parts, id: string, until: number): Promise<boolean> {
  const now = parts.clock.now()
  // `until` is in the host's time; the row expires by the engine's clock, which differs from it in tests.
  const remainingMs = Math.max(0, until * 1000 - systemClock.now())
  return rememberAssertion(parts.storage.db, id, { now, until: now + remainingMs })
}
