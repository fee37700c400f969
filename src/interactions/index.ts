/**
 * A client's request to sign a user in. `oidc` begins an interaction and redeems its code, `flow` completes it; neither
 * imports the other. Owns the interaction handle and the interaction code, both stored as hashes; the code is single use
 * and bound to client, redirect URI and PKCE challenge (A31, RFC 7636, RFC 9700 section 4.5). The transaction in between
 * belongs to `flow`.
 */

export * from './cookie.ts'
export * from './end-transactions.store.ts'
export * from './interactions.store.ts'
