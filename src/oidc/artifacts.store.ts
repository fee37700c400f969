import { plainHash } from '../base/index.ts'
import type { Db, Row, Tx } from '../storage/index.ts'

/** What a refresh token stands for. Stored under the hash of the token, which is answered once. */
export interface RefreshToken {
  readonly clientId: string
  /** Which of the authorization servers issued it, by id: addresses may change while it lives. */
  readonly server: string
  readonly personId: string
  readonly sessionId: string
  /** All refresh tokens that descend from one sign-in, and the access tokens they came with. */
  readonly familyId: string
  readonly scope: string
  readonly nonce?: string | undefined
  readonly acr?: string | undefined
  readonly createdAt: number
  readonly expiresAt: number
}

// The token itself is 256 random bits, so an unkeyed hash tells nothing of it.
const refreshId = (token: string): string => `RefreshToken:${plainHash(token)}`
const revokedId = (id: string): string => `Revoked:${id}`

export async function insertRefreshToken(db: Db, token: string, content: RefreshToken): Promise<void> {
  const { familyId, sessionId, createdAt, expiresAt, ...payload } = content
  await db
    .insertInto('artifacts')
    .values({
      id: refreshId(token),
      model: 'RefreshToken',
      payload: JSON.stringify(payload),
      grant_id: familyId,
      session_id: sessionId,
      created_at: createdAt,
      expires_at: expiresAt,
      consumed_at: null,
    })
    .execute()
}

/** The refresh token, whether it was consumed or not, unless it has expired. */
export async function findRefreshToken(
  db: Db,
  token: string,
  now: number,
): Promise<(RefreshToken & { readonly consumed: boolean }) | undefined> {
  const row = await db
    .selectFrom('artifacts')
    .selectAll()
    .where('id', '=', refreshId(token))
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row && { ...toRefreshToken(row), consumed: row.consumed_at !== null }
}

const toRefreshToken = (row: Row<'artifacts'>): RefreshToken => ({
  ...(JSON.parse(row.payload) as Omit<RefreshToken, 'familyId' | 'sessionId' | 'createdAt' | 'expiresAt'>),
  familyId: row.grant_id ?? '',
  sessionId: row.session_id ?? '',
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? 0,
})

/** Spends a refresh token. False where somebody did so before: one statement decides, so of many at once one wins. */
export async function consumeRefreshToken(db: Db, token: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('artifacts')
    .set({ consumed_at: now })
    .where('id', '=', refreshId(token))
    .where('consumed_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** Ends a family: its refresh tokens go, and its access tokens are remembered as revoked until the last has expired. */
export async function revokeFamily(
  db: Db,
  familyId: string,
  times: { readonly now: number; readonly until: number },
): Promise<void> {
  await db.deleteFrom('artifacts').where('grant_id', '=', familyId).execute()
  await rememberRevoked(db, familyId, times)
}

/** Remembers that an access token, or all of a family, are worth nothing any more. */
export async function rememberRevoked(
  db: Db,
  id: string,
  times: { readonly now: number; readonly until: number },
): Promise<void> {
  await db
    .insertInto('artifacts')
    .values({
      id: revokedId(id),
      model: 'Revoked',
      payload: '{}',
      grant_id: null,
      session_id: null,
      created_at: times.now,
      expires_at: times.until,
      consumed_at: null,
    })
    .onConflict((oc) => oc.column('id').doNothing())
    .execute()
}

/** Remembers that an assertion was used. False where it was before: of many at once one is the first. */
export async function rememberAssertion(
  db: Db,
  id: string,
  times: { readonly now: number; readonly until: number },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('artifacts')
    .values({
      id: `Assertion:${id}`,
      model: 'Assertion',
      payload: '{}',
      grant_id: null,
      session_id: null,
      created_at: times.now,
      expires_at: times.until,
      consumed_at: null,
    })
    .onConflict((oc) => oc.column('id').doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows > 0n
}

/** Whether any of these token or family ids was revoked. */
export async function isAnyRevoked(db: Db, ids: readonly string[]): Promise<boolean> {
  const row = await db
    .selectFrom('artifacts')
    .select('id')
    .where('id', 'in', ids.map(revokedId))
    .executeTakeFirst()
  return row !== undefined
}

/** Removes what has expired. Consumed refresh tokens stay until then, so that their reuse is noticed. */
export async function purgeArtifacts(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('artifacts')
    .where('expires_at', '<=', now)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

export interface StoredKey {
  readonly kid: string
  readonly publicJwk: string
  readonly sealedJwk: string
  readonly createdAt: number
  readonly retiredAt: number | null
}

/** The setting that names the key to sign with: its uniqueness makes nodes that start at once agree. */
const currentKey = 'oidc.signing_key'

export async function findCurrentKid(db: Db): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', currentKey).executeTakeFirst()
  return row?.value
}

/** Keys that are in use, and those retired after a moment. */
export async function listKeys(db: Db, retiredAfter: number): Promise<readonly StoredKey[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .selectAll()
    .where((eb) => eb.or([eb('retired_at', 'is', null), eb('retired_at', '>', retiredAfter)]))
    .orderBy('created_at', 'desc')
    .orderBy('kid')
    .execute()
  return rows.map((row) => ({
    kid: row.kid,
    publicJwk: row.public_jwk,
    sealedJwk: row.sealed_jwk,
    createdAt: row.created_at,
    retiredAt: row.retired_at,
  }))
}

/** Makes a key the one to sign with, if `before` still is (undefined: if there is none). False where it is not. */
export async function replaceCurrentKey(
  tx: Tx,
  key: StoredKey,
  before: string | undefined,
  now: number,
): Promise<boolean> {
  if (!(await claimCurrent(tx, key.kid, before))) return false
  await tx
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      alg: 'RS256',
      public_jwk: key.publicJwk,
      sealed_jwk: key.sealedJwk,
      created_at: key.createdAt,
      retired_at: null,
    })
    .execute()
  await tx
    .updateTable('signing_keys')
    .set({ retired_at: now })
    .where('kid', '!=', key.kid)
    .where('retired_at', 'is', null)
    .execute()
  return true
}

/** Names a key as the one to sign with, if `before` still is (undefined: if none is). False where it is not. */
export async function claimCurrent(tx: Tx, kid: string, before: string | undefined): Promise<boolean> {
  if (before === undefined) {
    const { numInsertedOrUpdatedRows = 0n } = await tx
      .insertInto('settings')
      .values({ key: currentKey, value: kid })
      .onConflict((oc) => oc.column('key').doNothing())
      .executeTakeFirst()
    return numInsertedOrUpdatedRows > 0n
  }
  const { numUpdatedRows } = await tx
    .updateTable('settings')
    .set({ value: kid })
    .where('key', '=', currentKey)
    .where('value', '=', before)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

export async function purgeKeys(db: Db, retiredBefore: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('signing_keys')
    .where('retired_at', '<=', retiredBefore)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
