import { plainHash } from '../base/index.ts'
import { findInteraction, handleOf } from '../interactions/index.ts'
import type { FlowParts } from './load.ts'
import { isLinkToken, openLink, transactionIdOf } from './magic-link.ts'
import { findTransactionByLink } from './transactions.store.ts'

/** A link of a mail in the browser that its transaction is bound to. */
export interface HeldLink {
  /** Of its interaction: one of those that the browser has brought. */
  readonly handle: string
  /** What the link is good for; absent: it is spent, has expired, or another mail took its place. */
  readonly code?: string
}

/**
 * Whether a browser holds the transaction of a mailed link: it has the cookie of that transaction, and the one that the transaction is bound
 * to. In any other browser nothing shows which transaction it is of (A80). Reads only: mail scanners look, too (A17).
 *
 * @param holder.handles the interaction handles in the browser's cookies
 * @param holder.browser the secret in the browser's own cookie
 */
export async function findHeldLink(
  parts: FlowParts,
  { clientId, token }: { readonly clientId: string; readonly token: string },
  { handles, browser }: { readonly handles: readonly string[]; readonly browser: string | undefined },
): Promise<HeldLink | undefined> {
  if (!isLinkToken(token) || handles.length === 0 || browser === undefined) return undefined
  const { db } = parts.storage
  const found = await findTransactionByLink(db, transactionIdOf(token), plainHash(token), parts)
  const interaction = found && (await findInteraction(db, found.transaction.interactionId))
  const isBound = interaction?.request.hosted?.browser === plainHash(browser)
  if (interaction?.clientId !== clientId || !isBound) return undefined
  const handle = await handleOf(db, interaction.id, handles)
  if (handle === undefined) return undefined
  const link = await openLink(parts, clientId, token)
  return { handle, ...(link.state === 'alive' && { code: link.code }) }
}
