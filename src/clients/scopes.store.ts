import { type Random, randomId } from '../base/index.ts'
import type { Db, Row } from '../storage/index.ts'

/** A scope that a service client may get tokens for. */
export interface ScopeGrant {
  readonly id: string
  readonly clientId: string
  readonly scope: string
  /** The id of the API token or service client that granted it. */
  readonly createdBy: string
  readonly createdAt: number
}

const toGrant = (row: Row<'client_scopes'>): ScopeGrant => ({
  id: row.id,
  clientId: row.client_id,
  scope: row.scope,
  createdBy: row.created_by,
  createdAt: row.created_at,
})

/** Grants a scope. An existing grant of it stays unchanged and is returned. */
export async function grantScope(
  db: Db,
  wanted: { readonly clientId: string; readonly scope: string; readonly createdBy: string },
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<ScopeGrant> {
  await db
    .insertInto('client_scopes')
    .values({
      id: randomId(random, 'oag'),
      client_id: wanted.clientId,
      scope: wanted.scope,
      created_by: wanted.createdBy,
      created_at: now,
    })
    .onConflict((oc) => oc.columns(['client_id', 'scope']).doNothing())
    .execute()
  const row = await db
    .selectFrom('client_scopes')
    .selectAll()
    .where('client_id', '=', wanted.clientId)
    .where('scope', '=', wanted.scope)
    .executeTakeFirstOrThrow()
  return toGrant(row)
}

export async function listScopeGrants(db: Db, clientId: string): Promise<readonly ScopeGrant[]> {
  const rows = await db
    .selectFrom('client_scopes')
    .selectAll()
    .where('client_id', '=', clientId)
    .orderBy('id')
    .execute()
  return rows.map(toGrant)
}

export async function findScopeGrant(db: Db, clientId: string, id: string): Promise<ScopeGrant | undefined> {
  const row = await db
    .selectFrom('client_scopes')
    .selectAll()
    .where('client_id', '=', clientId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && toGrant(row)
}

export async function revokeScopeGrant(db: Db, id: string): Promise<void> {
  await db.deleteFrom('client_scopes').where('id', '=', id).execute()
}
