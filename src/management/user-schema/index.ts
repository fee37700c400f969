/**
 * The user schema over HTTP, after Okta's Schemas API: the attributes of profiles. Every write of a profile is validated
 * against it, over HTTP and elsewhere.
 */
export { schemaOperations } from './operations.ts'
export { readSchemaChanges } from './read.ts'
