import type { ProtocolError } from '../base/index.ts'
import { invalidRequest, oauthError } from './errors.ts'

/** The value of `client_assertion_type` (RFC 7523, section 2.2). */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * How a request is refused whose client does not authenticate as it must, by what is wrong. Apps and SDKs show the
 * descriptions, and some compare them, so each endpoint keeps those that it has had.
 */
export interface ClientRefusals {
  /** More than one way at once (RFC 6749, section 2.3). */
  readonly several: ProtocolError
  /** An Authorization header that is not `Basic`, or not encoded as such. */
  readonly malformed: ProtocolError
  /** An Authorization header without a secret, with or without a colon. Absent: a public client may name itself so. */
  readonly bare?: (hasColon: boolean) => ProtocolError
  /** No client is named. */
  readonly unnamed: ProtocolError
  /** The body names another client than the Authorization header. */
  readonly mismatch: ProtocolError
  /** No active client has the name. */
  readonly unknown: (inHeader: boolean) => ProtocolError
  readonly wrongSecret: (inHeader: boolean) => ProtocolError
  /** A confidential client that sends nothing. */
  readonly unproven: ProtocolError
  /** The type of an assertion that is not the one there is, or missing. */
  readonly type: (isMissing: boolean) => ProtocolError
  /** An assertion that is no JWT. */
  readonly unreadable: ProtocolError
  /** The body names another client than the assertion. */
  readonly otherSubject: ProtocolError
  /** An assertion that proves no client. */
  readonly assertion: ProtocolError
}

const challenge = { headers: { 'WWW-Authenticate': 'Basic realm="oauth2"' } }

const unauthenticated = (description: string, inHeader: boolean, status = 401) =>
  oauthError('invalid_client', description, { status, ...(inHeader && challenge) })

const several = invalidRequest('A client may authenticate in one way only.')
const otherType = invalidRequest(`The 'client_assertion_type' parameter must be '${assertionType}'.`)
const wrongAssertion = unauthenticated('The client assertion is not valid for this client.', false)

export const clientRefusals: ClientRefusals = {
  several,
  malformed: invalidRequest('The Authorization header is not a Basic one.'),
  unnamed: invalidRequest("The 'client_id' parameter is required."),
  mismatch: invalidRequest("The 'client_id' parameter differs from the Authorization header."),
  unknown: (inHeader) =>
    unauthenticated("Invalid value for 'client_id' parameter.", inHeader, inHeader ? 401 : 400),
  wrongSecret: (inHeader) => unauthenticated('The client secret is not valid for this client.', inHeader),
  unproven: unauthenticated('A client secret is required for this client.', true),
  type: () => otherType,
  unreadable: wrongAssertion,
  otherSubject: wrongAssertion,
  assertion: wrongAssertion,
}

// The token endpoint answers one and the same to whatever fails to prove a client; its challenge names the issuer (`token.ts`).
const failed = unauthenticated('client authentication failed', false)
const malformed = invalidRequest('invalid authorization header value format')
const bare = invalidRequest('client_secret must be provided in the Authorization header')
const mismatch = invalidRequest('client_id mismatch')
const noType = invalidRequest('client_assertion_type must be provided')
const wrongType = invalidRequest(`client_assertion_type must have value ${assertionType}`)

export const tokenRefusals: ClientRefusals = {
  several: invalidRequest('client authentication must only be provided using one mechanism'),
  malformed,
  bare: (hasColon) => (hasColon ? bare : malformed),
  unnamed: invalidRequest('no client authentication mechanism provided'),
  mismatch,
  unknown: () => failed,
  wrongSecret: () => failed,
  unproven: failed,
  type: (isMissing) => (isMissing ? noType : wrongType),
  unreadable: invalidRequest('invalid client_assertion format'),
  otherSubject: mismatch,
  assertion: failed,
}
