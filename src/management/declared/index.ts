/**
 * Configuration as code: groups, apps, trusted origins, policies and people written down in the bodies of the management
 * API, with names in place of ids. Reads such a document and tells all that is wrong with it; compares it with what there
 * is; carries the difference out; writes what there is down. Everything goes through the API's own operations, in this
 * process or over HTTP, so a file can say nothing that a request could not.
 */

export { type Api, callOperations } from './api.ts'
export { carryOut, type Done } from './carry-out.ts'
export type { Change, ResourceLists } from './change.ts'
export { declaredOptions } from './options.ts'
export { type Plan, planOf } from './plan.ts'
export { present } from './present.ts'
export { type DeclaredProblem, listNames, readDeclared } from './read.ts'
export { noteDocument, notedDocument } from './store.ts'
