/**
 * Password, recovery and sign-on policies with their rules by group, and which one applies: the first match in order
 * of priority. Bodies stand in the database in the shapes of Okta's Policies API; the configuration file makes the
 * default ones. Owns what is asked of people, not the asking (`flow`) nor the judging of a password (`authenticators`).
 */

export {
  type AllowedFor,
  type AuthenticatorSetup,
  authenticatorSetups,
  isAllowedFor,
  putAuthenticatorSetup,
} from './authenticators/store.ts'
export { policiesNeedingEmail } from './authenticators/uses.ts'
export type { Whom } from './conditions.ts'
export {
  findPolicy,
  type Kept,
  type KeptPolicy,
  type KeptRule,
  keep,
  listPolicies,
  listRules,
  removePolicy,
  removeRule,
} from './kept/store.ts'
export * from './options.ts'
export type { PasswordRules, Policy } from './policy.ts'
export { openPolicies, type Policies, type PolicyOptions, seedPolicies } from './store.ts'
export { notObeyed } from './unobeyed.ts'
