/**
 * The IDX protocol on top of `flow`. `steps/` is what a visitor can do, one file a remediation or action, named as on
 * the wire; `wire/` reads submissions and writes responses (ION forms, messages); `routes.ts` are the endpoints and
 * the link of the mails. Knows the protocol's words and no database. Follows Okta's Identity Engine (IDX 1.0.0).
 */
export { codePage, deadLinkPage, ownPage } from './pages/link.ts'
export type { Recording } from './recorder.ts'
export { createIdxCalls, type IdxAnswer, type IdxCall, idxRoutes } from './routes.ts'
export { steps, stepsWith } from './steps/index.ts'
