/**
 * Configuration as code: groups, apps, trusted origins, policies and people written down in the bodies of the management
 * API, with names in place of ids. Reads such a document and tells all that is wrong with it; compares it with what there
 * is; carries the difference out; writes what there is down. Everything goes through the API's own operations, in this
 * process or over HTTP, so a file can say nothing that a request could not.
 */

export { type Api, callOperations } from './api.ts'
export { type AppliedPlan, applyPlan } from './apply-plan.ts'
export type { Change, ResourceLists } from './change.ts'
export { currentState } from './current-state.ts'
export { resourcesOptions } from './options.ts'
export { type Plan, planOf } from './plan.ts'
export { listNames, type ResourceProblem, readResources } from './read.ts'
export { appliedResources, noteAppliedResources } from './resources.store.ts'
