import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { KoaContextWithOIDC, TokenEndpointGrantContext } from 'oidc-provider'
import { branchOf, ProtocolError, randomId, randomToken } from '../base/index.ts'
import { type Client, isClientSecret, isConfidential } from '../clients/index.ts'
import { assertionConfiguration, guardAssertions } from './assertion.ts'
import { findActiveClient } from './client-auth.ts'
import { oauthError } from './errors.ts'
import { type Form, formOf } from './form.ts'
import { grantClientCredentials } from './grant-client-credentials.ts'
import { grantInteractionCode } from './grant-interaction-code.ts'
import { grantRefreshToken } from './grant-refresh-token.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import type { TokenResponse } from './tokens.ts'

/** A request to the token endpoint whose body was read before. */
export interface TokenCall {
  readonly raw: IncomingMessage
  readonly body: string
  readonly response: ServerResponse
}

/**
 * Gets ready to answer for a server, which may fail (its keys are read the first time); what comes of it answers one
 * request on the response itself, whatever happens.
 */
export type TokenEndpoint = (server: AuthorizationServer) => Promise<(call: TokenCall) => Promise<void>>

type Grant = (
  parts: Parts,
  server: AuthorizationServer,
  clientId: string,
  form: Form,
) => Promise<TokenResponse>

const grants = {
  interaction_code: {
    grant: grantInteractionCode,
    parameters: ['interaction_code', 'code_verifier', 'redirect_uri'],
  },
  refresh_token: { grant: grantRefreshToken, parameters: ['refresh_token', 'scope'] },
  client_credentials: { grant: grantClientCredentials, parameters: ['scope'] },
} as const satisfies Readonly<
  Record<string, { readonly grant: Grant; readonly parameters: readonly string[] }>
>

const path = '/v1/token'

/**
 * The token endpoint: `oidc-provider` reads the request, authenticates the client and picks the grant; the grants are
 * ours, so that a code or token is spent, its successor stored and the event recorded in one transaction. The library
 * is loaded at the first request.
 */
export function createTokenEndpoint(parts: Parts): TokenEndpoint & { load(): Promise<void> } {
  const callbacks = new Map<string, Promise<Callback>>()
  const callbackFor = (server: AuthorizationServer): Promise<Callback> => {
    const known = callbacks.get(server.issuer) ?? createCallback(parts, server)
    callbacks.set(server.issuer, known)
    // A database that is away for a moment must not leave the endpoint broken for good.
    known.catch(() => callbacks.delete(server.issuer))
    return known
  }
  const answer: TokenEndpoint = async (server) => {
    const callback = await callbackFor(server)
    return async ({ raw, body, response }) => {
      // Where one CORS header is set the library adds none of its own, which would allow anybody.
      if (!response.hasHeader('access-control-expose-headers')) {
        response.setHeader('Access-Control-Expose-Headers', 'x-okta-request-id')
      }
      await callback(replay(raw, body), response)
    }
  }
  return Object.assign(answer, { load: async () => void (await import('oidc-provider')) })
}

type Callback = (request: IncomingMessage, response: ServerResponse) => Promise<void>

async function createCallback(parts: Parts, server: AuthorizationServer): Promise<Callback> {
  const { default: Provider, errors } = await import('oidc-provider')
  const provider = new Provider(server.issuer, {
    adapter: () => clientsOnly(parts),
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
        context.body = await grant(parts, server, client.clientId, formOf({ ...params }))
      } catch (error) {
        // A failure of ours, such as a database that is away, is not the grant's: tellFailure answers it.
        if (!(error instanceof ProtocolError) || error.status >= 500) throw error
        if (error.detail !== undefined) parts.log.info({ detail: error.detail, grant: name }, error.message)
        const told = new errors.CustomOIDCProviderError(error.code, error.description)
        throw Object.assign(told, { status: error.status, statusCode: error.status })
      }
    }
    provider.registerGrantType(name, handler, parameters)
  }
  // The library would compare a stored secret in plain text; here it is a keyed hash, and clients may have two.
  provider.Client.prototype.compareClientSecret = async function (actual) {
    const client = await findActiveClient(parts.storage.db, this.clientId)
    return client !== undefined && isClientSecret(client, actual, parts.secrets)
  }
  provider.on('server_error', (context, error) => tellFailure(parts, context, error))
  provider.onerror = (error) => parts.log.error({ err: error }, 'the token endpoint failed')
  return provider.callback()
}

async function checkGrant(parts: Parts, clientId: string, grant: string): Promise<void> {
  const { grantTypes } = (await findActiveClient(parts.storage.db, clientId))?.settings ?? { grantTypes: [] }
  if ((grantTypes as readonly string[]).includes(grant)) return
  throw oauthError(
    'unauthorized_client',
    `The client is not authorized to use the provided grant type. Configured grant types: [${grantTypes.join(', ')}].`,
  )
}

function tellFailure(parts: Parts, context: KoaContextWithOIDC, error: Error): void {
  const errorId = randomId(parts.random, 'oae')
  const requestId = context.response.get('x-okta-request-id')
  parts.log.error({ err: error, errorId, requestId }, 'the token endpoint failed')
  const isAway = error instanceof ProtocolError && error.status === 503
  if (isAway) {
    context.status = 503
    context.set(error.headers)
  }
  context.body = {
    error: isAway ? 'temporarily_unavailable' : 'server_error',
    error_description: isAway ? error.description : 'Internal Server Error',
    error_id: errorId,
  }
}

/** The library's view of the store: it looks clients up, and keeps nothing. */
function clientsOnly(parts: Parts) {
  const nothing = async () => undefined
  const unused = async () => {
    throw new Error('the library is not meant to store anything')
  }
  return {
    find: async (id: string) => {
      const client = await findActiveClient(parts.storage.db, id)
      return client && describe(client, placeholder(parts))
    },
    findByUserCode: nothing,
    findByUid: nothing,
    upsert: unused,
    consume: unused,
    destroy: unused,
    revokeByGrantId: unused,
  }
}

const placeholders = new WeakMap<Parts, string>()

/** The library insists on a secret of its own. Should a new version ever compare it, nobody knows it. */
function placeholder(parts: Parts): string {
  const known = placeholders.get(parts) ?? randomToken(branchOf(parts.random, 'placeholder'))
  placeholders.set(parts, known)
  return known
}

const describe = (client: Client, secret: string) => ({
  client_id: client.id,
  ...authenticationOf(client, secret),
  // Which of these a client may use is checked by the grant itself, with words of its own.
  grant_types: Object.keys(grants),
  response_types: [],
  redirect_uris: [],
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

/** The request once more for the library, with its body and only the headers that concern it. */
function replay(raw: IncomingMessage, body: string): IncomingMessage {
  const bytes = Buffer.from(body)
  const { authorization, host } = raw.headers
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
