import { browserCookieNames, isFromOwnPage, ownCookie, ownCookieIn, plainHash } from '../../base/index.ts'
import type { Client } from '../../clients/index.ts'
import { findPerson } from '../../directory/index.ts'
import { acceptedLocales, wordsFor } from '../../i18n/index.ts'
import { visitorFormHeaders } from '../../ui/index.ts'
import { oauthError, signInEnded } from '../errors.ts'
import { baseOf } from '../hint.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import { recipientOf, returning, type Servers, toApp } from './answers.ts'
import { type BrowserCall, isSecure, sessionOf } from './browser.ts'
import type { BrowserAnswer, HostedFlow } from './flow.ts'
import { membersFor } from './front-tokens.ts'
import { continuePage } from './page.ts'
import { browserSecret } from './request.ts'
import { refuseFormerAddress } from './return.ts'

export const interactionRequired = oauthError(
  'interaction_required',
  'The user has to confirm a sign-in to an app with a scheme of its own.',
)

/**
 * Any program of a device can take a scheme of its own, another app's, too: its user is asked each time (RFC
 * 8252, section 8.6).
 */
export const isSchemeOfAnApp = (redirectUri: string): boolean => !/^https?:/i.test(redirectUri)

/**
 * What the form of that page has which no other page knows: of the browser that it is bound to, and of its
 * interaction.
 */
const confirmToken = (id: string, browser: string): string =>
  plainHash(JSON.stringify(['continue', id, browser])).slice(0, 22)

/** The page that asks a signed-in user whether to go on to an app. Its form is taken by `confirmReturn`. */
export async function confirmation(
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
