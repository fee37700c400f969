import { type NewEvent, type Party, record } from '../audit/index.ts'
import { ProtocolError, type Random, randomId, randomToken, type Secrets } from '../base/index.ts'
import type { Db, Storage } from '../storage/index.ts'
import { type ApiRole, type ApiToken, apiRoles } from './api-token.ts'

export { type ApiRole, type ApiToken, apiRoles } from './api-token.ts'

import {
  findTokenByHash,
  insertToken,
  listTokens,
  noteTokenUse,
  removeToken,
  removeTokensOf,
  toApiToken,
} from './api-tokens.store.ts'

export interface TokenContext {
  readonly secrets: Secrets
  readonly random: Random
  readonly now: number
}

export interface NewApiToken {
  readonly name: string
  readonly role: ApiRole
  /** Who made it, for the list and the log: `cli`, or the id of a token. */
  readonly createdBy: string
}

const purpose = 'api token'

/** Makes a token. It is answered here, once, and stored as a keyed hash. */
export async function createApiToken(
  storage: Storage,
  wanted: NewApiToken,
  context: TokenContext,
): Promise<{ readonly token: string; readonly apiToken: ApiToken }> {
  // The first two letters are those of Okta's tokens, so that people and scanners know one when they see it.
  const token = `00${randomToken(context.random)}`
  const apiToken = await storage.transaction(async (tx) => {
    const made = await putToken(tx, token, wanted, context)
    await record(tx, tokenEvent('system.api_token.create', made, wanted.createdBy), context)
    return made
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
 * Sees to it that the token of a configuration works, with every right, and that the one it took the place of does not
 * any more. Several nodes that start at once agree.
 */
export async function ensureApiToken(db: Db, token: string, context: TokenContext): Promise<void> {
  await removeTokensOf(db, configuration, context.secrets.hashes(purpose, token))
  if ((await verifyApiToken(db, context.secrets, token)) !== undefined) return
  await putToken(db, token, { name: 'configured', role: 'all', createdBy: configuration }, context)
}

/** The tokens there are, oldest first. */
export const listApiTokens = (db: Db): Promise<readonly ApiToken[]> => listTokens(db)

/** Ends a token at once; false where there is none of this id. */
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

/** The token that a text is, or undefined. Found by its keyed hash, so that no comparison takes a telling time. */
export async function verifyApiToken(db: Db, secrets: Secrets, token: string): Promise<ApiToken | undefined> {
  return findTokenByHash(db, secrets.hashes(purpose, token))
}

/** Whether this is a token of the management API. */
export const isApiToken = async (db: Db, secrets: Secrets, token: string): Promise<boolean> =>
  (await verifyApiToken(db, secrets, token)) !== undefined

/**
 * Whose token an `Authorization: SSWS …` header shows. Throws 401 `E0000011` where it shows none that is known, 403
 * `E0000006` where its role is not enough.
 */
export async function authorize(
  parts: { readonly storage: Storage; readonly secrets: Secrets; readonly now: number },
  authorization: string | undefined,
  needed: ApiRole,
): Promise<ApiToken> {
  const [, token] = /^SSWS ([\w-]{1,200})$/i.exec(authorization ?? '') ?? []
  const { db } = parts.storage
  const known = token === undefined ? undefined : await verifyApiToken(db, parts.secrets, token)
  if (known === undefined) throw new ProtocolError(401, 'E0000011', 'Invalid token provided')
  await noteTokenUse(db, known.id, parts.now)
  if (apiRoles.indexOf(known.role) < apiRoles.indexOf(needed)) {
    throw new ProtocolError(403, 'E0000006', 'You do not have permission to perform the requested action', {
      detail: `the token ${known.id} has the role ${known.role}, ${needed} is needed`,
    })
  }
  return known
}

/** Who acts where a token does. */
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
