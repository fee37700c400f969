import { isConfidential } from '../clients/index.ts'
import { assertionType, clientOfAssertion, isAssertionOf } from './assertion-check.ts'
import { type Caller, challenge, findActiveClient, identifyCaller } from './client-auth.ts'
import { invalidRequest, oauthError } from './errors.ts'
import { type Form, optional } from './form.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'

/**
 * As `identifyCaller`, for endpoints where a confidential client must authenticate: with its secret, or a service with an
 * assertion of its key.
 */
export async function authenticateCaller(
  parts: Parts,
  server: AuthorizationServer,
  endpoint: 'introspect' | 'revoke' | 'par',
  call: Parameters<typeof identifyCaller>[1],
): Promise<Caller> {
  const { db } = parts.storage
  const assertion = optional(call.form, 'client_assertion')
  if (assertion !== undefined) return asserted(parts, server, endpoint, { ...call, assertion })
  const caller = await identifyCaller(db, call, parts.secrets)
  if (isConfidential(caller.client) && !caller.authenticated) {
    throw oauthError('invalid_client', 'A client secret is required for this client.', {
      status: 401,
      ...challenge,
    })
  }
  return caller
}

async function asserted(
  parts: Parts,
  server: AuthorizationServer,
  endpoint: 'introspect' | 'revoke' | 'par',
  {
    form,
    authorization,
    assertion,
  }: { readonly form: Form; readonly authorization: string | undefined; readonly assertion: string },
): Promise<Caller> {
  if (optional(form, 'client_assertion_type') !== assertionType) {
    throw invalidRequest(`The 'client_assertion_type' parameter must be '${assertionType}'.`)
  }
  if (authorization !== undefined || form.has('client_secret')) {
    throw invalidRequest('A client may authenticate in one way only.')
  }
  const id = clientOfAssertion(assertion)
  const named = optional(form, 'client_id') ?? id
  const client = id === undefined || named !== id ? undefined : await findActiveClient(parts.storage.db, id)
  if (client === undefined || !(await isAssertionOf(parts, server, endpoint, client, assertion))) {
    throw oauthError('invalid_client', 'The client assertion is not valid for this client.', { status: 401 })
  }
  return { client, authenticated: true }
}
