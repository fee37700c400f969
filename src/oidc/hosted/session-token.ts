import { browserSecretIn, ownCookie, ownCookieIn, sessionCookieNames } from '../../base/index.ts'
import { listTrustedOrigins } from '../../clients/index.ts'
import { findBrowserSession } from '../../sessions/index.ts'
import { invalidRequest } from '../errors.ts'
import { type Form, optional } from '../form.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import type { BrowserAnswer, HostedFlow } from './flow.ts'

/** A call with the session that its session token was good for, and the cookie of that for the answer. */
interface WithSession<Call> {
  readonly call: Call
  readonly cookies: readonly string[]
}

/**
 * Makes the session token of a request the session of the browser that brings it. One that is not good is as
 * none: what the app is answered depends on the session alone, so that nothing shows which tokens there were
 * (A83).
 */
export async function withSessionToken<Call extends { readonly cookies: string | undefined }>(
  { storage, clock, lifetimes }: Parts,
  flow: HostedFlow,
  server: AuthorizationServer,
  call: Call,
  form: Form,
): Promise<WithSession<Call>> {
  const token = optional(form, 'sessionToken')
  const same = { call, cookies: [] }
  if (token === undefined || flow.redeemSessionToken === undefined) return same
  const isSecure = server.oauth.startsWith('https:')
  const cookie = ownCookieIn(call.cookies, sessionCookieNames, isSecure)
  const found = await findBrowserSession(storage.db, cookie, {
    now: clock.now(),
    idleMs: lifetimes.browserIdleMs,
  })
  const redeemed = await flow.redeemSessionToken(token, {
    sessionId: found?.id,
    browser: browserSecretIn(call.cookies, isSecure),
    absoluteMs: lifetimes.browserSessionMs,
  })
  if (redeemed === undefined) return same
  const [secure, plain] = sessionCookieNames
  return {
    // The first of a name counts.
    call: {
      ...call,
      cookies: `${isSecure ? secure : plain}=${redeemed.cookie}; ${call.cookies ?? ''}`,
    },
    cookies: [ownCookie(sessionCookieNames, redeemed.cookie, isSecure, redeemed.cookieMs)],
  }
}

/**
 * Makes a session token the browser's session and leads on (`session.setCookieAndRedirect` of okta-auth-js).
 * The target is compared before the token is used: it must be of a trusted origin with the scope REDIRECT, or
 * of the engine. A token that is not good leads to the sign-in page.
 *
 * @throws ProtocolError where the target is none of these: nothing leads there, and the token stays good
 * (A72).
 */
export async function redirectWithCookie(
  parts: Parts,
  flow: HostedFlow,
  server: AuthorizationServer,
  call: { readonly form: Form; readonly cookies: string | undefined },
): Promise<BrowserAnswer> {
  const location = await targetOf(parts, server, call.form.get('redirectUrl') ?? '')
  const form = new Map([['sessionToken', call.form.get('token') ?? '']])
  const { cookies } = await withSessionToken(parts, flow, server, call, form)
  if (cookies.length === 0) return { delivered: { location: `${server.issuer}/signin` }, cookies }
  return { delivered: { location }, cookies }
}

async function targetOf({ storage }: Parts, { issuer }: AuthorizationServer, text: string): Promise<string> {
  const target = text.length <= 4096 ? URL.parse(text) : null
  const isWeb = target?.protocol === 'https:' || target?.protocol === 'http:'
  // What stands before an @ is shown as if it were the host.
  const isPlain = isWeb && target.username === '' && target.password === ''
  const isTrusted = async (origin: string) =>
    origin === new URL(issuer).origin || (await listTrustedOrigins(storage.db, 'REDIRECT')).includes(origin)
  if (isPlain && (await isTrusted(target.origin))) return target.href
  throw invalidRequest("The 'redirectUrl' parameter must be of a trusted origin with the scope REDIRECT.")
}
