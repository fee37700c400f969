/**
 * The state machine. `progress` holds what is known, `intents` what a transaction is for, `decide` alone says what is
 * asked next, a step reads and answers an outcome, `commit` writes: a transaction moves by one conditional statement, or
 * not at all. Owns transactions and the
 * order of things. Knows no HTTP and no JSON shape (that is `idx`), and gets its steps and authenticators as values.
 */
export { type Asked, attempt } from './attempt.ts'
export * from './authenticator.ts'
export * from './before-registration.ts'
export { codeBudgets, codeSuccess } from './code-budgets.ts'
export { carryOutFactorEffects, type FactorWork } from './commit/factor-effects.ts'
export type { ConsentAsked } from './consent.ts'
export { type AnsweredWithout, findAnsweredWithout } from './declined.ts'
export { type EndInBrowser, findEndInBrowser } from './end-in-browser.ts'
export type { PuttingOff } from './enrolling.ts'
export { requestsRefused } from './events.ts'
export { countExpiredTransactions } from './expired.store.ts'
export { findTransaction, type Handle, type TransactionIds } from './find.ts'
export { type FlowOutcome, flowOutcomes } from './flow-outcomes.ts'
export * from './form.ts'
export { findHeldLink, type HeldLink } from './held-link.ts'
export {
  type BegunInBrowser,
  beginInBrowser,
  type EndedInBrowser,
  findCompleted,
  findEnded,
  type HostedBeginning,
  type Returned,
  returnToApp,
} from './hosted.ts'
export { type Denial, type Intent, intents, maySignIn } from './intents.ts'
export {
  type FlowParts,
  type RequestCharge,
  sessionExpired,
  type TransactionContext,
  viewOf,
} from './load.ts'
export { lockoutBudget } from './lockout.ts'
export { linkToken, type OpenedLink, openLink, originOfLink } from './magic-link.ts'
export * from './mail-variables.ts'
export * from './managed-factor.ts'
export * from './outcome.ts'
export { beginOwnRecovery, isOwnable } from './own-recovery.ts'
export { passwordChangedEffects } from './password-changed.ts'
export * from './progress.ts'
export { proofOf } from './proof.ts'
export * from './registration.ts'
export {
  issueSessionTokenOf,
  type RedeemedSession,
  redeemSessionToken,
  type SessionTokenUse,
} from './session-token.ts'
export { type Grant, type Settled, settle, unlockedKey } from './settle.ts'
export { evidenceIn, type KnownAuthenticator, policyOf, type Situation } from './situation.ts'
export { type AnswerInHand, createSprayWatch, type SharedSources, type SprayWatch } from './spray.ts'
export * from './stage.ts'
export { accountSubject, mailboxSubjects, nameAndAccount, nameSubject } from './subjects.ts'
export { createFlow, type Flow, type FlowAnswer, type Submission } from './submit.ts'
export {
  type Timeline,
  type TransactionSummary,
  timelineOf,
  transactionsOf,
} from './timeline.store.ts'
export { versionOf } from './transactions.store.ts'
export { unaddressed } from './unaddressed.ts'
