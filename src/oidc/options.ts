import type { JWK } from 'jose'
import type { ExchangeRecorder } from '../audit/index.ts'
import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import type { RequestLimits } from '../limits/index.ts'
import type { Policies } from '../policies/index.ts'
import type { Storage } from '../storage/index.ts'
import type { HostedFlow } from './hosted/flow.ts'

/** Lifetimes in milliseconds. */
export interface OidcLifetimes {
  /** From `interact` to the interaction code. */
  readonly interactionMs: number
  readonly accessTokenMs: number
  readonly idTokenMs: number
  /** Starts again with each rotation, but ends with the session at the latest. */
  readonly refreshTokenMs: number
  /** From the end of a sign-in on the engine's own pages to the redemption of its code. */
  readonly authorizationCodeMs: number
  /** A browser's session: after its last use, and at most. */
  readonly browserIdleMs: number
  readonly browserSessionMs: number
  /** The longest life of a session: an ID token can end its session for as long, whatever key signed it. */
  readonly sessionMs: number
}

const hour = 3_600_000

export const defaultOidcLifetimes: OidcLifetimes = {
  interactionMs: hour / 2,
  authorizationCodeMs: hour / 12,
  browserIdleMs: 2 * hour,
  browserSessionMs: 24 * hour,
  accessTokenMs: hour,
  idTokenMs: hour,
  refreshTokenMs: 30 * 24 * hour,
  sessionMs: 30 * 24 * hour,
}

export interface OidcOptions {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly log: Logger
  /**
   * The engine's public address without a slash at the end, such as `https://id.example.com`. A function where the
   * address is known only once the server listens: called at every request, never before the first one.
   */
  readonly issuer: string | (() => string)
  readonly lifetimes?: Partial<OidcLifetimes>
  /**
   * The clock of the times in tokens, which apps compare with their own: the reference that the engine's is corrected
   * by (`reference`, the default), the host's, for an engine whose clock is moved on purpose (`real`), or the engine's,
   * which tests move (`virtual`). Codes, refresh tokens and sessions always expire by the engine's.
   */
  readonly tokens?: 'reference' | 'real' | 'virtual'
  /** A private RSA key to sign with instead of those in the database: saves tests the generation of one. */
  readonly signingKey?: JWK
  /** Which policy a user has at an app: one that denies the app ends refreshes. */
  readonly policies: Pick<Policies, 'for' | 'registration'>
  /** What the engine's own pages need of the flow. Absent: `authorize` and what belongs to it are not served. */
  readonly hosted?: HostedFlow | undefined
  /**
   * Whether tokens may leave through the browser, to apps with the grant `implicit`: the implicit flow and the hybrid ones. Default: false
   * (RFC 9700, section 2.1.2).
   */
  readonly implicit?: boolean | undefined
  /** The request budgets of interact and token. Absent: calls are not limited. */
  readonly limits?: RequestLimits | undefined
  /** Records the calls that begin an interaction and redeem its code, and refused calls. Development and tests only. */
  readonly recordExchange?: ExchangeRecorder | undefined
  /**
   * Whether refusals name the registered clients and redirect URIs and say where to add one. Development only: default
   * false.
   */
  readonly hints?: boolean | undefined
}
