import { plainHash } from '../base/index.ts'
import { findInteraction, type Interaction } from '../interactions/index.ts'
import type { FlowParts } from './load.ts'
import { findTransactionByState } from './transactions.store.ts'

/**
 * The request whose user did not allow what the app wants, in the browser that it began in (A80). It has no code, so the answer may be
 * given again: it is the same each time.
 */
export async function findDeclined(
  parts: FlowParts,
  stateToken: string,
  browser: string | undefined,
): Promise<Interaction | undefined> {
  const { db } = parts.storage
  const transaction = await findTransactionByState(db, stateToken, parts)
  if (transaction?.progress.closed !== 'declined' || transaction.expiresAt <= parts.clock.now())
    return undefined
  const interaction = await findInteraction(db, transaction.interactionId)
  const { hosted } = interaction?.request ?? {}
  return browser !== undefined && hosted?.browser === plainHash(browser) ? interaction : undefined
}
