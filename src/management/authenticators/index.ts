/**
 * Authenticators over HTTP, after Okta's Authenticators API: their status and settings, such as the lifetime of mailed
 * codes. The set is fixed: authenticators are neither created nor deleted.
 */
export { authenticatorOperations } from './operations.ts'
