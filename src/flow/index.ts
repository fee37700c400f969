/**
 * The state machine. `progress` holds what is known, `stageOf` alone says what is asked next, a step reads and thinks,
 * `commit` writes: one conversation moves by one conditional statement, or not at all. Owns transactions and the
 * order of things. Knows no HTTP and no JSON shape (that is `idx`), and gets its steps and authenticators as values.
 */
export * from './admission.ts'
export * from './authenticator.ts'
export { mailClosed, requestsRefused, sessionsCleared } from './events.ts'
export { takeExpired } from './expired/store.ts'
export * from './form.ts'
export { linkToken, type OpenedLink, openLink } from './link.ts'
export { lockoutBudget } from './lock.ts'
export { type Handle, lookAt, type Sight } from './look.ts'
export * from './mail-variables.ts'
export * from './outcome.ts'
export * from './progress.ts'
export * from './stage.ts'
export { type Charging, type FlowParts, type Standing, sessionExpired } from './standing.ts'
export * from './step.ts'
export {
  endTransactionsOf,
  type Timeline,
  type TransactionSummary,
  timelineOf,
  transactionsOf,
} from './store.ts'
export { type Answer, createFlow, type Flow, type Submission } from './submit.ts'
export { type Turn, turnOutcomes } from './turns.ts'
