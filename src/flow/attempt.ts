import type { NewEvent } from '../audit/index.ts'
import {
  announcementOf,
  everybody,
  mostUses,
  sizedFor,
  type Use,
  type Used,
  underAttackFor,
} from '../limits/index.ts'
import type { Admission, Judgement, StepContext } from './authenticator.ts'
import type { Input } from './form.ts'
import type { Charge, Outcome } from './outcome.ts'
import { type Challenge, expire, expireSoon, miss, missesAllowed, type Progress } from './progress.ts'

type Judged = Exclude<Judgement, { verdict: 'unreadable' }>

/** What is checked: an answer to a challenge, or the confirmation of an enrolment. */
export interface Asked {
  /** The authenticator's key. */
  readonly key: string
  judge(input: Input, context: StepContext, challenge: Challenge | undefined): Promise<Judgement>
  admit?(input: Input, context: StepContext): Admission
  /** What a right answer makes of the transaction. */
  right(judgement: Judged): Progress
  /** What a wrong answer is counted on: where the transaction was before the answer named a user. */
  readonly before: Progress
}

/**
 * Checks an answer, unless a budget says that it is not checked at all, and returns the outcome. Undefined: there is
 * no answer to check.
 *
 * - The source is asked first: a source that guesses at many accounts is stopped openly (A11), before a hash (A51).
 * - A wrong answer is counted on the transaction (the fifth closes it), on the source and on the account.
 * - A right one needs room in the same budgets. Where the account's are spent it is just wrong, silently, and is counted
 *   everywhere a wrong one is: else the budget of the source would reveal which of many refused guesses was right (A52).
 */
export async function attempt(
  context: StepContext,
  asked: Asked,
  input: Input,
): Promise<Outcome | undefined> {
  const admission = asked.admit?.(input, context)
  if (admission?.isReadable === false) return undefined
  const begun = context.beginAnswer?.()
  const answer = begun instanceof Promise ? await begun : begun
  try {
    return await checked(context, asked, input, admission, answer?.inFlight ?? 1)
  } finally {
    answer?.end()
  }
}

async function checked(
  context: StepContext,
  asked: Asked,
  input: Input,
  admission: Admission | undefined,
  inFlight: number,
): Promise<Outcome | undefined> {
  const { spray } = context.budgets
  const ofSource = usesOfSource(context)
  const named = admission?.uses ?? []
  // One statement, which asks the same about known and unknown names.
  const all: Use = { budget: spray.everywhere, subject: everybody }
  const announced = new Map([all, ...ofSource].map((use) => [use, announcementUse(use)]))
  const uses = [all, ...ofSource, ...announced.values(), ...named]
  const used = new Map((await context.peek(uses)).map((found, index) => [uses[index], found]))
  const isSpent = (use: Use) => (used.get(use)?.used ?? 0) >= use.budget.limit
  const everywhere = used.get(all) ?? { used: 0, resetsAt: context.now + spray.everywhere.windowMs }
  const attackFrom = (await context.attackFrom?.(everywhere.used)) ?? spray.everywhere.limit
  const counted = everywhere.used >= attackFrom ? ofSource : ofSource.slice(0, -1)
  const announcement = announced.get(all)
  const found: Found = {
    ofSource: counted,
    // The half of a budget that is left after all answers of this source that are being checked at this moment.
    isNearEnd: counted.some((use) => (used.get(use)?.used ?? 0) + inFlight > use.budget.limit / 2),
    everywhere,
    attackFrom,
    isAnnounced: announcement !== undefined && isSpent(announcement),
  }
  if (admission !== undefined) {
    const spent = counted.find(isSpent)
    if (spent !== undefined) {
      const announcement = announced.get(spent)
      const isAnnounced = announcement !== undefined && isSpent(announcement)
      if (isAnnounced) context.countRefusal?.(spent.budget.purpose)
      return refusedBySource(asked, spent, isAnnounced ? used.get(spent)?.resetsAt : undefined)
    }
    const ofName = named.find(isSpent)
    if (ofName !== undefined) {
      const { refusal } = admission
      const judgement: Judged = {
        verdict: 'wrong',
        budgets: [],
        effects: [],
        refusal,
        rule: ofName.budget.purpose,
      }
      return answered(context, asked, judgement, found)
    }
  }
  try {
    const own = admission === undefined ? context : { ...context, recheck: () => recheck(context, counted) }
    const judgement = await asked.judge(input, own, context.progress.challenge)
    if (judgement.verdict !== 'unreadable') return answered(context, asked, judgement, found)
    return judgement.refusal && { progress: asked.before, refused: judgement.refusal }
  } catch (error) {
    if (error instanceof SpentMeanwhile) return refusedBySource(asked, error.use, undefined)
    throw error
  }
}

