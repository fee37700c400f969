/**
 * The system log, in the shape of Okta's System Log API. An event is recorded in the database transaction of the change
 * that it describes. Owns the storage and the queries of events, which contain no secret, code, link or token; the
 * type of exchanges that the flow inspector shows, and the latest errors whose ids users were shown.
 */

export { eventsDocument } from './document.ts'
export {
  type ErasedUser,
  eraseFromEvents,
  namesInEvents,
  type Removal,
  removedUsers,
  transactionsOfUser,
} from './erase.store.ts'
export * from './event-types.ts'
export * from './events.store.ts'
export * from './exchange.ts'
export {
  createFailureLog,
  type FailureLog,
  findFailure,
  listFailures,
  purgeFailures,
  type RecordedFailure,
} from './failures.store.ts'
export { type EventsOptions, eventsOptions } from './options.ts'
export { sessionsCleared } from './session-events.ts'
