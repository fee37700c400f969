import type { JWK } from 'jose'
import type { ExchangeRecorder } from '../audit/index.ts'
import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import type { RequestLimits } from '../limits/index.ts'
import type { Storage } from '../storage/index.ts'

/** How long things of this folder live, in milliseconds. */
export interface OidcLifetimes {
  /** From `interact` to the interaction code. */
  readonly interactionMs: number
  readonly accessTokenMs: number
  readonly idTokenMs: number
  /** Counted anew by every rotation; the session's own end comes first. */
  readonly refreshTokenMs: number
}

const hour = 3_600_000

export const defaultOidcLifetimes: OidcLifetimes = {
  interactionMs: hour / 2,
  accessTokenMs: hour,
  idTokenMs: hour,
  refreshTokenMs: 30 * 24 * hour,
}

export interface OidcOptions {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly log: Logger
  /**
   * The engine's public address without a slash at the end, such as `https://id.example.com`. A function where the
   * address is known only once the server listens; it is asked at every request, never before the first one.
   */
  readonly issuer: string | (() => string)
  readonly lifetimes?: Partial<OidcLifetimes>
  /**
   * Which clock the tokens' own times follow: the host's, as apps compare them with theirs (`real`, the default), or
   * the engine's, moved ones included (`virtual`). Codes, refresh tokens and sessions follow the engine's always.
   */
  readonly tokens?: 'real' | 'virtual'
  /** A private RSA key to sign with instead of those in the database: a testing kit saves the time to make one. */
  readonly signingKey?: JWK
  /** Counts the calls of interact and token; absent: nobody does. */
  readonly limits?: RequestLimits | undefined
  /** Told of what begins and ends an interaction: development and tests only. */
  readonly recordExchange?: ExchangeRecorder | undefined
}
