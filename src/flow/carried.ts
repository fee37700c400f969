import { type Clock, plainHash } from '../base/index.ts'
import { type Enrollment, findEnrollments, mailboxKey, type Person } from '../directory/index.ts'
import {
  type BrowserSession,
  findLiveBrowserSession,
  type Session,
  type SessionProof,
} from '../sessions/index.ts'
import type { Db } from '../storage/index.ts'
import { ended, type Progress, type Proof } from './progress.ts'

// What the session of a browser carries into a transaction: proofs of an earlier sign-in. They are worth what they would be worth if they
// were made now by what the user has now, and no longer than the session lives (A74).

/** What comparing takes. */
interface Comparing {
  readonly authenticators: ReadonlyMap<string, { readonly implicit: boolean }>
}

/** What reading a session takes. */
interface Carrying {
  readonly clock: Clock
  /** In milliseconds. */
  readonly lifetimes: { readonly browserIdle: number }
}

/** Whose credentials are compared: the user, and what the user has. */
interface Holder {
  readonly person: Pick<Person, 'profile'>
  readonly enrollments: readonly Enrollment[]
}

/**
 * What a proof is by, as it is now: the enrollment with its version, or the mailbox. One that was removed and made anew is another one.
 * Undefined: nothing that the user has.
 */
export function credentialOf(
  { authenticators }: Comparing,
  { authenticator: key, enrollmentId }: Pick<Proof, 'authenticator' | 'enrollmentId'>,
  { person, enrollments }: Holder,
): string | undefined {
  const own = enrollments.filter(({ authenticator }) => authenticator === key)
  const found =
    enrollmentId === undefined
      ? own.length === 1
        ? own[0]
        : undefined
      : own.find(({ id }) => id === enrollmentId)
  if (found !== undefined) return `${found.id}.${found.version}.${found.createdAt}`
  return authenticators.get(key)?.implicit ? plainHash(mailboxKey(person.profile.email)) : undefined
}

/** Whether a proof is by something that a later sign-in can compare: a mailed token is used up, and proves no factor. */
const isComparable = ({ tokenId, factors }: Proof): boolean => tokenId === undefined && factors.length > 0

const lacksCredential = (proof: Proof, isAnew: (proof: Proof) => boolean): boolean =>
  !proof.carried && (proof.credential === undefined || isAnew(proof)) && isComparable(proof)

/** Whether `withCredentials` has anything to add to some of these: else there is nothing to read of the user. */
export const lackCredentials = (
  proofs: readonly Proof[],
  isAnew: (proof: Proof) => boolean = () => false,
): boolean => proofs.some((proof) => lacksCredential(proof, isAnew))

/**
 * The proofs of this transaction with what they are by.
 *
 * @param isAnew which of those that say so already are read anew: a password that was proven and replaced is the new one.
 */
export const withCredentials = (
  parts: Comparing,
  proofs: readonly Proof[],
  holder: Holder,
  isAnew: (proof: Proof) => boolean = () => false,
): readonly Proof[] =>
  proofs.map((proof) => {
    if (!lacksCredential(proof, isAnew)) return proof
    const { credential: _, ...bare } = proof
    const credential = credentialOf(parts, proof, holder)
    return credential === undefined ? bare : { ...bare, credential }
  })

/** The proofs that a session carries into a transaction of its user: those by what the user still has as it was then. */
export const carriedFrom = (parts: Comparing, { details }: Session, holder: Holder): readonly Proof[] =>
  (details.proofs ?? []).flatMap(toProof).filter((proof) => isSameCredential(parts, proof, holder))

const isSameCredential = (parts: Comparing, proof: Proof, holder: Holder): boolean =>
  proof.credential !== undefined && proof.credential === credentialOf(parts, proof, holder)

/** The session that carries the proofs of a transaction, while it lives: read anew each time, never taken from an earlier look. */
export async function carrierOf(
  db: Db,
  { clock, lifetimes }: Carrying,
  { carriedBy, subject }: Pick<Progress, 'carriedBy' | 'subject'>,
): Promise<BrowserSession | undefined> {
  if (carriedBy === undefined) return undefined
  const session = await findLiveBrowserSession(db, carriedBy, {
    now: clock.now(),
    idleMs: lifetimes.browserIdle,
  })
  return session?.personId === subject?.userId ? session : undefined
}

/**
 * The progress of a transaction as it is now: one whose session has ended, or whose carried proofs are by something that the user does not have
 * any more, has ended with it.
 */
export async function checkedCarried(
  parts: Comparing & Carrying,
  db: Db,
  progress: Progress,
  person: Person | undefined,
): Promise<Progress> {
  if (progress.carriedBy === undefined || progress.closed !== undefined) return progress
  const session = await carrierOf(db, parts, progress)
  if (session === undefined || person === undefined) return ended(progress)
  const holder = { person, enrollments: await findEnrollments(db, person.id) }
  const stands = progress.proofs.every((proof) => !proof.carried || isSameCredential(parts, proof, holder))
  return stands ? progress : ended(progress)
}

function toProof({ type, method, traits, setBy, ...proof }: SessionProof): readonly Proof[] {
  if (type === undefined || method === undefined || traits === undefined) return []
  return [{ ...proof, type, method, traits, ...(setBy !== undefined && { setBy }), carried: true } as Proof]
}

/** A proof as a session has it that carries it into other transactions. */
export const toSessionProof = ({
  authenticator,
  factors,
  enrollmentId,
  at,
  type,
  method,
  traits,
  setBy,
  credential,
  carried,
}: Proof): SessionProof => ({
  ...{ authenticator, factors, at, type, method, traits },
  ...(enrollmentId !== undefined && { enrollmentId }),
  ...(setBy !== undefined && { setBy }),
  ...(credential !== undefined && { credential }),
  ...(carried && { carried }),
})

/** What a session has of several proofs: of those of the same kind the latest, and none that no other transaction could compare. */
export function latestOf(proofs: readonly SessionProof[]): readonly SessionProof[] {
  const found = new Map<string, SessionProof>()
  for (const { carried: _, ...proof } of [...proofs].sort((one, other) => one.at - other.at)) {
    if (proof.credential === undefined) continue
    found.set(`${proof.authenticator} ${proof.method} ${proof.enrollmentId ?? ''}`, proof)
  }
  return [...found.values()]
}
