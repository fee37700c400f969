/**
 * What a change of a user causes: each call is one database transaction with everything that must happen with it (open
 * recoveries end, sessions are revoked, events are recorded, the user is notified). Used by the management API, the command
 * line, the import and the testing kit; the flow takes its notices from here. Owns no table (`directory`, `sessions`).
 */

export {
  type AccountChange,
  type AccountChanges,
  type AccountChangesParts,
  type ChangeResult,
  createAccountChanges,
  ownFactors,
} from './account-changes.ts'
export type { Changed, MailParts } from './after-change.ts'
export { type EraseParts, type Erasure, eraseUser } from './erase.ts'
export { mailClosed, queuedEvents, textEvents } from './mail-events.ts'
export {
  type CredentialChange,
  type Notice,
  type NoticeSettings,
  noticeLifetimeMs,
  noticesOf,
} from './notices.ts'
export {
  isProvenBy,
  isSettled,
  type OwnedEnrollment,
  type OwnerProof,
  type OwnProof,
  ownerProof,
  provingEnrollments,
  settledOf,
} from './own-changes.ts'
export {
  createPeople,
  type People,
} from './people.ts'
export { activationLifetimeMs, tokenLink } from './token-links.ts'
export { removeUnfinished } from './unfinished.ts'
