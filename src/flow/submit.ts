import { apiError } from '../base/index.ts'
import type { UserVersion } from '../directory/index.ts'
import { sourceOf } from '../limits/index.ts'
import { retryStale } from '../storage/index.ts'
import { onOffer, type Step, type StepContext, type View } from './authenticator.ts'
import { acceptUnlessClaimed, createClaims } from './claims.ts'
import { type Committed, commit } from './commit/index.ts'
import { flowOutcomesOf } from './flow-outcomes.ts'
import type { Input } from './form.ts'
import { intents } from './intents.ts'
import {
  contextAfter,
  contextOf,
  type FlowParts,
  loadByInteraction,
  loadByState,
  type RequestCharge,
  sessionExpired,
  type TransactionContext,
  viewOf,
} from './load.ts'
import type { Message, Outcome, Refusal } from './outcome.ts'
import { challenge, type Progress } from './progress.ts'
import { isEnd, stageOf } from './stage.ts'
import { findTransactionOfInteraction, versionOf } from './transactions.store.ts'

/** Where a transaction is after a request, and what the response says about it. */
export interface FlowAnswer {
  readonly context: TransactionContext
  readonly view: View
  /** Where it was when the request came, and what it offered then: for recorders. */
  readonly from: { readonly context: TransactionContext; view(): View }
  readonly refused?: Refusal | undefined
  readonly notice?: Message | undefined
  /** The end: to be redeemed for tokens, answered here and nowhere else. */
  readonly interactionCode?: string | undefined
  /** The end of a sign-in on the engine's own pages: where the browser goes next is answered in place of a code. */
  readonly returns?: true
  /** The secret of a device that is remembered from now on: answered here and nowhere else. */
  readonly device?: Committed['device']
}

export interface Submission {
  readonly path: string
  readonly stateHandle: string
  readonly input: Input
  readonly charge?: RequestCharge
  /** Aborted when the caller has gone. */
  readonly signal?: AbortSignal
}

export interface Flow {
  /** Where an interaction is. Reads only, except that the first call opens the transaction. */
  introspect(
    by: { readonly interactionHandle: string } | { readonly stateHandle: string },
    charge?: RequestCharge,
  ): Promise<FlowAnswer>
  /** Takes one answer of the visitor and moves the transaction on. */
  submit(submission: Submission): Promise<FlowAnswer>
}

/** @param steps the step table; the flow offers and accepts exactly these. */
export function createFlow(parts: FlowParts, steps: readonly Step[]): Flow {
  const claims = createClaims()
  return {
    async introspect(by, charge) {
      const context =
        'interactionHandle' in by
          ? await loadByInteraction(parts, by.interactionHandle, charge)
          : await loadByState(parts, by.stateHandle, charge)
      if (isEnd(context.stage)) throw sessionExpired('nothing is asked any more')
      return answerIn(parts, context, context)
    },

    async submit(submission) {
      const { stateHandle, charge } = submission
      const first = await loadByState(parts, stateHandle, charge)
      const answer = await claims.during(first.transaction.id, async (claim) => {
        // The user may change between the check and the commit: then the same answer is checked anew by what the
        // user has become. The request was charged when it came.
        const answered = await retryStale(async (attempt) => {
          const loaded = attempt === 1 ? first : await loadByState(parts, stateHandle)
          const isMoved = loaded.transaction.version !== first.transaction.version
          return isMoved ? undefined : take(parts, steps, loaded, { ...submission, claim })
        })
        if (answered !== undefined || first.transaction.progress.decoy) return answered
        // Ended from outside meanwhile: the answer is checked as an unknown user's, or its silence would show the end (A86).
        const ended = await loadByState(parts, stateHandle)
        const isDecoy = ended.transaction.progress.decoy === true
        return isDecoy ? take(parts, steps, ended, { ...submission, claim }) : undefined
      })
      // Another submission moved it first, or is being checked: this one was not, and learns only the state of the transaction.
      return answer ?? this.introspect({ stateHandle })
    },
  }
}

