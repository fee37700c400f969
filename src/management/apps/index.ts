/**
 * Apps over HTTP, after Okta's Applications API: OIDC clients, their assignments, keys, secrets and grants. An app is
 * returned as it was registered, what the engine does not act by included; a secret is returned once, when it is created.
 */
export { appOperations } from './operations.ts'
