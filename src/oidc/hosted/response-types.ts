import { type Client, requiresProofs } from '../../clients/index.ts'
import { invalidRequest, oauthError } from '../errors.ts'
import { type Form, optional } from '../form.ts'

/** What the implicit flow and the hybrid ones add, in the order in which their words are written. */
const withImplicit = [
  'id_token',
  'token',
  'id_token token',
  'code id_token',
  'code token',
  'code id_token token',
] as const

/**
 * The response types that are served: tokens in an answer to a browser only where the installation allows it.
 */
export const responseTypes = ({ implicit }: { readonly implicit: boolean }): readonly string[] =>
  implicit ? ['code', ...withImplicit] : ['code']

/** What of an answer to a browser is asked for. */
export interface AskedInAnswer {
  readonly code: boolean
  readonly idToken: boolean
  readonly accessToken: boolean
}

/**
 * What a response type asks for. Its words are a set: their order says nothing (OAuth 2.0 Multiple Response
 * Types, section 3).
 */
export function askedBy(type: string | undefined): AskedInAnswer {
  const words = (type ?? 'code').split(' ')
  return {
    code: words.includes('code'),
    idToken: words.includes('id_token'),
    accessToken: words.includes('token'),
  }
}

/** Whether an answer has tokens: it stands in a fragment or a form, where no server writes it into a log. */
export const hasTokens = (type: string | undefined): boolean =>
  type !== undefined && /(^| )(id_)?token( |$)/.test(type)

/**
 * The response type of a request, its words in order. Tokens leave through the browser only where the
 * installation allows it and the app has the grant `implicit`: there they are bound to nothing, and stay in
 * histories and logs of pages (RFC 9700, section 2.1.2).
 */
export function readType(form: Form, client: Client, installation: { readonly implicit: boolean }): string {
  const { grantTypes } = client.settings
  const asked = optional(form, 'response_type')
  if (asked === undefined) throw invalidRequest("The 'response_type' parameter is required.")
  const words = asked.split(' ').sort().join(' ')
  const served = responseTypes(installation)
  const type = served.find((one) => one === words)
  if (type === undefined) {
    throw oauthError(
      'unsupported_response_type',
      `The response type is not supported by the authorization server. Configured response types: [${served.join(', ')}].`,
    )
  }
  const needed = [
    ...(askedBy(type).code ? ['authorization_code'] : []),
    ...(hasTokens(type) ? ['implicit'] : []),
  ]
  if (needed.every((grant) => grantTypes.includes(grant))) {
    refuseUnbound(type, client)
    return type
  }
  throw oauthError(
    'unauthorized_client',
    `The client is not authorized to use the provided grant type. Configured grant types: [${grantTypes.join(', ')}].`,
  )
}

/**
 * An app whose access tokens are all bound to its key gets none in an answer to a browser: there is no proof
 * beside it, so that token would be bound to nothing (RFC 9449, section 5.2; A31).
 *
 * @throws ProtocolError `unauthorized_client`
 */
export function refuseUnbound(type: string | undefined, client: Client): void {
  if (!askedBy(type).accessToken || !requiresProofs(client)) return
  throw oauthError(
    'unauthorized_client',
    'The application requires access tokens that are bound to a key, and an answer to a browser has none.',
  )
}

/**
 * An ID token in an answer needs a nonce, by which the app knows that the token is of its own request (OpenID
 * Connect Core 1.0, section 3.2.2.1).
 */
export function checkForTokens(
  type: string,
  { scope, nonce }: { readonly scope: string; readonly nonce: string | undefined },
): void {
  if (!askedBy(type).idToken) return
  if (!scope.split(' ').includes('openid')) {
    throw oauthError('invalid_scope', "An ID token needs the scope 'openid'.")
  }
  if (nonce === undefined) {
    throw invalidRequest("The 'nonce' parameter is required for a response type with 'id_token'.")
  }
}
