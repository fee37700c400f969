import { type Client, isConfidential, isRedirectUriRegistered } from '../../clients/index.ts'
import type { InteractionRequest, ResponseMode } from '../../interactions/index.ts'
import { knownLevels } from '../../policies/index.ts'
import { findActiveClient } from '../client-auth.ts'
import { invalidRequest, oauthError } from '../errors.ts'
import { type Form, optional } from '../form.ts'
import { checkChallenge, checkLengths, checkScopes, readKey, readLoginHint, readScope } from '../interact.ts'
import type { Parts } from '../parts.ts'
import { asksToEnroll, readEnrolment } from './enroll.ts'
import { prompts, responseModes } from './response.ts'
import { askedBy, checkForTokens, hasTokens, readType } from './response-types.ts'

/** Where the answer to a request goes: read and checked before all else of it. */
export interface Recipient {
  readonly client: Client
  readonly redirectUri: string
  readonly responseMode: ResponseMode
  /** Empty where the request has none. */
  readonly state: string
}

/** What an app asks for. */
export interface AuthorizeRequest {
  /** Absent: `code`. */
  readonly responseType?: string
  readonly codeChallenge: string
  readonly request: Omit<InteractionRequest, 'hosted'>
  /**
   * `none`: nothing may be asked. `login` and `create`: a session counts for nothing; `create` begins with
   * the sign-up.
   */
  readonly prompt: 'none' | 'login' | 'create' | undefined
  /** Whether the user is asked for a consent that was given before, too. */
  readonly asksConsentAnew: boolean
  readonly idTokenHint: string | undefined
}

/**
 * The app and the address that a request comes from. Both are compared with what is registered before
 * anything is answered to either: what is wrong here is shown on a page, never sent on (A30, RFC 9700,
 * sections 4.1 and 4.11).
 */
export async function readRecipient({ storage }: Parts, form: Form): Promise<Recipient> {
  const client = await findActiveClient(storage.db, optional(form, 'client_id') ?? '')
  if (client === undefined || client.settings.applicationType === 'service') {
    throw oauthError('invalid_client', "Invalid value for 'client_id' parameter.")
  }
  const redirectUri = optional(form, 'redirect_uri')
  if (redirectUri === undefined || !isRedirectUriRegistered(client, redirectUri)) {
    throw invalidRequest(
      "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.",
    )
  }
  // Only a client for development may name an address that is not registered, of any length.
  if (redirectUri.length > 256 && !client.settings.redirectUris.includes(redirectUri)) {
    throw invalidRequest("The 'redirect_uri' parameter is too long.")
  }
  return {
    client,
    redirectUri,
    responseMode: modeOf(form, redirectUri) ?? defaultMode(form),
    // What cannot come back as it was is not sent back at all; the request is refused for it below.
    state: isStateUsable(form) ? (optional(form, 'state') ?? '') : '',
  }
}

/** Other types than a code are answered in the fragment, their errors, too. */
const defaultMode = (form: Form): ResponseMode =>
  hasTokens(form.get('response_type')) ? 'fragment' : 'query'

function modeOf(form: Form, redirectUri: string): ResponseMode | undefined {
  const asked = optional(form, 'response_mode')
  if (asked === undefined) return defaultMode(form)
  // A message has no address but an origin: an app with a scheme of its own has none.
  if (asked === 'okta_post_message' && !/^https?:/.test(redirectUri)) return undefined
  // A query stands in the logs of servers, and goes on in the Referer (OAuth 2.0 Multiple Response Types,
  // section 3).
  if (asked === 'query' && hasTokens(form.get('response_type'))) return undefined
  return responseModes.find((mode) => mode === asked)
}

function isStateUsable(form: Form): boolean {
  try {
    checkLengths({ state: optional(form, 'state') ?? '' })
    return true
  } catch {
    return false
  }
}

