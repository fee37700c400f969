/**
 * Users, groups and users' enrollments: find, create, put, remove. Owns who exists, how identifiers are compared
 * (`compareKey`) and how an address is masked; does not own what an enrollment's data means (that is its
 * authenticator's) nor who may do what (policies). Shapes and statuses follow Okta's Users API.
 */

export { claimAccount } from './claim.store.ts'
export { countSkip, findSkips } from './enrollment-skips.store.ts'
export {
  advanceCounter,
  type Enrollment,
  enrollmentsAfter,
  enrollmentsOfUsers,
  findEnrollment,
  findEnrollments,
  holderOfHandle,
  isSlotTaken,
  type NewEnrollment,
  newEnrollmentId,
  putEnrollment,
  rehashEnrollment,
  removeEnrollment,
  removeEnrollments,
  renameEnrollment,
  settleEnrollment,
  spendEnrollment,
  useEnrollment,
  usersEnrolledIn,
} from './enrollments.store.ts'
export {
  endFactorChallenges,
  type FactorPurpose,
  findFactorChallenges,
  type NewFactorChallenge,
  pendingFactorsAfter,
  putFactorChallenge,
  rewritePendingFactor,
  type StoredChallenge,
  useFactorChallenge,
} from './factor-challenges.store.ts'
export type { Attribute, Comparison, Filter, Operator } from './filter.store.ts'
export {
  addMember,
  findGroup,
  type GroupFilter,
  type GroupsQuery,
  listGroups,
  lockGroup,
  putGroup,
  removeGroup,
  removeMember,
  type StoredGroup,
} from './groups.store.ts'
export {
  addressProblem,
  compareKey,
  hasVerifiedEmail,
  isUnclaimed,
  loginProblem,
  looksLikeAddress,
  mailboxKey,
  maskAddress,
  maskName,
  nameProblems,
  verifiedSecondEmail,
} from './identifier.ts'
export { claimNames, type SharedName, sharedNames, takenNames } from './names.store.ts'
export {
  createPerson,
  ensureEveryone,
  findMember,
  findMemberByIdentifier,
  findPerson,
  findPersonByIdentifier,
  findUnfinished,
  getEveryone,
  groupIdsOf,
  groupNamesOf,
  ifUnchanged,
  listPeople,
  lockHolders,
  lockPerson,
  lockPersonFoundBy,
  type Member,
  type MemberRow,
  memberColumns,
  memberFrom,
  nameColumns,
  nameKey,
  raiseVersion,
  removePerson,
  type UserVersion,
  updatePerson,
} from './people.store.ts'
export * from './person.ts'
export {
  deviceHash,
  findRememberedDevice,
  forgetDevicesOf,
  newDeviceSecret,
  type RememberedDevice,
  rememberDevice,
} from './remembered-devices.store.ts'
export {
  attributeTypes,
  baseAttributes,
  ignoredPatterns,
  profileProblems,
  type SchemaAttribute,
  type UserSchema,
  visibleAttributes,
} from './schema/attributes.ts'
export { findUserSchema, forgetAttribute, putUserSchema } from './schema/schema.store.ts'
export {
  findPersonByLogin,
  isSearchable,
  type PeopleFilter,
  queryPeople,
  scansOf,
} from './search.store.ts'
export {
  endPersonTokens,
  findPersonToken,
  findPersonTokenById,
  issuePersonToken,
  type PersonTokenKind,
  usePersonToken,
} from './tokens.store.ts'
