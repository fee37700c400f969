import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { KoaContextWithOIDC, TokenEndpointGrantContext } from 'oidc-provider'
import { branchOf, errorIdOf, noteFailure, ProtocolError, randomToken } from '../base/index.ts'
import { type Client, isConfidential, rehashClientSecret, requiresProofs } from '../clients/index.ts'
import { assertionConfiguration, guardAssertions } from './assertion.ts'
import { canonicalBasic, findActiveClient, isSecretOf } from './client-auth.ts'
import type { Proof } from './dpop.ts'
import { type OAuthBody, oauthError } from './errors.ts'
import { type Form, formOf } from './form.ts'
import { grantClientCredentials } from './grant-client-credentials.ts'
import { grantAuthorizationCode, grantInteractionCode } from './grant-interaction-code.ts'
import { grantRefreshToken } from './grant-refresh-token.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import type { TokenResponse } from './tokens.ts'

/** A request to the token endpoint whose body was already read. */
interface TokenCall {
  readonly raw: IncomingMessage
  readonly body: string
  readonly response: ServerResponse
  /** Undefined: the request has none. */
  readonly proof: Proof | undefined
}

/**
 * In two stages: the first prepares a server and may reject (it reads the keys the first time); the function that it
 * resolves to writes the response of one request itself and never rejects.
 */
export type TokenEndpoint = (server: AuthorizationServer) => Promise<(call: TokenCall) => Promise<void>>

type Grant = (
  parts: Parts,
  server: AuthorizationServer,
  clientId: string,
  form: Form,
  /** The thumbprint of the key of a proof (RFC 9449); undefined: there is none. */
  jkt: string | undefined,
) => Promise<TokenResponse>

const grants = {
  interaction_code: {
    grant: grantInteractionCode,
    parameters: ['interaction_code', 'code_verifier', 'redirect_uri'],
  },
  authorization_code: {
    grant: grantAuthorizationCode,
    parameters: ['code', 'code_verifier', 'redirect_uri'],
  },
  refresh_token: { grant: grantRefreshToken, parameters: ['refresh_token', 'scope'] },
  client_credentials: { grant: grantClientCredentials, parameters: ['scope'] },
} as const satisfies Readonly<
  Record<string, { readonly grant: Grant; readonly parameters: readonly string[] }>
>

const path = '/v1/token'

const refusals = new WeakMap<ServerResponse, OAuthBody>()

/** The error that the token endpoint wrote into a response, for records of development; undefined where it wrote none. */
export const refusalIn = (response: ServerResponse): OAuthBody | undefined => refusals.get(response)

/**
 * The token endpoint: `oidc-provider` parses the request, authenticates the client and selects the grant. The grants are
 * ours: a code or token is consumed, its successor stored and the event recorded in one database transaction. The library
 * is loaded at the first request.
 */
export function createTokenEndpoint(parts: Parts): TokenEndpoint & { load(): Promise<void> } {
  const callbacks = new Map<string, Promise<Callback>>()
  const callbackFor = (server: AuthorizationServer): Promise<Callback> => {
    const callback = callbacks.get(server.issuer) ?? createCallback(parts, server)
    callbacks.set(server.issuer, callback)
    // A failure is not cached: the database may have been unavailable for a moment.
    callback.catch(() => callbacks.delete(server.issuer))
    return callback
  }
  const prepare: TokenEndpoint = async (server) => {
    const callback = await callbackFor(server)
    return async ({ raw, body, response, proof }) => {
      // Where one CORS header is set the library adds none of its own, which would allow every origin.
      if (!response.hasHeader('access-control-expose-headers')) {
        response.setHeader('Access-Control-Expose-Headers', 'x-okta-request-id')
      }
      const { authorization: sent } = raw.headers
      // Where the database is away the library finds no client either, and says so.
      const authorization = await canonicalBasic(parts.storage.db, sent, parts.secrets).catch(() => sent)
      const request = replay(raw, body, authorization)
      if (proof !== undefined) proofs.set(request, proof)
      await callback(request, response)
    }
  }
  return Object.assign(prepare, { load: async () => void (await import('oidc-provider')) })
}

type Callback = (request: IncomingMessage, response: ServerResponse) => Promise<void>

async function createCallback(parts: Parts, server: AuthorizationServer): Promise<Callback> {
  const { default: Provider, errors } = await import('oidc-provider')
  const provider = new Provider(server.issuer, {
    adapter: () => clientAdapter(parts),
    jwks: { keys: [{ ...(await parts.keys.current()) }] },
    routes: { token: path },
    features: { devInteractions: { enabled: false } },
    ...assertionConfiguration(errors),
  })
  guardAssertions(provider, parts, server)
  for (const [name, { grant, parameters }] of Object.entries(grants)) {
    const handler = async (context: TokenEndpointGrantContext) => {
      try {
        const { client, params } = context.oidc
        await checkGrant(parts, client.clientId, name)
        const jkt = await spendProof(parts, client.clientId, proofs.get(context.req))
        context.body = await grant(parts, server, client.clientId, formOf({ ...params }), jkt)
      } catch (error) {
        // A failure, such as an unavailable database, is not an error of the grant: `server_error` renders it below.
        if (!(error instanceof ProtocolError) || error.status >= 500) throw error
        const { detail, message } = error
        if (detail !== undefined) {
          parts.refusals.note(name, (count) =>
            parts.log.info({ detail, grant: name, ...(count > 1 && { count }) }, message),
          )
        }
        const translated = new errors.CustomOIDCProviderError(error.code, error.description)
        throw Object.assign(translated, { status: error.status, statusCode: error.status })
      }
    }
    provider.registerGrantType(name, handler, parameters)
  }
  // The library compares with a plain secret; the stored ones are keyed hashes, and a client may have two.
  provider.Client.prototype.compareClientSecret = async function (actual) {
    const client = await findActiveClient(parts.storage.db, this.clientId)
    if (client === undefined || !isSecretOf(client, actual, parts.secrets)) return false
    await rehashClientSecret(parts.storage.db, client, actual, parts.secrets)
    return true
  }
  provider.on('server_error', (context, error) => renderFailure(parts, context, error))
  provider.on('grant.error', ({ body, res }) => {
    noteFailure({ code: (body as OAuthBody).error })
    refusals.set(res, body as OAuthBody)
  })
  provider.onerror = (error) => parts.log.error({ err: error }, 'the token endpoint failed')
  return provider.callback()
}

