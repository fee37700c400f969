import type { PolicyEnrollment } from '../policies/index.ts'
import { intents } from './intents.ts'
import type { Progress } from './progress.ts'
import {
  demandOf,
  isAssured,
  type KnownAuthenticator,
  momentOf,
  openingProofs,
  provingFirst,
  type Situation,
  wouldHelp,
} from './situation.ts'

/** The same as `wouldHelp` of one that is enrolled in this transaction. */
const wouldHelpEnrolled = (progress: Progress, situation: Situation, key: string): boolean =>
  wouldHelp({ ...progress, enrolled: [...(progress.enrolled ?? []), key] }, situation, key)

/**
 * The authenticators that the user is asked to enrol now: by the policy, what is required first, and nothing of it may be
 * declined where one of them is due; what may be put off for a while follows, and then what is optional; or by the app, of
 * an enrolment. None while one of the user's own factors is to be proven first (A69, A76).
 */
export function enrollmentsAsked(progress: Progress, situation: Situation): readonly KnownAuthenticator[] {
  const open = openFor(progress, situation)
  // A first password replaces none, and its token is from an administrator: no older factor stands before it.
  if (provingFirst(progress, situation).length > 0) return open.filter(({ reset }) => reset !== undefined)
  // Nor while all that was proven was proven too long ago, by the session of the browser (A74).
  if (progress.proofs.length > 0 && openingProofs(progress, situation).length === 0) return []
  // After a recovery only what a policy requires may be enrolled by a user without an older factor, for a day (A76).
  return situation.owner?.isRecovered && isAssured(progress, situation)
    ? open.filter(({ key, reset }) => reset !== undefined || isRequired(key, situation))
    : open
}

/**
 * What of that may be chosen now. Where a sign-up verifies the mailbox nothing else is enrolled before it: the first proof makes the user,
 * and shows whether the address is taken (A63, A64).
 */
export function enrollableNow(progress: Progress, situation: Situation): readonly KnownAuthenticator[] {
  const asked = enrollmentsAsked(progress, situation)
  const isUnproven = intents[progress.intent].enrolsFirst === true && progress.proofs.length === 0
  return isUnproven && situation.registration?.emailVerification !== false
    ? asked.filter(({ implicit }) => implicit)
    : asked
}

/** What the user is asked to enrol, whatever must be proven first. */
export function openFor(progress: Progress, situation: Situation): readonly KnownAuthenticator[] {
  const { enrolsFirst } = intents[progress.intent]
  if (progress.proofs.length === 0 && !enrolsFirst) return []
  if (progress.wanted !== undefined) {
    // What the app asks for is no way around what is due (A68).
    const due = openEnrollments(progress, situation).filter((one) => isDue(one, progress, situation))
    return due.length > 0 ? known(due, situation) : wantedIn(progress, situation, progress.wanted)
  }
  const open = openEnrollments(progress, situation)
  const required = open.filter((one) => one.required)
  if (isAnythingDue(progress, situation)) return known(required, situation)
  const optional = open.filter((one) => !one.required)
  // What the app demands can only be met by enrolling something: what would not help is not offered.
  if (!isAssured(progress, situation)) {
    const helping = known(open, situation).filter(({ key }) => wouldHelpEnrolled(progress, situation, key))
    return helping.length > 0 || !enrolsFirst ? helping : ofEveryAccount(progress, situation)
  }
  if (progress.skipped) return []
  if (required.length > 0) return known(required, situation)
  return known(
    isAskedForMore(progress, situation)
      ? optional
      : optional.filter(({ key }) => isRenewed(key, progress, situation)),
    situation,
  )
}

/** What a user who is not there yet has to prove where the policies name nothing else: the mailbox. */
const ofEveryAccount = (progress: Progress, situation: Situation): readonly KnownAuthenticator[] =>
  [...situation.authenticators.values()].filter(
    ({ key, implicit, enroll }) =>
      implicit &&
      enroll !== undefined &&
      !isProven(key, progress) &&
      wouldHelpEnrolled(progress, situation, key),
  )

const isProven = (key: string, { proofs }: Progress): boolean =>
  proofs.some(({ authenticator }) => authenticator === key)

/** Whether a user is asked for what is optional: at the first sign-in, and after something was enrolled. */
const isAskedForMore = ({ enrolled = [] }: Progress, { person }: Situation): boolean =>
  enrolled.length > 0 || (person?.lastLoginAt ?? null) === null

