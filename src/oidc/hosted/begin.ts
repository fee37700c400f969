import {
  browserCookieNames,
  isFromOwnPage,
  ownCookie,
  ownCookieIn,
  ProtocolError,
  plainHash,
  randomToken,
  sessionCookieNames,
} from '../../base/index.ts'
import { type Client, isOwnPages, isRedirectUriRegistered } from '../../clients/index.ts'
import { findPerson } from '../../directory/index.ts'
import { acceptedLocales, wordsFor } from '../../i18n/index.ts'
import { beginInteraction, type Interaction } from '../../interactions/index.ts'
import {
  type BrowserSession,
  findBrowserSession,
  findSession,
  revokeSession,
  useBrowserSession,
} from '../../sessions/index.ts'
import { visitorFormHeaders } from '../../ui/index.ts'
import { findActiveClient } from '../client-auth.ts'
import { invalidRequest, oauthError, signInEnded } from '../errors.ts'
import type { Form } from '../form.ts'
import { baseOf } from '../hint.ts'
import { type InteractCall, originOf } from '../interact.ts'
import type { Parts } from '../parts.ts'
import { refuseUnpushed, resolvePushed } from '../pushed.ts'
import { recordRefusal } from '../recorder.ts'
import type { AuthorizationServer } from '../server.ts'
import { isKeyRevoked, readHint } from '../token-status.ts'
import { consentFor } from './consent.ts'
import type { BrowserAnswer, HostedFlow } from './flow.ts'
import { membersFor } from './front-tokens.ts'
import { continuePage } from './page.ts'
import {
  type AuthorizeRequest,
  browserSecret,
  type Recipient,
  readAuthorize,
  readRecipient,
} from './request.ts'
import { type Answer, type Delivered, deliver } from './response.ts'
import { withSessionToken } from './session-token.ts'

/** A browser's request to a page of the engine's own. */
export interface BrowserCall extends InteractCall {
  readonly cookies: string | undefined
  /** The pattern of its path, for records of development. */
  readonly path: string
  readonly method: string
}

const isSecure = (server: AuthorizationServer): boolean => server.oauth.startsWith('https:')

/** The session of the browser that calls, which is used by that unless it is only looked at. */
export async function sessionOf(
  { storage, clock, lifetimes }: Parts,
  server: AuthorizationServer,
  cookies: string | undefined,
  { isUse = true }: { readonly isUse?: boolean } = {},
): Promise<{ readonly cookie: string | undefined; readonly found: BrowserSession | undefined }> {
  const cookie = ownCookieIn(cookies, sessionCookieNames, isSecure(server))
  const now = clock.now()
  const found = await findBrowserSession(storage.db, cookie, { now, idleMs: lifetimes.browserIdleMs })
  return { cookie, found: found && isUse ? await useBrowserSession(storage.db, found, now) : found }
}

/** An answer to the app: as it asked for it, with its state, and with whose answer it is (RFC 9207, A72). */
export const toApp = (
  { issuer }: AuthorizationServer,
  { responseMode, redirectUri, state }: Pick<Recipient, 'responseMode' | 'redirectUri' | 'state'>,
  answer: Answer,
): Delivered => {
  const { code, ...others } = answer
  return deliver(responseMode, redirectUri, { code, state: state || undefined, ...others, iss: issuer })
}

/**
 * The endpoint `authorize` (RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2). What the browser's session has proven answers
 * at once where it is enough for the app; else a transaction begins that is bound to this browser.
 *
 * @throws ProtocolError where nothing may be answered to the app: the client or the address is not what is registered.
 */
export async function authorize(
  parts: Parts,
  flow: HostedFlow,
  server: AuthorizationServer,
  call: BrowserCall,
): Promise<BrowserAnswer> {
  const { form, isPushed } = await resolvePushed(parts, server, call.form)
  const recipient = await readRecipient(parts, form)
  let gained: readonly string[] = []
  try {
    refuseUnpushed(recipient.client, isPushed)
    const asked = await readAuthorize(parts, form, recipient)
    const own = await withSessionToken(parts, flow, server, call, form)
    gained = own.cookies
    const answer = await begin(parts, flow, server, own.call, recipient, asked)
    return { ...answer, cookies: [...gained, ...answer.cookies] }
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.status >= 429 || !/^[a-z_]+$/.test(error.code)) throw error
    const { code, description } = error
    await recordRefusal(
      parts,
      {
        path: call.path,
        form: call.form,
        authorization: undefined,
        userAgent: call.userAgent,
        method: 'GET',
        durationMs: 0,
      },
      { status: 302, code, description, hint: undefined },
    )
    return {
      delivered: toApp(server, recipient, { error: code, error_description: description }),
      cookies: gained,
    }
  }
}