/** The rest of a request. What is wrong with it is answered to the app. */
export async function readAuthorize(
  parts: Parts,
  form: Form,
  { client, redirectUri }: Recipient,
): Promise<AuthorizeRequest> {
  refuseObjects(form)
  if (asksToEnroll(form)) {
    refuseMode(form, redirectUri)
    return readEnrolment(form, client)
  }
  const type = readType(form, client, parts)
  refuseMode(form, redirectUri)
  const codeChallenge = askedBy(type).code ? readChallenge(form, client) : ''
  const { prompt, asksConsentAnew } = readPrompts(form)
  const maxAge = readMaxAge(form)
  const scope = readScope(form, client)
  await checkScopes(parts, client, scope)
  const answered = { state: optional(form, 'state') ?? '', nonce: optional(form, 'nonce') }
  checkLengths(answered)
  checkForTokens(type, { scope, ...answered })
  if (optional(form, 'idp') !== undefined) {
    throw invalidRequest("The 'idp' parameter is not supported: there are no identity providers.")
  }
  return {
    codeChallenge,
    ...(type !== 'code' && { responseType: type }),
    prompt,
    asksConsentAnew,
    idTokenHint: optional(form, 'id_token_hint'),
    request: {
      scope,
      ...answered,
      acrValues: knownLevels(optional(form, 'acr_values')),
      ...(maxAge !== undefined && { maxAge }),
      // A user who is to sign in anew is remembered by no device either.
      ...(prompt === 'login' && { maxAge: 0 }),
      ...(prompt === 'create' && { create: true as const }),
      loginHint: readLoginHint(form, answered),
      ...readKey(form),
    },
  }
}

function refuseMode(form: Form, redirectUri: string): void {
  if (modeOf(form, redirectUri) !== undefined) return
  throw oauthError(
    'unsupported_response_mode',
    `The response mode is not supported for this request. Valid response modes: ${responseModes.join(', ')}.`,
  )
}

/**
 * Okta takes them, but they are not served yet; to leave them unread would be to leave what is signed unread.
 */
function refuseObjects(form: Form): void {
  const refused = { request: 'request_not_supported', request_uri: 'request_uri_not_supported' } as const
  for (const [name, error] of Object.entries(refused)) {
    if (form.has(name)) throw oauthError(error, `The '${name}' parameter is not supported.`)
  }
}

/** PKCE: required of public clients, of others where their app says so (RFC 9700, section 2.1.1). */
function readChallenge(form: Form, client: Client): string {
  const challenge = optional(form, 'code_challenge')
  if (challenge !== undefined) {
    // Absent is `plain` (RFC 7636, section 4.3), which is not taken.
    return checkChallenge(challenge, optional(form, 'code_challenge_method'))
  }
  if (form.has('code_challenge_method')) throw invalidRequest("The 'code_challenge' parameter is required.")
  if (!isConfidential(client)) {
    throw invalidRequest(
      "PKCE code challenge is required when the token endpoint authentication method is 'NONE'.",
    )
  }
  if (client.settings.pkceRequired === true) {
    throw invalidRequest('PKCE code challenge is required by the application.')
  }
  return ''
}

/**
 * `none` stands alone (OpenID Connect Core 1.0, section 3.1.2.1); of the others each asks for something of
 * its own.
 */
function readPrompts(form: Form): Pick<AuthorizeRequest, 'prompt' | 'asksConsentAnew'> {
  const asked = (optional(form, 'prompt') ?? '').split(' ').filter(Boolean)
  if (asked.some((one) => !(prompts as readonly string[]).includes(one))) {
    throw invalidRequest("The 'prompt' parameter has a value that is not supported.")
  }
  if (asked.includes('none') && asked.length > 1) {
    throw invalidRequest("The 'prompt' parameter must be 'none' alone.")
  }
  return {
    // A new account is signed in to for the first time: that is stronger than to sign in anew.
    prompt: (['none', 'create', 'login'] as const).find((one) => asked.includes(one)),
    asksConsentAnew: asked.includes('consent'),
  }
}

function readMaxAge(form: Form): number | undefined {
  const text = optional(form, 'max_age')
  // Absent, as Okta writes it.
  if (text === undefined || text === '-1') return undefined
  if (!/^\d{1,9}$/.test(text)) throw invalidRequest("The 'max_age' parameter must be a number of seconds.")
  return Number(text)
}

/** The secret of a browser's own cookie, as the engine draws it; undefined for anything else. */
export const browserSecret = (cookie: string | undefined): string | undefined =>
  cookie !== undefined && /^[A-Za-z0-9]{43}$/.test(cookie) ? cookie : undefined
