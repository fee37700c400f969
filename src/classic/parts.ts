import type { Clock, Random } from '../base/index.ts'
import type { Authenticator, Flow, RedeemedSession, SessionTokenUse } from '../flow/index.ts'
import type { Interaction } from '../interactions/index.ts'
import type { RequestLimits } from '../limits/index.ts'
import type { Storage } from '../storage/index.ts'

/** What the classic authentication API is built from. */
export interface ClassicParts {
  readonly storage: Storage
  readonly random: Random
  readonly clock: Clock
  readonly limits: RequestLimits
  readonly flow: Flow
  readonly authenticators: ReadonlyMap<string, Authenticator>
  /** How long a request lives at most, in milliseconds. */
  readonly interactionMs: number
  /** How long a browser's session lives after its last use, and at most, in milliseconds. */
  readonly browserIdleMs: number
  readonly browserSessionMs: number
  /** The engine's public address, without a slash at the end. */
  baseUrl(): string
  /** Whether an `Authorization` header is that of a server that may name its users' addresses. Throws 401 `E0000011` for a wrong one. */
  isTrusted(authorization: string): Promise<boolean>
  issueSessionToken(
    interaction: Interaction,
    browser: string | undefined,
  ): Promise<{ readonly token: string; readonly expiresAt: number } | undefined>
  /** The id of a good recovery token, by its text. */
  findRecoveryToken(token: string): Promise<string | undefined>
  redeemSessionToken(token: string, use: SessionTokenUse): Promise<RedeemedSession | undefined>
}