async function begin(
  parts: Parts,
  flow: HostedFlow,
  server: AuthorizationServer,
  call: BrowserCall,
  recipient: Recipient,
  { codeChallenge, responseType, request, prompt, asksConsentAnew, idTokenHint }: AuthorizeRequest,
): Promise<BrowserAnswer> {
  const { client, redirectUri, responseMode } = recipient
  if (prompt === 'create') await refuseClosedSignUp(parts, client)
  const session = await sessionOf(parts, server, call.cookies)
  const user = await readMeantUser(parts, server, idTokenHint)
  const known =
    prompt === 'login' || prompt === 'create' || !isMeant(session.found, user) ? undefined : session.found
  // Nothing is written for who has no session and may be asked nothing: a frame asks for it again and again (F14).
  if (prompt === 'none' && known === undefined) throw loginRequired
  if (prompt === 'none' && isSchemeOfAnApp(redirectUri)) throw interactionRequired
  const own = browserSecret(ownCookieIn(call.cookies, browserCookieNames, isSecure(server)))
  const browser = own ?? randomToken(parts.random)
  const consent = await consentFor(parts, server, client, {
    scope: request.scope,
    isAskedAnew: asksConsentAnew,
  })
  const draft = {
    clientId: client.id,
    issuer: server.id,
    redirectUri,
    codeChallenge,
    request: {
      ...request,
      hosted: {
        responseMode,
        ...(responseType !== undefined && { responseType }),
        browser: plainHash(browser),
        ...(user !== undefined && { user }),
        ...consent,
      },
    },
    origin: originOf({ client, authenticated: false }, call),
  }
  const { storage, random, clock, lifetimes } = parts
  const open = () =>
    beginInteraction(storage.db, draft, { random, now: clock.now(), lifetimeMs: lifetimes.interactionMs })
  const options = { sessionId: known?.id, mayAsk: prompt !== 'none' }
  const begun = await flow.begin({ client, draft, open }, options)
  if (begun.result === 'denied') {
    throw oauthError('access_denied', 'User is not assigned to the client application.')
  }
  if (begun.result === 'unmet') throw unmetRequirements
  if (begun.result === 'signed-in' && isSchemeOfAnApp(redirectUri)) {
    return confirmation(parts, server, call, {
      id: begun.ended.interaction.id,
      client,
      redirectUri,
      browser,
      session,
    })
  }
  if (begun.result === 'signed-in') {
    const returned = await flow.returnToApp(begun.ended, returning(parts, session))
    if (returned === undefined) throw prompt === 'none' ? loginRequired : sessionEnded
    return { delivered: toApp(server, recipient, await membersFor(parts, server, returned)), cookies: [] }
  }
  if (begun.asked === undefined) throw begun.lacksConsent ? consentRequired : stepUpRequired
  const page = await flow.page({
    interactionHandle: begun.asked.handle,
    stateToken: begun.asked.stateToken,
    clientId: client.id,
    // A pushed request is good once, and a form is not sent again by a reload.
    mayRepeat: call.method === 'GET' && !call.form.has('request_uri'),
    acceptLanguage: call.acceptLanguage,
    cookies: call.cookies,
    isSecure: isSecure(server),
  })
  const bound = own === undefined ? [ownCookie(browserCookieNames, browser, isSecure(server))] : []
  return { delivered: page.delivered, cookies: [...bound, ...page.cookies] }
}

/** `prompt=create` leads to the sign-up, and nowhere else: where it is closed the app is answered so. */
async function refuseClosedSignUp(
  { policies }: Parts,
  { id: clientId, settings: { profileEnrollmentPolicyId } }: Client,
): Promise<void> {
  const { isOpen } = await policies.registration({ clientId, profileEnrollmentPolicyId })
  if (!isOpen) throw oauthError('access_denied', 'Sign-up is closed for this client application.')
}

const loginRequired = oauthError(
  'login_required',
  'The client specified not to prompt, but the user is not logged in.',
)

const stepUpRequired = oauthError(
  'login_required',
  'The client specified not to prompt, but the client app requires re-authentication or MFA.',
)

const consentRequired = oauthError(
  'consent_required',
  'The client specified not to prompt, but the user has not consented to what the client app asks for.',
)

const sessionEnded = oauthError('access_denied', 'The session has ended.')

