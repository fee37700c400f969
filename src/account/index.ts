/**
 * What signed-in users change of their own accounts: Okta's MyAccount API (`/idp/myaccount`), and the page that stops a change.
 * Owns its operations, and how recent and strong the sign-in behind a token must be. What a change waits for and how
 * it is carried out is `people`'s, tokens are `oidc`'s, and a method is added in a transaction (`flow`).
 */
export { type AccountParts, type AccountUser, type Operation, prefix as accountPrefix } from './operation.ts'
export { askPage as askStopPage, endPage as stopEndPage } from './pages/routes.ts'
export { accountOperations, accountRoutes } from './routes.ts'
