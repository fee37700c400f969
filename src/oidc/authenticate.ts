import { isConfidential } from '../clients/index.ts'
import { type Authenticated, isAssertionOf, subjectOf } from './assertion.ts'
import { type Caller, type ClientCall, findActiveClient, identifyCaller } from './client-auth.ts'
import { assertionType, type ClientRefusals, clientRefusals, tokenRefusals } from './client-refusals.ts'
import { optional } from './form.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'

/**
 * The client of a request, at every endpoint where a confidential one must authenticate: with its secret in the
 * Authorization header or in the body (RFC 6749, section 2.3.1), or a service with an assertion of its key (RFC 7523,
 * section 2.2). A public client names itself. More than one way at once is refused (RFC 6749, section 2.3): of two
 * clients that one request is of, one would be checked and the other acted for (A22).
 *
 * @throws ProtocolError in the words of the endpoint
 */
export async function authenticateCaller(
  parts: Parts,
  server: AuthorizationServer,
  endpoint: Authenticated,
  call: ClientCall,
): Promise<Caller> {
  const { form, authorization } = call
  const refusals = endpoint === 'token' ? tokenRefusals : clientRefusals
  const assertion = optional(form, 'client_assertion')
  const secret = optional(form, 'client_secret')
  if ((authorization ? 1 : 0) + (assertion ? 1 : 0) + (secret ? 1 : 0) > 1) throw refusals.several
  if (assertion !== undefined) return asserted(parts, server, endpoint, call, assertion, refusals)
  const caller = await identifyCaller(parts.storage.db, call, parts.secrets, refusals)
  if (isConfidential(caller.client) && !caller.authenticated) throw refusals.unproven
  return caller
}

async function asserted(
  parts: Parts,
  server: AuthorizationServer,
  endpoint: Authenticated,
  { form }: ClientCall,
  assertion: string,
  refusals: ClientRefusals,
): Promise<Caller> {
  const type = optional(form, 'client_assertion_type')
  if (type !== assertionType) throw refusals.type(type === undefined)
  const id = subjectOf(assertion)
  if (id === undefined) throw refusals.unreadable
  if (id !== (optional(form, 'client_id') ?? id)) throw refusals.otherSubject
  const client = await findActiveClient(parts.storage.db, id)
  if (client === undefined || !(await isAssertionOf(parts, server, endpoint, client, assertion))) {
    throw refusals.assertion
  }
  return { client, authenticated: true }
}
