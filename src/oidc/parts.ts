import type { ExchangeRecorder } from '../audit/index.ts'
import type { Clock, Logger, LogSampler, Random, Secrets } from '../base/index.ts'
import { findPerson, type Person } from '../directory/index.ts'
import type { RequestLimits } from '../limits/index.ts'
import type { Policies } from '../policies/index.ts'
import type { Session } from '../sessions/index.ts'
import type { Db, Storage } from '../storage/index.ts'
import { findActiveClient } from './client-auth.ts'
import type { HostedFlow } from './hosted/flow.ts'
import type { SigningKeys } from './keys.ts'
import type { OidcLifetimes } from './options.ts'
import { findLiveSession, type LiveSession } from './signed-in.store.ts'

/** The dependencies of every endpoint of this folder. */
export interface Parts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  /** The engine's clock: it decides whether codes, refresh tokens and sessions have expired. */
  readonly clock: Clock
  /** The clock of the times in tokens. */
  readonly tokenClock: Clock
  readonly log: Logger
  readonly keys: SigningKeys
  readonly lifetimes: OidcLifetimes
  /** Records the calls that begin an interaction and redeem its code, and refused calls; undefined in production. */
  readonly recordExchange?: ExchangeRecorder | undefined
  /** Whether refusals say what is registered: in development only. */
  readonly hints: boolean
  /** The log of refused requests: anyone can cause them (A60). Closed with the routes. */
  readonly refusals: LogSampler
  readonly limits: RequestLimits | undefined
  readonly hosted: HostedFlow | undefined
  /** Whether tokens may leave through the browser, to apps with the grant `implicit`. */
  readonly implicit: boolean
  readonly policies: Pick<Policies, 'for' | 'registration'>
}

/**
 * Statuses that invalidate a user's tokens. LOCKED_OUT is not one: guesses by others must not sign the user out (A29).
 */
const invalidatingStatuses: ReadonlySet<string> = new Set([
  'STAGED',
  'PROVISIONED',
  'SUSPENDED',
  'DEPROVISIONED',
])

export interface SignedIn {
  readonly session: Session
  readonly person: Person
}

/**
 * The session and its user, if the session is live, the client active, the user's status allows tokens and the user is
 * still assigned to the client. Checked at every use of a token, so that a change by an administrator takes effect at once (A39).
 */
export async function findSignedIn(
  db: Db,
  sessionId: string,
  clientId: string,
  now: number,
  /** The user, where the caller's transaction holds the user's row already. */
  locked?: Person,
): Promise<SignedIn | undefined> {
  return signedInBy(db, await findLiveSession(db, sessionId, { clientId, now }), clientId, locked)
}

/** The same where the session has been read. */
export async function signedInBy(
  db: Db,
  live: LiveSession | undefined,
  clientId: string,
  locked?: Person,
): Promise<SignedIn | undefined> {
  if (live === undefined) return undefined
  const { session, assigned } = live
  const [client, person] = await Promise.all([
    findActiveClient(db, clientId),
    locked?.id === session.personId ? locked : findPerson(db, session.personId),
  ])
  if (person === undefined || invalidatingStatuses.has(person.status)) return undefined
  return assigned && client !== undefined ? { session, person } : undefined
}

/** Converts a time of the engine's clock to the clock of tokens, in seconds. */
export const tokenSeconds = (parts: Parts, engineTime: number): number =>
  Math.floor((engineTime + parts.tokenClock.now() - parts.clock.now()) / 1000)

/**
 * The period for which a revocation is stored: twice the lifetime of an access token, as the clocks of nodes differ.
 */
export function revocationTimes({ clock, lifetimes }: Parts): {
  readonly now: number
  readonly until: number
} {
  const now = clock.now()
  return { now, until: now + 2 * lifetimes.accessTokenMs }
}
