import { plainHash } from '../base/index.ts'
import { type Client, findClient, isLocalhostOrigin, isOwnPages, ownPagesClient } from '../clients/index.ts'
import { findPerson } from '../directory/index.ts'
import { findInteraction, type Interaction } from '../interactions/index.ts'
import type { Authenticator } from './authenticator.ts'
import type { FlowParts } from './load.ts'
import type { Challenge } from './progress.ts'
import { findTransactionByLink, type Transaction } from './transactions.store.ts'

/** What a magic link shows. Looking at it changes nothing: mail scanners look too. */
export type OpenedLink =
  | {
      readonly state: 'alive'
      readonly code: string
      readonly transaction: Transaction
      readonly interaction: Interaction
      readonly client: Client
      /** The user's own language, where the profile has one. */
      readonly locale: string | undefined
    }
  /** Its time is over; a newer mail took its place; or it never was, was used, or its transaction is over. */
  | { readonly state: 'expired' | 'stale' | 'dead' }

const prefix = 'ft'

/** A link's token names its transaction, so that an old link can be distinguished from one that never was. */
export const linkToken = (transactionId: string, secret: string): string =>
  `${prefix}${transactionId.slice(3)}${secret}`

export const transactionIdOf = (token: string): string =>
  `trs${token.slice(prefix.length, prefix.length + 17)}`

/** A link as mails carry it. Anything else does not reach the database, which would choke on a NUL. */
export const isLinkToken = (token: string): boolean => /^ft[A-Za-z0-9]{60}$/.test(token)

/** Reads what a magic link of a client's mail stands for. */
export async function openLink(parts: FlowParts, clientId: string, token: string): Promise<OpenedLink> {
  if (!isLinkToken(token)) return { state: 'dead' }
  const found = await findTransactionByLink(parts.storage.db, transactionIdOf(token), plainHash(token), parts)
  if (found === undefined) return { state: 'dead' }
  const { transaction, alive } = found
  const { challenge, closed, decoy } = transaction.progress
  // One that was ended from outside is over for the owner of the mailbox, who alone has its links.
  if (challenge?.linkHash === undefined || closed !== undefined || decoy) return { state: 'dead' }
  if (!alive) return { state: 'stale' }
  if (challenge.expiresAt <= parts.clock.now()) return { state: 'expired' }

  const interaction = await findInteraction(parts.storage.db, transaction.interactionId)
  if (interaction?.clientId !== clientId) return { state: 'dead' }
  const client = isOwnPages(clientId)
    ? ownPagesClient(parts.org.name)
    : await findClient(parts.storage.db, clientId)
  const code = codeIn(parts.authenticators, challenge, token)
  if (client?.status !== 'ACTIVE' || code === undefined) return { state: 'dead' }
  const person = await findPerson(parts.storage.db, transaction.progress.subject?.userId ?? '')
  return { state: 'alive', code, transaction, interaction, client, locale: person?.profile.locale }
}

/**
 * The origin of the redirect URI of a link's transaction: the way back to a client for development, which accepts any
 * address of localhost and has none registered. Undefined where the link is of no transaction of this client.
 */
export async function originOfLink(
  parts: FlowParts,
  clientId: string,
  token: string,
): Promise<string | undefined> {
  if (!isLinkToken(token)) return undefined
  const { db } = parts.storage
  const found = await findTransactionByLink(db, transactionIdOf(token), plainHash(token), parts)
  const interaction = found && (await findInteraction(db, found.transaction.interactionId))
  const origin = interaction?.clientId === clientId ? new URL(interaction.redirectUri).origin : ''
  return isLocalhostOrigin(origin) ? origin : undefined
}

const codeIn = (
  authenticators: ReadonlyMap<string, Authenticator>,
  challenge: Challenge,
  token: string,
): string | undefined => authenticators.get(challenge.authenticator)?.challenge?.codeUnder?.(challenge, token)
