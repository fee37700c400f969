import type { PersonStatus } from '../directory/index.ts'
import { factorsOf } from '../policies/index.ts'
import type { BrowserSettings, SessionProof } from '../sessions/index.ts'
import type { Authenticator } from './authenticator.ts'
import { type Denial, intents } from './intents.ts'
import { lockoutBudget } from './lockout.ts'
import type { Effect, Outcome } from './outcome.ts'
import { begin, close, continueToSignIn } from './progress.ts'
import { evidenceIn, type Situation } from './situation.ts'
import { decide } from './stage.ts'

/** Who is signed in, and what was proven. */
export interface Grant {
  readonly personId: string
  /** RFC 8176, with `mfa` where two different factors were proven. */
  readonly amr: readonly string[]
  /** What the proofs were besides their factors: `phishingResistant`. */
  readonly traits: readonly string[]
  readonly proofs: readonly SessionProof[]
  /** Of a sign-in in a browser: how the session of that browser lives. */
  readonly browser?: BrowserSettings
}

/** An outcome with the end that the decision about its progress brings. */
export interface Settled {
  readonly outcome: Outcome
  readonly grant?: Grant
}

/** Puts into effect what `decide` says of an outcome's progress: a denial, the end of a recovery, a sign-in. */
export function settle(
  outcome: Outcome,
  situation: Situation,
  authenticators: ReadonlyMap<string, Authenticator>,
): Settled {
  const { progress } = outcome
  const { stage, denied } = decide(progress, situation)
  if (denied !== undefined) return { outcome: deniedOutcome(outcome, denied) }
  if (stage === 'recovered') {
    return {
      outcome: {
        ...outcome,
        progress: close(progress, 'recovered'),
        notice: { key: 'idx.recovery.completed' },
      },
    }
  }
  if (stage === 'unlocked') return { outcome: unlockedOutcome(outcome, situation) }
  const personId = progress.subject?.userId
  if (stage !== 'granted' || personId === undefined) return { outcome }
  return {
    outcome: { ...withActivation(outcome, situation), progress: close(progress, 'completed') },
    grant: { personId, ...claimsOf(outcome, situation, authenticators), proofs: proofsOf(outcome) },
  }
}

/**
 * Adds the end of an activation: the token is used up and the user is active, in the database transaction of the last answer and of all
 * that was enrolled (`withDeferred`). Of two activations one finds its token (A63).
 */
function withActivation(outcome: Outcome, { person }: Situation): Outcome {
  const { progress, effects = [] } = outcome
  const personId = progress.subject?.userId ?? ''
  if (!intents[progress.intent].activates || person?.status !== 'PROVISIONED') return outcome
  const activated: readonly Effect[] = [
    {
      type: 'person.update',
      personId,
      changes: { status: 'ACTIVE' satisfies PersonStatus },
      from: ['PROVISIONED'],
    },
    { type: 'codes.end', personId },
    {
      type: 'audit.record',
      event: {
        eventType: 'user.lifecycle.activate',
        displayMessage: 'User became ACTIVE, was PROVISIONED',
        outcome: { result: 'SUCCESS' },
        actor: { id: personId, type: 'User', alternateId: progress.subject?.identifier ?? '' },
        target: [{ id: personId, type: 'User' }],
      },
    },
  ]
  return { ...outcome, effects: [...effects, ...activated] }
}

const proofsOf = ({ progress }: Outcome): readonly SessionProof[] =>
  progress.proofs.map(({ authenticator, factors, enrollmentId, at, carried }) => ({
    authenticator,
    factors,
    ...(enrollmentId !== undefined && { enrollmentId }),
    at,
    ...(carried && { carried }),
  }))

/**
 * The methods that were proven, as a token names them. What adds no factor is not named, nor what a remembered device proved at an earlier
 * sign-in: claims never exceed the evidence (A54).
 */
function claimsOf(
  { progress }: Outcome,
  situation: Situation,
  authenticators: ReadonlyMap<string, Authenticator>,
): Pick<Grant, 'amr' | 'traits'> {
  const evidence = evidenceIn(progress, situation).filter(
    ({ counts = true, remembered }) => counts && remembered !== true,
  )
  const named = evidence.flatMap(
    ({ authenticator, method }) =>
      authenticators.get(authenticator)?.methods.find(({ type }) => type === method)?.amr ?? [],
  )
  const amr = [...new Set(named)]
  const traits = [...new Set(evidence.flatMap((one) => one.traits))]
  return { amr: factorsOf(evidence).size > 1 ? [...amr, 'mfa'] : amr, traits }
}

/** What was checked stays checked: it is charged and recorded. Nothing else of the outcome happens. */
function deniedOutcome(
  { progress, charges = [], effects = [], user }: Outcome,
  { status, key, rule, startsOver, answersApp }: Denial,
): Outcome {
  return {
    // A sign-in that starts over shows the first page, so that another user may sign in.
    progress: startsOver
      ? { ...begin(), misses: progress.misses }
      : close(progress, answersApp ? 'unmet' : 'denied'),
    ...(!answersApp && { refused: { status, key } }),
    rule,
    charges,
    effects: effects.filter(({ type }) => type === 'audit.record'),
    ...(user && { user }),
  }
}

/**
 * The account is open again and the wrong passwords that locked it are forgotten, in the database transaction that takes
 * the last proof. Only a locked account becomes active: one that was suspended a moment ago stays so.
 */
function unlockedOutcome(outcome: Outcome, { ownPolicy }: Situation): Outcome {
  const { progress, effects = [] } = outcome
  const personId = progress.subject?.userId ?? ''
  const opened: readonly Effect[] = [
    {
      type: 'person.update',
      personId,
      changes: { status: 'ACTIVE' satisfies PersonStatus },
      from: ['LOCKED_OUT'],
    },
    { type: 'budget.clear', budget: lockoutBudget(ownPolicy, 0, true), subject: `person:${personId}` },
    {
      type: 'audit.record',
      event: {
        ...intents.unlock.events.replaced,
        outcome: { result: 'SUCCESS' },
        actor: { id: personId, type: 'User', alternateId: progress.subject?.identifier ?? '' },
        target: [{ id: personId, type: 'User' }],
      },
    },
  ]
  return {
    ...outcome,
    progress: ownPolicy.unlock.continues ? continueToSignIn(progress) : close(progress, 'unlocked'),
    effects: [...effects, ...opened],
    notice: { key: ownPolicy.unlock.continues ? unlockedToApp : unlockedKey },
  }
}

/** What a user reads whose account was unlocked; the second one where the same transaction goes on to the sign-in. */
export const unlockedKey = 'oie.selfservice.unlock_user.success.message'
const unlockedToApp = 'oie.selfservice.unlock_user.landing.to.app.success.message'
