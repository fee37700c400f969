/**
 * Password, recovery and sign-on policies with their rules by group, and which one applies: the first match in order
 * of priority. Bodies stand in the database in the shapes of Okta's Policies API; the configuration file makes the
 * default ones. Owns what is asked of people, not the asking (`flow`) nor the judging of a password (`authenticators`).
 */

export { openPolicies, type Policies, type PolicyOptions, seedPolicies } from './active-policies.store.ts'
export {
  type AllowedFor,
  type AuthenticatorSetup,
  authenticatorSetups,
  isAllowedFor,
  putAuthenticatorSetup,
} from './authenticator-settings.store.ts'
export type { PolicySubject } from './conditions.ts'
export * from './options.ts'
export {
  findPolicy,
  listPolicies,
  listRules,
  putItem,
  removePolicy,
  removeRule,
  type StoredItem,
  type StoredPolicy,
  type StoredRule,
} from './policies.store.ts'
export { policiesNeedingEmail } from './policies-needing-email.ts'
export type { PasswordRules, Policy } from './policy.ts'
export { unsupportedSettings } from './unsupported.ts'
