import { findInteraction, findInteractionByHandle } from '../interactions/index.ts'
import type { FlowParts } from './load.ts'
import { isLinkToken, transactionIdOf } from './magic-link.ts'
import {
  findTransactionByLink,
  findTransactionByState,
  findTransactionOfInteraction,
} from './transactions.store.ts'

/** Which transaction something belongs to: for operators and the inspector, never for a visitor. */
export interface TransactionIds {
  readonly transactionId: string
  readonly interactionId: string
  readonly clientId: string | undefined
}

/** By what a transaction is known outside: either handle, or the token of a mailed link. */
export type Handle =
  | { readonly stateHandle: string }
  | { readonly interactionHandle: string }
  | { readonly linkToken: string }

/** Finds a transaction by any of its handles, expired or not; undefined: there is none. */
export async function findTransaction(parts: FlowParts, by: Handle): Promise<TransactionIds | undefined> {
  const transaction = await transactionBy(parts, by)
  if (transaction === undefined) return undefined
  const interaction = await findInteraction(parts.storage.db, transaction.interactionId)
  return {
    transactionId: transaction.id,
    interactionId: transaction.interactionId,
    clientId: interaction?.clientId,
  }
}

async function transactionBy(parts: FlowParts, by: Handle) {
  const { db } = parts.storage
  if ('stateHandle' in by) return findTransactionByState(db, by.stateHandle, parts)
  if ('interactionHandle' in by) {
    // Of any time: also those that are over.
    const interaction = await findInteractionByHandle(db, by.interactionHandle, 0)
    return interaction && findTransactionOfInteraction(db, interaction.id, parts)
  }
  if (!isLinkToken(by.linkToken)) return undefined
  return (await findTransactionByLink(db, transactionIdOf(by.linkToken), '', parts))?.transaction
}
