import { browserCookieNames, ownCookie, ownCookieIn, sessionCookieNames } from '../../base/index.ts'
import { isOwnPages, isRedirectUriRegistered } from '../../clients/index.ts'
import type { Interaction } from '../../interactions/index.ts'
import { findSession, revokeSession } from '../../sessions/index.ts'
import { findActiveClient } from '../client-auth.ts'
import { invalidRequest, oauthError, signInEnded } from '../errors.ts'
import type { Form } from '../form.ts'
import type { Parts } from '../parts.ts'
import {
  type Answered,
  recipientOf,
  refusedAnswer,
  returning,
  type Servers,
  toApp,
  unmetRequirements,
} from './answers.ts'
import { isSecure, sessionOf } from './browser.ts'
import type { BrowserAnswer, HostedFlow } from './flow.ts'
import { membersFor } from './front-tokens.ts'
import { isMeant } from './meant.ts'
import { browserSecret } from './request.ts'

/**
 * The way back of a browser whose transaction has ended with a sign-in: the code for the app and the browser's session, once, and only
 * in the browser that began it (A71, A80).
 */
export async function returnFromPages(
  parts: Parts,
  flow: HostedFlow,
  servers: Servers,
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

/** The user has said no. */
const consentDenied = oauthError(
  'access_denied',
  'The resource owner or authorization server denied the request.',
)

/**
 * Throws where the app was deactivated, or its address taken away, while its user was asked: an address that is not registered any more gets
 * no code (A72).
 */
export async function refuseFormerAddress({ storage }: Parts, interaction: Interaction): Promise<void> {
  // What began at a page of the engine ends at one, and no code leaves.
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