/** What the budgets of all names together say when an answer is checked. */
interface Found {
  /** Those of the source that count now. */
  readonly ofSource: readonly Use[]
  /** One of them is half used: then a right answer locks them, too, until it is written. */
  readonly isNearEnd: boolean
  readonly everywhere: Used
  readonly attackFrom: number
  /** The log says already that the installation is under attack. */
  readonly isAnnounced: boolean
}

/** Answers of this source that were checked while this one waited have spent its budget. */
class SpentMeanwhile extends Error {
  readonly use: Use

  constructor(use: Use) {
    super(use.budget.purpose)
    this.use = use
  }
}

/** Of a thousand answers that are sent at once no more are checked than the budget allows, and a few at the same moment. */
async function recheck(context: StepContext, ofSource: readonly Use[]): Promise<void> {
  const found = await context.peek(ofSource)
  const spent = ofSource.find(({ budget }, index) => (found[index]?.used ?? 0) >= budget.limit)
  if (spent !== undefined) throw new SpentMeanwhile(spent)
}

/** The outcome of a checked answer. */
function answered(context: StepContext, asked: Asked, judgement: Judged, found: Found): Outcome {
  const { ofSource, isNearEnd } = found
  const { visible = [], budgets, verdict } = judgement
  const { key: authenticator } = asked
  const missed = miss(asked.before)
  const wrong: Outcome = {
    progress: missed,
    refused: missed.closed === undefined ? judgement.refusal : { status: 429, key: 'tooManyRequests' },
    effects: [{ type: 'audit.record', event: wrongAnswer(context, authenticator, judgement, missed) }],
  }
  /** Where a budget is spent, what remains to be counted is that something was wrong. */
  const spent: Outcome = { ...wrong, charges: [everywhere(context, found, wrong)] }
  const asWrong: readonly Charge[] = [
    ...ofSource.map((use) => chargeOfSource(asked, use)),
    ...visible.map((use) => ({ ...use, otherwise: spent })),
  ]
  if (verdict === 'wrong') {
    const silent = budgets.map((use) => ({ ...use, otherwise: spent }))
    const last = lastOf(context, found, judgement, wrong)
    const charges = [...asWrong, ...silent, ...last, everywhere(context, found, wrong)]
    return { ...wrong, charges }
  }

  const refused: Outcome = { ...wrong, charges: [...asWrong, everywhere(context, found, wrong)] }
  // A right answer without a budget of its own is a long code, which cannot be guessed: it is no part of a spray, and its
  // owner gets in even from a source that guessed too often.
  const isGuessable = visible.length + budgets.length > 0
  const last = judgement.last === undefined ? [] : [roomFor(judgement.last)]
  return {
    progress: aged(asked.right(judgement), judgement, authenticator),
    effects: [...judgement.effects, { type: 'audit.record', event: verification(context, authenticator) }],
    charges: [
      // Far from the end of the source's budgets a right answer does not touch them: all answers of an office, or of an app
      // that names no address, would wait for each other at these rows.
      ...(isGuessable && isNearEnd
        ? ofSource.map((use) => ({ ...chargeOfSource(asked, use), free: true }))
        : []),
      ...[...visible, ...budgets, ...last].map(({ budget, subject }) => ({
        budget,
        subject,
        free: true,
        ofUser: true,
        otherwise: refused,
      })),
    ],
  }
}

