import type { Person } from '../directory/index.ts'
import { isProvenBy, type OwnedEnrollment } from '../people/index.ts'
import {
  type AuthenticatorFacts,
  type Demand,
  type Evidence,
  evidenceOf,
  factorsOf,
  helps,
  isOfNow,
  isSatisfied,
  type Policy,
  type RegistrationPolicy,
  type Wish,
  withWish,
} from '../policies/index.ts'
import type { ProfileField } from '../registration/index.ts'
import type { ConsentAsked } from './consent.ts'
import type { IntentName, Progress, Proof } from './progress.ts'

/** What deciding needs to know of an authenticator. */
export interface KnownAuthenticator extends AuthenticatorFacts {
  /** Whether it can be challenged, enrolled, and replaced. */
  readonly challenge?: object
  readonly enroll?: { readonly several?: boolean; readonly isRenewedAfterUse?: boolean }
  readonly reset?: object
}

/** Everything besides the progress that decides what comes next, as it was read at one moment. */
export interface Situation {
  /** No app waits for its end: a recovery that signs no user in. Absent: one does. */
  readonly endsInMessage?: true
  /** The user's own policy; Everyone's for an unknown user. */
  readonly ownPolicy: Policy
  /** What is offered before anything has been proven, the same for every name. */
  readonly policyBeforeProof: Policy
  readonly authenticators: ReadonlyMap<string, KnownAuthenticator>
  readonly person: (Pick<Person, 'status'> & Partial<Pick<Person, 'lastLoginAt'>>) | undefined
  /**
   * Whether the user may use the client; undefined: access is not checked now. It is checked when a transaction moves,
   * not each time it is read.
   */
  readonly assigned: boolean | undefined
  /** The keys of the authenticators that the user has. Asked for only once something has been proven. */
  readonly enrolled: ReadonlySet<string>
  /** Those of them of which something was used at an earlier sign-in, which is still to be replaced. Absent: none. */
  readonly renewing?: ReadonlySet<string>
  /** The moment that is decided about, in epoch milliseconds; absent: that of the latest proof. */
  readonly now?: number
  /** What the app wishes of this sign-in besides what its policy demands. */
  readonly wish?: Wish
  /** A browser goes back to the app, which learns from it that its wish cannot be met. Absent: the app shows the pages itself. */
  readonly returnsToApp?: true
  /** What was proven at an earlier sign-in on the device that is remembered. Of a sign-in alone. */
  readonly remembered?: readonly Evidence[]
  /** How often the user has put off what a policy lets be put off a number of times, by authenticator. Absent: never. */
  readonly skips?: Readonly<Record<string, number>>
  /**
   * The fields of the profile form that the user has still to fill in, in a recovery those that the activation asks for;
   * absent: none, or none are asked for.
   */
  readonly missing?: readonly ProfileField[]
  /** What the app wants that the user has not allowed; absent: nothing. */
  readonly consent?: ConsentAsked
  /** What of the app's wish the user has left out at an earlier sign-in: it is in no token of this one. Absent: nothing. */
  readonly leftOut?: readonly string[]
  /** What proves that it is the user who adds a method; absent: nothing was read of it. */
  readonly owner?: Owner
  /** How old what a browser's session carries may be to open an enrolment, in milliseconds; absent: it opens none. */
  readonly opensForMs?: number
  /** Which sign-up the app has; absent: none. */
  readonly registration?: RegistrationPolicy
  /** The authenticators whose form takes the place of a selection in which they are the only option; absent: none. */
  readonly asksFirst?: Pick<ReadonlySet<string>, 'has'>
}

/** What an enrolment asks of the user besides what the app demands (A69, A76). */
export interface Owner {
  /** The factors that the user has, without the password and what every account has. */
  readonly own: readonly OwnedEnrollment[]
  /** Those of which one must be proven first: of a user who has recovered the account, those from before. */
  readonly proving: readonly OwnedEnrollment[]
  /** Those that make what is enrolled after a proof by one of them count at once (A77). */
  readonly settled: readonly OwnedEnrollment[]
  /**
   * The account was recovered within the waiting time, by a user without a factor from before that begins no recovery: only what a
   * policy requires may be enrolled.
   */
  readonly isRecovered: boolean
}

/**
 * The proofs that open an enrolment: those of this transaction, and of the session of its browser those that are as young as a user's own
 * change of the account asks for. With an older one a thief at an open browser would add a factor (A69, A74).
 */
export const openingProofs = (progress: Progress, situation: Situation): readonly Proof[] => {
  const now = momentOf(progress, situation)
  const { opensForMs = -1 } = situation
  return progress.proofs.filter(({ carried, at }) => carried !== true || now - at <= opensForMs)
}

/** The enrollments of which one must be proven before a method may be added; none, once one is. */
export function provingFirst(progress: Progress, situation: Situation): readonly OwnedEnrollment[] {
  const { owner } = situation
  if (owner === undefined || isProvenBy(owner.proving, openingProofs(progress, situation), owner.own)) {
    return []
  }
  return owner.proving
}

/** The moment that a situation is about. */
export const momentOf = ({ proofs }: Progress, { now }: Situation): number =>
  now ?? Math.max(0, ...proofs.map(({ at }) => at))

/** Where users have nothing yet (`Intent.enrolsFirst`, which this file must not import). */
const enrolsFirst: IntentName = 'registration'

/**
 * The policy that counts: before the first proof the same for every name, from then on the user's own (A53). A user who is
 * not there yet has the same one whatever name was typed.
 */
