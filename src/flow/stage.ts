import {
  type AuthenticatorFacts,
  evidenceOf,
  freshIn,
  helps,
  isSatisfied,
  type Method,
  nothingDemanded,
  type PolicyEnrollment,
  withWish,
} from '../policies/index.ts'
import { type Denial, intents } from './intents.ts'
import type { Progress } from './progress.ts'
import {
  demandOf,
  evidenceIn,
  type KnownAuthenticator,
  momentOf,
  policyOf,
  provingFirst,
  type Situation,
} from './situation.ts'

/** What is asked next. */
export const stages = [
  'identify',
  'identify-recovery',
  'identify-unlock',
  'enroll-profile',
  /** A link that has expired: another mail may be asked for. */
  'request-activation',
  'select',
  'verify-data',
  'verify',
  'reset',
  'select-enroll',
  'enroll-data',
  'enroll',
  'reenroll',
  'reenroll-warning',
  'enroll-profile-update',
  /** The end of a recovery that signs no user in. */
  'recovered',
  /** The end of an unlock. */
  'unlocked',
  'granted',
  'closed',
] as const
export type Stage = (typeof stages)[number]

/**
 * Whether nothing is asked any more: the transaction was closed, or its policy has changed since its last step and asks
 * for no more.
 */
export const isEnd = (stage: Stage): boolean => ['recovered', 'unlocked', 'granted', 'closed'].includes(stage)

/** Whether an enrolment is asked for, or under way: only then something is there to be chosen for it, or declined. */
export const isEnrolling = (stage: Stage): boolean =>
  ['select-enroll', 'enroll-data', 'enroll'].includes(stage)

/** Whether it is asked how to prove something, or the answer to that is open: only then something is there to choose from. */
const isProving = (stage: Stage): boolean =>
  ['identify-unlock', 'select', 'verify-data', 'verify'].includes(stage)

/** What comes next, or why nothing does. */
type Decision =
  | { readonly stage: Stage; readonly denied?: undefined }
  | { readonly stage: 'closed'; readonly denied: Denial }

/** The only place that decides what comes next, access included; a step never names the next step. */
export function decide(progress: Progress, situation: Situation): Decision {
  const intent = intents[progress.intent]
  if (progress.closed !== undefined) return { stage: 'closed' }
  if (progress.lapsed) return { stage: 'request-activation' }
  if (progress.subject === undefined) return { stage: intent.firstStage }
  if (progress.challenge !== undefined) return { stage: stageOfChallenge(progress.challenge) }
  if (progress.proofs.length === 0 && intent.enrolsFirst) return { stage: 'select-enroll' }
  if (progress.proofs.length === 0) return { stage: selecting(progress, situation) }

  // Something has been proven: from here on the user's own status, app and policy count, and refuse.
  const denied = situation.assigned === undefined ? undefined : intent.deniedBy(progress, situation)
  if (denied !== undefined) return { stage: 'closed', denied }
  // What the account lacks comes before any other proof: clients have no page for one in an activation.
  if (intent.activates && isSomethingToSet(progress, situation)) return { stage: 'select-enroll' }
  if (intent.unlocks) {
    if (intent.isProven(progress, situation)) return { stage: 'unlocked' }
    return choicesOf(progress, situation).length > 0
      ? { stage: 'select' }
      : { stage: 'closed', denied: intent.unprovable }
  }
  const replaces = intent.replaces?.(situation)
  const isReplaced = replaces === undefined || progress.replaced.includes(replaces)
  if (!isReplaced) {
    if (intent.isProven(progress, situation)) return { stage: 'reset' }
    return choicesOf(progress, situation).length > 0
      ? { stage: selecting(progress, situation) }
      : { stage: 'closed', denied: intent.unprovable }
  }
  if (!intent.signsIn(situation)) return { stage: 'recovered' }
  if (!isAssured(progress, situation)) return more(progress, situation)
  if (progress.expired?.some((key) => !progress.replaced.includes(key))) return { stage: 'reenroll' }
  // No page of a recovery enrols: what is due is asked for at the next sign-in. What may be put off ends none.
  if (!intent.enrols) return { stage: isAnythingDue(progress, situation) ? 'recovered' : 'granted' }
  if (provenBefore(progress, situation).length > 0) return { stage: selecting(progress, situation) }
  if (enrollmentsAsked(progress, situation).length > 0) return { stage: 'select-enroll' }
  const { expiring } = progress
  if (intent.warns && expiring !== undefined && !progress.replaced.includes(expiring.authenticator)) {
    return { stage: 'reenroll-warning' }
  }
  if (asksForProfile(progress, situation)) return { stage: 'enroll-profile-update' }
  return { stage: 'granted' }
}

export const stageOf = (progress: Progress, situation: Situation): Stage => decide(progress, situation).stage

