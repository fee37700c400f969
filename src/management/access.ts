import type { Party } from '../audit/index.ts'
import { ProtocolError } from '../base/index.ts'
import type { ManagementParts, Operation } from './operation.ts'
import { scopeOf, suffices } from './scopes.ts'
import { actorOf, authorize } from './tokens.ts'

/** Who makes a request that may be made. */
export interface Caller {
  readonly actor: Party
  /** What its access token is good for; absent where an API token is shown, which has a role instead. */
  readonly scopes?: readonly string[]
}

/**
 * Who calls an operation, by `Authorization: SSWS …` (an API token) or `Bearer …` (the access token of a service app).
 * Throws 401 `E0000011` where it shows none that is known, 403 `E0000006` where role or scope is not enough.
 */
export async function admit(
  parts: ManagementParts,
  authorization: string | undefined,
  operation: Operation,
): Promise<Caller> {
  const [, bearer] = /^Bearer ([\w.-]{1,8000})$/i.exec(authorization ?? '') ?? []
  if (bearer === undefined) {
    const now = parts.clock.now()
    return { actor: actorOf(await authorize({ ...parts, now }, authorization, operation.role)) }
  }
  const caller = await parts.findServiceCaller?.(bearer)
  if (caller === undefined) {
    throw new ProtocolError(401, 'E0000011', 'Invalid token provided', {
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    })
  }
  const { clientId, label, scopes } = caller
  const needed = scopeOf(operation)
  if (!suffices(scopes, needed)) throw insufficient(needed)
  return { actor: { id: clientId, type: 'PublicClientApp', displayName: label }, scopes }
}

/** A scope is missing (RFC 6750, section 3.1). */
export const insufficient = (needed: string): ProtocolError =>
  new ProtocolError(403, 'E0000006', 'You do not have permission to perform the requested action', {
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${needed}"` },
    detail: `the scope ${needed} is needed`,
  })
