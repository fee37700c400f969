/**
 * Groups over HTTP, after Okta's Groups API: create, read, change, delete, and their members. The group Everyone is built
 * in: it contains all users and cannot be changed.
 */
export { groupOperations } from './operations.ts'
export { group, newGroup } from './schema.ts'
export { groupProfileProblems, renderGroup } from './wire.ts'
