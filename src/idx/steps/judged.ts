import type { NewEvent } from '../../audit/index.ts'
import {
  expire,
  type Judgement,
  miss,
  type Outcome,
  type Progress,
  type StepContext,
} from '../../flow/index.ts'

type Judged = Exclude<Judgement, { verdict: 'unreadable' }>

/**
 * What becomes of a judged answer. A wrong one is counted on the transaction and on the account; the fifth closes the
 * transaction. A right one needs room in the account's budgets too: where they are spent it is just wrong, silently.
 */
export function judged(
  context: StepContext,
  judgement: Judged,
  authenticator: string,
  right: Progress,
): Outcome {
  const missed = miss(context.progress)
  const wrong: Outcome = {
    progress: missed,
    refused: missed.closed === undefined ? judgement.refusal : { status: 429, key: 'tooManyRequests' },
    effects: [{ type: 'audit.record', event: verification(context, authenticator, 'FAILURE') }],
  }
  const free = judgement.verdict === 'right'
  const charges = judgement.budgets.map((budget) => ({ ...budget, free, otherwise: wrong }))
  if (!free) return { ...wrong, charges }
  return {
    progress: judgement.expired ? expire(right, authenticator) : right,
    effects: [
      ...judgement.effects,
      { type: 'audit.record', event: verification(context, authenticator, 'SUCCESS') },
    ],
    charges,
  }
}

function verification(
  { person, progress, client }: StepContext,
  authenticator: string,
  result: 'SUCCESS' | 'FAILURE',
): NewEvent {
  const typed = progress.subject?.identifier ?? 'unknown'
  return {
    eventType: 'user.authentication.verify',
    displayMessage: 'Verify user identity',
    outcome: result === 'SUCCESS' ? { result } : { result, reason: 'INVALID_CREDENTIALS' },
    actor: { id: person?.id ?? 'unknown', type: 'User', alternateId: typed },
    target: [{ id: client.id, type: 'AppInstance', displayName: client.label }],
    debugData: { authenticator, intent: progress.intent },
  }
}
