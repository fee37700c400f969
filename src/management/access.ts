import type { Party } from '../audit/index.ts'
import { apiError, type ProtocolError } from '../base/index.ts'
import type { ManagementParts, Operation } from './operation.ts'
import { coversScope, scopeOf } from './scopes.ts'
import { actorOf, authorize } from './tokens.ts'

/** The authenticated caller of an operation. */
export interface Caller {
  readonly actor: Party
  /** The scopes of an access token; absent for API tokens, which have a role instead. */
  readonly scopes?: readonly string[]
}

/**
 * Authenticates the caller of an operation by `Authorization: SSWS …` (an API token) or `Bearer …` (the access token of
 * a service app), and checks its role or scope. Throws 401 `E0000011` if the token is missing or unknown, 403 `E0000006`
 * if role or scope do not suffice.
 */
export async function authorizeCall(
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
    throw apiError('E0000011', {
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    })
  }
  const { clientId, label, scopes } = caller
  const needed = scopeOf(operation)
  if (!coversScope(scopes, needed)) throw insufficientScope(needed)
  return { actor: { id: clientId, type: 'PublicClientApp', displayName: label }, scopes }
}

/** The error for a missing scope (RFC 6750, section 3.1). */
export const insufficientScope = (needed: string): ProtocolError =>
  apiError('E0000006', {
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${needed}"` },
    detail: `the scope ${needed} is needed`,
  })
