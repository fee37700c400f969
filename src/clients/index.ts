/**
 * Registered clients ("apps" in the management API): secrets (as keyed hashes), redirect URIs, grant types and
 * assignments; and trusted origins (CORS). Their requests belong to `interactions`, their tokens to `oidc`. Redirect URIs
 * are compared as exact strings (A30, RFC 9700 section 4.1.3).
 */

export { isAccountScope } from './account-scopes.ts'
export {
  type Assignment,
  assign,
  assignmentsOf,
  clientIdsOfGroup,
  clientsOf,
  timesOfClients,
  unassign,
} from './assignments.store.ts'
export * from './client.ts'
export {
  assignedText,
  clientColumns,
  createClient,
  ensureTrustedOrigin,
  findClient,
  isAssigned,
  isAssignedByGroup,
  isClientSecret,
  listClients,
  listTrustedOrigins,
  mayCall,
  removeClient,
  toClient,
  updateClient,
} from './clients.store.ts'
export {
  allConsentsOf,
  type Consent,
  findConsent,
  giveConsent,
  withdrawConsents,
} from './consents.store.ts'
export { consentsAt, forgetLeftOut, leaveOut } from './left-out.store.ts'
export {
  findTrustedOrigin,
  pageOfTrustedOrigins,
  putTrustedOrigin,
  removeTrustedOrigin,
  type TrustedOrigin,
} from './origins.store.ts'
export { isOwnPages, ownPagesClient, ownPagesId } from './own-pages.ts'
export { plantedBy, withPlanted } from './planted.ts'
export { readScopeSettings, type ScopeSettings, writeScopeSettings } from './scope-settings.store.ts'
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
  hasUnknownSecret,
  rehashClientSecret,
  replaceClientSecrets,
} from './secrets.store.ts'