const stageOfChallenge = ({ purpose, pending }: NonNullable<Progress['challenge']>): Stage =>
  purpose === 'verify' ? (pending ? 'verify-data' : 'verify') : pending ? 'enroll-data' : 'enroll'

/** The selection, or in place of one with a single option the form that it would lead to. */
function selecting(progress: Progress, situation: Situation): Stage {
  const [only = '', ...others] = choicesOf(progress, situation)
  return others.length === 0 && situation.asksFirst?.has(only) ? 'verify-data' : 'select'
}

/**
 * Where the app's demand is not met yet: another proof, an enrolment that would be one, or the end. Before the enrolment one of the user's
 * own factors is proven, which is among the choices although it meets nothing of the demand (A69).
 */
function more(progress: Progress, situation: Situation): Decision {
  const intent = intents[progress.intent]
  if (intent.activates && enrollmentsAsked(progress, situation).length > 0) return { stage: 'select-enroll' }
  if (choicesOf(progress, situation).length > 0) return { stage: selecting(progress, situation) }
  if (intent.enrols && enrollmentsAsked(progress, situation).length > 0) return { stage: 'select-enroll' }
  // What was done stays done: the new password is good, and this app asks for more than the mailbox.
  if (intent.replaces !== undefined) return { stage: 'recovered' }
  return { stage: 'closed', denied: intent.unprovable }
}

/** What there is to choose from, to enrol, and to decline at a stage: nothing of it is computed where it is not asked for. */
export function offeredAt(stage: Stage, progress: Progress, situation: Situation) {
  const isEnrolment = isEnrolling(stage)
  const { keys, opensEnrolment }: Choosing = isProving(stage) ? choosing(progress, situation) : { keys: [] }
  return {
    choices: keys,
    /** The ids of the enrollments by which they may be proven; absent: all of the user's. */
    ...(opensEnrolment && { provenBy: provingFirst(progress, situation).map(({ id }) => id) }),
    enrollable: isEnrolment ? enrollmentsAsked(progress, situation).map(({ key }) => key) : [],
    skippable: isEnrolment && maySkip(progress, situation),
    gracePeriods: isEnrolment ? gracePeriods(progress, situation) : {},
  }
}
/** Whether attributes are still to be filled in: behind all factors, so that nothing of a profile shows before. */
const asksForProfile = ({ intent, profileCompleted }: Progress, { missing = [] }: Situation): boolean =>
  intents[intent].completes !== undefined && !profileCompleted && missing.length > 0

const isAssured = (progress: Progress, situation: Situation): boolean =>
  isSatisfied(demandOf(progress, situation), evidenceIn(progress, situation), momentOf(progress, situation))

/** Which authenticators the visitor may choose from, in the order in which they are offered. */
export const choicesOf = (progress: Progress, situation: Situation): readonly string[] =>
  choosing(progress, situation).keys

/** What may be chosen, and whether it is asked for to open an enrolment: then not every enrollment of it does (A76). */
interface Choosing {
  readonly keys: readonly string[]
  readonly opensEnrolment?: true
}

function choosing(progress: Progress, situation: Situation): Choosing {
  if (intents[progress.intent].enrolsFirst) return { keys: [] }
  const policy = policyOf(progress, situation)
  const isGoal = isGoalAhead(progress, situation)
  const methods = isGoal
    ? intents[progress.intent].methods(progress, situation, policy)
    : policy.signOn.authenticators
  const proven = provenStill(progress, situation, isGoal)
  const usable = methods.filter(
    (key) => !progress.replaced.includes(key) && usableMethods(key, progress, situation),
  )
  const left = usable.filter((key) => !proven.includes(key))
  if (progress.proofs.length === 0) {
    // What a rule names to begin a recovery by is asked of every name alike, whatever it may begin elsewhere.
    if (isGoal) return { keys: left }
    const first = left.filter((key) => situation.authenticators.get(key)?.first)
    return { keys: wished(first, progress, situation) }
  }
  const owned = left.filter((key) => situation.enrolled.has(key))
  // In a recovery every proof counts as one more; what the app asks for is asked for after it.
  if (isGoal) return { keys: owned }
  const first = intents[progress.intent].enrols ? provenBefore(progress, situation) : []
  // Also what was proven already, by an enrollment that opens nothing: of two passkeys the older one is still to be proven.
  const before: Choosing = { keys: usable.filter((key) => first.includes(key)), opensEnrolment: true }
  const helping = owned.filter((key) => wouldHelp(progress, situation, key))
  if (progress.intent === 'enrolment' || isAssured(progress, situation)) {
    return first.length > 0 ? before : { keys: helping }
  }
  // What the app demands comes first. Where only an enrolment can meet it, a factor of the user's own opens that (A69).
  return helping.length > 0 ? { keys: helping } : before
}