const returning = ({ lifetimes }: Parts, session: Awaited<ReturnType<typeof sessionOf>>) => ({
  sessionId: session.found?.id,
  lifetimes: { codeMs: lifetimes.authorizationCodeMs, absoluteMs: lifetimes.browserSessionMs },
})

/**
 * The id of the user whom the app expects (OpenID Connect Core 1.0, section 3.1.2.1); undefined: any. A hint is not looked up, and says
 * nothing that its holder does not know (A73).
 */
async function readMeantUser(
  parts: Parts,
  server: AuthorizationServer,
  idTokenHint: string | undefined,
): Promise<string | undefined> {
  if (idTokenHint === undefined) return undefined
  const hint = await readHint(parts, server, idTokenHint)
  const { cid, sub } = hint?.claims ?? {}
  if (
    hint === undefined ||
    cid !== undefined ||
    typeof sub !== 'string' ||
    (await isKeyRevoked(parts, hint))
  ) {
    throw invalidRequest("The 'id_token_hint' parameter is not an ID token of this server.")
  }
  return sub
}

/** Without a session there is none of another user. */
const isMeant = (session: Pick<BrowserSession, 'personId'> | undefined, user: string | undefined): boolean =>
  user === undefined || session === undefined || session.personId === user

/**
 * The way back of a browser whose transaction has ended with a sign-in: the code for the app and the browser's session, once, and only
 * in the browser that began it (A71, A80).
 */
export async function returnFromPages(
  parts: Parts,
  flow: HostedFlow,
  servers: Readonly<Record<AuthorizationServer['id'], () => AuthorizationServer>>,
  { form, cookies }: { readonly form: Form; readonly cookies: string | undefined },
): Promise<BrowserAnswer> {
  const org = servers.org()
  const own = browserSecret(ownCookieIn(cookies, browserCookieNames, isSecure(org)))
  const stateToken = form.get('stateToken') ?? ''
  const ended = stateToken === '' ? undefined : await flow.findEnded(stateToken, own)
  if (ended === undefined) {
    const without = stateToken === '' ? undefined : await flow.findAnsweredWithout(stateToken, own)
    if (without !== undefined) {
      const error = without.reason === 'unmet' ? unmetRequirements : consentDenied
      return refusedAnswer(recipientOf(without.interaction, servers), error)
    }
    throw signInEnded
  }
  await refuseFormerAddress(parts, ended.interaction)
  const answered = recipientOf(ended.interaction, servers)
  const refused = await refuseOtherUser(parts, ended.interaction, answered)
  if (refused !== undefined) return refused
  const session = await sessionOf(parts, org, cookies)
  const returned = await flow.returnToApp(ended, returning(parts, session))
  if (returned === undefined) throw signInEnded
  const { server, recipient } = answered
  return {
    // Where no app has sent the browser, the end is a page, and no code leaves.
    delivered: isOwnPages(returned.interaction.clientId)
      ? { location: returned.interaction.redirectUri }
      : toApp(server, recipient, await membersFor(parts, server, returned)),
    cookies:
      returned.cookie === undefined
        ? []
        : [ownCookie(sessionCookieNames, returned.cookie, isSecure(org), returned.cookieMs)],
  }
}

/** Back to the app without what it wants. */
function refusedAnswer({ server, recipient }: Answered, { code, description }: ProtocolError): BrowserAnswer {
  const answer = { error: code, error_description: description }
  return { delivered: toApp(server, recipient, answer), cookies: [] }
}

/** The user has said no. */
const consentDenied = oauthError(
  'access_denied',
  'The resource owner or authorization server denied the request.',
)

/** The user has no way to prove what the app asks for (OpenID Connect Core Error Code unmet_authentication_requirements 1.0). */
const unmetRequirements = oauthError(
  'unmet_authentication_requirements',
  'The user cannot meet the authentication requirements of this request (acr_values, max_age).',
)

type Servers = Readonly<Record<AuthorizationServer['id'], () => AuthorizationServer>>

interface Answered {
  readonly server: AuthorizationServer
  readonly recipient: Pick<Recipient, 'redirectUri' | 'responseMode' | 'state'>
}

/** Who is answered at the end of an interaction. */
function recipientOf({ redirectUri, issuer, request }: Interaction, servers: Servers): Answered {
  return {
    server: servers[issuer === 'org' ? 'org' : 'default'](),
    recipient: {
      redirectUri,
      responseMode: request.hosted?.responseMode ?? 'query',
      state: request.state,
    },
  }
}

/**
 * Throws where the app was deactivated, or its address taken away, while its user was asked: an address that is not registered any more gets
 * no code (A72).
 */
