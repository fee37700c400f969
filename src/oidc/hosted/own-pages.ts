import {
  browserCookieNames,
  ownCookie,
  ownCookieIn,
  ProtocolError,
  plainHash,
  randomToken,
} from '../../base/index.ts'
import { ownPagesClient, ownPagesId } from '../../clients/index.ts'
import { findPerson, findPersonTokenById, maskName } from '../../directory/index.ts'
import { beginInteraction, findInteractionByHandle, type Interaction } from '../../interactions/index.ts'
import { type InteractCall, originOf, readToken } from '../interact.ts'
import type { Parts } from '../parts.ts'
import type { AuthorizationServer } from '../server.ts'
import { sessionOf } from './browser.ts'
import { browserSecret } from './request.ts'

/** What is read of the request of a browser that begins at a page of the engine. */
export type OwnPagesCall = Pick<InteractCall, 'ip' | 'userAgent' | 'deviceCookie' | 'acceptLanguage'> & {
  readonly cookies: string | undefined
}

/** A token of a mail, and which of the two it was mailed as. */
export interface MailedToken {
  readonly kind: 'recovery' | 'activation'
  readonly text: string
}

/** `lapsed`: only its time is over, and its user may have another one mailed. */
export type MailedTokenState = 'good' | 'lapsed' | 'spent'

/** Transactions of the engine's own pages that no request to `authorize` has begun. */
export interface OwnPages {
  /**
   * Begins a transaction that is bound to this browser. With a token: that of its user, undefined where it is
   * spent. Without one: for the app whose request the browser is at (`handle`), else for no app.
   */
  begin(
    call: OwnPagesCall,
    from: {
      readonly token?: MailedToken
      readonly handle?: string | undefined
      /** Where the browser is sent at the end, where there is no app. */
      readonly end: string
    },
  ): Promise<{ readonly handle: string; readonly cookies: readonly string[] } | undefined>
  /** Reads only: a mail scanner may follow the link as often as it likes. */
  stateOf(token: MailedToken): Promise<MailedTokenState>
  /** The user of a good token. Reads only. */
  userIdOf(token: MailedToken): Promise<string | undefined>
  /** What the user of a good token signs in with, masked: the mail may have been forwarded. Reads only. */
  maskedLoginOf(token: MailedToken): Promise<string | undefined>
  /**
   * The user of the browser's session. It is not used by that: the page shows the end of a sign-in, and
   * decides nothing.
   */
  findUserId(cookies: string | undefined): Promise<string | undefined>
}

export const createOwnPages = (parts: Parts, org: () => AuthorizationServer): OwnPages => ({
  begin: (call, from) => begin(parts, org(), call, from),

  async stateOf(token) {
    const { recoveryTokenId, activationTokenId, lapsed } = await tokenIn(parts, token)
    if (lapsed) return 'lapsed'
    return recoveryTokenId === undefined && activationTokenId === undefined ? 'spent' : 'good'
  },

  userIdOf: (token) => userIdOf(parts, token),

  async maskedLoginOf(token) {
    const id = await userIdOf(parts, token)
    const person = id === undefined ? undefined : await findPerson(parts.storage.db, id)
    return person && maskName(person.profile.login)
  },

  async findUserId(cookies) {
    const { found } = await sessionOf(parts, org(), cookies, { isUse: false })
    const person = found && (await findPerson(parts.storage.db, found.personId))
    return person?.status === 'ACTIVE' ? person.id : undefined
  },
})

async function begin(
  parts: Parts,
  server: AuthorizationServer,
  call: OwnPagesCall,
  { token, handle, end }: Parameters<OwnPages['begin']>[1],
): ReturnType<OwnPages['begin']> {
  const { storage, random, clock, lifetimes } = parts
  const isSecure = server.oauth.startsWith('https:')
  const own = browserSecret(ownCookieIn(call.cookies, browserCookieNames, isSecure))
  const browser = own ?? randomToken(random)
  const { lapsed: _, ...named } = token === undefined ? {} : await tokenIn(parts, token)
  if (token !== undefined && Object.keys(named).length === 0) return undefined
  const former = token === undefined ? await requestOf(parts, handle, own) : undefined
  const { clientId, issuer, redirectUri, codeChallenge, request } = former ?? {
    ...{ clientId: ownPagesId, issuer: server.id, redirectUri: end, codeChallenge: '' },
    request: {
      ...{ scope: 'openid', state: '', ...named },
      hosted: { responseMode: 'query' as const, browser: plainHash(browser) },
    },
  }
  const caller = { client: ownPagesClient(''), authenticated: false }
  const { handle: begun } = await beginInteraction(
    storage.db,
    {
      ...{ clientId, issuer, redirectUri, codeChallenge, request },
      origin: originOf(caller, {
        ...call,
        ...{ form: new Map(), authorization: undefined, forwardedFor: undefined, deviceToken: undefined },
      }),
    },
    { random, now: clock.now(), lifetimeMs: lifetimes.interactionMs },
  )
  return {
    handle: begun,
    cookies: own === undefined ? [ownCookie(browserCookieNames, browser, isSecure)] : [],
  }
}

async function userIdOf(parts: Parts, token: MailedToken): Promise<string | undefined> {
  const { recoveryTokenId, activationTokenId, lapsed } = await tokenIn(parts, token)
  const id = recoveryTokenId ?? activationTokenId
  const found = id === undefined || lapsed ? undefined : await findPersonTokenById(parts.storage.db, id)
  return found?.personId
}

/**
 * The request that this browser has brought from an app, to be begun anew: with the same client, address,
 * challenge and state, so that it can only end where it would have ended. One of another browser is not taken
 * over (A80).
 */
async function requestOf(
  { storage, clock }: Parts,
  handle: string | undefined,
  own: string | undefined,
): Promise<
  Pick<Interaction, 'clientId' | 'issuer' | 'redirectUri' | 'codeChallenge' | 'request'> | undefined
> {
  if (handle === undefined || own === undefined) return undefined
  const found = await findInteractionByHandle(storage.db, handle, clock.now())
  if (found?.request.hosted?.browser !== plainHash(own) || found.clientId === ownPagesId) return undefined
  // What the app has asked for, and nothing that a token or a link has proven: that is good for one transaction.
  const { scope, state, nonce, acrValues, maxAge, loginHint, dpopJkt, enroll, hosted } = found.request
  return { ...found, request: { scope, state, nonce, acrValues, maxAge, loginHint, dpopJkt, enroll, hosted } }
}

/** What a token stands for in a request; nothing where it is spent. */
async function tokenIn(
  parts: Parts,
  { kind, text }: MailedToken,
): Promise<{
  readonly recoveryTokenId?: string
  readonly activationTokenId?: string
  readonly lapsed?: boolean
}> {
  try {
    return await readToken(parts, new Map([[`${kind}_token`, text]]))
  } catch (error) {
    if (error instanceof ProtocolError && error.status < 429) return {}
    throw error
  }
}
