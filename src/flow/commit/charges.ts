import type { NewEvent } from '../../audit/index.ts'
import { announcementOf, roomIn, spend } from '../../limits/index.ts'
import type { Tx } from '../../storage/index.ts'
import { budgetSpent, withDebugData } from '../events.ts'
import type { Charge, Outcome } from '../outcome.ts'

/** One outcome without charges: the one that was asked for, or what stands in its place. */
export interface Charged {
  readonly outcome: Outcome
  /** How much of each budget is used now, as the log shows it: `3 of 20`. */
  readonly uses: Readonly<Record<string, string>>
  /** Of budgets that are used up. */
  readonly announced: readonly NewEvent[]
}

/** Charges the budgets of an outcome in their order. The first that is used up puts its other outcome in place, with its own charges. */
export async function resolveCharges(tx: Tx, wanted: Outcome, now: number): Promise<Charged> {
  const uses: Record<string, string> = {}
  const announced: NewEvent[] = []
  let outcome = wanted
  for (;;) {
    const spent = await firstSpent(tx, outcome.charges ?? [], now, uses)
    if (spent === undefined) return { outcome, uses, announced }
    announced.push(...(await announce(tx, spent.charge, spent.resetsAt, now)))
    outcome = insteadOf(spent.charge, spent.resetsAt)
  }
}

/** Charges until one has no room left. */
async function firstSpent(
  tx: Tx,
  charges: readonly Charge[],
  now: number,
  uses: Record<string, string>,
): Promise<{ readonly charge: Charge; readonly resetsAt: number } | undefined> {
  // Right answers take nothing, so whether there is room can be asked of all their budgets at once.
  const free = charges.filter((charge) => charge.free)
  const room = await roomIn(tx, free, now)
  for (const charge of charges) {
    const { budget, subject } = charge
    const spent = room[free.indexOf(charge)] ?? (await spend(tx, budget, subject, now))
    const used = spent.allowed ? budget.limit - spent.left : budget.limit
    uses[budget.purpose] = `${used} of ${budget.limit}`
    if (!spent.allowed) return { charge, resetsAt: spent.resetsAt }
  }
  return undefined
}

/** What happens where a budget is used up. The log names the budget; a visitor whom it is shown to learns until when. */
function insteadOf({ budget, otherwise }: Charge, resetsAt: number): Outcome {
  const { refused, effects = [] } = otherwise
  return {
    ...otherwise,
    ...(refused?.status === 429 &&
      otherwise.progress.closed === undefined && { refused: { ...refused, retryAt: resetsAt } }),
    effects: effects.map((effect) =>
      effect.type === 'audit.record'
        ? { ...effect, event: withDebugData(effect.event, { rule: budget.purpose }) }
        : effect,
    ),
  }
}

/** Records that a budget is used up, once a window: a caller who goes on asking must not fill the log. */
async function announce(
  tx: Tx,
  { announces, budget, subject, otherwise }: Charge,
  resetsAt: number,
  now: number,
): Promise<readonly NewEvent[]> {
  if (announces === undefined) return []
  const { allowed } = await spend(tx, announcementOf(budget, resetsAt - now), subject, now)
  return allowed ? [budgetSpent(announces, budget, otherwise.progress)] : []
}
