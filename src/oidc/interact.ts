import { isIP } from 'node:net'
import { hasInvisible } from '../base/index.ts'
import { type Client, isAccountScope, isConfidential, isRedirectUriRegistered } from '../clients/index.ts'
import { deviceHash, findPerson, findPersonToken, mailboxKey } from '../directory/index.ts'
import { acceptedLocales } from '../i18n/index.ts'
import { beginInteraction, type InteractionRequest, type Origin } from '../interactions/index.ts'
import { knownLevels } from '../policies/index.ts'
import { refuseMissingSecret } from '../storage/index.ts'
import { type Caller, identifyCaller } from './client-auth.ts'
import { invalidRequest, oauthError } from './errors.ts'
import { type Form, optional, required } from './form.ts'
import type { Parts } from './parts.ts'
import { grantedOf } from './scope-grants.ts'
import { type AuthorizationServer, scopes as knownScopes } from './server.ts'

/** The parts of an HTTP request that `interact` reads. */
export interface InteractCall {
  readonly form: Form
  readonly authorization: string | undefined
  /** The address of the connection, or the one that a trusted proxy forwards. */
  readonly ip: string
  readonly userAgent: string | undefined
  readonly forwardedFor: string | undefined
  readonly deviceToken: string | undefined
  /** The secret of a remembered device, as the browser has it. */
  readonly deviceCookie: string | undefined
  readonly acceptLanguage: string | undefined
}

/** Begins an interaction and answers its handle. */
export async function interact(
  parts: Parts,
  server: AuthorizationServer,
  call: InteractCall,
): Promise<{ readonly interaction_handle: string }> {
  const { form } = call
  const caller = await identifyCaller(parts.storage.db, call, parts.secrets)
  checkGrant(caller.client)
  const redirectUri = required(form, 'redirect_uri')
  if (!isRedirectUriRegistered(caller.client, redirectUri)) {
    throw invalidRequest("The 'redirect_uri' parameter must be one of the client's registered redirect URIs.")
  }
  // Only a client for development may name an address that is not registered, of any length.
  if (redirectUri.length > 256 && !caller.client.settings.redirectUris.includes(redirectUri)) {
    throw invalidRequest("The 'redirect_uri' parameter is too long.")
  }
  const codeChallenge = readChallenge(form)
  const request = readRequest(form, caller.client)
  await checkScopes(parts, caller.client, request.scope)
  const { lapsed: _, ...token } = await readToken(parts, form)
  const origin = originOf(caller, call)
  if (origin.app) warnOfApp(parts, caller.client)

  const { handle } = await beginInteraction(
    parts.storage.db,
    {
      clientId: caller.client.id,
      issuer: server.id,
      redirectUri,
      codeChallenge,
      request: { ...request, ...token },
      origin,
    },
    { random: parts.random, now: parts.clock.now(), lifetimeMs: parts.lifetimes.interactionMs },
  )
  return { interaction_handle: handle }
}

function checkGrant({ settings }: Client): void {
  if (settings.grantTypes.includes('interaction_code')) return
  throw oauthError(
    'unauthorized_client',
    `The client is not authorized to use the provided grant type. Configured grant types: [${settings.grantTypes.join(', ')}].`,
  )
}

/** PKCE is required, and only as S256 (RFC 9700, section 2.1.1). */
function readChallenge(form: Form): string {
  return checkChallenge(required(form, 'code_challenge'), required(form, 'code_challenge_method'))
}

/** The challenge as it is stored. `plain` is no proof where the request is read by others (RFC 7636, section 4.2). */
export function checkChallenge(challenge: string, method: string | undefined): string {
  if (method !== 'S256') {
    throw invalidRequest("The 'code_challenge_method' parameter must be 'S256'.")
  }
  if (!/^[\w.~-]{43,128}$/.test(challenge)) {
    throw invalidRequest("The 'code_challenge' parameter must be 43 to 128 letters that are safe in a URL.")
  }
  // SHA-256 has 43 letters: no verifier leads to a longer one, which is not stored to its end.
  return challenge.slice(0, 44)
}

/** What one call may store of what its caller chose, in bytes as they are stored (A60). */
const mostBytes = {
  state: 512,
  nonce: 512,
  stateAndNonce: 640,
  userAgent: 192,
  locales: 64,
  loginHint: 254,
} as const

const storedBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2

interface Answered {
  readonly state: string
  readonly nonce?: string | undefined
}

/** `state` and `nonce` must come back as they were sent, so what is too long is refused. Okta's SDK sends 64 letters each. */
export function checkLengths({ state, nonce = '' }: Answered) {
  for (const [name, value] of Object.entries({ state, nonce })) {
    if (storedBytes(value) <= mostBytes[name as 'state' | 'nonce']) continue
    throw invalidRequest(`The '${name}' parameter is too long: at most ${mostBytes.state} bytes.`)
  }
  if (storedBytes(state) + storedBytes(nonce) > mostBytes.stateAndNonce) {
    throw invalidRequest(
      `The 'state' and 'nonce' parameters are too long: at most ${mostBytes.stateAndNonce} bytes together.`,
    )
  }
}

