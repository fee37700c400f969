import type { ProtocolError } from '../../base/index.ts'
import type { Interaction } from '../../interactions/index.ts'
import { oauthError } from '../errors.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import type { sessionOf } from './browser.ts'
import type { BrowserAnswer } from './flow.ts'
import type { Recipient } from './request.ts'
import { type Answer, type Delivered, deliver } from './response.ts'

/** An answer to the app: as it asked for it, with its state, and with whose answer it is (RFC 9207, A72). */
export const toApp = (
  { issuer }: AuthorizationServer,
  { responseMode, redirectUri, state }: Pick<Recipient, 'responseMode' | 'redirectUri' | 'state'>,
  answer: Answer,
): Delivered => {
  const { code, ...others } = answer
  return deliver(responseMode, redirectUri, { code, state: state || undefined, ...others, iss: issuer })
}

export type Servers = Readonly<Record<AuthorizationServer['id'], () => AuthorizationServer>>

export interface Answered {
  readonly server: AuthorizationServer
  readonly recipient: Pick<Recipient, 'redirectUri' | 'responseMode' | 'state'>
}

/** Who is answered at the end of an interaction. */
export function recipientOf({ redirectUri, issuer, request }: Interaction, servers: Servers): Answered {
  return {
    server: servers[issuer === 'org' ? 'org' : 'default'](),
    recipient: {
      redirectUri,
      responseMode: request.hosted?.responseMode ?? 'query',
      state: request.state,
    },
  }
}

/** Back to the app without what it wants. */
export function refusedAnswer(
  { server, recipient }: Answered,
  { code, description }: ProtocolError,
): BrowserAnswer {
  const answer = { error: code, error_description: description }
  return { delivered: toApp(server, recipient, answer), cookies: [] }
}

/**
 * The user has no way to prove what the app asks for (OpenID Connect Core Error Code
 * unmet_authentication_requirements 1.0).
 */
export const unmetRequirements = oauthError(
  'unmet_authentication_requirements',
  'The user cannot meet the authentication requirements of this request (acr_values, max_age).',
)

/** What the way back to the app needs of the browser, as it calls. */
export const returning = ({ lifetimes }: Parts, session: Awaited<ReturnType<typeof sessionOf>>) => ({
  sessionId: session.found?.id,
  lifetimes: { codeMs: lifetimes.authorizationCodeMs, absoluteMs: lifetimes.browserSessionMs },
})
