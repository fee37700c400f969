/**
 * The classic authentication API (`/api/v1/authn`) and what comes of its session token, for older apps with a login form of their own. Off
 * unless `classic.enabled` says so. It translates: each call is a submission of the same flow as those of `idx`, by the same steps, budgets and
 * statements, on a transaction of the engine's own client. What it proves is worth what any browser's session is: each app judges it by its own
 * policy (A83). Owns no table.
 */
export { classicOptions } from './options.ts'
export type { ClassicParts } from './parts.ts'
export { classicRoutes } from './routes.ts'