const known = (
  enrollments: readonly PolicyEnrollment[],
  { authenticators }: Situation,
): readonly KnownAuthenticator[] => enrollments.flatMap(({ key }) => authenticators.get(key) ?? [])

/** What a signed-in user may add of what the app has asked for: what the enrolment policy names, each once. */
function wantedIn(
  progress: Progress,
  situation: Situation,
  wanted: readonly string[],
): readonly KnownAuthenticator[] {
  const { skipped, enrolled = [] } = progress
  if (skipped) return []
  return wanted.flatMap((key) => {
    const authenticator = situation.authenticators.get(key)
    const isAllowed = situation.ownPolicy.enrollment.some((one) => one.key === key)
    const isFree =
      !situation.enrolled.has(key) ||
      authenticator?.enroll?.several === true ||
      isRenewed(key, progress, situation)
    return isAllowed && isFree && !enrolled.includes(key) && isEnrollable(authenticator, false)
      ? [authenticator]
      : []
  })
}

/** Whether something that must be enrolled can be chosen now. */
export const isSomethingToSet = (progress: Progress, situation: Situation): boolean =>
  isAnythingDue(progress, situation) && enrollmentsAsked(progress, situation).length > 0

/** A password is enrolled by an activation (`toComplete`) or a registration alone: elsewhere it has steps of its own. */
const isEnrollable = (
  authenticator: KnownAuthenticator | undefined,
  enrolsFirst: boolean,
): authenticator is KnownAuthenticator =>
  authenticator?.enroll !== undefined && (authenticator.reset === undefined || enrolsFirst)

/** Whether what is asked to be enrolled may be declined: nothing of it is due, and nothing demands it (A68). */
export const maySkip = (progress: Progress, situation: Situation): boolean =>
  isAssured(progress, situation) && !isAnythingDue(progress, situation)

/** How long a required enrolment may still be put off: until a moment, or how often. Undefined: no longer. */
export type PuttingOff =
  | { readonly type: 'BY_DATE_TIME'; readonly expiry: number }
  | { readonly type: 'BY_SKIP_COUNT'; readonly remainingSkips: number; readonly skipCount: number }

function puttingOff(
  { key, gracePeriod }: PolicyEnrollment,
  progress: Progress,
  situation: Situation,
): PuttingOff | undefined {
  if (gracePeriod === undefined) return undefined
  if (gracePeriod.type === 'BY_DATE_TIME') {
    return momentOf(progress, situation) < gracePeriod.expiry ? gracePeriod : undefined
  }
  const { skipCount } = gracePeriod
  const remainingSkips = skipCount - (situation.skips?.[key] ?? 0)
  return remainingSkips > 0 ? { type: 'BY_SKIP_COUNT', remainingSkips, skipCount } : undefined
}

/** Whether what a policy names must be enrolled now. */
const isDue = (one: PolicyEnrollment, progress: Progress, situation: Situation): boolean =>
  one.required && puttingOff(one, progress, situation) === undefined

export const isAnythingDue = (progress: Progress, situation: Situation): boolean =>
  openEnrollments(progress, situation).some((one) => isDue(one, progress, situation))

/** What of the enrolments that are asked for now is required and may be put off, by authenticator. */
export const gracePeriods = (
  progress: Progress,
  situation: Situation,
): Readonly<Record<string, PuttingOff>> => {
  const asked = enrollmentsAsked(progress, situation)
  return Object.fromEntries(
    openEnrollments(progress, situation).flatMap((one) => {
      const period = puttingOff(one, progress, situation)
      return period !== undefined && asked.some(({ key }) => key === one.key) ? [[one.key, period]] : []
    }),
  )
}

/**
 * What is named and the user neither has nor has enrolled a moment ago, and can be enrolled. Where the policy's rule asks at a challenge
 * only, nothing is open in a sign-in that needs one factor and has it.
 */
function openEnrollments(progress: Progress, situation: Situation): readonly PolicyEnrollment[] {
  const { enrolled, authenticators } = situation
  const { activates, enrolsFirst = false } = intents[progress.intent]
  const isChallenged = demandOf(progress, situation).factors > 1 || !isAssured(progress, situation)
  const asked = named(progress, situation).filter(({ key, atChallenge }) => {
    // The first password comes with the account: a rule for sign-ins (`CHALLENGE`) does not put it off.
    const isFirst = (activates === true || enrolsFirst) && isPassword(key, situation)
    const isAsked = atChallenge !== true || isChallenged || isFirst
    return isAsked && isEnrollable(authenticators.get(key), activates === true || enrolsFirst)
  })
  if (activates) return toComplete(asked, progress, situation)
  return asked.filter(
    ({ key }) => isRenewed(key, progress, situation) || (!enrolled.has(key) && !isProven(key, progress)),
  )
}