/** The proof of a request, by the copy of it that the library gets: the library hands on no headers. */
const proofs = new WeakMap<IncomingMessage, Proof>()

/** Uses the proof of a client that has authenticated: others must not fill the table. Answers the thumbprint of its key. */
async function spendProof(
  parts: Parts,
  clientId: string,
  proof: Proof | undefined,
): Promise<string | undefined> {
  const client = await findActiveClient(parts.storage.db, clientId)
  // A token for the management API is bound to no key.
  if (client?.settings.applicationType === 'service') return undefined
  if (proof === undefined) {
    if (client === undefined || !requiresProofs(client)) return undefined
    throw oauthError('invalid_dpop_proof', 'The DPoP proof JWT header is missing.')
  }
  if (!(await proof.spend())) throw oauthError('invalid_dpop_proof', 'The DPoP proof was used before.')
  return proof.jkt
}

async function checkGrant(parts: Parts, clientId: string, grant: string): Promise<void> {
  const { grantTypes } = (await findActiveClient(parts.storage.db, clientId))?.settings ?? { grantTypes: [] }
  if ((grantTypes as readonly string[]).includes(grant)) return
  throw oauthError(
    'unauthorized_client',
    `The client is not authorized to use the provided grant type. Configured grant types: [${grantTypes.join(', ')}].`,
  )
}

function renderFailure(parts: Parts, context: KoaContextWithOIDC, error: Error): void {
  const errorId = errorIdFor(context)
  const requestId = context.response.get('x-okta-request-id')
  parts.log.error({ err: error, errorId, requestId }, 'the token endpoint failed')
  const isUnavailable = error instanceof ProtocolError && error.status === 503
  noteFailure({ code: isUnavailable ? 'temporarily_unavailable' : 'server_error', error })
  if (isUnavailable) {
    context.status = 503
    context.set(error.headers)
  }
  context.body = {
    error: isUnavailable ? 'temporarily_unavailable' : 'server_error',
    error_description: isUnavailable ? error.description : 'Internal Server Error',
    error_id: errorId,
  }
}

const errorIdFor = (context: KoaContextWithOIDC): string =>
  errorIdOf(context.response.get('x-okta-request-id'))

/** The library's storage adapter: finds clients, stores nothing. */
function clientAdapter(parts: Parts) {
  const notFound = async () => undefined
  const unused = async () => {
    throw new Error('the library is not meant to store anything')
  }
  return {
    find: async (id: string) => {
      const client = await findActiveClient(parts.storage.db, id)
      return client && clientMetadata(client, placeholderSecret(parts))
    },
    findByUserCode: notFound,
    findByUid: notFound,
    upsert: unused,
    consume: unused,
    destroy: unused,
    revokeByGrantId: unused,
  }
}

const placeholderSecrets = new WeakMap<Parts, string>()

/**
 * The library requires a secret in the metadata. A random one: no caller knows it, should a later version compare it.
 */
function placeholderSecret(parts: Parts): string {
  const secret = placeholderSecrets.get(parts) ?? randomToken(branchOf(parts.random, 'placeholder'))
  placeholderSecrets.set(parts, secret)
  return secret
}

const clientMetadata = (client: Client, secret: string) => ({
  client_id: client.id,
  ...authenticationOf(client, secret),
  // All of them: `checkGrant` refuses those that the client may not use, with Okta's message.
  grant_types: Object.keys(grants),
  // The library wants both of clients with codes; neither is used, since `authorize` and the grants are ours.
  response_types: ['code' as const],
  redirect_uris: ['https://unused.invalid/'],
})

function authenticationOf(client: Client, secret: string) {
  if (client.settings.applicationType === 'service') {
    const keys = (client.settings.jwks?.keys ?? []).map((key) => ({ ...key }))
    return { token_endpoint_auth_method: 'private_key_jwt' as const, jwks: { keys } }
  }
  return isConfidential(client)
    ? { client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' as const }
    : { token_endpoint_auth_method: 'none' as const }
}

/** A copy of the request for the library, with the body that was read and only the headers that it needs. */
function replay(raw: IncomingMessage, body: string, authorization: string | undefined): IncomingMessage {
  const bytes = Buffer.from(body)
  const { host } = raw.headers
  return Object.assign(Readable.from([bytes], { objectMode: false }), {
    method: 'POST',
    url: path,
    headers: {
      host,
      ...(authorization !== undefined && { authorization }),
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(bytes.length),
    },
    socket: raw.socket,
    httpVersionMajor: raw.httpVersionMajor,
  }) as unknown as IncomingMessage
}
