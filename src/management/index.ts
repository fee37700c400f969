/**
 * What owners and administrators do: people are added, changed and removed here, with everything that must end when
 * they are (open recoveries, sessions); API tokens are made and checked; the system log is read. Used over HTTP
 * (/api/v1), by the command line and by the testing kit; shapes follow Okta's management API.
 */

export type { ManagementParts, Operation } from './operation.ts'
export { type ManagementOptions, managementOptions } from './options.ts'
export * from './resources/index.ts'
export { managementRoutes, operations } from './routes.ts'
export { managementScopes, scopeOf } from './scopes.ts'
export { renderTimeline } from './timeline.ts'
export {
  type ApiRole,
  type ApiToken,
  apiRoles,
  createApiToken,
  ensureApiToken,
  isApiToken,
  listApiTokens,
  revokeApiToken,
  type TokenContext,
  verifyApiToken,
} from './tokens.ts'
