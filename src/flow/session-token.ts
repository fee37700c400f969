import { plainHash, randomToken } from '../base/index.ts'
import { ownPagesId } from '../clients/index.ts'
import { lockPerson } from '../directory/index.ts'
import {
  findInteractionByCode,
  type Interaction,
  issueSessionToken,
  redeemInteractionCode,
} from '../interactions/index.ts'
import { findSession, linkSession, setSessionEnd } from '../sessions/index.ts'
import { browserSessionOf } from './hosted.ts'
import type { FlowParts } from './load.ts'

/** How long a session token is good, in milliseconds, as at Okta. */
const lifetimeMs = 5 * 60_000

/** What Okta's session tokens begin with. */
const prefix = '20111'

const shape = /^20111[\w-]{43}$/

/**
 * Makes the session token of a sign-in by the classic authentication API that has ended: answered here and nowhere else, once. Undefined where
 * it was made before, or the user's sessions have ended since.
 *
 * @param browser the secret of the cookie that the caller's browser has brought: the token is good in no other one (A83)
 */
export function issueSessionTokenOf(
  { storage, random, secrets, clock }: FlowParts,
  { id, request, sessionId }: Interaction,
  browser: string | undefined,
): Promise<{ readonly token: string; readonly expiresAt: number } | undefined> {
  const { classic } = request
  if (classic === undefined || sessionId === null) return Promise.resolve(undefined)
  const bound = browser === undefined ? classic : { ...classic, browser: plainHash(browser) }
  return storage.transaction(async (tx) => {
    const token = `${prefix}${randomToken(random)}`
    const expiresAt = clock.now() + lifetimeMs
    const isMade = await issueSessionToken(
      tx,
      { id, request: { ...request, classic: bound } },
      { token, expiresAt },
      secrets,
    )
    if (!isMade) return undefined
    await setSessionEnd(tx, sessionId, expiresAt)
    return { token, expiresAt }
  })
}

/** Who brings a session token. */
export interface SessionTokenUse {
  /** The session that the browser has, which the new one takes the place of: read anew. Absent: none. */
  readonly sessionId?: string | undefined
  /** The secret of the browser's cookie; `any`: the caller is trusted with tokens of every browser. */
  readonly browser: string | undefined | { readonly any: true }
  /** How long the session lives at most, in milliseconds, where the rule of its user does not say. */
  readonly absoluteMs: number
}

/** The browser's session that a session token was good for. */
export interface RedeemedSession {
  readonly id: string
  readonly cookie: string
  /** How long the cookie is to live, in milliseconds; absent: as long as the browser. */
  readonly cookieMs?: number
}

/**
 * Begins the session of a browser by a session token, with the proofs of the sign-in that the token came of, and no others: what an app demands
 * beyond them is asked for there (A83). Undefined where the token is unknown, used, expired, of another browser, or the user's sessions have
 * ended since: the caller does not learn which.
 */
export function redeemSessionToken(
  parts: FlowParts,
  text: string,
  { sessionId, browser, absoluteMs }: SessionTokenUse,
): Promise<RedeemedSession | undefined> {
  const { storage, secrets, clock } = parts
  if (!shape.test(text)) return Promise.resolve(undefined)
  return storage.transaction(async (tx) => {
    const now = clock.now()
    const found = await findInteractionByCode(tx, text, secrets, 'session')
    const { interaction } = found ?? {}
    if (interaction?.sessionId == null || !isOfBrowser(interaction, browser)) return undefined
    const begun = await findSession(tx, interaction.sessionId, now)
    if (begun === undefined) return undefined
    // The user's row comes first, so that a reset that ends all sessions ends this one, too (A49).
    await lockPerson(tx, begun.personId)
    const session = await findSession(tx, interaction.sessionId, now)
    if (session === undefined) return undefined
    const { issuer } = interaction
    const claim = {
      code: text,
      clientId: ownPagesId,
      issuer,
      redirectUri: undefined,
      codeVerifier: undefined,
    }
    // One conditional statement: of parallel uses one succeeds, and none after five minutes.
    const { result } = await redeemInteractionCode(tx, { ...claim, kind: 'session' }, { secrets, now })
    if (result !== 'redeemed') return undefined
    const own = await browserSessionOf(tx, parts, session, undefined, {
      sessionId,
      lifetimes: { codeMs: lifetimeMs, absoluteMs },
    })
    if (own?.cookie === undefined) return undefined
    // The sign-in itself has no app that would come for it.
    await linkSession(tx, session.id, { parentId: own.id, expiresAt: now })
    return { id: own.id, cookie: own.cookie, ...(own.persists && { cookieMs: own.expiresAt - now }) }
  })
}

const isOfBrowser = ({ request: { classic } }: Interaction, browser: SessionTokenUse['browser']): boolean =>
  classic !== undefined &&
  (classic.browser === undefined ||
    (typeof browser === 'object'
      ? browser.any
      : browser !== undefined && plainHash(browser) === classic.browser))
