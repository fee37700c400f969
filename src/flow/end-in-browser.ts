import { plainHash } from '../base/index.ts'
import { findInteractionByHandle, hasCode, type Interaction } from '../interactions/index.ts'
import { answersApp } from './declined.ts'
import type { FlowParts } from './load.ts'
import type { Closing } from './progress.ts'
import { findTransactionOfInteraction } from './transactions.store.ts'

/** The end of a transaction of the engine's own pages, as the browser that holds it may see it again. */
export type EndInBrowser =
  /** It goes back to its app: nothing was handed out there yet. */
  | { readonly result: 'returns'; readonly stateToken: string }
  /** Its code was handed out: a code leaves once (RFC 6749, section 4.1.2). */
  | { readonly result: 'returned'; readonly interaction: Interaction }
  /** It ended in a message. */
  | { readonly result: 'closed'; readonly closing: Closing }

/**
 * How the transaction of a handle has ended: for a form that is sent twice, whose first answer may be lost. Undefined where it goes on, where
 * nothing is known of it, and in another browser than the one that it is bound to (A80). Reads only.
 *
 * @param browser the secret in the browser's cookie
 */
export async function findEndInBrowser(
  parts: FlowParts,
  handle: string,
  browser: string | undefined,
): Promise<EndInBrowser | undefined> {
  const { db } = parts.storage
  const now = parts.clock.now()
  const interaction = await findInteractionByHandle(db, handle, now)
  const { hosted } = interaction?.request ?? {}
  if (interaction === undefined || browser === undefined || hosted?.browser !== plainHash(browser)) {
    return undefined
  }
  const transaction = await findTransactionOfInteraction(db, interaction.id, parts)
  const { closed } = transaction?.progress ?? {}
  // One that was ended from outside shows no end: it goes on as about an unknown user (A86).
  if (transaction === undefined || closed === undefined || transaction.progress.decoy) return undefined
  if (transaction.expiresAt <= now) return undefined
  const { stateHandle: stateToken } = transaction
  if (answersApp(transaction.progress)) return { result: 'returns', stateToken }
  if (closed !== 'completed') return { result: 'closed', closing: closed }
  return (await hasCode(db, interaction.id))
    ? { result: 'returned', interaction }
    : { result: 'returns', stateToken }
}