/** Takes a submission; undefined where another one of the same transaction came first. Throws `StaleRead`. */
async function take(
  parts: FlowParts,
  steps: readonly Step[],
  loaded: TransactionContext,
  { path, input, signal, claim }: Submission & { claim(): void },
): Promise<FlowAnswer | undefined> {
  const context = contextOf(parts, loaded, { signal, claim })
  const step = onOffer(steps, context).find((candidate) => candidate.path === path)
  if (step === undefined) return notOnOffer(parts, steps, loaded, path)

  const accepted = await acceptUnlessClaimed(() => step.accept(input, context))
  if (accepted === undefined) return undefined
  const isUnmoved = accepted.progress === loaded.transaction.progress
  const moved = isUnmoved ? loaded : await contextAfter(parts, loaded, accepted.progress)
  const opened =
    !isUnmoved && isNextProof(moved)
      ? await openedAtOnce(contextOf(parts, moved, { signal, claim }))
      : undefined
  const outcome = opened === undefined ? accepted : { ...accepted, progress: opened }
  const after = opened === undefined ? moved : withProgress(moved, { ...moved.transaction, progress: opened })
  const committed = await commit(parts, {
    transaction: loaded.transaction,
    interaction: loaded.interaction,
    outcome,
    after,
    user: outcome.user ?? userOf(after, outcome),
    step: step.name,
  })
  if (committed === undefined) return undefined
  if (committed.interactionCode !== undefined || committed.returns) {
    parts.spray.signedIn(sourceOf(loaded.interaction), after.person?.lastLoginAt)
  }
  const { effects = [] } = committed.outcome
  parts.onCommitted({ texts: effects.some(({ type }) => type === 'text.queue') })
  for (const one of flowOutcomesOf(loaded.transaction.progress, committed.outcome)) {
    parts.onFlowOutcome?.(one)
  }
  return answerOf(parts, loaded, after, committed)
}

/** Whether a sign-in asks how to prove something more. Before a proof, and in a recovery, the selection is shown. */
const isNextProof = ({ stage, transaction: { progress } }: TransactionContext): boolean =>
  stage === 'select' && progress.proofs.length > 0 && intents[progress.intent].enrols

/** The transaction with the challenge of the only choice open, where opening it sends nothing and asks nothing. */
async function openedAtOnce(context: StepContext): Promise<Progress | undefined> {
  const { choices, progress } = context
  const [only, ...others] = choices
  if (others.length > 0 || only?.challenge?.opensAtOnce !== true) return undefined
  const enrollment = context.enrollments.find(({ authenticator }) => authenticator === only.key)
  const { type: method } = context.methodsOf(only)[0] ?? only.methods[0]
  const started = await only.challenge.start(context, {
    method,
    isMethodChosen: false,
    enrollment,
    input: {},
  })
  return 'refused' in started ? undefined : challenge(progress, started.challenge)
}

/** The user that an outcome is about, as read before it was computed; undefined before any is named. */
const userOf = (
  { transaction, person }: TransactionContext,
  { progress }: Outcome,
): UserVersion | undefined =>
  (progress.subject ?? transaction.progress.subject) === undefined
    ? undefined
    : versionOf(transaction.id, person)

/** A step that exists but is not on offer: the request is wrong, nothing is lost, the present form comes back. */
function notOnOffer(
  parts: FlowParts,
  steps: readonly Step[],
  context: TransactionContext,
  path: string,
): FlowAnswer {
  if (isEnd(context.stage)) throw sessionExpired('nothing is asked any more')
  if (!steps.some((step) => step.path === path)) {
    throw apiError('E0000022', { status: 404 })
  }
  return { ...answerIn(parts, context, context), refused: { status: 400, key: 'E0000020' } }
}

async function answerOf(
  parts: FlowParts,
  from: TransactionContext,
  after: TransactionContext,
  { outcome, interactionCode, returns, device }: Committed,
): Promise<FlowAnswer> {
  const { progress, refused, notice } = outcome
  const transaction =
    progress.closed === 'cancelled' ? await successorOf(parts, from) : { ...after.transaction, progress }
  const context = withProgress(after, transaction)
  return {
    ...answerIn(parts, from, context),
    refused,
    notice,
    interactionCode,
    ...(returns && { returns }),
    ...(device && { device }),
  }
}

async function successorOf(parts: FlowParts, { interaction, transaction }: TransactionContext) {
  const successor = await findTransactionOfInteraction(parts.storage.db, interaction.id, parts)
  if (successor === undefined) throw new Error('a cancelled transaction is not found')
  // The app begins anew, as after a time that has run out.
  if (successor.id === transaction.id) throw sessionExpired('the interaction was cancelled too often')
  return successor
}

const withProgress = (
  context: TransactionContext,
  transaction: TransactionContext['transaction'],
): TransactionContext => ({
  ...context,
  transaction,
  // What was not denied a moment ago is at the same stage without a look at the access.
  stage:
    transaction.progress === context.transaction.progress
      ? context.stage
      : stageOf(transaction.progress, { ...context.situation, assigned: undefined }),
})

const answerIn = (parts: FlowParts, from: TransactionContext, context: TransactionContext): FlowAnswer => ({
  context,
  view: viewOf(parts, context),
  from: { context: from, view: () => viewOf(parts, from) },
})