/** Whether a credential is still to be replaced, or an account to be unlocked: the policy of that says what is asked. */
function isGoalAhead(progress: Progress, situation: Situation): boolean {
  const intent = intents[progress.intent]
  const replaces = intent.replaces?.(situation)
  return intent.unlocks === true || (replaces !== undefined && !progress.replaced.includes(replaces))
}

const usableMethods = (key: string, progress: Progress, situation: Situation): boolean => {
  const authenticator = situation.authenticators.get(key)
  return authenticator !== undefined && methodsOf(authenticator, progress, situation).length > 0
}

/**
 * The methods of an authenticator that may be used now: without those that an administrator has switched off and, in a
 * recovery or an unlock, without those that the rule does not name.
 */
export function methodsOf(
  { key, methods }: Pick<AuthenticatorFacts, 'key' | 'methods'>,
  progress: Progress,
  situation: Situation,
): readonly Method[] {
  const policy = policyOf(progress, situation)
  const off = policy.methodsOff[key] ?? []
  const named = isGoalAhead(progress, situation)
    ? intents[progress.intent].methodsNamed?.(progress, policy)?.[key]
    : undefined
  return methods.filter(({ type }) => !off.includes(type) && (named === undefined || named.includes(type)))
}

/**
 * What an app wishes narrows the choice for every name alike: before a proof nothing else of the demand may show (A53). Where nothing that
 * may be asked first helps, the choice stays as it is.
 */
function wished(keys: readonly string[], { intent }: Progress, { wish, authenticators }: Situation) {
  if (wish === undefined || intent !== 'sign-in') return keys
  const demand = withWish(nothingDemanded, wish, true)
  const helping = keys.filter((key) => {
    const authenticator = authenticators.get(key)
    return authenticator?.methods.some(({ type }) => helps(demand, [], [evidenceOf(authenticator, type)]))
  })
  return helping.length > 0 ? helping : keys
}

/** What need not be proven again: a proof that has become too old for the policy must be. */
function provenStill(progress: Progress, situation: Situation, isGoal: boolean): readonly string[] {
  const { proofs } = progress
  const demand = demandOf(progress, situation)
  // In a recovery a proof is as old as the transaction at most.
  const fresh = isGoal ? proofs : freshIn(demand, proofs, momentOf(progress, situation))
  return fresh.map(({ authenticator }) => authenticator)
}

/**
 * The authenticators of which one is to be proven before what is open may be enrolled: the user's own, those from before a
 * recovery, that the policy lets a sign-in use (A69, A76). Asked for where something must be enrolled, by the policy or to meet
 * what the app demands, or where the user is here to do so. What is optional is not offered until one is proven, and costs the user no further step.
 */
function provenBefore(progress: Progress, situation: Situation): readonly string[] {
  const { authenticators } = situation.ownPolicy.signOn
  const isAsked =
    progress.intent === 'enrolment'
      ? !progress.skipped && openFor(progress, situation).length > 0
      : isAssured(progress, situation)
        ? isSomethingDue(progress, situation)
        : isEnrolmentOfHelp(progress, situation)
  if (!isAsked) return []
  const usable = provingFirst(progress, situation).filter(
    ({ authenticator: key }) =>
      authenticators.includes(key) &&
      situation.authenticators.get(key)?.challenge !== undefined &&
      usableMethods(key, progress, situation),
  )
  return [...new Set(usable.map(({ authenticator }) => authenticator))]
}

/**
 * Whether something must be enrolled now. What may be put off until a date forces no proof, and is not offered without one; what may be put
 * off a number of times does, as nothing would ever count down for a user who is not asked.
 */
function isSomethingDue(progress: Progress, situation: Situation): boolean {
  const open = openFor(progress, situation)
  return openEnrollments(progress, situation).some(
    (one) =>
      one.required &&
      open.some(({ key }) => key === one.key) &&
      puttingOff(one, progress, situation)?.type !== 'BY_DATE_TIME',
  )
}

/** Whether something is open to be enrolled, and what the policy names brings the transaction closer to what the app demands. */
const isEnrolmentOfHelp = (progress: Progress, situation: Situation): boolean =>
  openFor(progress, situation).length > 0 &&
  openEnrollments(progress, situation).some(({ key }) => wouldHelpEnrolled(progress, situation, key))

const isRequired = (wanted: string, { ownPolicy }: Situation): boolean =>
  ownPolicy.enrollment.some(({ key, required }) => required && key === wanted)

/** Whether proving one more authenticator, by any of its methods, brings the transaction closer to what is demanded. */
function wouldHelp(progress: Progress, situation: Situation, key: string): boolean {
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

/** The same of one that is enrolled in this transaction. */
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
  // After a recovery only what a policy requires may be enrolled by a user without an older factor, for a day (A76).
  return situation.owner?.isRecovered && isAssured(progress, situation)
    ? open.filter(({ key, reset }) => reset !== undefined || isRequired(key, situation))
    : open
}

