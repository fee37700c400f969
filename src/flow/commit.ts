import { type NewEvent, record } from '../audit/index.ts'
import type { Clock, Random, Secrets } from '../base/index.ts'
import { putCredential, removeCredential, updatePerson } from '../directory/index.ts'
import {
  completeInteraction,
  extendInteraction,
  type Interaction,
  newInteractionCode,
} from '../interactions/index.ts'
import { clearBudget, refund, spend } from '../limits/index.ts'
import { queueMail } from '../mail/index.ts'
import { newSessionId, revokeSessionsOf, startSession } from '../sessions/index.ts'
import type { Storage, Tx } from '../storage/index.ts'
import type { Effect, Outcome } from './outcome.ts'
import { close, type Progress } from './progress.ts'
import { endTransactionsOf, moveTransaction, openTransaction, type Transaction } from './store.ts'

export interface CommitParts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly lifetimes: {
    readonly transaction: number
    readonly interactionCode: number
    readonly session: number
  }
}

/** What an outcome does, apart from itself. */
export interface Commitment {
  readonly transaction: Transaction
  readonly interaction: Interaction
  readonly outcome: Outcome
  /** Set where the outcome grants: who is signed in, and how she proved it. */
  grants(outcome: Outcome): Grant | undefined
}

export interface Grant {
  readonly personId: string
  readonly amr: readonly string[]
}

export interface Committed {
  readonly outcome: Outcome
  readonly interactionCode?: string
}

/**
 * Carries an outcome out in one database transaction: the move from the version that was read, the charges, the
 * effects and, if it grants, the session and the interaction code. Undefined: somebody else moved the transaction
 * first, so nothing was judged, charged or written.
 */
export async function commit(parts: CommitParts, commitment: Commitment): Promise<Committed | undefined> {
  const { transaction, outcome } = commitment
  if (isIdle(transaction, outcome)) return { outcome }

  const settled = (result: Outcome): Progress =>
    commitment.grants(result) === undefined ? result.progress : close(result.progress, 'completed')

  return parts.storage.transaction(async (tx) => {
    const now = parts.clock.now()
    if (!(await moveTransaction(tx, transaction, settled(outcome), now))) return undefined
    const judged = await charge(tx, outcome, now)
    if (judged !== outcome) {
      await moveTransaction(tx, { ...transaction, version: transaction.version + 1 }, settled(judged), now)
    }
    const final = { ...judged, progress: settled(judged) }

    const sessionId = newSessionId(parts.random)
    for (const effect of judged.effects ?? []) await carryOut(tx, parts, commitment, effect, sessionId, now)
    if (final.progress.closed === 'cancelled') await openSuccessor(tx, parts, commitment, now)
    const granted = commitment.grants(judged)
    if (granted === undefined) return { outcome: final }
    return { outcome: final, interactionCode: await grant(tx, parts, commitment, granted, sessionId, now) }
  })
}

/** Nothing to write: a poll, or an answer that could not even be judged. */
const isIdle = (transaction: Transaction, { progress, effects = [], charges = [] }: Outcome): boolean =>
  progress === transaction.progress && effects.length === 0 && charges.length === 0

/** Charges the budgets one after the other; the first that is spent puts its other outcome in place of this one. */
async function charge(tx: Tx, outcome: Outcome, now: number): Promise<Outcome> {
  for (const { budget, subject, free, otherwise } of outcome.charges ?? []) {
    const spent = await spend(tx, budget, subject, now)
    if (!spent.allowed) {
      const { refused } = otherwise
      const told =
        refused?.status === 429
          ? { ...otherwise, refused: { ...refused, retryAt: spent.resetsAt } }
          : otherwise
      return charge(tx, told, now)
    }
    if (free) await refund(tx, budget, subject)
  }
  return outcome
}

async function carryOut(
  tx: Tx,
  parts: CommitParts,
  { transaction, interaction }: Commitment,
  effect: Effect,
  sessionId: string,
  now: number,
): Promise<void> {
  const { random, secrets } = parts
  switch (effect.type) {
    case 'mail.queue':
      await queueMail(tx, { ...effect.mail, transactionId: transaction.id }, { secrets, random, now })
      return
    case 'credential.put':
      return putCredential(tx, effect, now)
    case 'credential.remove':
      return removeCredential(tx, effect.personId, effect.authenticator)
    case 'person.update':
      await updatePerson(tx, effect.personId, effect.changes, now)
      return
    case 'codes.end':
      await endTransactionsOf(tx, effect.personId, now, { except: transaction.id })
      return
    case 'budget.clear':
      return clearBudget(tx, effect.budget, effect.subject)
    case 'sessions.revoke':
      await revokeSessionsOf(tx, effect.personId, now, { except: sessionId })
      return
    case 'audit.record': {
      const { ip, userAgent } = interaction.origin
      const client = { ipAddress: ip, userAgent, id: interaction.clientId }
      return record(tx, { client, ...effect.event, transactionId: transaction.id }, { random, now })
    }
  }
}

/** A cancelled conversation leaves the interaction alive: the next one starts from the first page with a new handle. */
async function openSuccessor(
  tx: Tx,
  { lifetimes, secrets, random }: CommitParts,
  { transaction, interaction }: Commitment,
  now: number,
): Promise<void> {
  const expiresAt = now + lifetimes.transaction
  await extendInteraction(tx, interaction.id, expiresAt)
  await openTransaction(
    tx,
    { interactionId: interaction.id, clientId: interaction.clientId, turn: transaction.turn + 1, expiresAt },
    { secrets, random, now },
  )
}

/** The one good end: a session, an interaction code, and a conversation that is over. */
async function grant(
  tx: Tx,
  { lifetimes, random, secrets }: CommitParts,
  { transaction, interaction }: Commitment,
  { personId, amr }: Grant,
  sessionId: string,
  now: number,
): Promise<string> {
  const { clientId } = interaction
  const { ip, userAgent } = interaction.origin
  await startSession(tx, {
    id: sessionId,
    personId,
    clientId,
    createdAt: now,
    expiresAt: now + lifetimes.session,
    details: { amr, ip, userAgent },
  })
  const code = newInteractionCode(random)
  const codeExpiresAt = now + lifetimes.interactionCode
  if (!(await completeInteraction(tx, interaction.id, { code, codeExpiresAt, sessionId }, secrets))) {
    throw new Error(`interaction ${interaction.id} was completed twice`)
  }
  await updatePerson(tx, personId, { lastLoginAt: now }, now)
  const event: NewEvent = {
    eventType: 'user.session.start',
    displayMessage: 'User login to app',
    outcome: { result: 'SUCCESS' },
    actor: { id: personId, type: 'User' },
    target: [{ id: clientId, type: 'AppInstance' }],
    client: { ipAddress: ip, userAgent, id: clientId },
    transactionId: transaction.id,
  }
  await record(tx, event, { random, now })
  return code
}
