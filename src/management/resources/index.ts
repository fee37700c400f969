/**
 * Configuration as code: groups, apps, trusted origins, policies and users in the shapes of the management API, with names
 * in place of ids. Reads and validates such a document, compares it with the current state, applies the difference, and
 * exports the current state. Everything goes through the operations of the API, in this process or over HTTP, so a document
 * can do nothing that a request could not.
 */

export { type Api, callOperations } from './api.ts'
export { type AppliedPlan, applyPlan } from './apply-plan.ts'
export type { Change, ResourceLists } from './change.ts'
export { currentState } from './current-state.ts'
export { resourcesOptions } from './options.ts'
export { type Plan, planOf } from './plan.ts'
export { listNames, type ResourceProblem, readResources } from './read.ts'
export { appliedResources, noteAppliedResources } from './resources.store.ts'
