/**
 * Registered apps: their secrets (as keyed hashes), redirect URIs, grants and who is assigned to them; and the origins
 * that browsers may call from. Does not own the requests they make (`interactions`) or the tokens they get (`oidc`).
 * Redirect URIs are compared as exact texts (RFC 9700, section 4.1.3).
 */

export { assign, assignmentsOf, clientsOf, timesOfClients } from './assignments.store.ts'
export * from './client.ts'
export {
  clientColumns,
  createClient,
  ensureTrustedOrigin,
  findClient,
  isAssigned,
  isClientSecret,
  listClients,
  listTrustedOrigins,
  removeClient,
  toClient,
  updateClient,
} from './clients.store.ts'
export {
  findTrustedOrigin,
  pageOfTrustedOrigins,
  putTrustedOrigin,
  removeTrustedOrigin,
  type TrustedOrigin,
} from './origins.store.ts'
export {
  findScopeGrant,
  grantScope,
  listScopeGrants,
  revokeScopeGrant,
  type ScopeGrant,
} from './scopes.store.ts'
export {
  addClientSecret,
  type ClientSecret,
  changeClientSecrets,
  clientSecretsOf,
  hasClientSecret,
  replaceClientSecrets,
} from './secrets.store.ts'
