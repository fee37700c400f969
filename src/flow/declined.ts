import { plainHash } from '../base/index.ts'
import { findInteraction, type Interaction } from '../interactions/index.ts'
import type { FlowParts } from './load.ts'
import type { Closing, Progress } from './progress.ts'
import { findTransactionByState } from './transactions.store.ts'

const reasons = ['declined', 'unmet'] as const satisfies readonly Closing[]

/** A request that is answered to its app without a sign-in. */
export interface AnsweredWithout {
  readonly interaction: Interaction
  /** `declined`: the user did not allow what the app wants. `unmet`: the user cannot prove what it wishes. */
  readonly reason: (typeof reasons)[number]
}

/** Whether the end of a transaction is for the app to know, though no user has signed in. */
export const answersApp = ({ closed }: Progress): boolean => (reasons as readonly unknown[]).includes(closed)

/**
 * The request that ended so, in the browser that it began in (A80). It has no code, so the answer may be given again: it is the same
 * each time.
 */
export async function findAnsweredWithout(
  parts: FlowParts,
  stateToken: string,
  browser: string | undefined,
): Promise<AnsweredWithout | undefined> {
  const { db } = parts.storage
  const transaction = await findTransactionByState(db, stateToken, parts)
  const reason = reasons.find((one) => one === transaction?.progress.closed)
  if (transaction === undefined || reason === undefined) return undefined
  if (transaction.expiresAt <= parts.clock.now()) return undefined
  const interaction = await findInteraction(db, transaction.interactionId)
  const { hosted } = interaction?.request ?? {}
  const isOwn = browser !== undefined && hosted?.browser === plainHash(browser)
  return interaction !== undefined && isOwn ? { interaction, reason } : undefined
}
