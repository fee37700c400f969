import type { Enrollment, Person } from '../directory/index.ts'

/** An enrollment, as far as it says who its user is. */
export type OwnedEnrollment = Pick<Enrollment, 'id' | 'authenticator' | 'createdAt' | 'settlesAt'>

/** What was proven: which authenticator, and which enrollment of it where there are several. */
export interface OwnProof {
  readonly authenticator: string
  readonly enrollmentId?: string | undefined
}

/**
 * Whether what was proven is enough to change what a user signs in with (A69, A76, A77).
 *
 * - `proven`: by one of the user's own factors, one from before the last recovery where there is such a one.
 * - `fresh`: by one that the user added within the waiting time, when no older one was proven: it adds others, and makes nothing
 *   count at once. A thief at an open browser could have added it a moment ago.
 * - `unproven`: the user has factors, and none that counts was proven.
 * - `none`: the user has none.
 */
export type OwnerProof = 'proven' | 'fresh' | 'unproven' | 'none'

/** What says which factors prove that it is the user who changes the account. */
export interface OwnershipRules {
  /** Epoch milliseconds. */
  readonly now: number
  /** The waiting time, in milliseconds. */
  readonly settledMs: number
  /** The authenticators by which the user's policy lets a recovery begin. */
  readonly recovering: readonly string[]
}

/**
 * The enrollments that prove who a user is, when something of the account is about to be changed: those from before the
 * last recovery, for what came after it may be that of a thief who reads the mailbox (A76). What may begin a recovery proves
 * nothing after one: a thief with the number of the phone has recovered by it, and would prove it once more. Where there are no
 * others, those that have stood for the waiting time, with their notices.
 *
 * @param own the user's enrollments without the password, which a recovery replaces
 */
export function provingEnrollments(
  { recoveredAt }: Pick<Person, 'recoveredAt'>,
  own: readonly OwnedEnrollment[],
  { now, settledMs, recovering }: OwnershipRules,
): { readonly enrollments: readonly OwnedEnrollment[]; readonly isOlder: boolean } {
  if (recoveredAt === undefined) return { enrollments: own, isOlder: true }
  const recovers = ({ authenticator }: OwnedEnrollment) => recovering.includes(authenticator)
  const older = own.filter((one) => one.createdAt < recoveredAt && !recovers(one))
  if (older.length > 0) return { enrollments: older, isOlder: true }
  const since = (one: OwnedEnrollment) =>
    recovers(one) ? Math.max(one.createdAt, recoveredAt) : one.createdAt
  return { enrollments: own.filter((one) => since(one) + settledMs <= now), isOlder: false }
}

/** Whether an enrollment counts by now: at once, or since its waiting time is over (A77). */
export const isSettled = ({ settlesAt }: Pick<Enrollment, 'settlesAt'>, now: number): boolean =>
  (settlesAt ?? 0) <= now

export const settledOf = <One extends OwnedEnrollment>(
  enrollments: readonly One[],
  { now }: Pick<OwnershipRules, 'now'>,
): readonly One[] => enrollments.filter((one) => isSettled(one, now))

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
  rules: OwnershipRules,
): OwnerProof {
  const { enrollments } = provingEnrollments(person, own, rules)
  if (isProvenBy(settledOf(enrollments, rules), proofs, own)) return 'proven'
  if (isProvenBy(enrollments, proofs, own)) return 'fresh'
  return own.length > 0 ? 'unproven' : 'none'
}
