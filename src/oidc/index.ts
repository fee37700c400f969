/**
 * OAuth 2.0 and OpenID Connect: two authorization servers (`default` and org) with one key set. Begins interactions
 * (`interact`), turns their codes and refresh tokens into tokens, and answers what tokens are worth.
 */
import type { Oidc, OidcOptions } from './options.ts'

export * from './options.ts'
export declare function createOidc(options: OidcOptions): Oidc
