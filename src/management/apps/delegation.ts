import { type Client, isAccountScope, listScopeGrants, plantedBy } from '../../clients/index.ts'
import type { Db } from '../../storage/index.ts'
import { insufficientScope } from '../access.ts'
import { invalid } from '../errors.ts'
import type { Context } from '../operation.ts'
import { coversScope } from '../scopes.ts'

// A service app must not raise its own rights by way of another app: by granting a scope that its token lacks, by setting
// the keys or addresses of an app that has such a scope, or by setting them before an administrator grants it (A58).
// The check and the write are one transaction under the lock `apps`, so no order of two callers escapes it.

/**
 * The right that a granted scope amounts to. With one of `okta.myAccount` an app acts on the accounts of its users; a
 * service app can have no such scope, so the rights to the same data count.
 */
const rightOf = (scope: string): string =>
  isAccountScope(scope) ? `okta.users.${scope.endsWith('.read') ? 'read' : 'manage'}` : scope

/** Throws 403 `E0000006` if the caller is a service app whose token lacks a scope that it would hand on. */
export function checkDelegation({ scopes }: Context, delegated: readonly string[]): void {
  if (scopes === undefined) return
  for (const scope of delegated)
    if (!coversScope(scopes, rightOf(scope))) throw insufficientScope(rightOf(scope))
}

/** Throws 403 `E0000006` if an app has scopes that the caller may not hand on. Call it in the transaction of the change. */
export async function checkGranted(call: Context, db: Db, { id }: Client): Promise<void> {
  if (call.scopes === undefined) return
  const granted = await listScopeGrants(db, id)
  checkDelegation(
    call,
    granted.map(({ scope }) => scope),
  )
}

/**
 * Throws 400 if a service app without the scope has set a key, an address or a secret of the app that is to be granted it:
 * the holder of it would get the scope, too. An administrator removes them first, and adds what is right.
 */
export function refuseIfPlanted(client: Client, scope: string): void {
  const planted = plantedBy(client).filter(({ scopes }) => !coversScope(scopes, rightOf(scope)))
  if (planted.length === 0) return
  throw invalid(
    planted.map(
      ({ what }) =>
        `${what} was set by a service app without the scope ${rightOf(scope)}; remove it from the app, and add it again as an administrator, before ${scope} is granted`,
    ),
  )
}
