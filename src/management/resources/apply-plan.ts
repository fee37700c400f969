import type { Api } from './api.ts'
import type { Plan } from './plan.ts'

export interface AppliedPlan {
  /** Secrets of apps that were made without one, by client id: told once, here. */
  readonly secrets: ReadonlyMap<string, string>
}

/** Carries a plan out, step by step. Throws at the first step that is refused: whoever calls ends the transaction. */
export async function applyPlan(api: Api, { steps, known }: Plan): Promise<AppliedPlan> {
  const secrets = new Map<string, string>()
  const run = { api, ...known, made: new Set<string>(), idOf: new Map(), secrets }
  for (const step of steps) await step(run)
  return { secrets }
}