export function policyOf(progress: Progress, situation: Situation): Policy {
  if (progress.intent === enrolsFirst) return situation.ownPolicy
  return progress.proofs.length === 0 ? situation.policyBeforeProof : situation.ownPolicy
}

/**
 * How much must be proven in a transaction: the stricter of what the user's policy demands and what the app wishes. To add a
 * method takes two factors of a user who has two, whatever the app asks for: with the password alone a thief would add a
 * factor to go on with (A69).
 */
export function demandOf(progress: Progress, situation: Situation): Demand {
  const demand = wishedDemand(progress, situation)
  const { owner, authenticators } = situation
  // A question is no second factor beside the password: it is asked for, and counts as the one factor that both are.
  const hasSecond = owner?.own.some(({ authenticator }) =>
    authenticators.get(authenticator)?.factors.some((factor) => factor !== 'knowledge'),
  )
  return progress.intent === 'enrolment' && hasSecond ? { ...demand, factors: 2 } : demand
}

function wishedDemand(progress: Progress, situation: Situation): Demand {
  const { ownPolicy, wish, enrolled, authenticators } = situation
  const { demand, authenticators: usable } = ownPolicy.signOn
  if (wish === undefined) return demand
  const own = usable.flatMap((key) => (enrolled.has(key) ? (authenticators.get(key)?.factors ?? []) : []))
  const proven = factorsOf(evidenceIn(progress, situation))
  return withWish(demand, wish, new Set([...own, ...proven]).size > 1)
}

/** The authenticators whose credential a recovery replaces. */
export function replaceable({ authenticators }: Situation): readonly KnownAuthenticator[] {
  const known =
    replaceableOf.get(authenticators) ??
    [...authenticators.values()].filter(({ reset }) => reset !== undefined)
  replaceableOf.set(authenticators, known)
  return known
}

/** By the map, which is made once an engine: every step asks several times. */
const replaceableOf = new WeakMap<Situation['authenticators'], readonly KnownAuthenticator[]>()

/**
 * What the proofs of a transaction are evidence of. A credential that was replaced in this transaction is what a policy
 * may ask for by name, but no factor besides what started the recovery: access to the mailbox is enough to set a password
 * (A54). It counts where something that cannot start a recovery was proven, too, or where nothing else counts: after a
 * token that an administrator made the new password is the one factor there is.
 */
export function evidenceIn(progress: Progress, situation: Situation): readonly Evidence[] {
  const { authenticators, ownPolicy } = situation
  const { replaced } = progress
  // What the policy does not allow is no way to sign in, even where every name was offered it before the proof (A68).
  // Nor is what was enrolled here for recoveries alone (`allowedFor`).
  const isAllowed = ({ authenticator }: Evidence) =>
    ownPolicy.signOn.notAllowed?.includes(authenticator) !== true &&
    (progress.enrolled?.includes(authenticator) !== true || ownPolicy.signOn.active.includes(authenticator))
  const proofs = progress.proofs.filter((one) => isAllowed(one) && isInUse(one, situation))
  const isSignIn = progress.intent === 'sign-in' && replaced.length === 0
  const remembered = isSignIn
    ? (situation.remembered ?? []).filter((one) => isAllowed(one) && isInUse(one, situation))
    : []
  const counting = proofs.filter(({ factors }) => factors.length > 0)
  const isIndependent =
    counting.length === 0 ||
    counting.some(
      ({ authenticator }) =>
        authenticators.get(authenticator)?.recovers === false &&
        !ownPolicy.recovery.authenticators.includes(authenticator) &&
        !replaced.includes(authenticator),
    )
  const proven = proofs.map((proof) => ({
    ...proof,
    counts:
      proof.setBy === undefined ||
      ![...proofs, ...remembered].some(({ authenticator }) => authenticator === proof.setBy),
  }))
  const chosen = replaced.flatMap((key) => {
    const authenticator = authenticators.get(key)
    if (authenticator === undefined || proofs.some((proof) => proof.authenticator === key)) return []
    const { type, factors, traits, methods } = authenticator
    return [{ authenticator: key, type, method: methods[0].type, factors, traits, counts: isIndependent }]
  })
  return [...proven, ...remembered, ...chosen]
}

/**
 * Whether evidence is by a method that is in use now. What was proven in this transaction was asked for by it; what was proven earlier, by
 * an authenticator or a method that has been switched off since, counts no more (A74, A78).
 */
export const isInUse = (one: Evidence, { ownPolicy }: Pick<Situation, 'ownPolicy'>): boolean =>
  isOfNow(one) ||
  (ownPolicy.signOn.active.includes(one.authenticator) &&
    ownPolicy.methodsOff[one.authenticator]?.includes(one.method) !== true)

/** Whether what the policy and the app demand is met. */
export const isAssured = (progress: Progress, situation: Situation): boolean =>
  isSatisfied(demandOf(progress, situation), evidenceIn(progress, situation), momentOf(progress, situation))

/** Whether proving one more authenticator, by any of its methods, brings the transaction closer to what is demanded. */
export function wouldHelp(progress: Progress, situation: Situation, key: string): boolean {
  const authenticator = situation.authenticators.get(key)
  if (authenticator === undefined) return false
  const demand = demandOf(progress, situation)
  const now = momentOf(progress, situation)
  const before = evidenceIn(progress, situation)
  return authenticator.methods.some(({ type }) => {
    const proof = { ...evidenceOf(authenticator, type), at: now }
    const after = evidenceIn({ ...progress, proofs: [...progress.proofs, proof] }, situation)
    return helps(demand, before, after, now)
  })
}
