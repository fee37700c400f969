import { type NewEvent, type Party, record } from '../audit/index.ts'
import { apiError, type Random, randomId, randomToken, type Secrets } from '../base/index.ts'
import { type Db, refuseMissingSecret, type Storage } from '../storage/index.ts'
import { type ApiRole, type ApiToken, apiRoles } from './api-token.ts'

export { type ApiRole, type ApiToken, apiRoles } from './api-token.ts'

import {
  findTokenByHash,
  insertToken,
  listTokens,
  recordTokenUse,
  rehashToken,
  removeToken,
  removeTokensOf,
  toApiToken,
} from './api-tokens.store.ts'

interface TokenContext {
  readonly secrets: Secrets
  readonly random: Random
  readonly now: number
}

interface NewApiToken {
  readonly name: string
  readonly role: ApiRole
  /** The creator, for the list and the log: `cli`, or the id of a token. */
  readonly createdBy: string
}

const purpose = 'api token'

/** Creates a token. Its secret is returned once, here, and stored as a keyed hash. */
export async function createApiToken(
  storage: Storage,
  wanted: NewApiToken,
  context: TokenContext,
): Promise<{ readonly token: string; readonly apiToken: ApiToken }> {
  // Okta's tokens begin with 00: secret scanners recognize them by it.
  const token = `00${randomToken(context.random)}`
  const apiToken = await storage.transaction(async (tx) => {
    const created = await putToken(tx, token, wanted, context)
    await record(tx, tokenEvent('system.api_token.create', created, wanted.createdBy), context)
    return created
  })
  return { token, apiToken }
}

async function putToken(
  db: Db,
  token: string,
  { name, role, createdBy }: NewApiToken,
  { secrets, random, now }: TokenContext,
): Promise<ApiToken> {
  const row = {
    id: randomId(random, '00T'),
    name,
    role,
    hash: secrets.hash(purpose, token),
    created_by: createdBy,
    created_at: now,
    last_used_at: null,
  }
  await insertToken(db, row)
  return toApiToken(row)
}

const configuration = 'configuration'

/**
 * Makes the configured token valid, with the role `all`, and removes the one that was configured before. Safe if several
 * nodes start at the same time.
 */
export async function ensureApiToken(db: Db, token: string, context: TokenContext): Promise<void> {
  await removeTokensOf(db, configuration, context.secrets.hashes(purpose, token))
  if ((await verifyApiToken(db, context.secrets, token)) !== undefined) return
  await putToken(db, token, { name: 'configured', role: 'all', createdBy: configuration }, context)
}

/** All API tokens, oldest first. */
export const listApiTokens = (db: Db): Promise<readonly ApiToken[]> => listTokens(db)

/** Revokes a token at once; false if there is none with this id. */
export async function revokeApiToken(
  storage: Storage,
  id: string,
  { revokedBy, random, now }: { readonly revokedBy: string } & Pick<TokenContext, 'random' | 'now'>,
): Promise<boolean> {
  return storage.transaction(async (tx) => {
    const removed = await removeToken(tx, id)
    if (removed === undefined) return false
    await record(tx, tokenEvent('system.api_token.revoke', removed, revokedBy), { random, now })
    return true
  })
}

/**
 * The API token with this secret, or undefined. Looked up by its keyed hash, so that timing reveals nothing. Throws 503
 * where it may be one that was made with a secret that this node has not got yet.
 */
export async function verifyApiToken(db: Db, secrets: Secrets, token: string): Promise<ApiToken | undefined> {
  const row = await findTokenByHash(db, secrets.hashes(purpose, token))
  if (row === undefined) {
    await refuseMissingSecret(db, secrets)
    return undefined
  }
  // So that a master secret that was replaced can be removed once all tokens in use have been seen.
  if (secrets.isOutdated(row.hash)) await rehashToken(db, row, secrets.hash(purpose, token))
  return toApiToken(row)
}

/** Whether this is the secret of an API token. */
export const isApiToken = async (db: Db, secrets: Secrets, token: string): Promise<boolean> =>
  (await verifyApiToken(db, secrets, token)) !== undefined

/**
 * Authenticates an `Authorization: SSWS …` header. Throws 401 `E0000011` if the token is missing or unknown, 403
 * `E0000006` if its role does not suffice.
 */
export async function authorize(
  parts: { readonly storage: Storage; readonly secrets: Secrets; readonly now: number },
  authorization: string | undefined,
  needed: ApiRole,
): Promise<ApiToken> {
  const [, token] = /^SSWS ([\w-]{1,200})$/i.exec(authorization ?? '') ?? []
  const { db } = parts.storage
  const known = token === undefined ? undefined : await verifyApiToken(db, parts.secrets, token)
  if (known === undefined) throw apiError('E0000011')
  await recordTokenUse(db, known.id, parts.now)
  if (apiRoles.indexOf(known.role) < apiRoles.indexOf(needed)) {
    throw apiError('E0000006', {
      detail: `the token ${known.id} has the role ${known.role}, ${needed} is needed`,
    })
  }
  return known
}

/**
 * Whether an `Authorization` header is that of a server that speaks for its users: an API token that may manage users. Anything else than
 * `SSWS` is not looked at, as public clients send what they like. Throws 401 `E0000011` for an unknown token, 403 for one that may only read.
 */
export async function isTrustedServer(
  parts: Parameters<typeof authorize>[0],
  authorization: string,
): Promise<boolean> {
  if (!/^SSWS /i.test(authorization)) return false
  await authorize(parts, authorization, 'users')
  return true
}

/** An API token as the actor of events. */
export const actorOf = ({ id, name }: ApiToken): Party => ({ id, type: 'ApiToken', displayName: name })

function tokenEvent(
  eventType: 'system.api_token.create' | 'system.api_token.revoke',
  { id, name, role }: ApiToken,
  by: string,
): NewEvent {
  const created = eventType === 'system.api_token.create'
  return {
    eventType,
    displayMessage: created ? 'Create API token' : 'Revoke API token',
    outcome: { result: 'SUCCESS' },
    actor: { id: by, type: 'SystemPrincipal' },
    target: [{ id, type: 'Token', displayName: name }],
    debugData: { role },
  }
}
