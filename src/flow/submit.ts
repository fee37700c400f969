import { ProtocolError } from '../base/index.ts'
import { leadsOn, refusedAdmission } from './admission.ts'
import { type Committed, commit, type Grant } from './commit.ts'
import type { Input } from './form.ts'
import type { Message, Outcome, Refusal } from './outcome.ts'
import type { Progress } from './progress.ts'
import { stageOf } from './stage.ts'
import {
  assignmentOf,
  type Charging,
  contextOf,
  type FlowParts,
  memberOf,
  type Standing,
  sessionExpired,
  standingByInteraction,
  standingByState,
} from './standing.ts'
import { onOffer, type Step } from './step.ts'
import { findTransactionOfInteraction } from './store.ts'
import { turnsOf } from './turns.ts'

/** Where a transaction stands after a request, and what is to be said about it. */
export interface Answer {
  readonly standing: Standing
  /** Where it stood when the request came: for those who watch. */
  readonly from: Standing
  readonly refused?: Refusal | undefined
  readonly notice?: Message | undefined
  /** The end: to be redeemed for tokens, told here and nowhere else. */
  readonly interactionCode?: string | undefined
}

export interface Submission {
  readonly path: string
  readonly stateHandle: string
  readonly input: Input
  readonly charge?: Charging
}

export interface Flow {
  /** Where an interaction stands. Reads only, except that the first look opens the conversation. */
  introspect(
    by: { readonly interactionHandle: string } | { readonly stateHandle: string },
    charge?: Charging,
  ): Promise<Answer>
  /** Takes one answer of the visitor and moves the transaction on. */
  submit(submission: Submission): Promise<Answer>
}

/** @param steps the step table; the flow offers and accepts exactly these. */
export function createFlow(parts: FlowParts, steps: readonly Step[]): Flow {
  return {
    async introspect(by, charge) {
      const standing =
        'interactionHandle' in by
          ? await standingByInteraction(parts, by.interactionHandle, charge)
          : await standingByState(parts, by.stateHandle, charge)
      if (standing.stage === 'closed') throw sessionExpired('the transaction is closed')
      return { standing, from: standing }
    },

    async submit({ path, stateHandle, input, charge }) {
      const standing = await standingByState(parts, stateHandle, charge)
      const context = contextOf(parts, standing)
      const step = onOffer(steps, context).find((candidate) => candidate.path === path)
      if (step === undefined) return notOnOffer(steps, standing, path)

      const accepted = await step.accept(input, context)
      const reached = await reachedBy(parts, standing, accepted)
      const outcome = await admitted(parts, reached, accepted)
      const committed = await commit(parts, {
        transaction: standing.transaction,
        interaction: standing.interaction,
        outcome,
        step: step.name,
        grants: (result) => grantOf(parts, reached, result),
      })
      // Somebody else moved it first: this answer was not judged and learns nothing but where the transaction stands.
      if (committed === undefined) return this.introspect({ stateHandle })
      parts.onCommitted()
      for (const turn of turnsOf(standing.transaction.progress, committed.outcome)) parts.onTurn?.(turn)
      return { ...(await answerOf(parts, reached, committed)), from: standing }
    },
  }
}

/** A step that exists but is not on offer: the request is wrong, nothing is lost, the present form comes back. */
function notOnOffer(steps: readonly Step[], standing: Standing, path: string): Answer {
  if (standing.stage === 'closed') throw sessionExpired('the transaction is closed')
  if (!steps.some((step) => step.path === path)) {
    throw new ProtocolError(404, 'E0000022', 'The endpoint does not support the provided HTTP method')
  }
  return { standing, from: standing, refused: { status: 400, key: 'E0000020' } }
}

/** The standing with the person and the policy of whoever an outcome is about: an answer may have named her just now. */
async function reachedBy(parts: FlowParts, standing: Standing, { progress }: Outcome): Promise<Standing> {
  // Read with the conversation a moment ago. Whatever changes a person since then moves her conversations, too.
  if (progress.subject === standing.transaction.progress.subject) return standing
  return { ...standing, ...(await memberOf(parts, standing.client, progress.subject?.userId)) }
}

/** Whoever is proven now is looked at before the outcome leads her on. */
async function admitted(parts: FlowParts, reached: Standing, outcome: Outcome): Promise<Outcome> {
  const { progress } = outcome
  if (progress === reached.transaction.progress) return outcome
  const { person, policy } = reached
  const stage = stageOf(progress, policy)
  // Only who has proven herself gets as far as this matters, so that asking tells nothing of anybody else.
  const assigned = leadsOn(outcome, stage) && (await assignmentOf(parts, reached.client.id, person?.id))
  return refusedAdmission(outcome, stage, { person, assigned, policy }) ?? outcome
}

function grantOf(
  parts: FlowParts,
  { policy, lockIsOver }: Standing,
  { progress }: Outcome,
): Grant | undefined {
  const personId = progress.subject?.userId
  if (personId === undefined || stageOf(progress, policy) !== 'granted') return undefined
  const methods = progress.proofs.flatMap(
    ({ authenticator }) => parts.authenticators.get(authenticator)?.amr ?? [],
  )
  const amr = [...new Set(methods)]
  return { personId, amr: amr.length > 1 ? [...amr, 'mfa'] : amr, unlocks: lockIsOver }
}

async function answerOf(
  parts: FlowParts,
  before: Standing,
  { outcome, interactionCode }: Committed,
): Promise<Omit<Answer, 'from'>> {
  const { progress, refused, notice } = outcome
  const said = { refused, notice, interactionCode }
  if (progress.closed === 'cancelled') {
    const successor = await findTransactionOfInteraction(
      parts.storage.db,
      before.interaction.id,
      parts.secrets,
    )
    if (successor === undefined) throw new Error('a cancelled transaction has no successor')
    return { ...said, standing: stand(before, successor.progress, { ...before, transaction: successor }) }
  }
  return { ...said, standing: stand(before, progress, before) }
}

function stand(before: Standing, progress: Progress, { transaction }: Standing): Standing {
  return { ...before, transaction: { ...transaction, progress }, stage: stageOf(progress, before.policy) }
}
