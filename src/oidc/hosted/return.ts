import { browserCookieNames, ownCookie, ownCookieIn, sessionCookieNames } from '../../base/index.ts'
import { isOwnPages, isRedirectUriRegistered, originsOf } from '../../clients/index.ts'
import { acceptedLocales, wordsFor } from '../../i18n/index.ts'
import {
  endedTransactionCookies,
  type Interaction,
  isSelector,
  transactionCookieIn,
} from '../../interactions/index.ts'
import { findSession, revokeSession } from '../../sessions/index.ts'
import { visitorPageHeaders } from '../../ui/index.ts'
import { findActiveClient } from '../client-auth.ts'
import { invalidRequest, oauthError, signInEnded } from '../errors.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import {
  type Answered,
  recipientOf,
  refusedAnswer,
  returning,
  type Servers,
  toApp,
  unmetRequirements,
} from './answers.ts'
import { type BrowserCall, isSecure, sessionOf } from './browser.ts'
import type { BrowserAnswer, HostedFlow } from './flow.ts'
import { membersFor } from './front-tokens.ts'
import { isMeant } from './meant.ts'
import { endedPage } from './page.ts'
import { browserSecret } from './request.ts'

/**
 * The way back of a browser whose transaction has ended with a sign-in: the code for the app and the
 * browser's session, once, and only in the browser that began it (A71, A80).
 */
export async function returnFromPages(
  parts: Parts,
  flow: HostedFlow,
  servers: Servers,
  { form, cookies, acceptLanguage }: Pick<BrowserCall, 'form' | 'cookies' | 'acceptLanguage'>,
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
  if (returned === undefined) return wayOn(parts, org, ended.interaction, acceptLanguage)
  const { server, recipient } = answered
  return {
    // Where no app has sent the browser, the end is a page, and no code leaves.
    delivered: isOwnPages(returned.interaction.clientId)
      ? { location: returned.interaction.redirectUri }
      : toApp(server, recipient, await membersFor(parts, server, returned)),
    cookies: [
      ...(returned.cookie === undefined
        ? []
        : [ownCookie(sessionCookieNames, returned.cookie, isSecure(org), returned.cookieMs)]),
      ...endedCookies(form.get('t'), cookies, isSecure(org)),
    ],
  }
}

/**
 * What takes the cookie of the transaction away which the pages name: it stays until the answer of its end
 * leaves.
 */
function endedCookies(
  selector: string | undefined,
  cookies: string | undefined,
  isSecure: boolean,
): readonly string[] {
  if (!isSelector(selector)) return []
  const handle = transactionCookieIn(cookies, { isSecure, selector })
  return handle === undefined ? [] : endedTransactionCookies(handle, cookies, { isSecure })
}

/**
 * Where a browser goes on whose sign-in has handed its code out: that answer may have been lost, and the same
 * code is given to no one once more, not even here, where another party may have been given it (RFC 6749,
 * section 4.1.2). The app begins again, and finds the session.
 */
async function wayOn(
  { storage }: Parts,
  { issuer }: AuthorizationServer,
  { clientId, redirectUri }: Interaction,
  acceptLanguage: string | undefined,
): Promise<BrowserAnswer> {
  if (isOwnPages(clientId)) return { delivered: { location: redirectUri }, cookies: [] }
  const client = await findActiveClient(storage.db, clientId)
  const [address] = client === undefined ? [] : originsOf(client)
  const app = address === undefined ? undefined : { label: client?.label ?? '', address }
  const page = endedPage(wordsFor(acceptedLocales(acceptLanguage)), issuer, app)
  return { delivered: { page, headers: visitorPageHeaders, ended: true }, cookies: [] }
}

/** The user has said no. */
const consentDenied = oauthError(
  'access_denied',
  'The resource owner or authorization server denied the request.',
)

/**
 * Throws where the app was deactivated, or its address taken away, while its user was asked: an address that
 * is not registered any more gets no code (A72).
 */
export async function refuseFormerAddress({ storage }: Parts, interaction: Interaction): Promise<void> {
  // What began at a page of the engine ends at one, and no code leaves.
  if (isOwnPages(interaction.clientId)) return
  const client = await findActiveClient(storage.db, interaction.clientId)
  if (client === undefined || !isRedirectUriRegistered(client, interaction.redirectUri)) {
    throw invalidRequest('The app that began this sign-in does not take it any more.')
  }
}

/**
 * An app that expects a user gets no code of another one, whose session ends before anything comes of it
 * (A73).
 */
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
