import type { NewEvent } from '../../audit/index.ts'
import {
  type Charge,
  expire,
  type Judgement,
  miss,
  missesAllowed,
  type Outcome,
  type Progress,
  type StepContext,
} from '../../flow/index.ts'
import { addressKey, everybody } from '../../limits/index.ts'

type Judged = Exclude<Judgement, { verdict: 'unreadable' }>

/**
 * What becomes of a judged answer. A wrong one is counted on the transaction and on the account; the fifth closes the
 * transaction. A right one needs room in the account's budgets too: where they are spent it is just wrong, silently.
 * Before all that the address it comes from needs room: whoever guesses at many accounts is stopped openly.
 */
export async function attempt(
  context: StepContext,
  judgement: Judged,
  authenticator: string,
  right: Progress,
): Promise<Outcome> {
  const missed = miss(context.progress)
  const wrong: Outcome = {
    progress: missed,
    refused: missed.closed === undefined ? judgement.refusal : { status: 429, key: 'tooManyRequests' },
    effects: [{ type: 'audit.record', event: wrongAnswer(context, authenticator, judgement, missed) }],
  }
  const free = judgement.verdict === 'right'
  // A right answer without a budget of its own is a long code: nobody guesses one, so it is no part of a spray, and its
  // owner gets in even from an address that guessed too often.
  const unguessable = free && judgement.budgets.length === 0
  const ofAddress = unguessable ? [] : await chargesOfAddress(context, free)
  const ofAccount = judgement.budgets.map((budget) => ({ ...budget, free, otherwise: wrong }))
  const charges = [...ofAddress, ...ofAccount, ...lastOf(context, judgement, wrong)]
  if (!free) return { ...wrong, charges: [...charges, everywhere(context, wrong)] }
  return {
    progress: judgement.expired ? expire(right, authenticator) : right,
    effects: [...judgement.effects, { type: 'audit.record', event: verification(context, authenticator) }],
    charges,
  }
}

/**
 * The budget whose last wrong answer does more than to be wrong. One that finds it spent is that last one, takes it too,
 * and brings its effects about; those after it, right or wrong, find no room at all. Visitors see no difference.
 */
function lastOf(context: StepContext, { last, verdict }: Judged, wrong: Outcome): readonly Charge[] {
  if (last === undefined) return []
  const { budget, subject, effects } = last
  if (verdict === 'right') return [{ budget, subject, free: true, otherwise: wrong }]
  const locking: Outcome = { ...wrong, effects: [...(wrong.effects ?? []), ...effects] }
  const charges = [{ budget, subject, otherwise: wrong }, everywhere(context, locking)]
  return [{ budget: { ...budget, limit: budget.limit - 1 }, subject, otherwise: { ...locking, charges } }]
}

/** Room that the address needs, by the wrong answers that came from it; less while the installation is under attack. */
async function chargesOfAddress(context: StepContext, free: boolean): Promise<readonly Charge[]> {
  const { spray } = context.budgets
  const [wrongEverywhere = 0] = await context.used([{ budget: spray.everywhere, subject: everybody }])
  const attacked = wrongEverywhere >= spray.everywhere.limit
  const subject = `address:${addressKey(context.interaction.origin.ip)}`
  const otherwise: Outcome = {
    progress: context.progress,
    refused: { status: 429, key: 'tooManyRequests' },
  }
  const announces = 'system.operation.rate_limit.violation'
  return [spray.perMinute, spray.perHour, ...(attacked ? [spray.underAttack] : [])].map((budget) => ({
    budget,
    subject,
    free,
    otherwise,
    announces,
  }))
}

/** Counted last, as all nodes count it in one row. Nobody is refused by it; it changes what the others allow. */
const everywhere = ({ budgets }: StepContext, wrong: Outcome): Charge => ({
  budget: budgets.spray.everywhere,
  subject: everybody,
  otherwise: wrong,
  announces: 'security.attack.start',
})

function wrongAnswer(
  context: StepContext,
  authenticator: string,
  { rule = 'wrong-answer' }: Judged,
  { misses }: Progress,
): NewEvent {
  const event = verification(context, authenticator)
  const guesses = `${misses} of ${missesAllowed}`
  return {
    ...event,
    outcome: { result: 'FAILURE', reason: 'INVALID_CREDENTIALS' },
    debugData: { ...event.debugData, rule, 'guesses-per-transaction': guesses },
  }
}

function verification({ person, progress, client }: StepContext, authenticator: string): NewEvent {
  const typed = progress.subject?.identifier ?? 'unknown'
  return {
    eventType: 'user.authentication.verify',
    displayMessage: 'Verify user identity',
    outcome: { result: 'SUCCESS' },
    actor: { id: person?.id ?? 'unknown', type: 'User', alternateId: typed },
    target: [{ id: client.id, type: 'AppInstance', displayName: client.label }],
    debugData: { authenticator, intent: progress.intent },
  }
}
