import { errorIdOf, noteFailure, ProtocolError } from '../base/index.ts'
import { type Client, requiresProofs } from '../clients/index.ts'
import { authenticateCaller } from './authenticate.ts'
import type { Proof } from './dpop.ts'
import { invalidRequest, type OAuthBody, oauthError } from './errors.ts'
import { type Form, optional } from './form.ts'
import { grantClientCredentials } from './grant-client-credentials.ts'
import { grantAuthorizationCode, grantInteractionCode } from './grant-interaction-code.ts'
import { grantRefreshToken } from './grant-refresh-token.ts'
import type { Parts } from './parts.ts'
import type { AuthorizationServer } from './server.ts'
import type { TokenResponse } from './tokens.ts'

/** A request to the token endpoint. */
export interface TokenCall {
  readonly form: Form
  readonly authorization: string | undefined
  /** A proof that holds (RFC 9449). Undefined: the request has none. */
  readonly proof: Proof | undefined
  /** The id of the request, from which an error gets its own. */
  readonly id: string
}

export interface TokenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: TokenResponse | OAuthBody
}

type Grant = (
  parts: Parts,
  server: AuthorizationServer,
  clientId: string,
  form: Form,
  /** The thumbprint of the key of a proof (RFC 9449); undefined: there is none. */
  jkt: string | undefined,
) => Promise<TokenResponse>

/** The grants by their `grant_type`, and whether the request may have a `scope`. */
const grants: ReadonlyMap<string, { readonly grant: Grant; readonly takesScope: boolean }> = new Map([
  ['interaction_code', { grant: grantInteractionCode, takesScope: false }],
  ['authorization_code', { grant: grantAuthorizationCode, takesScope: false }],
  ['refresh_token', { grant: grantRefreshToken, takesScope: true }],
  ['client_credentials', { grant: grantClientCredentials, takesScope: true }],
])

/** RFC 6749, section 3.3. */
const scopeSyntax = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

const noHeaders = {}
const noGrantType = invalidRequest("missing required parameter 'grant_type'")
const unknownGrantType = oauthError('unsupported_grant_type', 'unsupported grant_type requested')
const invalidScope = oauthError('invalid_scope', 'scope contains invalid characters')

/**
 * The token endpoint (RFC 6749, section 3.2): authenticates the client and runs the grant that the request names. What a
 * grant consumes, stores and records is one database transaction. Errors are answers too (section 5.2): it never rejects.
 */
export async function answerToken(
  parts: Parts,
  server: AuthorizationServer,
  call: TokenCall,
): Promise<TokenAnswer> {
  try {
    return { status: 200, headers: noHeaders, body: await tokensFor(parts, server, call) }
  } catch (error) {
    return error instanceof ProtocolError && error.status < 500
      ? refusal(parts, server, call, error)
      : failure(parts, call, error)
  }
}

/** The client comes first: what else is wrong with a request is said to the client alone. */
async function tokensFor(parts: Parts, server: AuthorizationServer, call: TokenCall): Promise<TokenResponse> {
  const { form } = call
  const { client } = await authenticateCaller(parts, server, 'token', call)
  const name = optional(form, 'grant_type')
  if (name === undefined) throw noGrantType
  const known = grants.get(name)
  if (known === undefined) throw unknownGrantType
  const scope = known.takesScope ? optional(form, 'scope') : undefined
  if (scope !== undefined && !scopeSyntax.test(scope)) throw invalidScope
  checkGrant(client, name)
  const jkt = await spendProof(client, call.proof)
  return known.grant(parts, server, client.id, form, jkt)
}

function checkGrant({ settings }: Client, grant: string): void {
  const { grantTypes } = settings
  if (grantTypes.includes(grant)) return
  throw oauthError(
    'unauthorized_client',
    `The client is not authorized to use the provided grant type. Configured grant types: [${grantTypes.join(', ')}].`,
  )
}

/** Uses the proof of a client that has authenticated: others must not fill the table. Answers the thumbprint of its key. */
async function spendProof(client: Client, proof: Proof | undefined): Promise<string | undefined> {
  // A token for the management API is bound to no key.
  if (client.settings.applicationType === 'service') return undefined
  if (proof === undefined) {
    if (!requiresProofs(client)) return undefined
    throw oauthError('invalid_dpop_proof', 'The DPoP proof JWT header is missing.')
  }
  if (!(await proof.spend())) throw oauthError('invalid_dpop_proof', 'The DPoP proof was used before.')
  return proof.jkt
}

/** Renders an error of the request. Where the client came by the Authorization header, it is asked for that again (RFC 6749, section 5.2). */
function refusal(
  parts: Parts,
  { issuer }: AuthorizationServer,
  { form, authorization }: TokenCall,
  error: ProtocolError,
): TokenAnswer {
  const { status, code, description, detail, headers } = error
  noteFailure({ code })
  // Only grants give a detail, so the name is one of theirs.
  const grant = form.get('grant_type') ?? ''
  if (detail !== undefined) {
    parts.refusals.note(grant, (count) =>
      parts.log.info({ detail, grant, ...(count > 1 && { count }) }, error.message),
    )
  }
  const challenge = `Basic realm="${issuer}", error="${code}", error_description="${description}"`
  return {
    status,
    headers: status === 401 && authorization !== undefined ? { 'WWW-Authenticate': challenge } : headers,
    body: { error: code, error_description: description },
  }
}

/** Renders a failure of the engine, such as an unavailable database: none of the request. */
function failure(parts: Parts, { id: requestId }: TokenCall, error: unknown): TokenAnswer {
  const errorId = errorIdOf(requestId)
  parts.log.error({ err: error, errorId, requestId }, 'the token endpoint failed')
  const unavailable = error instanceof ProtocolError && error.status === 503 ? error : undefined
  const code = unavailable === undefined ? 'server_error' : 'temporarily_unavailable'
  noteFailure({ code, error })
  return {
    status: unavailable === undefined ? 500 : 503,
    headers: unavailable?.headers ?? noHeaders,
    body: {
      error: code,
      error_description: unavailable?.description ?? 'Internal Server Error',
      error_id: errorId,
    },
  }
}
