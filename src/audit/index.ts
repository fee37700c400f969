/**
 * What happened: the system log, in the shape of Okta's System Log API. Events are recorded in the transaction that
 * does what they tell of. Owns their storage and reading; holds no secret, code, link or token.
 */
export { eventsDocument } from './document.ts'
export * from './event-types.ts'
export * from './events.store.ts'
export * from './exchange.ts'
export { sessionsCleared } from './session-events.ts'
