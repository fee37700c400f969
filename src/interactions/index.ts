/**
 * A client's request to sign somebody in. `oidc` begins one and redeems its code, `flow` completes it; neither sees
 * the other. Owns the interaction handle and the interaction code (both stored as hashes, the code single use, bound
 * to client, redirect URI and PKCE challenge; RFC 7636, RFC 9700 section 4.5). Does not own the conversation between.
 */

export * from './end-transactions.store.ts'
export * from './interactions.store.ts'