/** What is noted of a credential that is too old, or will be soon. */
function aged(progress: Progress, { expired, daysToExpiry }: Judged, authenticator: string): Progress {
  if (expired) return expire(progress, authenticator)
  return daysToExpiry === undefined ? progress : expireSoon(progress, authenticator, daysToExpiry)
}

/** What a right answer needs room in. */
const roomFor = ({ budget, subject, isBinding }: NonNullable<Judged['last']>): Use => ({
  budget: isBinding ? budget : { ...budget, limit: mostUses },
  subject,
})

/**
 * The budget whose last wrong answer does more than to be wrong. One that finds it spent is that last one, takes it too,
 * and brings its effects about; those after it, right or wrong, find no room at all. Visitors see no difference.
 */
function lastOf(context: StepContext, found: Found, { last }: Judged, wrong: Outcome): readonly Charge[] {
  if (last === undefined) return []
  const { budget, subject, effects } = last
  const locking: Outcome = { ...wrong, effects: [...(wrong.effects ?? []), ...effects] }
  const over: Outcome = { ...wrong, charges: [everywhere(context, found, wrong)] }
  const charges = [{ budget, subject, otherwise: over }, everywhere(context, found, locking)]
  return [{ budget: { ...budget, limit: budget.limit - 1 }, subject, otherwise: { ...locking, charges } }]
}

/** The budgets of wrong answers by source; the last one counts only while the installation is under attack. */
function usesOfSource({ budgets, source, signInsFromSource = 0 }: StepContext): readonly Use[] {
  const { perMinute, perHour } = budgets.spray
  return [perMinute, perHour, underAttackFor(budgets.spray, signInsFromSource)].map((budget) => ({
    budget: sizedFor(budget, source, budgets),
    subject: source.key,
  }))
}

const tooManyOfSource = ({ before }: Asked): Outcome => ({
  progress: before,
  refused: { status: 429, key: 'tooManyRequests' },
})

const chargeOfSource = (asked: Asked, { budget, subject }: Use): Charge => ({
  budget,
  subject,
  otherwise: tooManyOfSource(asked),
  announces: 'system.operation.rate_limit.violation',
})

/**
 * Nothing was checked. The first time in a window the charge finds the budget used up and records it; from then on nothing
 * is written, so that a flood costs one statement a request, which reads.
 */
function refusedBySource(asked: Asked, use: Use, resetsAt: number | undefined): Outcome {
  const outcome = tooManyOfSource(asked)
  if (resetsAt === undefined) return { ...outcome, charges: [{ ...chargeOfSource(asked, use), free: true }] }
  return { ...outcome, refused: { status: 429, key: 'tooManyRequests', retryAt: resetsAt } }
}

const announcementUse = ({ budget, subject }: Use): Use => ({
  budget: announcementOf(budget, budget.windowMs),
  subject,
})

/**
 * Counted last, over all nodes, in rows that are summed up when they are read. No answer is refused by it; it changes what
 * the others allow. The log says so once, by the first wrong answer that finds the installation under attack.
 */
const everywhere = (
  { budgets }: StepContext,
  { everywhere: read, attackFrom, isAnnounced }: Found,
  wrong: Outcome,
): Charge => ({
  budget: { ...budgets.spray.everywhere, limit: attackFrom },
  subject: everybody,
  read,
  otherwise: wrong,
  ...(isAnnounced ? {} : { announces: 'security.attack.start' as const }),
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
    debugData: {
      ...event.debugData,
      // In the log alone: a visitor is answered as about an unknown user (A86).
      rule: context.progress.decoy ? 'transaction-ended' : rule,
      'guesses-per-transaction': guesses,
    },
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
