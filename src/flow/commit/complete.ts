import type { NewEvent } from '../../audit/index.ts'
import type { Random, Secrets } from '../../base/index.ts'
import {
  completeHosted,
  completeInteraction,
  extendInteraction,
  type Interaction,
} from '../../interactions/index.ts'
import { startSession } from '../../sessions/index.ts'
import { type Tx, withCommit } from '../../storage/index.ts'
import type { Authenticator } from '../authenticator.ts'
import { beginningOf } from '../load.ts'
import type { Grant } from '../settle.ts'
import { openTransaction, type Transaction } from '../transactions.store.ts'

/** What completing needs. */
export interface Completion {
  readonly tx: Tx
  readonly secrets: Secrets
  readonly random: Random
  readonly now: number
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly lifetimes: {
    readonly transaction: number
    readonly interactionCode: number
    readonly session: number
  }
  readonly transaction: Transaction
  readonly interaction: Interaction
}

/** How many transactions may follow the first one of an interaction; then the app begins another interaction (A60). */
export const mostSuccessors = 20
/** An interaction ends after so many lifetimes of a transaction, however often it was cancelled. */
const mostLifetimes = 4

/**
 * A cancelled transaction leaves the interaction alive: the next one starts from the first page with a new handle. Both
 * how many there are and how long they last is bounded: they are stored without anything having been proven.
 */
export async function openSuccessor(completion: Completion): Promise<void> {
  const { tx, lifetimes, transaction, interaction, now } = completion
  if (transaction.ordinal >= mostSuccessors) return
  const end = interaction.createdAt + mostLifetimes * lifetimes.transaction
  const expiresAt = Math.min(now + lifetimes.transaction, end)
  const { id: interactionId, clientId } = interaction
  await extendInteraction(tx, interactionId, expiresAt)
  await openTransaction(
    tx,
    {
      ...{ interactionId, clientId, ordinal: transaction.ordinal + 1, expiresAt },
      progress: beginningOf(completion, interaction),
    },
    completion,
  )
}

/** The end of a sign-in: a session and an interaction code. Answers the events to record. */
export async function signIn(
  { tx, lifetimes, secrets, interaction, now }: Completion,
  { personId, amr, traits, proofs, browser }: Grant,
  {
    sessionId,
    interactionCode: code,
  }: {
    readonly sessionId: string
    readonly interactionCode: string
  },
): Promise<readonly NewEvent[]> {
  const {
    clientId,
    request: { hosted },
  } = interaction
  const { ip, userAgent } = interaction.origin
  const session = {
    id: sessionId,
    personId,
    clientId,
    createdAt: now,
    // Its app has not come for it yet: until then it lives no longer than what it waits for.
    expiresAt: hosted === undefined ? now + lifetimes.session : interaction.expiresAt,
    details: {
      amr,
      ...(traits.length > 0 && { traits }),
      ...{ ip, userAgent, proofs },
      // Whose issuer its logout token names.
      ...(interaction.issuer === 'org' && { issuer: 'org' as const }),
      ...(browser && Object.keys(browser).length > 0 && { browser }),
      // What a browser's session has proven may be older than the session that an app gets by it (A74).
      ...(hosted && proofs.length > 0 && { authTime: Math.max(...proofs.map(({ at }) => at)) }),
    },
  }
  const codeExpiresAt = now + lifetimes.interactionCode
  await withCommit(tx, startSession(tx, session))
  const twice = () => new Error(`interaction ${interaction.id} was completed twice`)
  await withCommit(
    tx,
    hosted === undefined
      ? completeInteraction(tx, interaction.id, { code, codeExpiresAt, sessionId }, { secrets, twice })
      : completeHosted(tx, interaction.id, sessionId, twice),
  )
  return [
    {
      eventType: 'user.session.start',
      displayMessage: 'User login to app',
      outcome: { result: 'SUCCESS' },
      actor: { id: personId, type: 'User' },
      target: [{ id: clientId, type: 'AppInstance' }],
    },
  ]
}
