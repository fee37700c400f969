/**
 * Password, recovery and sign-on policies with their rules, and the one that applies to a user: the first match in
 * order of priority. Bodies are stored in the shapes of Okta's Policies API; the defaults are written from the
 * configuration file. Owns the requirements: `flow` enforces them, `authenticators` checks passwords against them.
 */

export {
  type AppPolicies,
  openPolicies,
  type Policies,
  seedPolicies,
} from './active-policies.store.ts'
export { type Assurance, assuranceOf, firstMethods } from './assurance.ts'
export {
  type AllowedFor,
  type AuthenticatorSetup,
  authenticatorSetups,
  isAllowedFor,
  methodsOffIn,
  putAuthenticatorSetup,
} from './authenticator-settings.store.ts'
export type { PolicySubject } from './conditions.ts'
export * from './demand.ts'
export type { EnrollmentPolicy, GracePeriod, PolicyEnrollment } from './enrollment-policy.ts'
export { type InForce, policiesInForce } from './in-force.ts'
export { knownLevels, type Reached, reachedLevel, type Wish, withWish } from './levels.ts'
export * from './options.ts'
export {
  folded,
  isTooLong,
  longestPassword,
  type PasswordRules,
  passwordPreset,
  passwordRequirements,
  passwordRuleLimits,
  passwordRuleTable,
  passwordSettings,
} from './password-rules.ts'
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
export { policiesNamingOnly, policiesNeeding } from './policies-needing.ts'
export { type MethodsByAuthenticator, type Policy, type SelfService, unionOf } from './policy.ts'
export {
  type DomainRules,
  inputTypes,
  mostAttributes,
  type RegistrationAttribute,
  type RegistrationPolicy,
  registrationFrom,
  registrationRuleBody,
  type Terms,
} from './registration.ts'
export { noteSecondaryEmail } from './secondary-emails.store.ts'
export { unsupportedSettings } from './unsupported.ts'
