/**
 * Sessions. A row is written when a sign-in completes; the tokens of that sign-in carry its id, and without a live
 * session refresh and userinfo are refused and introspection says inactive. No cookie is involved.
 */
export * from './sessions.store.ts'
