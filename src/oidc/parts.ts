import type { ExchangeRecorder } from '../audit/index.ts'
import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import { isAssigned } from '../clients/index.ts'
import { findPerson, type Person } from '../directory/index.ts'
import type { RequestLimits } from '../limits/index.ts'
import { findLiveSession, type Session } from '../sessions/index.ts'
import type { Db, Storage } from '../storage/index.ts'
import type { SigningKeys } from './keys.ts'
import type { OidcLifetimes } from './options.ts'

/** What every endpoint of this folder works with. */
export interface Parts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  /** The engine's clock: it decides whether codes, refresh tokens and sessions have expired. */
  readonly clock: Clock
  /** The clock that the tokens' own times are read from. */
  readonly tokenClock: Clock
  readonly log: Logger
  readonly keys: SigningKeys
  readonly lifetimes: OidcLifetimes
  /** Told of what begins and ends an interaction; in production nobody is. */
  readonly recordExchange?: ExchangeRecorder | undefined
  readonly limits: RequestLimits | undefined
}

/** Statuses that end what a person's tokens are worth. A lock-out is not one: guessing must not sign the owner out. */
const worthless: ReadonlySet<string> = new Set(['STAGED', 'PROVISIONED', 'SUSPENDED', 'DEPROVISIONED'])

export interface SignedIn {
  readonly session: Session
  readonly person: Person
}

/**
 * Who stands behind a session, if it lives, the person may still have tokens, and she is still assigned to the client.
 * Asked at every use, so that what an administrator changes counts at once.
 */
export async function findSignedIn(
  db: Db,
  sessionId: string,
  clientId: string,
  now: number,
  /** The person, where the caller's transaction holds her row already. */
  locked?: Person,
): Promise<SignedIn | undefined> {
  const session = await findLiveSession(db, sessionId, now)
  if (session === undefined) return undefined
  const [person, assigned] = await Promise.all([
    locked?.id === session.personId ? locked : findPerson(db, session.personId),
    isAssigned(db, clientId, session.personId),
  ])
  if (person === undefined || worthless.has(person.status)) return undefined
  return assigned ? { session, person } : undefined
}

/** An engine's time as the tokens' clock would have told it, in seconds: what apps compare with their own clock. */
export const tokenSeconds = (parts: Parts, engineTime: number): number =>
  Math.floor((engineTime + parts.tokenClock.now() - parts.clock.now()) / 1000)

/** From when to when a revoked access token is remembered: well past its own end, as nodes' clocks differ. */
export function revocationTimes({ clock, lifetimes }: Parts): {
  readonly now: number
  readonly until: number
} {
  const now = clock.now()
  return { now, until: now + 2 * lifetimes.accessTokenMs }
}
