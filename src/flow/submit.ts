import { ProtocolError } from '../base/index.ts'
import type { JudgedUser } from '../directory/index.ts'
import { retryStale } from '../storage/index.ts'
import { checkAccess, needsAccess } from './access.ts'
import { acceptUnlessClaimed, createClaims } from './claims.ts'
import { type Committed, commit, type Grant } from './commit.ts'
import { flowOutcomesOf } from './flow-outcomes.ts'
import type { Input } from './form.ts'
import { rememberSource } from './known-sources.ts'
import {
  assignmentOf,
  contextOf,
  type FlowParts,
  loadByInteraction,
  loadByState,
  type RequestCharge,
  sessionExpired,
  type TransactionContext,
  userAndPolicyOf,
} from './load.ts'
import type { Message, Outcome, Refusal } from './outcome.ts'
import type { Progress } from './progress.ts'
import { stageOf } from './stage.ts'
import { onOffer, type Step } from './step.ts'
import { findTransactionOfInteraction, judgedUser } from './transactions.store.ts'

/** Where a transaction stands after a request, and what is to be said about it. */
export interface FlowAnswer {
  readonly context: TransactionContext
  /** Where it stood when the request came: for those who watch. */
  readonly from: TransactionContext
  readonly refused?: Refusal | undefined
  readonly notice?: Message | undefined
  /** The end: to be redeemed for tokens, told here and nowhere else. */
  readonly interactionCode?: string | undefined
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
  /** Where an interaction stands. Reads only, except that the first look opens the conversation. */
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
      const standing =
        'interactionHandle' in by
          ? await loadByInteraction(parts, by.interactionHandle, charge)
          : await loadByState(parts, by.stateHandle, charge)
      if (standing.stage === 'closed') throw sessionExpired('the transaction is closed')
      return { context: standing, from: standing }
    },

    async submit(submission) {
      const { stateHandle, charge } = submission
      const first = await loadByState(parts, stateHandle, charge)
      const answer = await claims.during(first.transaction.id, (claim) =>
        // The user may change between the judgement and the commit: then the same answer is judged anew by what the
        // user has become. The request was charged when it came.
        retryStale(async (attempt) => {
          const loaded = attempt === 1 ? first : await loadByState(parts, stateHandle)
          const isMoved = loaded.transaction.version !== first.transaction.version
          return isMoved ? undefined : take(parts, steps, loaded, { ...submission, claim })
        }),
      )
      // Another submission moved it first, or is being judged: this one was not, and learns only where the transaction is.
      return answer ?? this.introspect({ stateHandle })
    },
  }
}

/** Takes a submission; undefined where another one of the same transaction came first. */
async function take(
  parts: FlowParts,
  steps: readonly Step[],
  standing: TransactionContext,
  { path, input, signal, claim }: Submission & { claim(): void },
): Promise<FlowAnswer | undefined> {
  const context = contextOf(parts, standing, { signal, claim })
  const step = onOffer(steps, context).find((candidate) => candidate.path === path)
  if (step === undefined) return notOnOffer(steps, standing, path)

  const accepted = await acceptUnlessClaimed(() => step.accept(input, context))
  if (accepted === undefined) return undefined
  const reached = await contextAfter(parts, standing, accepted)
  const outcome = await withAccessChecked(parts, reached, accepted)
  const committed = await commit(parts, {
    transaction: standing.transaction,
    interaction: standing.interaction,
    outcome,
    user: accepted.user ?? userOf(reached, accepted),
    step: step.name,
    grants: (result) => grantOf(parts, reached, result),
  })
  if (committed === undefined) return undefined
  parts.onCommitted()
  for (const turn of flowOutcomesOf(standing.transaction.progress, committed.outcome))
    parts.onFlowOutcome?.(turn)
  return { ...(await answerOf(parts, reached, committed)), from: standing }
}

/** The user that an outcome is about, as read before it was computed; undefined before any is named. */
const userOf = (
  { transaction, person }: TransactionContext,
  { progress }: Outcome,
): JudgedUser | undefined =>
  (progress.subject ?? transaction.progress.subject) === undefined
    ? undefined
    : judgedUser(transaction.id, person)

/** A step that exists but is not on offer: the request is wrong, nothing is lost, the present form comes back. */
function notOnOffer(steps: readonly Step[], standing: TransactionContext, path: string): FlowAnswer {
  if (standing.stage === 'closed') throw sessionExpired('the transaction is closed')
  if (!steps.some((step) => step.path === path)) {
    throw new ProtocolError(404, 'E0000022', 'The endpoint does not support the provided HTTP method')
  }
  return { context: standing, from: standing, refused: { status: 400, key: 'E0000020' } }
}

/** The standing with the person and the policy of whoever an outcome is about: an answer may have named her just now. */
async function contextAfter(
  parts: FlowParts,
  standing: TransactionContext,
  { progress }: Outcome,
): Promise<TransactionContext> {
  // Read with the conversation a moment ago. Whatever changes a person since then moves her conversations, too.
  if (progress.subject === standing.transaction.progress.subject) return standing
  return { ...standing, ...(await userAndPolicyOf(parts, standing.client, progress.subject?.userId)) }
}

/** Whoever is proven now is looked at before the outcome leads her on. */
async function withAccessChecked(
  parts: FlowParts,
  reached: TransactionContext,
  outcome: Outcome,
): Promise<Outcome> {
  const { progress } = outcome
  if (progress === reached.transaction.progress) return outcome
  const { person, policy } = reached
  const stage = stageOf(progress, policy)
  // Only who has proven herself gets as far as this matters, so that asking tells nothing of anybody else.
  const assigned = needsAccess(outcome, stage) && (await assignmentOf(parts, reached.client.id, person?.id))
  return checkAccess(outcome, stage, { person, assigned, policy }) ?? outcome
}

function grantOf(
  parts: FlowParts,
  { policy, lockIsOver, person, interaction }: TransactionContext,
  { progress }: Outcome,
): Grant | undefined {
  const personId = progress.subject?.userId
  if (personId === undefined || stageOf(progress, policy) !== 'granted') return undefined
  const methods = progress.proofs.flatMap(
    ({ authenticator }) => parts.authenticators.get(authenticator)?.amr ?? [],
  )
  const amr = [...new Set(methods)]
  // A new password: whoever signed in with the old one is not known any more.
  const before = progress.replaced.length > 0 ? '' : person?.knownSources
  const knownSources = rememberSource(before, parts.secrets, interaction)
  return { personId, amr: amr.length > 1 ? [...amr, 'mfa'] : amr, unlocks: lockIsOver, knownSources }
}

async function answerOf(
  parts: FlowParts,
  before: TransactionContext,
  { outcome, interactionCode }: Committed,
): Promise<Omit<FlowAnswer, 'from'>> {
  const { progress, refused, notice } = outcome
  const said = { refused, notice, interactionCode }
  if (progress.closed === 'cancelled') {
    const successor = await findTransactionOfInteraction(
      parts.storage.db,
      before.interaction.id,
      parts.secrets,
    )
    if (successor === undefined) throw new Error('a cancelled transaction has no successor')
    return {
      ...said,
      context: withProgress(before, successor.progress, { ...before, transaction: successor }),
    }
  }
  return { ...said, context: withProgress(before, progress, before) }
}

function withProgress(
  before: TransactionContext,
  progress: Progress,
  { transaction }: TransactionContext,
): TransactionContext {
  return { ...before, transaction: { ...transaction, progress }, stage: stageOf(progress, before.policy) }
}
