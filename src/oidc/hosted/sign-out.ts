import {
  browserCookieNames,
  isFromOwnPage,
  isOwnNavigation,
  ownCookie,
  ownCookieIn,
  plainHash,
  sessionCookieNames,
} from '../../base/index.ts'
import { isLogoutUriRegistered, listTrustedOrigins } from '../../clients/index.ts'
import { findPerson, lockPerson } from '../../directory/index.ts'
import { type BrowserSession, revokeParentOf, revokeSession } from '../../sessions/index.ts'
import { findActiveClient } from '../client-auth.ts'
import { invalidRequest } from '../errors.ts'
import { recordSignOut } from '../events.ts'
import { type Form, optional } from '../form.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import { isKeyRevoked, readHint } from '../token-status.ts'
import { type BrowserCall, sessionOf } from './browser.ts'

/** What a browser is answered that asks to sign out. */
export type SignOutAnswer =
  /** Nothing is left to end. Without an address the page says so. */
  | {
      readonly result: 'done'
      readonly returnTo: string | undefined
      readonly cookies: readonly string[]
    }
  /** The session of the browser goes on until its user has said so by a form of the page. */
  | { readonly result: 'asks'; readonly question: SignOutQuestion }

/** A page that asks whether to sign out. */
export interface SignOutQuestion {
  readonly login: string
  /** Where the user goes who stays signed in; undefined: nowhere. */
  readonly returnTo: string | undefined
  /** The hidden fields of its form: what was asked for, and what shows that it is of this page. */
  readonly fields: Readonly<Record<string, string>>
  /** A form was sent that was not of such a page. */
  readonly isRefused?: true
}

type SignOutCall = Pick<BrowserCall, 'form' | 'cookies'> & {
  readonly headers: Parameters<typeof isOwnNavigation>[0]
  readonly method: string
}

/** The user and the session of an ID token. */
interface SignOutHint {
  readonly clientId: string
  readonly userId: string
  readonly sessionId: string
}

/**
 * The sign-out that an app asks for (OpenID Connect RP-Initiated Logout 1.0). An ID token ends its session
 * and that of the browser, if that is of the same user. Without one, or where the browser is signed in as
 * another user, the browser's own session ends only once its user has agreed: a page of another site could
 * ask for it (A73).
 *
 * @throws ProtocolError where the ID token is none of this server, or the address to return to is not
 * registered: then nothing ends.
 */
export async function signOutByApp(
  parts: Parts,
  server: AuthorizationServer,
  call: SignOutCall,
): Promise<SignOutAnswer> {
  const { form, cookies } = call
  const hint = await readSignOutHint(parts, server, form)
  const returnTo = await readReturnAddress(parts, form, hint?.clientId)
  const { found: session, cookie } = await sessionOf(parts, server, cookies, { isUse: false })
  if (hint !== undefined) {
    const isSame = session?.personId === hint.userId
    const hadParent = await endSessions(parts, hint.userId, {
      hint,
      browser: isSame ? session : undefined,
    })
    if (session === undefined || isSame) {
      const isKnown = cookie !== undefined || hadParent
      return {
        result: 'done',
        returnTo,
        cookies: isKnown ? await leavingCookies(parts, server, cookies) : [],
      }
    }
  }
  if (session === undefined) return { result: 'done', returnTo, cookies: [] }
  return { result: 'asks', question: await questionFor(parts, session, { form, cookie, returnTo, hint }) }
}

/**
 * The sign-out of the browser at the engine's own address: at once where its user went there, or by a form of
 * the page that asks. A page that another site, or another host of this one, leads to asks first (A73).
 */
export async function signOutHere(
  parts: Parts,
  server: AuthorizationServer,
  call: SignOutCall,
): Promise<SignOutAnswer> {
  const { form, cookies, headers, method } = call
  const returnTo = await readOwnReturnAddress(parts, form)
  const { found: session, cookie } = await sessionOf(parts, server, cookies, { isUse: false })
  if (session === undefined) {
    const isOver = cookie !== undefined && isOwnNavigation(headers)
    return { result: 'done', returnTo, cookies: isOver ? await leavingCookies(parts, server, cookies) : [] }
  }
  const isPost = method === 'POST'
  const isMeant = isPost
    ? isFromOwnPage(headers, server.oauth) && form.get('page') === tokenOf(cookie, askedIn(form))
    : isOwnNavigation(headers)
  if (!isMeant) {
    const question = await questionFor(parts, session, { form, cookie, returnTo, hint: undefined })
    return { result: 'asks', question: { ...question, ...(isPost && { isRefused: true as const }) } }
  }
  await endSessions(parts, session.personId, { hint: undefined, browser: session })
  return { result: 'done', returnTo, cookies: await leavingCookies(parts, server, cookies) }
}

/**
 * Ends the session of an ID token, that of the browser that it came of, and that of the calling browser.
 * Answers whether it came of one. The first that ends is recorded.
 */
async function endSessions(
  parts: Parts,
  userId: string,
  { hint, browser }: { readonly hint: SignOutHint | undefined; readonly browser: BrowserSession | undefined },
): Promise<boolean> {
  return parts.storage.transaction(async (tx) => {
    const now = parts.clock.now()
    // The user's row first, as in every transaction about a user (A50).
    await lockPerson(tx, userId)
    const own = hint && (await revokeSession(tx, hint.sessionId, now))
    // What the browser has proven answers no other app after it, even where the app's own session had ended
    // before (A71).
    const parent = hint && (await revokeParentOf(tx, hint.sessionId, now))
    const here = browser && (await revokeSession(tx, browser.id, now))
    const ended = own ?? here ?? parent
    if (ended !== undefined) await recordSignOut(tx, parts, ended)
    return parent !== undefined
  })
}

