/**
 * Policies and their rules over HTTP, after Okta's Policies API. Bodies are stored as they are; the settings that the engine
 * supports are validated here and evaluated in `policies/`.
 */
export { policyOperations } from './operations.ts'
export { newPolicy, newPolicyRule, policyTypes } from './schema.ts'
export { toPolicy, toRule } from './wire.ts'
