import type { Db, NewRow, Row } from '../storage/index.ts'
import type { ApiRole, ApiToken } from './api-token.ts'

export const toApiToken = (row: Omit<Row<'api_tokens'>, 'hash'>): ApiToken => ({
  id: row.id,
  name: row.name,
  role: row.role as ApiRole,
  createdBy: row.created_by,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
})

/** Adds a token, unless another node has added the same one already. */
export async function insertToken(db: Db, row: NewRow<'api_tokens'>): Promise<void> {
  await db
    .insertInto('api_tokens')
    .values(row)
    .onConflict((oc) => oc.column('hash').doNothing())
    .execute()
}

export const findTokenByHash = (db: Db, hashes: readonly string[]): Promise<Row<'api_tokens'> | undefined> =>
  db.selectFrom('api_tokens').selectAll().where('hash', 'in', hashes).executeTakeFirst()

/** Stores another hash of the same token, in place of exactly the one that was read. */
export async function rehashToken(
  db: Db,
  { id, hash }: Pick<Row<'api_tokens'>, 'id' | 'hash'>,
  newHash: string,
): Promise<void> {
  await db
    .updateTable('api_tokens')
    .set({ hash: newHash })
    .where('id', '=', id)
    .where('hash', '=', hash)
    .execute()
}

export async function listTokens(db: Db): Promise<readonly ApiToken[]> {
  const rows = await db.selectFrom('api_tokens').selectAll().orderBy('created_at').orderBy('id').execute()
  return rows.map(toApiToken)
}

export async function removeToken(db: Db, id: string): Promise<ApiToken | undefined> {
  const row = await db.deleteFrom('api_tokens').where('id', '=', id).returningAll().executeTakeFirst()
  return row && toApiToken(row)
}

/** Resolution of `lastUsedAt`: saves a write for every request. */
const useRecordedEveryMs = 60_000

export async function recordTokenUse(db: Db, id: string, now: number): Promise<void> {
  await db
    .updateTable('api_tokens')
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where((eb) =>
      eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', now - useRecordedEveryMs)]),
    )
    .execute()
}

/** Removes the tokens that were created by one party, except the one with these hashes. */
export async function removeTokensOf(
  db: Db,
  createdBy: string,
  exceptHashes: readonly string[],
): Promise<void> {
  await db
    .deleteFrom('api_tokens')
    .where('created_by', '=', createdBy)
    .where('hash', 'not in', exceptHashes)
    .execute()
}
