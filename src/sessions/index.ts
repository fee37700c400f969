/**
 * Sessions. A row is written when a sign-in completes; the tokens of that sign-in carry its id, and without a live
 * session refresh and userinfo are refused and introspection says inactive. A browser that signed in on the engine's own pages has
 * one of its own besides, by its cookie: it answers the next app.
 */
export * from './at-client.store.ts'
export * from './browser-sessions.store.ts'
export { type EndedSession, hasEndedSessions, takeEndedSessions } from './logout.store.ts'
export * from './sessions.store.ts'
export * from './shown.ts'