/** The same, whatever must be proven first. */
function openFor(progress: Progress, situation: Situation): readonly KnownAuthenticator[] {
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
const isSomethingToSet = (progress: Progress, situation: Situation): boolean =>
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

const isAnythingDue = (progress: Progress, situation: Situation): boolean =>
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
 * What the policy names and the user neither has nor has enrolled a moment ago, and can be enrolled. Where its rule asks at a challenge
 * only, nothing is open in a sign-in that needs one factor and has it.
 */
function openEnrollments(progress: Progress, situation: Situation): readonly PolicyEnrollment[] {
  if (intents[progress.intent].activates) return toComplete(progress, situation)
  const { enrolled, authenticators } = situation
  const isChallenged = demandOf(progress, situation).factors > 1 || !isAssured(progress, situation)
  const { enrolsFirst = false } = intents[progress.intent]
  return (enrolsFirst ? ofNewUsers(situation) : situation.ownPolicy.enrollment).filter(
    ({ key, atChallenge }) =>
      (atChallenge !== true || isChallenged) &&
      isEnrollable(authenticators.get(key), enrolsFirst) &&
      (isRenewed(key, progress, situation) || (!enrolled.has(key) && !isProven(key, progress))),
  )
}

/**
 * What an account lacks that is not active yet: what the enrolment policy names, and the first password, which is required unless the
 * policy calls it optional or forbids it. One that is there already is asked for all the same: the user who set it never completed the account
 * (A63). While too little is proven to sign in and nothing more is required, the mailbox can be proven as well, as an enrolment:
 * so an account without a password can be completed.
 */
function toComplete(progress: Progress, situation: Situation): readonly PolicyEnrollment[] {
  const { ownPolicy, enrolled, authenticators } = situation
  const { enrollment, signOn } = ownPolicy
  const isPassword = (key: string) => authenticators.get(key)?.reset !== undefined
  const isChallenged = demandOf(progress, situation).factors > 1 || !isAssured(progress, situation)
  const unnamed = [...authenticators.values()].flatMap(({ key, reset, implicit }): PolicyEnrollment[] =>
    enrollment.some((one) => one.key === key) || signOn.notAllowed?.includes(key)
      ? []
      : reset !== undefined
        ? [{ key, required: true }]
        : implicit && signOn.authenticators.includes(key)
          ? [{ key, required: false }]
          : [],
  )
  const all = [...unnamed, ...enrollment].flatMap((one): PolicyEnrollment[] => {
    const { key, atChallenge } = one
    const isProven = progress.proofs.some(({ authenticator }) => authenticator === key)
    if (isProven || authenticators.get(key)?.enroll === undefined) return []
    if (isPassword(key)) return [{ ...one, required: one.required || enrolled.has(key) }]
    return atChallenge === true && !isChallenged ? [] : [one]
  })
  const missing = all.filter(({ key }) => isPassword(key) || !enrolled.has(key))
  const needsProof = !isAssured(progress, situation) && !missing.some(({ required }) => required)
  return needsProof
    ? all.filter((one) => missing.includes(one) || authenticators.get(one.key)?.implicit)
    : missing
}

/**
 * What a new user is asked for: the mailbox where the app's sign-up verifies it, whatever the enrolment policy says of it;
 * a password where that policy says nothing of one; and what it names.
 */
function ofNewUsers({ ownPolicy, authenticators, registration }: Situation): readonly PolicyEnrollment[] {
  const { enrollment, signOn } = ownPolicy
  const all = [...authenticators.values()]
  const isVerified = registration?.emailVerification !== false
  const mailbox = isVerified ? all.filter(({ implicit, enroll }) => implicit && enroll !== undefined) : []
  const passwords = all.filter(
    ({ key, reset }) =>
      reset !== undefined &&
      !enrollment.some((one) => one.key === key) &&
      signOn.notAllowed?.includes(key) !== true,
  )
  const isMailbox = (wanted: string) => mailbox.some(({ key }) => key === wanted)
  return [
    ...[...mailbox, ...passwords].map(({ key }) => ({ key, required: true })),
    ...enrollment.filter(({ key }) => !isMailbox(key)),
  ]
}

/**
 * Whether the user is to enrol anew what a use has used up, in this transaction or an earlier one. Where nothing is enrolled, in a recovery,
 * it waits for the next sign-in.
 */
function isRenewed(key: string, progress: Progress, { authenticators, renewing }: Situation): boolean {
  if (!intents[progress.intent].enrols || progress.enrolled?.includes(key)) return false
  if (authenticators.get(key)?.enroll?.isRenewedAfterUse !== true) return false
  return renewing?.has(key) === true || progress.proofs.some(({ authenticator }) => authenticator === key)
}
