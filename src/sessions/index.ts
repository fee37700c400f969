/**
 * Who is signed in. A session is the row made when a sign-in completes; the tokens of that sign-in carry its id, and
 * revoking it ends refresh, introspection and userinfo. No cookie is involved.
 */
export * from './sessions.store.ts'
