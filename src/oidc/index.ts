/**
 * OAuth 2.0 and OpenID Connect: two authorization servers, `default` and org, with one key set. Begins interactions
 * (`interact`), redeems interaction codes and refresh tokens, and validates, introspects and revokes tokens. All of it is
 * ours, on `jose`, compatible with Okta. Authentication belongs to `flow`, sessions to `sessions`. Follows RFC 6749, 7009,
 * 7523, 7636, 7662, 9126, 9449, 9700, OpenID Connect Core, Discovery and RP-Initiated Logout 1.0.
 */

export { resealSigningKeys } from './artifacts.store.ts'
export { claimNames } from './claims.ts'
export type { HostedPageCall } from './hosted/flow.ts'
export type { MailedToken, MailedTokenState, OwnPages, OwnPagesCall } from './hosted/own-pages.ts'
export { continuePage, endedPage, failedPage } from './hosted/page.ts'
export { signedOutPage, signOutPage } from './logout-page.ts'
export { createOidc, type Oidc } from './oidc.ts'
export * from './options.ts'
export { authorizationServer, discoveryOf, scopes } from './server.ts'
