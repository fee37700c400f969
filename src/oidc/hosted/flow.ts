import type {
  AnsweredWithout,
  BegunInBrowser,
  EndedInBrowser,
  HostedBeginning,
  RedeemedSession,
  Returned,
  SessionTokenUse,
} from '../../flow/index.ts'
import type { BrowserSession } from '../../sessions/index.ts'
import type { Delivered } from './response.ts'

/** What the engine's own pages need of the flow, which is built after this folder's parts. */
export interface HostedFlow {
  begin(
    beginning: HostedBeginning,
    options: { readonly session: BrowserSession | undefined; readonly mayAsk: boolean },
  ): Promise<BegunInBrowser>
  findEnded(stateToken: string, browser: string | undefined): Promise<EndedInBrowser | undefined>
  /** The same of an interaction: the caller compares the browser. */
  findCompleted(interactionId: string): Promise<EndedInBrowser | undefined>
  /** The request that is answered to its app without a sign-in, in the browser that it began in. */
  findAnsweredWithout(stateToken: string, browser: string | undefined): Promise<AnsweredWithout | undefined>
  returnToApp(
    ended: EndedInBrowser,
    returning: {
      readonly sessionId: string | undefined
      readonly lifetimes: { readonly codeMs: number; readonly absoluteMs: number }
    },
  ): Promise<Returned | undefined>
  /**
   * Begins a browser's session by a session token, once. Absent: there are none, as the classic API is off.
   */
  redeemSessionToken?(token: string, use: SessionTokenUse): Promise<RedeemedSession | undefined>
  /**
   * Ends the transaction that a browser's cookies bind it to, and answers the cookies that take those away.
   */
  leave(cookies: string | undefined): Promise<readonly string[]>
  /** Where the browser is asked what a transaction asks for, and the cookie that binds it to that. */
  page(call: HostedPageCall): Promise<BrowserAnswer>
}

export interface HostedPageCall {
  /** For a cookie alone: it stands in no address and no page. */
  readonly interactionHandle: string
  /** Of its transaction: for a page that speaks the protocol itself. */
  readonly stateToken: string
  readonly clientId: string
  /**
   * Whether the browser may load the address of its request once more, as by a reload, and is answered as
   * before.
   */
  readonly mayRepeat: boolean
  readonly acceptLanguage: string | undefined
  readonly isSecure: boolean
  /** Of the browser, as it sent them. */
  readonly cookies: string | undefined
}

/** What a browser is answered: where it goes or what it shows, and its new cookies. */
export interface BrowserAnswer {
  readonly delivered: Delivered
  readonly cookies: readonly string[]
}
