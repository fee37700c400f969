import type { Enrollment, Person } from '../directory/index.ts'

/** An enrollment, as far as it says who its user is. */
export type OwnedEnrollment = Pick<Enrollment, 'id' | 'authenticator' | 'createdAt'>

/** What was proven: which authenticator, and which enrollment of it where there are several. */
export interface OwnProof {
  readonly authenticator: string
  readonly enrollmentId?: string | undefined
}

/**
 * Whether what was proven is enough to change what a user signs in with (A69, A76, A77).
 *
 * - `proven`: by one of the user's own factors, one from before the last recovery where there is such a one.
 * - `unproven`: the user has such a factor, and it was not proven.
 * - `none`: the user has none.
 */
export type OwnerProof = 'proven' | 'unproven' | 'none'

/**
 * The enrollments that prove who a user is, when something of the account is about to be changed: those from before the
 * last recovery, for what came after it may be that of a thief who reads the mailbox (A76). Where there are none, those
 * that have stood for the waiting time, with their notices.
 *
 * @param own the user's enrollments without the password, which a recovery replaces
 * @param settledMs the waiting time
 */
export function provingEnrollments(
  { recoveredAt }: Pick<Person, 'recoveredAt'>,
  own: readonly OwnedEnrollment[],
  { now, settledMs }: { readonly now: number; readonly settledMs: number },
): { readonly enrollments: readonly OwnedEnrollment[]; readonly isOlder: boolean } {
  if (recoveredAt === undefined) return { enrollments: own, isOlder: true }
  const older = own.filter(({ createdAt }) => createdAt < recoveredAt)
  if (older.length > 0) return { enrollments: older, isOlder: true }
  return { enrollments: own.filter(({ createdAt }) => createdAt + settledMs <= now), isOlder: false }
}

/** Whether one of the proofs is by one of these enrollments. */
export const isProvenBy = (
  enrollments: readonly OwnedEnrollment[],
  proofs: readonly OwnProof[],
  all: readonly OwnedEnrollment[] = enrollments,
): boolean =>
  enrollments.some(({ id, authenticator }) =>
    proofs.some((proof) =>
      proof.enrollmentId === undefined
        ? // A proof that names none is by the only one of its kind.
          proof.authenticator === authenticator &&
          all.filter((one) => one.authenticator === authenticator).length === 1
        : proof.enrollmentId === id,
    ),
  )

export function ownerProof(
  person: Pick<Person, 'recoveredAt'>,
  own: readonly OwnedEnrollment[],
  proofs: readonly OwnProof[],
  at: { readonly now: number; readonly settledMs: number },
): OwnerProof {
  const { enrollments, isOlder } = provingEnrollments(person, own, at)
  if (isProvenBy(enrollments, proofs, own)) return 'proven'
  return isOlder && enrollments.length > 0 ? 'unproven' : 'none'
}
