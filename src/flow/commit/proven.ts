import { findEnrollments, findPerson, type Person } from '../../directory/index.ts'
import type { Policy } from '../../policies/index.ts'
import { StaleRead, type Tx } from '../../storage/index.ts'
import { carrierOf, lackCredentials, toSessionProof, withCredentials } from '../carried.ts'
import type { FlowParts } from '../load.ts'
import type { Outcome } from '../outcome.ts'
import type { Progress, Proof } from '../progress.ts'
import type { Grant } from '../settle.ts'

/**
 * Throws `StaleRead` where the browser's session whose proofs a transaction is about to count has ended since they were read: by a sign-out, an
 * administrator, a reset, its time. The caller holds the user's row, as what ends all sessions of a user does (A49, A74).
 */
export async function requireCarrier(tx: Tx, parts: FlowParts, progress: Progress): Promise<void> {
  if (progress.carriedBy === undefined) return
  if ((await carrierOf(tx, parts, progress)) === undefined) throw new StaleRead("the browser's session")
}

/** An outcome whose proofs say what they are by, as it is at the moment of the proof: the next step may find another credential. */
export async function withProvenBy(
  tx: Tx,
  parts: FlowParts,
  before: Progress,
  person: Person | undefined,
  outcome: Outcome,
): Promise<Outcome> {
  const { progress } = outcome
  const isProof = progress.proofs.length > before.proofs.length
  if (person === undefined || person.prospective || !isProof || !lackCredentials(progress.proofs))
    return outcome
  // What is enrolled here is written after this, and read at the end.
  const isNew = ({ authenticator: key }: Proof) => progress.enrolled?.includes(key) === true
  const holder = { person, enrollments: await findEnrollments(tx, person.id) }
  const proven = withCredentials(parts, progress.proofs, holder)
  const proofs = proven.map((proof, index) => (isNew(proof) ? (progress.proofs[index] ?? proof) : proof))
  return { ...outcome, progress: { ...progress, proofs } }
}

/** What the session of a sign-in in a browser says of its proofs, all that other transactions need of them, and of its life. */
export async function withProofs(
  tx: Tx,
  parts: FlowParts,
  grant: Grant,
  { progress: { proofs, replaced, remember } }: Outcome,
  { signOn: { browserSession: { mayPersist, ...lives } = {} } }: Policy,
): Promise<Grant> {
  const isAnew = ({ authenticator }: Proof) => replaced.includes(authenticator)
  let known = proofs
  if (lackCredentials(proofs, isAnew)) {
    const person = await findPerson(tx, grant.personId)
    if (person === undefined) return grant
    const holder = { person, enrollments: await findEnrollments(tx, person.id) }
    known = withCredentials(parts, proofs, holder, isAnew)
  }
  const browser = { ...lives, ...(mayPersist && remember && { persists: true as const }) }
  return { ...grant, proofs: known.map(toSessionProof), browser }
}
