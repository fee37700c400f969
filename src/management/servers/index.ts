/**
 * The authorization server `default` over HTTP, after Okta's Authorization Servers API: tools look up its issuer, scopes
 * and claims. Read-only: it is defined by the configuration.
 */
export { serverOperations } from './operations.ts'
