/** How often each budget has refused something on this node since its start, by the budget's name: for metrics. */
export interface Refusals {
  count(budget: string): void
  /** By name, in the order of their first refusal. Names are those of budgets, never of callers. */
  counts(): ReadonlyMap<string, number>
}

export function createRefusals(): Refusals {
  const counted = new Map<string, number>()
  return {
    count: (budget) => void counted.set(budget, (counted.get(budget) ?? 0) + 1),
    counts: () => counted,
  }
}
