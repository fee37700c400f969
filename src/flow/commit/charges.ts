import type { NewEvent } from '../../audit/index.ts'
import { announcementOf, peek, roomIn, type Spent, spend, spendInOrder } from '../../limits/index.ts'
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
export async function resolveCharges(
  tx: Tx,
  wanted: Outcome,
  now: number,
  onRefused: (budget: string) => void = () => {},
): Promise<Charged> {
  const uses: Record<string, string> = {}
  const announced: NewEvent[] = []
  let outcome = wanted
  for (;;) {
    const spent = await firstSpent(tx, outcome.charges ?? [], now, uses)
    if (spent === undefined) {
      announced.push(...(await announceShared(tx, outcome.charges ?? [], now)))
      return { outcome, uses, announced }
    }
    onRefused(spent.charge.budget.purpose)
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
  const room = new Map([...(await lockRoom(tx, charges, now)), ...(await readRoom(tx, charges, now))])
  const ordered = charges.length > 1 && room.size === 0 ? await spendInOrder(tx, charges, now) : []
  for (const [place, charge] of charges.entries()) {
    const { budget, subject, read } = charge
    const spent = room.get(charge) ?? ordered[place] ?? (await spend(tx, budget, subject, now))
    const used =
      read === undefined ? (spent.allowed ? budget.limit - spent.left : budget.limit) : read.used + 1
    uses[budget.purpose] = `${used} of ${budget.limit}`
    if (!spent.allowed) return { charge, resetsAt: spent.resetsAt }
  }
  return undefined
}

async function lockRoom(
  tx: Tx,
  charges: readonly Charge[],
  now: number,
): Promise<readonly (readonly [Charge, Spent])[]> {
  const free = charges.filter((charge) => charge.free && !charge.ofUser)
  const room = await roomIn(tx, free, now)
  return free.flatMap((charge, index) => {
    const spent = room[index]
    return spent === undefined ? [] : [[charge, spent] as const]
  })
}

/** Nothing is written for a right answer: its budgets would each be a row that is locked, and written to no purpose. */
async function readRoom(
  tx: Tx,
  charges: readonly Charge[],
  now: number,
): Promise<readonly (readonly [Charge, Spent])[]> {
  const free = charges.filter((charge) => charge.free && charge.ofUser)
  const found = await peek(tx, free, now)
  return free.map((charge, index) => {
    const { used = 0, resetsAt = now } = found[index] ?? {}
    const left = charge.budget.limit - used
    return [
      charge,
      left > 0 ? { allowed: true, left, resetsAt } : { allowed: false, left: 0, resetsAt },
    ] as const
  })
}

/** Records that a budget of all sources together was found used up: no single answer is refused by it. */
async function announceShared(tx: Tx, charges: readonly Charge[], now: number): Promise<readonly NewEvent[]> {
  const [over] = charges.filter(({ budget, read }) => read !== undefined && read.used >= budget.limit)
  return over?.read === undefined ? [] : announce(tx, over, over.read.resetsAt, now)
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
