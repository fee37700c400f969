/**
 * People, groups and people's credentials: find, create, put, remove. Owns who exists, how identifiers are compared
 * (`compareKey`) and how an address is masked; does not own what a credential's data means (that is its
 * authenticator's) nor who may do what (policies). Shapes and statuses follow Okta's Users API.
 */
export { compareKey, looksLikeAddress, maskAddress } from './identifier.ts'
export * from './person.ts'
export {
  createPerson,
  ensureEveryone,
  findCredential,
  findPerson,
  findPersonByIdentifier,
  getEveryone,
  groupIdsOf,
  groupNamesOf,
  listPeople,
  putCredential,
  removeCredential,
  removePerson,
  updatePerson,
} from './store.ts'