/**
 * The cookies that take those of a browser away, whose transaction ends as well: the next user of it goes on
 * with nothing.
 */
export async function leavingCookies(
  { hosted }: Parts,
  { oauth }: AuthorizationServer,
  cookies: string | undefined,
): Promise<readonly string[]> {
  const isSecure = oauth.startsWith('https:')
  const isBound = ownCookieIn(cookies, browserCookieNames, isSecure) !== undefined
  const ofPages = (await hosted?.leave(cookies)) ?? []
  return [
    ownCookie(sessionCookieNames, '', isSecure),
    ...(isBound ? [ownCookie(browserCookieNames, '', isSecure)] : []),
    ...ofPages,
  ]
}

/**
 * The ID token of a sign-out; undefined where there is none. One that has expired, or whose key was rotated
 * away, is accepted (section 2): its session may still be live. That of a revoked key is not, nor that of
 * another client than a request names.
 */
async function readSignOutHint(
  parts: Parts,
  server: AuthorizationServer,
  form: Form,
): Promise<SignOutHint | undefined> {
  const text = optional(form, 'id_token_hint')
  if (text === undefined) return undefined
  const hint = await readHint(parts, server, text)
  const { aud, sid, sub, cid } = hint?.claims ?? {}
  if (
    hint === undefined ||
    typeof aud !== 'string' ||
    typeof sid !== 'string' ||
    typeof sub !== 'string' ||
    cid !== undefined ||
    (await isKeyRevoked(parts, hint))
  ) {
    throw invalidRequest("The 'id_token_hint' parameter is not an ID token of this server.")
  }
  if ((optional(form, 'client_id') ?? aud) !== aud) {
    throw invalidRequest("The 'client_id' parameter is not the client of the ID token.")
  }
  return { clientId: aud, userId: sub, sessionId: sid }
}

/** What stands in a request for a sign-out besides the ID token, in the order of the token of its page. */
const askedNames = ['client_id', 'post_logout_redirect_uri', 'state', 'fromURI'] as const

type Asked = Readonly<Partial<Record<(typeof askedNames)[number], string>>>

const askedIn = (form: Form): Asked =>
  Object.fromEntries(
    askedNames.flatMap((name) => {
      const value = optional(form, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )

/** What a page's form has that no other page knows: of this session's cookie, and of what was asked for. */
const tokenOf = (cookie: string | undefined, asked: Asked): string =>
  plainHash(
    JSON.stringify(['sign out', cookie ?? '', ...askedNames.map((name) => asked[name] ?? null)]),
  ).slice(0, 22)

async function questionFor(
  parts: Parts,
  session: BrowserSession,
  {
    form,
    cookie,
    returnTo,
    hint,
  }: {
    readonly form: Form
    readonly cookie: string | undefined
    readonly returnTo: string | undefined
    readonly hint: SignOutHint | undefined
  },
): Promise<SignOutQuestion> {
  const person = await findPerson(parts.storage.db, session.personId)
  const asked: Asked = { ...askedIn(form), ...(hint && { client_id: hint.clientId }) }
  return {
    login: person?.profile.login ?? '',
    returnTo,
    fields: { ...asked, page: tokenOf(cookie, asked) },
  }
}

/** Checked before anything ends, and compared as text: only registered addresses are redirected to (A30). */
async function readReturnAddress(
  parts: Parts,
  form: Form,
  clientOfHint: string | undefined,
): Promise<string | undefined> {
  const clientId = clientOfHint ?? optional(form, 'client_id')
  const uri = optional(form, 'post_logout_redirect_uri')
  const client = clientId === undefined ? undefined : await findActiveClient(parts.storage.db, clientId)
  if (client === undefined) {
    // An app that is deactivated has no address to return to; the session ends all the same.
    if (clientOfHint !== undefined) return undefined
    if (clientId !== undefined) throw invalidRequest("The 'client_id' parameter is not the id of an app.")
    if (uri === undefined) return undefined
    throw invalidRequest("Without 'id_token_hint' the 'client_id' parameter is required to return to an app.")
  }
  if (uri === undefined) return undefined
  if (!isLogoutUriRegistered(client, uri)) {
    throw invalidRequest(
      "The 'post_logout_redirect_uri' parameter must be one of the client's registered sign-out redirect URIs.",
    )
  }
  const state = optional(form, 'state')
  // Appended as text: to parse and print the registered address could change it.
  return state === undefined ? uri : `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`
}

/**
 * Where a sign-out at the engine's own address leads: as at the endpoint of apps, or to `fromURI`, if its
 * origin is a trusted one for redirects. Any other `fromURI` is not followed (A30): the user is signed out
 * all the same.
 */
async function readOwnReturnAddress(parts: Parts, form: Form): Promise<string | undefined> {
  const uri = optional(form, 'fromURI')
  if (uri === undefined) return readReturnAddress(parts, form, undefined)
  // In printable ASCII without a backslash, which every parser reads alike, and without a name or a password
  // before its host.
  if (uri.length > 2048 || !/^https?:\/\/[\x21-\x5b\x5d-\x7e]+$/.test(uri) || !URL.canParse(uri))
    return undefined
  const { origin, username, password, href } = new URL(uri)
  const isTrusted = (await listTrustedOrigins(parts.storage.db, 'REDIRECT')).includes(origin)
  return isTrusted && username === '' && password === '' ? href : undefined
}