/** The beginning of what a browser says of itself. */
function cut(text: string, bytes: number): string {
  let shortened = text.slice(0, bytes)
  while (storedBytes(shortened) > bytes) shortened = shortened.slice(0, -1)
  return shortened
}

function readRequest(form: Form, client: Client): InteractionRequest {
  const maxAge = optional(form, 'max_age')
  if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) {
    throw invalidRequest("The 'max_age' parameter must be a number of seconds.")
  }
  const scope = readScope(form, client)
  const answered = { state: required(form, 'state'), nonce: optional(form, 'nonce') }
  checkLengths(answered)
  const acrValues = knownLevels(optional(form, 'acr_values'))
  const enroll = readEnroll(form)
  // Each transaction proves anew, so that of `prompt` only this is left: a remembered device says nothing.
  const isAnew = optional(form, 'prompt')?.split(' ').includes('login')
  const age = isAnew ? 0 : maxAge === undefined ? undefined : Number(maxAge)
  return {
    scope,
    ...answered,
    acrValues,
    ...(age !== undefined && { maxAge: age }),
    loginHint: readLoginHint(form, answered),
    ...readKey(form),
    ...(enroll && { enroll }),
  }
}

/** The key that the code is to be bound to: who has the code alone gets no tokens for it (RFC 9449, section 10). */
export function readKey(form: Form): Pick<InteractionRequest, 'dpopJkt'> {
  const dpopJkt = optional(form, 'dpop_jkt')
  if (dpopJkt === undefined) return {}
  if (!/^[\w-]{43}$/.test(dpopJkt)) {
    throw invalidRequest("The 'dpop_jkt' parameter must be the SHA-256 thumbprint of a key.")
  }
  return { dpopJkt }
}

/** The authenticators that the names of `enroll_amr_values` stand for, as Okta documents them. Others are named by their keys. */
const enrolledByName: Readonly<Record<string, string>> = {
  pwd: 'okta_password',
  kba: 'security_question',
  email: 'okta_email',
  sms: 'phone_number',
  tel: 'phone_number',
  otp: 'google_otp',
  oath_otp: 'google_otp',
  hwk: 'webauthn',
  swk: 'webauthn',
  pop: 'webauthn',
}

/** Names of Okta's, and keys, that stand for themselves: not all of them are there. */
const enrolledByKey: ReadonlySet<string> = new Set([
  ...Object.values(enrolledByName),
  ...['duo', 'fed', 'okta_verify', 'opt', 'recovery_codes', 'rsa', 'symantec', 'yubikey'],
])

/** What a signed-in user is to add to the account: then the interaction is an enrolment, not a sign-in alone. */
export function readEnroll(form: Form): readonly string[] | undefined {
  const names = [...new Set((optional(form, 'enroll_amr_values') ?? '').split(' ').filter(Boolean))]
  if (names.length === 0) return undefined
  const keys = names.map(
    (name) => (Object.hasOwn(enrolledByName, name) ? enrolledByName[name] : name) ?? name,
  )
  if (!keys.every((key) => enrolledByKey.has(key))) {
    throw invalidRequest("The 'enroll_amr_values' parameter has a value that is not supported.")
  }
  return [...new Set(keys)]
}

/** Whether every scope is one of the server, or of Okta's API for a user's own account and granted to the app. */
export async function checkScopes({ storage }: Parts, { id }: Client, scope: string): Promise<void> {
  const others = scope.split(' ').filter((one) => !(knownScopes as readonly string[]).includes(one))
  const granted = others.every(isAccountScope) ? await grantedOf(storage.db, id, others) : []
  if (others.length > granted.length) {
    throw oauthError(
      'invalid_scope',
      'One or more scopes are not configured for the authorization server resource.',
    )
  }
}

/**
 * The identifier that the app expects (`login_hint`, okta-auth-js#1223). It is not looked up, so that the answers are the
 * same for every name (A01). One that no user can have is dropped: the sign-in goes on without it.
 */
export function readLoginHint(form: Form, { state, nonce = '' }: Answered): string | undefined {
  const hint = optional(form, 'login_hint')?.trim() ?? ''
  // Where a long state leaves no room for it, the state counts: it must come back as it was.
  const room = Math.min(
    mostBytes.loginHint,
    mostBytes.stateAndNonce - storedBytes(state) - storedBytes(nonce),
  )
  const isUsable = storedBytes(hint) <= room && !hasInvisible(hint) && !/[,;]/.test(hint)
  return isUsable ? hint || undefined : undefined
}

export function readScope(form: Form, client: Client): string {
  const scopes = [...new Set((form.get('scope') ?? '').split(' ').filter(Boolean))]
  if (scopes.length === 0) throw oauthError('invalid_scope', "The 'scope' parameter is required.")
  if (scopes.includes('offline_access') && !client.settings.grantTypes.includes('refresh_token')) {
    throw oauthError('invalid_scope', "'offline_access' needs a client with the grant type 'refresh_token'.")
  }
  return scopes.join(' ')
}

