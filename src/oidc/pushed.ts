import { isObject, plainHash, randomToken } from '../base/index.ts'
import { requiresPushedRequests } from '../clients/index.ts'
import { authenticateCaller } from './authenticate.ts'
import type { Proof } from './dpop.ts'
import { invalidRequest, oauthError, pushedEnded } from './errors.ts'
import { type Form, optional } from './form.ts'
import { readAuthorize, readRecipient } from './hosted/request.ts'
import type { Parts } from './parts.ts'
import { storePushedRequest, takePushedRequest } from './pushed.store.ts'
import type { AuthorizationServer } from './server.ts'

/** The names that are given to pushed requests begin so. */
const prefix = 'urn:okta:'
/** For how long a pushed request may be used, in seconds: as long as it takes to send a browser there. */
const lifetime = 600
/** How much of a request is stored, in bytes: anyone can push one for a public client (A45). */
const mostBytes = 16_384

/** What belongs to the call and not to the request that is pushed. */
const ofCall = new Set(['client_secret', 'client_assertion', 'client_assertion_type'])

const sealOf = (name: string): string => `pushed request ${plainHash(name)}`

export interface PushedAnswer {
  readonly request_uri: string
  readonly expires_in: number
}

/**
 * Takes the parameters of a request to `authorize` from the app itself (RFC 9126), so that the browser carries only a name of them: once,
 * and for the same app and server. They are checked as `authorize` checks them, and again there: what is registered may have changed.
 *
 * @param proof of the request, if it has one: the code is bound to its key, as by `dpop_jkt` (RFC 9449, section 10.1)
 */
export async function pushRequest(
  parts: Parts,
  server: AuthorizationServer,
  call: { readonly form: Form; readonly authorization: string | undefined },
  proof?: Proof,
): Promise<PushedAnswer> {
  const { client } = await authenticateCaller(parts, server, 'par', call)
  if (call.form.has('request_uri')) {
    throw invalidRequest("The 'request_uri' parameter must not be pushed.")
  }
  const form = new Map([...call.form].filter(([name]) => !ofCall.has(name)))
  form.set('client_id', client.id)
  if (proof !== undefined) await bindTo(form, proof)
  await readAuthorize(parts, form, await readRecipient(parts, form))
  const content = JSON.stringify({ parameters: [...form] })
  if (Buffer.byteLength(content) > mostBytes) throw invalidRequest('The request is too long.')
  const name = randomToken(parts.random)
  const now = parts.clock.now()
  const sealed = parts.secrets.seal(sealOf(name), content)
  const pushed = { name, server: server.id, clientId: client.id }
  await storePushedRequest(parts.storage.db, pushed, { sealed }, { now, until: now + lifetime * 1000 })
  return { request_uri: prefix + name, expires_in: lifetime }
}

async function bindTo(form: Map<string, string>, proof: Proof): Promise<void> {
  if ((optional(form, 'dpop_jkt') ?? proof.jkt) !== proof.jkt) {
    throw oauthError('invalid_dpop_proof', "The DPoP proof is by another key than 'dpop_jkt'.")
  }
  if (!(await proof.spend())) throw oauthError('invalid_dpop_proof', 'The DPoP proof was used before.')
  form.set('dpop_jkt', proof.jkt)
}

/**
 * The parameters of a request to `authorize`: those that were pushed where it names such a request, with nothing of the address beside
 * them. A name is good once, and for its client alone: of what it stands for nothing is known to another, its address neither.
 */
export async function resolvePushed(
  { storage, secrets, clock }: Parts,
  server: Pick<AuthorizationServer, 'id'>,
  form: Form,
): Promise<{ readonly form: Form; readonly isPushed: boolean }> {
  const uri = optional(form, 'request_uri')
  if (uri === undefined || !uri.startsWith(prefix)) return { form, isPushed: false }
  const name = uri.slice(prefix.length)
  const clientId = optional(form, 'client_id')
  const taken = await takePushedRequest(storage.db, { name, server: server.id, clientId }, clock.now())
  const content: unknown = taken && JSON.parse(secrets.open(sealOf(name), taken.sealed) ?? 'null')
  const pushed = isObject(content) && Array.isArray(content.parameters) ? content : undefined
  if (pushed === undefined) throw pushedEnded
  return { form: new Map(pushed.parameters as readonly [string, string][]), isPushed: true }
}

/** An app may be registered to push all its requests: then no address that a user was sent begins one. */
export function refuseUnpushed(
  client: Parameters<typeof requiresPushedRequests>[0],
  isPushed: boolean,
): void {
  if (isPushed || !requiresPushedRequests(client)) return
  throw invalidRequest('Pushed authorization requests are required by the application.')
}
