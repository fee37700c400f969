import {
  browserCookieNames,
  ownCookie,
  ownCookieIn,
  ProtocolError,
  plainHash,
  randomToken,
  sessionCookieNames,
} from '../../base/index.ts'
import { beginInteraction } from '../../interactions/index.ts'
import { type BrowserSession, findBrowserSession, useBrowserSession } from '../../sessions/index.ts'
import { invalidRequest, oauthError } from '../errors.ts'
import type { Form } from '../form.ts'
import { type InteractCall, originOf } from '../interact.ts'
import type { Parts } from '../parts.ts'
import { recordRefusal } from '../recorder.ts'
import type { AuthorizationServer } from '../server.ts'
import { isKeyRevoked, readHint } from '../token-status.ts'
import type { BrowserAnswer, HostedFlow } from './flow.ts'
import {
  type AuthorizeRequest,
  browserSecret,
  type Recipient,
  readAuthorize,
  readRecipient,
} from './request.ts'
import { type Answer, type Delivered, deliver } from './response.ts'

/** A browser's request to a page of the engine's own. */
export interface BrowserCall extends InteractCall {
  readonly cookies: string | undefined
  /** The pattern of its path, for records of development. */
  readonly path: string
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
  const recipient = await readRecipient(parts, call.form)
  try {
    const asked = await readAuthorize(parts, call.form, recipient)
    return await begin(parts, flow, server, call, recipient, asked)
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
      cookies: [],
    }
  }
}

async function begin(
  parts: Parts,
  flow: HostedFlow,
  server: AuthorizationServer,
  call: BrowserCall,
  recipient: Recipient,
  { codeChallenge, request, prompt, idTokenHint }: AuthorizeRequest,
): Promise<BrowserAnswer> {
  const { client, redirectUri, responseMode } = recipient
  const session = await sessionOf(parts, server, call.cookies)
  const isMeant = await isUserMeant(parts, server, idTokenHint, session.found)
  const known = prompt === 'login' || !isMeant ? undefined : session.found
  // Nothing is written for who has no session and may be asked nothing: a frame asks for it again and again (F14).
  if (prompt === 'none' && known === undefined) throw loginRequired
  const own = browserSecret(ownCookieIn(call.cookies, browserCookieNames, isSecure(server)))
  const browser = own ?? randomToken(parts.random)
  const draft = {
    clientId: client.id,
    issuer: server.id,
    redirectUri,
    codeChallenge,
    request: { ...request, hosted: { responseMode, browser: plainHash(browser) } },
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
  if (begun.result === 'signed-in') {
    const returned = await flow.returnToApp(begun.ended, returning(parts, session))
    if (returned === undefined) throw prompt === 'none' ? loginRequired : sessionEnded
    return { delivered: toApp(server, recipient, { code: returned.code }), cookies: [] }
  }
  if (begun.handle === undefined) throw stepUpRequired
  const page = await flow.page({
    interactionHandle: begun.handle,
    isSecure: isSecure(server),
  })
  const bound = own === undefined ? [ownCookie(browserCookieNames, browser, isSecure(server))] : []
  return { delivered: page.delivered, cookies: [...bound, ...page.cookies] }
}

const loginRequired = oauthError(
  'login_required',
  'The client specified not to prompt, but the user is not logged in.',
)

const stepUpRequired = oauthError(
  'login_required',
  'The client specified not to prompt, but the client app requires re-authentication or MFA.',
)

const sessionEnded = oauthError('access_denied', 'The session has ended.')

const returning = ({ lifetimes }: Parts, session: Awaited<ReturnType<typeof sessionOf>>) => ({
  sessionId: session.found?.id,
  lifetimes: { codeMs: lifetimes.authorizationCodeMs, absoluteMs: lifetimes.browserSessionMs },
})

/**
 * Whether the session is that of the user whom the app expects (OpenID Connect Core 1.0, section 3.1.2.1). A hint is not looked up, and says
 * nothing that its holder does not know (A73).
 */
async function isUserMeant(
  parts: Parts,
  server: AuthorizationServer,
  idTokenHint: string | undefined,
  session: BrowserSession | undefined,
): Promise<boolean> {
  if (idTokenHint === undefined) return true
  const hint = await readHint(parts, server, idTokenHint)
  if (hint === undefined || hint.claims.cid !== undefined || (await isKeyRevoked(parts, hint))) {
    throw invalidRequest("The 'id_token_hint' parameter is not an ID token of this server.")
  }
  return session === undefined || hint.claims.sub === session.personId
}

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
  if (ended === undefined) throw linkEnded
  const session = await sessionOf(parts, org, cookies)
  const returned = await flow.returnToApp(ended, returning(parts, session))
  if (returned === undefined) throw linkEnded
  const { redirectUri, issuer, request } = returned.interaction
  const server = servers[issuer === 'org' ? 'org' : 'default']()
  const recipient = {
    redirectUri,
    responseMode: request.hosted?.responseMode ?? 'query',
    state: request.state,
  } as const
  return {
    delivered: toApp(server, recipient, { code: returned.code }),
    cookies:
      returned.cookie === undefined
        ? []
        : [ownCookie(sessionCookieNames, returned.cookie, isSecure(org), returned.cookieMs)],
  }
}

const linkEnded = invalidRequest('This sign-in has ended or was begun in another browser.')