/**
 * What the enrolment policy names; of an account that is not active yet also the first password, where that policy neither names nor
 * forbids one, and the mailbox: in a registration required where the app's sign-up verifies it, whatever the policy says of it, in
 * an activation as one more way to sign in.
 */
function named(progress: Progress, situation: Situation): readonly PolicyEnrollment[] {
  const { ownPolicy, authenticators, registration } = situation
  const { enrollment, signOn } = ownPolicy
  const { activates, enrolsFirst } = intents[progress.intent]
  if (!activates && !enrolsFirst) return enrollment
  const all = [...authenticators.values()]
  const isUnnamed = ({ key }: KnownAuthenticator) =>
    !enrollment.some((one) => one.key === key) && signOn.notAllowed?.includes(key) !== true
  const asked = (found: readonly KnownAuthenticator[], required: boolean) =>
    found.map(({ key }) => ({ key, required }))
  const passwords = asked(
    all.filter((one) => one.reset !== undefined && isUnnamed(one)),
    true,
  )
  if (activates) {
    const mailbox = all.filter(
      (one) => one.implicit && isUnnamed(one) && signOn.authenticators.includes(one.key),
    )
    return [...passwords, ...asked(mailbox, false), ...enrollment]
  }
  const isVerified = registration?.emailVerification !== false
  const mailbox = asked(isVerified ? all.filter(({ implicit, enroll }) => implicit && enroll) : [], true)
  return [
    ...mailbox,
    ...passwords,
    ...enrollment.filter(({ key }) => !mailbox.some((one) => one.key === key)),
  ]
}

/**
 * What of that an activation still asks for. A password that is there already is asked for all the same, whatever the policy calls it:
 * the user who set it never completed the account (A63). While too little is proven to sign in and nothing more is required, the
 * mailbox can be proven as well, as an enrolment: so an account without a password can be completed.
 */
function toComplete(
  asked: readonly PolicyEnrollment[],
  progress: Progress,
  situation: Situation,
): readonly PolicyEnrollment[] {
  const { enrolled, authenticators } = situation
  const all = asked
    .filter(({ key }) => !isProven(key, progress))
    .map((one) =>
      isPassword(one.key, situation) ? { ...one, required: one.required || enrolled.has(one.key) } : one,
    )
  const missing = all.filter(({ key }) => isPassword(key, situation) || !enrolled.has(key))
  const needsProof = !isAssured(progress, situation) && !missing.some(({ required }) => required)
  return needsProof
    ? all.filter((one) => missing.includes(one) || authenticators.get(one.key)?.implicit)
    : missing
}

const isPassword = (key: string, { authenticators }: Situation): boolean =>
  authenticators.get(key)?.reset !== undefined

/**
 * Whether the user is to enrol anew what a use has used up, in this transaction or an earlier one. Where nothing is enrolled, in a recovery,
 * it waits for the next sign-in.
 */
function isRenewed(key: string, progress: Progress, { authenticators, renewing }: Situation): boolean {
  if (!intents[progress.intent].enrols || progress.enrolled?.includes(key)) return false
  if (authenticators.get(key)?.enroll?.isRenewedAfterUse !== true) return false
  // What a browser's session carries is used up no more by that.
  return (
    renewing?.has(key) === true ||
    progress.proofs.some(({ authenticator, carried }) => authenticator === key && carried !== true)
  )
}

/**
 * Whether something must be enrolled now. What may be put off until a date forces no proof, and is not offered without one; what may be put
 * off a number of times does, as nothing would ever count down for a user who is not asked.
 */
export function isSomethingDue(progress: Progress, situation: Situation): boolean {
  const open = openFor(progress, situation)
  return openEnrollments(progress, situation).some(
    (one) =>
      one.required &&
      open.some(({ key }) => key === one.key) &&
      puttingOff(one, progress, situation)?.type !== 'BY_DATE_TIME',
  )
}

/** Whether something is open to be enrolled, and what the policy names brings the transaction closer to what the app demands. */
export const isEnrolmentOfHelp = (progress: Progress, situation: Situation): boolean =>
  openFor(progress, situation).length > 0 &&
  openEnrollments(progress, situation).some(({ key }) => wouldHelpEnrolled(progress, situation, key))

const isRequired = (wanted: string, { ownPolicy }: Situation): boolean =>
  ownPolicy.enrollment.some(({ key, required }) => required && key === wanted)
