import {
  type AuthenticatorFacts,
  evidenceOf,
  freshIn,
  helps,
  type Method,
  nothingDemanded,
  withWish,
} from '../policies/index.ts'
import {
  enrollableNow,
  enrollmentsAsked,
  gracePeriods,
  isAnythingDue,
  isEnrolmentOfHelp,
  isSomethingDue,
  isSomethingToSet,
  maySkip,
  openFor,
} from './enrolling.ts'
import { type Denial, intents, unmetWish } from './intents.ts'
import type { Progress } from './progress.ts'
import {
  demandOf,
  isAssured,
  isInUse,
  momentOf,
  openingProofs,
  policyOf,
  provingFirst,
  type Situation,
  wouldHelp,
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
  /** What the app wants of the user that the user has not allowed before. */
  'consent',
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
  if (!intent.enrols) return { stage: isAnythingDue(progress, situation) ? 'recovered' : granted(situation) }
  if (provenBefore(progress, situation).length > 0) return { stage: selecting(progress, situation) }
  if (enrollmentsAsked(progress, situation).length > 0) return { stage: 'select-enroll' }
  const { expiring } = progress
  if (intent.warns && expiring !== undefined && !progress.replaced.includes(expiring.authenticator)) {
    return { stage: 'reenroll-warning' }
  }
  if (asksForProfile(progress, situation)) return { stage: 'enroll-profile-update' }
  return { stage: granted(situation) }
}

/** The end of a sign-in: behind everything else, since only then it is certain who agrees. */
const granted = ({ consent }: Situation): Stage => (consent === undefined ? 'granted' : 'consent')

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
  return { stage: 'closed', denied: isOfWish(progress, situation) ? unmetWish : intent.unprovable }
}

/** Whether only the app's wish stands in the way, in a browser that goes back to the app: that is for the app to know. */
function isOfWish(progress: Progress, { wish, returnsToApp, ...others }: Situation): boolean {
  return returnsToApp === true && wish !== undefined && decide(progress, others).denied === undefined
}

/** What there is to choose from, to enrol, and to decline at a stage: nothing of it is computed where it is not asked for. */
export function offeredAt(stage: Stage, progress: Progress, situation: Situation) {
  const isEnrolment = isEnrolling(stage)
  const { keys, opensEnrolment }: Choosing = isProving(stage) ? choosing(progress, situation) : { keys: [] }
  return {
    choices: keys,
    /** The ids of the enrollments by which they may be proven; absent: all of the user's. */
    ...(opensEnrolment && { provenBy: provingFirst(progress, situation).map(({ id }) => id) }),
    enrollable: isEnrolment ? enrollableNow(progress, situation).map(({ key }) => key) : [],
    skippable: isEnrolment && maySkip(progress, situation),
    gracePeriods: isEnrolment ? gracePeriods(progress, situation) : {},
  }
}
/** Whether attributes are still to be filled in: behind all factors, so that nothing of a profile shows before. */
const asksForProfile = ({ intent, profileCompleted }: Progress, { missing = [] }: Situation): boolean =>
  intents[intent].completes !== undefined && !profileCompleted && missing.length > 0

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
  const before: Choosing = {
    keys: usable.filter((key) => first.includes(key)),
    // What is only proven anew is proven by whichever enrollment it was.
    ...(provingFirst(progress, situation).length > 0 && { opensEnrolment: true as const }),
  }
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
  const proofs = progress.proofs.filter((one) => isInUse(one, situation))
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
  if (usable.length > 0) return [...new Set(usable.map(({ authenticator }) => authenticator))]
  return provenAnew(progress, situation)
}

/**
 * What is proven once more before an enrolment, where the browser's session alone has proven it, too long ago: none, once anything was
 * proven in this transaction. Without it a thief at an open browser would add a factor to an account that has none (A69, A74).
 */
function provenAnew(progress: Progress, situation: Situation): readonly string[] {
  if (openingProofs(progress, situation).length > 0) return []
  return progress.proofs.flatMap(({ authenticator: key }) =>
    situation.authenticators.get(key)?.challenge === undefined ? [] : [key],
  )
}
