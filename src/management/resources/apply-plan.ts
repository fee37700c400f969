import type { Api } from './api.ts'
import type { Plan } from './plan.ts'

export interface AppliedPlan {
  /** The generated secrets of new apps, by client id. They are returned only here. */
  readonly secrets: ReadonlyMap<string, string>
}

/** Runs the steps of a plan. Throws at the first one that is refused; the caller rolls the transaction back. */
export async function applyPlan(api: Api, { steps, known }: Plan): Promise<AppliedPlan> {
  const secrets = new Map<string, string>()
  const run = { api, ...known, created: new Set<string>(), idOf: new Map(), secrets }
  for (const step of steps) await step(run)
  return { secrets }
}
