import { plainHash, type Secrets } from '../base/index.ts'
import { type Db, insert, type Row, type Storage, statement, type Tx, withCommit } from '../storage/index.ts'

/** The content of a refresh token. Stored under the hash of the token, which is returned only once. */
export interface RefreshToken {
  readonly clientId: string
  /**
   * The id of the authorization server that issued it. Not its address, which may change during the token's lifetime.
   */
  readonly server: string
  readonly personId: string
  readonly sessionId: string
  /** The family: all refresh tokens of one sign-in, by rotation, and their access tokens. Revoked as a whole. */
  readonly familyId: string
  readonly scope: string
  readonly nonce?: string | undefined
  readonly acr?: string | undefined
  /** Of a public client: the thumbprint of the key that refreshes it. Absent: it is bound to none. */
  readonly jkt?: string | undefined
  readonly createdAt: number
  readonly expiresAt: number
}

// The token has 256 random bits, so an unkeyed hash does not reveal it.
const refreshId = (token: string): string => `RefreshToken:${plainHash(token)}`
const successorId = (token: string): string => `Successor:${plainHash(token)}`
const revokedId = (id: string): string => `Revoked:${id}`

export async function insertRefreshToken(db: Db, token: string, content: RefreshToken): Promise<void> {
  const { familyId, sessionId, createdAt, expiresAt, ...payload } = content
  const row = {
    id: refreshId(token),
    model: 'RefreshToken',
    payload: JSON.stringify(payload),
    grant_id: familyId,
    session_id: sessionId,
    created_at: createdAt,
    expires_at: expiresAt,
    consumed_at: null,
  }
  await withCommit(db, insert(db, 'artifacts', [row]))
}

/** A refresh token that has not expired, consumed or not. */
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

/**
 * Consumes a refresh token. False where it was consumed before: one conditional statement, so of parallel calls one
 * succeeds.
 */
