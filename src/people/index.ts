/**
 * What a change of a user causes: each call is one database transaction with everything that must happen with it (open
 * recoveries end, sessions are revoked, events are recorded). Used by the management API, the command line and the
 * testing kit. Owns no table (`directory`, `sessions`).
 */
export { type EraseParts, type Erasure, eraseUser } from './erase.ts'
export {
  type ChangeContext,
  createPeople,
  type People,
  type PeopleParts,
  type PersonWithPassword,
} from './people.ts'