async function refuseFormerAddress({ storage }: Parts, interaction: Interaction): Promise<void> {
  // The end of what began at a page of the engine is one as well: no app's, and no code leaves.
  if (isOwnPages(interaction.clientId)) return
  const client = await findActiveClient(storage.db, interaction.clientId)
  if (client === undefined || !isRedirectUriRegistered(client, interaction.redirectUri)) {
    throw invalidRequest('The app that began this sign-in does not take it any more.')
  }
}

/** An app that expects a user gets no code of another one, whose session ends before anything comes of it (A73). */
async function refuseOtherUser(
  parts: Parts,
  { sessionId, request }: Interaction,
  { server, recipient }: Answered,
): Promise<BrowserAnswer | undefined> {
  const user = request.hosted?.user
  if (user === undefined || sessionId === null) return undefined
  const { db } = parts.storage
  const session = await findSession(db, sessionId, parts.clock.now())
  if (session === undefined || isMeant(session, user)) return undefined
  await revokeSession(db, session.id, parts.clock.now())
  const error = {
    error: 'login_required',
    error_description: 'The user who signed in is not the one of the ID token hint.',
  }
  return { delivered: toApp(server, recipient, error), cookies: [] }
}

const interactionRequired = oauthError(
  'interaction_required',
  'The user has to confirm a sign-in to an app with a scheme of its own.',
)

/** Any program of a device can take a scheme of its own, another app's, too: its user is asked each time (RFC 8252, section 8.6). */
const isSchemeOfAnApp = (redirectUri: string): boolean => !/^https?:/i.test(redirectUri)

/** What the form of that page has which no other page knows: of the browser that it is bound to, and of its interaction. */
const confirmToken = (id: string, browser: string): string =>
  plainHash(JSON.stringify(['continue', id, browser])).slice(0, 22)

/** The page that asks a signed-in user whether to go on to an app. Its form is taken by `confirmReturn`. */
async function confirmation(
  parts: Parts,
  server: AuthorizationServer,
  call: BrowserCall,
  {
    id,
    client,
    redirectUri,
    browser,
    session,
  }: {
    readonly id: string
    readonly client: Client
    readonly redirectUri: string
    readonly browser: string
    readonly session: Awaited<ReturnType<typeof sessionOf>>
  },
): Promise<BrowserAnswer> {
  const person = session.found && (await findPerson(parts.storage.db, session.found.personId))
  const isOwn = browserSecret(ownCookieIn(call.cookies, browserCookieNames, isSecure(server))) === browser
  return {
    delivered: {
      page: continuePage(wordsFor(acceptedLocales(call.acceptLanguage)), baseOf(server.oauth), {
        app: client.label,
        login: person?.profile.login ?? '',
        scheme: new URL(redirectUri).protocol,
        fields: { request: id, page: confirmToken(id, browser) },
      }),
      headers: visitorFormHeaders,
    },
    cookies: isOwn ? [] : [ownCookie(browserCookieNames, browser, isSecure(server))],
  }
}

/**
 * Goes on to an app whose user has agreed to it, once, in the browser that was asked.
 *
 * @throws ProtocolError where the form is of no such page, or the session has ended meanwhile.
 */
export async function confirmReturn(
  parts: Parts,
  flow: HostedFlow,
  servers: Servers,
  { form, cookies, headers }: Pick<BrowserCall, 'form' | 'cookies'> & { readonly headers: PageHeaders },
): Promise<BrowserAnswer> {
  const org = servers.org()
  const own = browserSecret(ownCookieIn(cookies, browserCookieNames, isSecure(org)))
  const id = form.get('request') ?? ''
  const isOfPage =
    own !== undefined && isFromOwnPage(headers, org.issuer) && form.get('page') === confirmToken(id, own)
  const ended = isOfPage ? await flow.findCompleted(id) : undefined
  if (own === undefined || ended?.interaction.request.hosted?.browser !== plainHash(own)) throw signInEnded
  const { interaction, carriedBy } = ended
  await refuseFormerAddress(parts, interaction)
  const session = await sessionOf(parts, org, cookies)
  // The session that the page was about, and no other.
  const isSame = session.found !== undefined && session.found.id === carriedBy
  const returned = isSame ? await flow.returnToApp(ended, returning(parts, session)) : undefined
  if (returned === undefined) throw signInEnded
  const { server, recipient } = recipientOf(interaction, servers)
  return { delivered: toApp(server, recipient, await membersFor(parts, server, returned)), cookies: [] }
}

type PageHeaders = Parameters<typeof isFromOwnPage>[0]