/**
 * Reads the token of a mail that an administrator sent. It is consumed by what it leads to, not here, so that the page can
 * be loaded again. Unknown, expired and used ones get the same error; the widget matches the texts literally.
 */
export async function readToken(
  parts: Parts,
  form: Form,
): Promise<{
  readonly recoveryTokenId?: string
  readonly activationTokenId?: string
  /** Only its time is over: its user may have another one mailed. */
  readonly lapsed?: true
}> {
  if (form.has('activation_token')) return readActivationToken(parts, form)
  if (!form.has('recovery_token')) return {}
  const found = await findToken(parts, form.get('recovery_token'))
  // That of an activation is one as well, as apps follow the links of both by the same call. It sets the password alone: what else
  // the account must have is asked for at the sign-in (A63).
  if (found === undefined) throw invalidRequest('The recovery token is invalid')
  return { recoveryTokenId: found.id }
}

/**
 * An activation token of a user who is waiting for an activation. One that was mailed to the user and has only expired leads to the
 * offer of another mail; all others that are of no use get one answer, by the same statements: they do not show whether a
 * token ever was one, whose it was, or what has become of its user (A64).
 */
async function readActivationToken(
  { storage, secrets, clock }: Parts,
  form: Form,
): Promise<{ readonly activationTokenId: string; readonly lapsed?: true }> {
  const { db } = storage
  const now = clock.now()
  const text = form.get('activation_token') ?? ''
  const token = tokenShape.test(text) ? text : ''
  const found = await findPersonToken(db, token, { secrets, now, orExpired: true })
  const person = await findPerson(db, found?.personId ?? '')
  const isWaiting = found?.kind === 'activation' && person?.status === 'PROVISIONED'
  const isGood = isWaiting && (found.expiresAt > now || found.mailedTo === mailboxKey(person.profile.email))
  if (isGood && !form.has('recovery_token')) {
    return { activationTokenId: found.id, ...(found.expiresAt <= now && { lapsed: true }) }
  }
  if (found !== undefined) await refuseMissingSecret(db, secrets)
  throw invalidRequest('The activation token is invalid')
}

const tokenShape = /^[A-Za-z0-9]{43}$/

const findToken = async ({ storage, secrets, clock }: Parts, token = '') =>
  tokenShape.test(token) ? findPersonToken(storage.db, token, { secrets, now: clock.now() }) : undefined

const warned = new WeakMap<Parts, Set<string>>()

/** Says in the log, once a process, that an app names no address: all its users then share the budgets of one source. */
function warnOfApp(parts: Parts, { id, label }: Client): void {
  const clients = warned.get(parts) ?? new Set()
  warned.set(parts, clients)
  if (clients.has(id)) return
  clients.add(id)
  parts.log.warn(
    { client: id, label },
    'an app sends no X-Forwarded-For when it begins an interaction: all its users count as one source (docs/security.md)',
  )
}

/**
 * From where the user comes. A confidential client that authenticated names the address of its user; for all others
 * the connection's address counts, since a caller that may name an address chooses whose budget is charged (A11).
 * A confidential client that names none is a source of its own.
 */
export function originOf({ client, authenticated }: Caller, call: InteractCall): Origin {
  const vouched = authenticated && isConfidential(client)
  const forwarded = call.forwardedFor?.split(',')[0]?.trim() ?? ''
  const named = isIP(forwarded) !== 0
  return {
    vouched,
    ...(vouched && !named && { app: true }),
    ip: vouched && named ? forwarded : call.ip,
    userAgent: call.userAgent === undefined ? undefined : cut(call.userAgent, mostBytes.userAgent),
    deviceToken: vouched ? readDeviceToken(call.deviceToken) : undefined,
    ...deviceOf(vouched ? call.deviceToken : call.deviceCookie),
    locales: preferredLocales(call.acceptLanguage),
  }
}

/** What a client calls the user's device, or the hash of what the engine drew for it: a secret is not stored. */
const readDeviceToken = (token: string | undefined): string | undefined =>
  deviceHash(token) ?? token?.slice(0, 32)

/**
 * The device that the engine drew a secret for: vouched for by a confidential client, or the browser's own cookie. A token that another
 * caller sends in the header is not looked at (A78).
 */
function deviceOf(secret: string | undefined): Pick<Origin, 'device'> {
  const device = deviceHash(secret)
  return device === undefined ? {} : { device }
}

/** The first of the accepted languages, as many as may be stored. */
function preferredLocales(header: string | undefined): string | undefined {
  let tags = acceptedLocales(header)?.split(',') ?? []
  while (tags.join().length > mostBytes.locales) tags = tags.slice(0, -1)
  return tags.length === 0 ? undefined : tags.join()
}
