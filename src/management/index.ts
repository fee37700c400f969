/**
 * The management API: users, groups, apps, policies and the other resources; API tokens and their roles; the system
 * log; configuration as code (`resources/`). Served over HTTP below /api/v1, and called directly by the command line and
 * the testing kit. Paths, bodies and errors follow Okta's management API.
 */

export { sparedByReset } from './factors/index.ts'
export type { ManagementParts, Operation } from './operation.ts'
export { managementOptions } from './options.ts'
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
  isTrustedServer,
  listApiTokens,
  revokeApiToken,
  verifyApiToken,
} from './tokens.ts'
export { mailActivation } from './users/index.ts'
