import { type AuthenticatorFacts, evidenceOf, helps, isSatisfied, type Method } from '../policies/index.ts'
import { type Denial, intents } from './intents.ts'
import type { Progress } from './progress.ts'
import { evidenceIn, type KnownAuthenticator, policyOf, type Situation } from './situation.ts'

/** What is asked next. */
export const stages = [
  'identify',
  'identify-recovery',
  'identify-unlock',
  'select',
  'verify-data',
  'verify',
  'reset',
  'select-enroll',
  'enroll-data',
  'enroll',
  'reenroll',
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

/** What comes next, or why nothing does. */
type Decision =
  | { readonly stage: Stage; readonly denied?: undefined }
  | { readonly stage: 'closed'; readonly denied: Denial }

/** The only place that decides what comes next, access included; a step never names the next step. */
export function decide(progress: Progress, situation: Situation): Decision {
  const intent = intents[progress.intent]
  if (progress.closed !== undefined) return { stage: 'closed' }
  if (progress.subject === undefined) return { stage: intent.firstStage }
  if (progress.challenge !== undefined) return { stage: stageOfChallenge(progress.challenge) }
  if (progress.proofs.length === 0) return { stage: 'select' }

  // Something has been proven: from here on the user's own status, app and policy count, and refuse.
  const denied = situation.assigned === undefined ? undefined : intent.deniedBy(progress, situation)
  if (denied !== undefined) return { stage: 'closed', denied }
  if (intent.sets?.(progress, situation) !== undefined) return { stage: 'select-enroll' }
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
      ? { stage: 'select' }
      : { stage: 'closed', denied: intent.unprovable }
  }
  if (!intent.signsIn(situation)) return { stage: 'recovered' }
  if (!isAssured(progress, situation)) return more(progress, situation)
  if (progress.expired?.some((key) => !progress.replaced.includes(key))) return { stage: 'reenroll' }
  if (enrollmentsAsked(progress, situation).length > 0) {
    return { stage: intent.enrols ? 'select-enroll' : 'recovered' }
  }
  return { stage: 'granted' }
}

export const stageOf = (progress: Progress, situation: Situation): Stage => decide(progress, situation).stage

const stageOfChallenge = ({ purpose, pending }: NonNullable<Progress['challenge']>): Stage =>
  purpose === 'verify' ? (pending ? 'verify-data' : 'verify') : pending ? 'enroll-data' : 'enroll'

/** Where the app's demand is not met yet: another proof, an enrolment that would be one, or the end. */
function more(progress: Progress, situation: Situation): Decision {
  const intent = intents[progress.intent]
  if (choicesOf(progress, situation).length > 0) return { stage: 'select' }
  if (intent.enrols && enrollmentsAsked(progress, situation).length > 0) return { stage: 'select-enroll' }
  // What was done stays done: the new password is good, and this app asks for more than the mailbox.
  if (intent.replaces !== undefined) return { stage: 'recovered' }
  return { stage: 'closed', denied: intent.unprovable }
}

const isAssured = (progress: Progress, situation: Situation): boolean =>
  isSatisfied(situation.ownPolicy.signOn.demand, evidenceIn(progress, situation))

/** Which authenticators the visitor may choose from, in the order in which they are offered. */
export function choicesOf(progress: Progress, situation: Situation): readonly string[] {
  const policy = policyOf(progress, situation)
  const isGoal = isGoalAhead(progress, situation)
  const methods = isGoal
    ? intents[progress.intent].methods(progress, situation, policy)
    : policy.signOn.authenticators
  const proven = progress.proofs.map(({ authenticator }) => authenticator)
  const left = methods.filter(
    (key) =>
      !proven.includes(key) && !progress.replaced.includes(key) && usableMethods(key, progress, situation),
  )
  if (progress.proofs.length === 0) {
    // What a rule names to begin a recovery by is asked of every name alike, whatever it may begin elsewhere.
    return isGoal ? left : left.filter((key) => situation.authenticators.get(key)?.first)
  }
  const owned = left.filter((key) => situation.enrolled.has(key))
  // In a recovery every proof counts as one more; what the app asks for is asked for after it.
  return isGoal ? owned : owned.filter((key) => wouldHelp(progress, situation, key))
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

/** Whether proving one more authenticator, by any of its methods, brings the transaction closer to what is demanded. */
function wouldHelp(progress: Progress, situation: Situation, key: string): boolean {
  const authenticator = situation.authenticators.get(key)
  if (authenticator === undefined) return false
  const { demand } = situation.ownPolicy.signOn
  const before = evidenceIn(progress, situation)
  return authenticator.methods.some(({ type }) => {
    const proof = { ...evidenceOf(authenticator, type), at: 0 }
    const after = evidenceIn({ ...progress, proofs: [...progress.proofs, proof] }, situation)
    return helps(demand, before, after)
  })
}

/** The authenticators that the policy asks the user to enrol now: the required ones first, then the optional ones. */
export function enrollmentsAsked(progress: Progress, situation: Situation): readonly KnownAuthenticator[] {
  if (progress.proofs.length === 0) return []
  const first = intents[progress.intent].sets?.(progress, situation)
  if (first !== undefined) return [...situation.authenticators.values()].filter(({ key }) => key === first)
  const open = openEnrollments(progress, situation)
  const known = (required: boolean) =>
    open.flatMap((one) => {
      const authenticator = situation.authenticators.get(one.key)
      return one.required === required && isEnrollable(authenticator) ? [authenticator] : []
    })
  const required = known(true)
  if (required.length > 0) return required
  return progress.skipped && isAssured(progress, situation) ? [] : known(false)
}

/** A password is enrolled by an activation alone: elsewhere it has steps of its own. */
const isEnrollable = (authenticator: KnownAuthenticator | undefined): authenticator is KnownAuthenticator =>
  authenticator?.enroll !== undefined && authenticator.reset === undefined

/** Whether what is asked to be enrolled may be declined: nothing of it is required, and nothing demands it. */
export const maySkip = (progress: Progress, situation: Situation): boolean =>
  isAssured(progress, situation) &&
  intents[progress.intent].sets?.(progress, situation) === undefined &&
  !openEnrollments(progress, situation).some(
    ({ key, required }) => required && isEnrollable(situation.authenticators.get(key)),
  )

/** What the policy names and the user neither has nor has enrolled a moment ago. */
const openEnrollments = ({ proofs }: Progress, { ownPolicy, enrolled }: Situation) =>
  ownPolicy.enrollment.filter(
    ({ key }) => !enrolled.has(key) && !proofs.some(({ authenticator }) => authenticator === key),
  )
