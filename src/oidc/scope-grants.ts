import { isAccountScope, listScopeGrants } from '../clients/index.ts'
import type { Db } from '../storage/index.ts'

/** Those of the scopes that are granted to the app at this moment. */
export async function grantedOf(
  db: Db,
  clientId: string,
  scopes: readonly string[],
): Promise<readonly string[]> {
  if (scopes.length === 0) return []
  const granted = new Set((await listScopeGrants(db, clientId)).map(({ scope }) => scope))
  return scopes.filter((scope) => granted.has(scope))
}

/** The scopes of a sign-in without those whose grant was taken away since: the new tokens have them no more. */
export async function stillGranted(
  db: Db,
  clientId: string,
  scopes: readonly string[],
): Promise<readonly string[]> {
  const granted = await grantedOf(db, clientId, scopes.filter(isAccountScope))
  return scopes.filter((scope) => !isAccountScope(scope) || granted.includes(scope))
}