export async function consumeRefreshToken(db: Db, token: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('artifacts')
    .set({ consumed_at: now })
    .where('id', '=', refreshId(token))
    .where('consumed_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** Keeps the successor of a consumed refresh token, sealed, for retries until `until`. It ends with the family. */
export async function insertSuccessor(
  db: Db,
  token: string,
  successor: {
    readonly sealed: string
    readonly familyId: string
    readonly now: number
    readonly until: number
  },
): Promise<void> {
  await db
    .insertInto('artifacts')
    .values({
      id: successorId(token),
      model: 'Successor',
      payload: successor.sealed,
      grant_id: successor.familyId,
      session_id: null,
      created_at: successor.now,
      expires_at: successor.until,
      consumed_at: null,
    })
    .execute()
}

/** The sealed successor of a refresh token that was consumed a moment ago; undefined once the leeway is over. */
export async function findSuccessor(db: Db, token: string, now: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('artifacts')
    .select('payload')
    .where('id', '=', successorId(token))
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row?.payload
}

/**
 * Revokes a family: deletes its refresh tokens, and stores its id as revoked until its last access token has expired.
 */
export async function revokeFamily(
  db: Db,
  familyId: string,
  times: { readonly now: number; readonly until: number },
): Promise<void> {
  await db.deleteFrom('artifacts').where('grant_id', '=', familyId).execute()
  await rememberRevoked(db, familyId, times)
}

/** Stores the id of an access token, or of a family, as revoked. */
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

/**
 * Stores that an assertion was used. False where it was used before: of parallel calls one gets true (RFC 7523, section
 * 3).
 */
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

/** Deletes expired rows. Consumed refresh tokens stay until they expire, so that their reuse is detected. */
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

/** What the private part of a signing key is sealed for. */
export const signingKeyPurpose = (kid: string): string => `signing key ${kid}`

/** The setting with the `kid` of the current signing key. One row, so nodes that start at once agree on one key. */
const currentKey = 'oidc.signing_key'
/**
 * The setting with the key that signs next: its `kid`, and from when on (epoch milliseconds). A row of its own: nodes of an
 * earlier version read the other one, publish this key as well, and go on signing with the current one.
 */
const nextKey = 'oidc.signing_key.next'

/** Which key signs, and which one will. */
export interface KeyState {
  readonly current: string | undefined
  readonly next: { readonly kid: string; readonly at: number } | undefined
}

const selectKeyState = statement<object, Pick<Row<'settings'>, 'key' | 'value'>>((db) =>
  db.selectFrom('settings').selectAll().where('key', 'in', [currentKey, nextKey]),
)

/** Both in one statement. */
export async function readKeyState(db: Db): Promise<KeyState> {
  const { rows } = await selectKeyState(db, {})
  const settingOf = (name: string) => rows.find(({ key }) => key === name)?.value
  const [kid, at] = settingOf(nextKey)?.split(' ') ?? []
  return {
    current: settingOf(currentKey),
    next: kid === undefined ? undefined : { kid, at: Number(at) },
  }
}

/** The keys that are not retired, and those that were retired after a time: their tokens may still be valid. */
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

const insertKey = (tx: Tx, key: StoredKey) =>
  tx
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

/** Stores the first key, if there is no other current one meanwhile (`before`; undefined: none). Else false. */
export async function storeFirstKey(tx: Tx, key: StoredKey, before: string | undefined): Promise<boolean> {
  if (!(await claimCurrent(tx, key.kid, before))) return false
  await insertKey(tx, key)
  return true
}

/**
 * Stores a key as the one that signs from a time on. Where one waits already that one stays, so that of nodes that rotate
 * at once all get one new key. Answers the `kid` of the one that waits.
 */
export async function storeNextKey(tx: Tx, key: StoredKey, at: number): Promise<string> {
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto('settings')
    .values({ key: nextKey, value: `${key.kid} ${at}` })
    .onConflict((oc) => oc.column('key').doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows > 0n) {
    await insertKey(tx, key)
    return key.kid
  }
  return (await readKeyState(tx)).next?.kid ?? key.kid
}

/**
 * Makes the key that waits the current one and retires the one before, at the time that was set for it. False where
 * another node has done so.
 */
export async function activateNextKey(
  tx: Tx,
  { current, next }: { readonly current: string; readonly next: NonNullable<KeyState['next']> },
  at: number,
): Promise<boolean> {
  if (!(await claimCurrent(tx, next.kid, current))) return false
  await forgetNextKey(tx, next)
  await tx
    .updateTable('signing_keys')
    .set({ retired_at: at })
    .where('kid', '!=', next.kid)
    .where('retired_at', 'is', null)
    .execute()
  return true
}

/**
 * Deletes a key, with its private part, and stores that its tokens are revoked until they would have expired. False where
 * there is no such key.
 */
export async function removeKey(
  tx: Tx,
  kid: string,
  times: { readonly now: number; readonly until: number },
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('signing_keys')
    .where('kid', '=', kid)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) return false
  await rememberRevoked(tx, keyRevocation(kid), times)
  return true
}

/** Under which id the key of tokens is stored as revoked. */
export const keyRevocation = (kid: string): string => `key:${kid}`

/** Forgets the key that waits, where it is this one. */
export async function forgetNextKey(tx: Tx, { kid, at }: NonNullable<KeyState['next']>): Promise<void> {
  await tx.deleteFrom('settings').where('key', '=', nextKey).where('value', '=', `${kid} ${at}`).execute()
}

/** Seals the private parts anew that were sealed with a secret that has been replaced. */
export async function resealSigningKeys({ db }: Storage, secrets: Secrets): Promise<void> {
  for (const { kid, sealed_jwk: sealed } of await db.selectFrom('signing_keys').selectAll().execute()) {
    const opened = secrets.isOutdated(sealed) ? secrets.open(signingKeyPurpose(kid), sealed) : undefined
    if (opened === undefined) continue
    await db
      .updateTable('signing_keys')
      .set({ sealed_jwk: secrets.seal(signingKeyPurpose(kid), opened) })
      .where('kid', '=', kid)
      .where('sealed_jwk', '=', sealed)
      .execute()
  }
}

/** Sets the `kid` of the current key, if `before` is still current (undefined: none is). Else false. */
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

/** The public part of a key that was retired after a time; undefined for all others, revoked ones among them. */
export async function findRetiredKey(db: Db, kid: string, retiredAfter: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('signing_keys')
    .select('public_jwk')
    .where('kid', '=', kid)
    .where('retired_at', '>', retiredAfter)
    .executeTakeFirst()
  return row?.public_jwk
}

/** Empties the private parts of keys that are published no more, and deletes those that no session needs. Answers how many. */
export async function purgeKeys(
  db: Db,
  { publishedAfter, heldAfter }: { readonly publishedAfter: number; readonly heldAfter: number },
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('signing_keys')
    .where('retired_at', '<=', heldAfter)
    .executeTakeFirstOrThrow()
  await db
    .updateTable('signing_keys')
    .set({ sealed_jwk: '' })
    .where('retired_at', '<=', publishedAfter)
    .where('sealed_jwk', '!=', '')
    .execute()
  return Number(numDeletedRows)
}
