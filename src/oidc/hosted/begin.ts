import {
  browserCookieNames,
  ownCookie,
  ownCookieIn,
  ProtocolError,
  plainHash,
  randomToken,
} from '../../base/index.ts'
import type { Client } from '../../clients/index.ts'
import { beginInteraction } from '../../interactions/index.ts'
import { oauthError } from '../errors.ts'
import { originOf } from '../interact.ts'
import type { Parts } from '../parts.ts'
import { refuseUnpushed, resolvePushed } from '../pushed.ts'
import { recordRefusal } from '../recorder.ts'
import type { AuthorizationServer } from '../server.ts'
import { returning, toApp, unmetRequirements } from './answers.ts'
import { type BrowserCall, isSecure, sessionOf } from './browser.ts'
import { confirmation, interactionRequired, isSchemeOfAnApp } from './confirm.ts'
import { consentFor } from './consent.ts'
import type { BrowserAnswer, HostedFlow } from './flow.ts'
import { membersFor } from './front-tokens.ts'
import { isMeant, readMeantUser } from './meant.ts'
import {
  type AuthorizeRequest,
  browserSecret,
  type Recipient,
  readAuthorize,
  readRecipient,
} from './request.ts'
import { withSessionToken } from './session-token.ts'

/**
 * The endpoint `authorize` (RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2). What the
 * browser's session has proven answers at once where it is enough for the app; else a transaction begins that
 * is bound to this browser.
 *
 * @throws ProtocolError where nothing may be answered to the app: the client or the address is not what is
 * registered.
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
  // Nothing is written for who has no session and may be asked nothing: a frame asks for it again and again.
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
  const options = { session: known, mayAsk: prompt !== 'none' }
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
