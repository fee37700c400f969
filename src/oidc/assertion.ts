import type Provider from 'oidc-provider'
import type { Configuration, errors as Errors } from 'oidc-provider'
import { plainHash, systemClock } from '../base/index.ts'
import { rememberAssertion } from './artifacts.store.ts'
import type { Parts } from './parts.ts'
import { type AuthorizationServer, assertionAlgorithms } from './server.ts'

/** Longer than this no assertion may be good, in seconds: each is remembered until then. As Okta has it. */
const longestLife = 3600

/** How the library authenticates clients by an assertion (RFC 7523, section 3). */
export const assertionConfiguration = (errors: typeof Errors): Configuration => ({
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  enabledJWA: { clientAuthSigningAlgValues: [...assertionAlgorithms] },
  async assertJwtClientAuthClaimsAndHeader(_context, { exp, jti }) {
    if (typeof exp !== 'number' || exp > systemClock.now() / 1000 + longestLife) {
      throw new errors.InvalidClientAuth('the assertion is good for too long')
    }
    if (typeof jti !== 'string' || jti.length > 255) {
      throw new errors.InvalidClientAuth('the assertion has no usable jti')
    }
  },
})

/**
 * What of the library's checks must be ours: for whom an assertion may be meant comes from the configured address, never
 * from the request's Host, and of one assertion sent twice at once only one is taken.
 */
export function guardAssertions(provider: Provider, parts: Parts, server: AuthorizationServer): void {
  const audience = new Set([server.issuer, `${server.oauth}/v1/token`])
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => audience
  Object.assign(provider.ReplayDetection, {
    unique: (issuer: string, jti: string, expiresAt: number): Promise<boolean> => {
      const now = parts.clock.now()
      // Its end is told in the host's time, which an engine under test may have left behind.
      const leftMs = Math.max(0, expiresAt * 1000 - systemClock.now())
      const id = plainHash(JSON.stringify([issuer, jti]))
      return rememberAssertion(parts.storage.db, id, { now, until: now + leftMs })
    },
  })
}
