import { type Random, randomId } from '../base/index.ts'
import { type Db, isUniqueViolation, type Row } from '../storage/index.ts'

/** An origin that browsers may call from (CORS) or be redirected to, by its `scopes`. */
export interface TrustedOrigin {
  readonly id: string
  readonly name: string
  readonly origin: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly updatedAt: number
}

const toOrigin = (row: Row<'trusted_origins'>): TrustedOrigin => ({
  id: row.id,
  name: row.name,
  origin: row.origin,
  status: row.status as TrustedOrigin['status'],
  scopes: JSON.parse(row.scopes) as TrustedOrigin['scopes'],
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export async function findTrustedOrigin(db: Db, id: string): Promise<TrustedOrigin | undefined> {
  const row = await db.selectFrom('trusted_origins').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toOrigin(row)
}

export async function pageOfTrustedOrigins(
  db: Db,
  { limit, after = '' }: { readonly limit: number; readonly after?: string | undefined },
): Promise<readonly TrustedOrigin[]> {
  const rows = await db
    .selectFrom('trusted_origins')
    .selectAll()
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(toOrigin)
}

/** Creates or changes an origin. `taken` where another one has the same address, undefined where there is none with the id. */
export async function putTrustedOrigin(
  db: Db,
  origin: Pick<TrustedOrigin, 'name' | 'origin' | 'status' | 'scopes'> & { readonly id?: string },
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<TrustedOrigin | 'taken' | undefined> {
  const { id, scopes, ...rest } = origin
  const values = { ...rest, scopes: JSON.stringify(scopes), updated_at: now }
  try {
    const row =
      id === undefined
        ? await db
            .insertInto('trusted_origins')
            .values({ ...values, id: randomId(random, 'tos'), created_at: now })
            .returningAll()
            .executeTakeFirstOrThrow()
        : await db
            .updateTable('trusted_origins')
            .set(values)
            .where('id', '=', id)
            .returningAll()
            .executeTakeFirst()
    return row && toOrigin(row)
  } catch (error) {
    if (isUniqueViolation(error)) return 'taken'
    throw error
  }
}

/** False where there is none. */
export async function removeTrustedOrigin(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('trusted_origins')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}
