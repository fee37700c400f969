import { ProtocolError } from '../base/index.ts'

/** An OAuth error (RFC 6749, section 5.2): `error` and `error_description`. */
export const oauthError = (
  error: string,
  description: string,
  options: {
    readonly status?: number
    readonly detail?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): ProtocolError => {
  const { status = 400, ...rest } = options
  return new ProtocolError(status, error, description, rest)
}

export const invalidRequest = (description: string): ProtocolError =>
  oauthError('invalid_request', description)

/** Said of a sign-in that was used already, has ended, or is of another browser. A browser that is at it has a page of its own. */
export const signInEnded = invalidRequest('This sign-in has ended or was begun in another browser.')

/** A pushed request is good once: a browser that loads its address again is at an end, too (RFC 9126, section 4). */
export const pushedEnded = oauthError(
  'invalid_request_uri',
  'The request URI is invalid, has expired or was used before.',
)

export interface OAuthBody {
  readonly error: string
  readonly error_description: string
  /** By which `rekey trace` finds a failure of the engine. */
  readonly error_id?: string
}

/** Descriptions of requests that Fastify refuses before an endpoint runs, by status. */
const descriptions: Readonly<Record<number, string>> = {
  413: 'The request body is too large.',
  415: 'The Content-Type header must be application/x-www-form-urlencoded.',
}

/** Renders an error as an OAuth body; undefined where it is not an OAuth error. */
export function oauthBodyOf(
  error: unknown,
): { readonly status: number; readonly body: OAuthBody } | undefined {
  if (error instanceof ProtocolError) {
    // Errors with an Okta code (E0000047 of a rate limit, say) are rendered in Okta's shape by the app.
    if (!/^[a-z_]+$/.test(error.code)) return undefined
    return { status: error.status, body: { error: error.code, error_description: error.description } }
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (status < 400 || status >= 500) return undefined
  const description = descriptions[status] ?? 'The request was not well-formed.'
  return { status, body: { error: 'invalid_request', error_description: description } }
}
