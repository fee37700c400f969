import { type NewEvent, recordAll } from '../audit/index.ts'
import type { Clock, Random, Secrets } from '../base/index.ts'
import {
  endPersonTokens,
  putCredential,
  removeCredential,
  spendPersonToken,
  updatePerson,
} from '../directory/index.ts'
import {
  completeInteraction,
  extendInteraction,
  type Interaction,
  newInteractionCode,
} from '../interactions/index.ts'
import { clearBudgets, spend } from '../limits/index.ts'
import { queueMail } from '../mail/index.ts'
import { newSessionId, revokeSessionsOf, startSession } from '../sessions/index.ts'
import type { Db, Storage, Tx } from '../storage/index.ts'
import { budgetSpent, endedBy, eventsOfMove, mailQueued, sessionsCleared } from './events.ts'
import type { Charge, Effect, Outcome } from './outcome.ts'
import { close, type Progress } from './progress.ts'
import { sessionExpired } from './standing.ts'
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
  /** The name of the step that was taken. */
  readonly step: string
  /** Set where the outcome grants: who is signed in, and how she proved it. */
  grants(outcome: Outcome): Grant | undefined
}

export interface Grant {
  readonly personId: string
  readonly amr: readonly string[]
  /** Her account was locked, and its time is over. */
  readonly unlocks: boolean
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

  const settled = (result: Outcome): Outcome =>
    commitment.grants(result) === undefined
      ? result
      : { ...result, progress: close(result.progress, 'completed') }
  const move = (tx: Db, from: Transaction, to: Outcome, now: number) =>
    moveTransaction(tx, from, to.progress, {
      now,
      step: commitment.step,
      result: to.refused?.key ?? 'accepted',
      endedBy: endedBy(to),
    })

  // Where the move is all there is, its one statement needs no transaction around it.
  if (isOnlyMove(commitment, settled(outcome))) {
    const moved = await move(parts.storage.db, transaction, settled(outcome), parts.clock.now())
    return moved ? { outcome: settled(outcome) } : undefined
  }
  return parts.storage.transaction(async (tx) => {
    const now = parts.clock.now()
    if (!(await move(tx, transaction, settled(outcome), now))) return undefined
    const { tell, told } = teller(commitment)
    const { outcome: judged, uses } = await charge(tx, outcome, now, tell)
    const final = settled(judged)
    if (judged !== outcome) {
      await move(tx, { ...transaction, version: transaction.version + 1 }, final, now)
    }

    const sessionId = newSessionId(parts.random)
    const work = { tx, parts, commitment, final, uses, sessionId, now, tell }
    for (const effect of judged.effects ?? []) await carryOut(work, effect)
    await clearSpent(tx, judged)
    for (const event of eventsOfMove(transaction.progress, final, commitment.interaction)) tell(event)
    if (final.progress.closed === 'cancelled') await openSuccessor(tx, parts, commitment, now)
    const granted = commitment.grants(judged)
    const interactionCode = granted && (await grant(work, granted))
    await recordAll(tx, told, { random: parts.random, now })
    return { outcome: final, ...(interactionCode !== undefined && { interactionCode }) }
  })
}

/** Nothing to write: a poll, or an answer that could not even be judged. */
const isIdle = (transaction: Transaction, { progress, effects = [], charges = [] }: Outcome): boolean =>
  progress === transaction.progress && effects.length === 0 && charges.length === 0

const isOnlyMove = (
  { transaction, interaction, grants, outcome }: Commitment,
  { progress }: Outcome,
): boolean =>
  (outcome.effects ?? []).length === 0 &&
  (outcome.charges ?? []).length === 0 &&
  progress.closed === undefined &&
  grants(outcome) === undefined &&
  eventsOfMove(transaction.progress, outcome, interaction).length === 0

type Tell = (event: NewEvent) => void

/** Collects the events of a conversation, with where its visitor is and which app it is for: one statement writes all. */
function teller({ transaction, interaction }: Commitment) {
  const { ip, userAgent } = interaction.origin
  const client = { ipAddress: ip, userAgent, id: interaction.clientId }
  const told: NewEvent[] = []
  const tell: Tell = (event) => void told.push({ client, ...event, transactionId: transaction.id })
  return { told, tell }
}

/** Forgets what a success makes good, all budgets in one statement. */
async function clearSpent(tx: Tx, { effects = [] }: Outcome): Promise<void> {
  const cleared = effects.filter((effect) => effect.type === 'budget.clear')
  if (cleared.length > 0) await clearBudgets(tx, cleared)
}

interface Charged {
  readonly outcome: Outcome
  /** How much of each budget is used now, as the log tells it: `3 of 20`. */
  readonly uses: Readonly<Record<string, string>>
}

/** Charges the budgets one after the other; the first that is spent puts its other outcome in place of this one. */
async function charge(tx: Tx, outcome: Outcome, now: number, tell: Tell, before = {}): Promise<Charged> {
  let uses: Charged['uses'] = before
  for (const charged of outcome.charges ?? []) {
    const { budget, subject, free } = charged
    const spent = await spend(tx, budget, subject, now, { free })
    uses = { ...uses, [budget.purpose]: `${budget.limit - spent.left} of ${budget.limit}` }
    if (!spent.allowed) {
      uses = { ...uses, [budget.purpose]: `${budget.limit} of ${budget.limit}` }
      await announce(tx, charged, spent.resetsAt, now, tell)
      return charge(tx, insteadOf(charged, spent.resetsAt), now, tell, uses)
    }
  }
  return { outcome, uses }
}

/** What happens where a budget is spent. The log names the budget; a visitor who is told at all is told until when. */
function insteadOf({ budget, otherwise }: Charge, resetsAt: number): Outcome {
  const { refused, effects = [] } = otherwise
  return {
    ...otherwise,
    ...(refused?.status === 429 &&
      otherwise.progress.closed === undefined && { refused: { ...refused, retryAt: resetsAt } }),
    effects: effects.map((effect) =>
      effect.type === 'audit.record'
        ? { ...effect, event: withDebugData(effect.event, { rule: budget.purpose }) }
        : effect,
    ),
  }
}

const withDebugData = (event: NewEvent, debugData: Readonly<Record<string, string>>): NewEvent => ({
  ...event,
  debugData: { ...event.debugData, ...debugData },
})

/** Tells the log of a spent budget, once a window: whoever goes on asking must not fill it. */
async function announce(
  tx: Tx,
  { announces, budget, subject, otherwise }: Charge,
  resetsAt: number,
  now: number,
  tell: Tell,
): Promise<void> {
  if (announces === undefined) return
  const once = { purpose: `told ${budget.purpose}`, limit: 1, windowMs: resetsAt - now }
  if ((await spend(tx, once, subject, now)).allowed) {
    tell(budgetSpent(announces, budget, otherwise.progress))
  }
}

interface Work {
  readonly tx: Tx
  readonly parts: CommitParts
  readonly commitment: Commitment
  readonly final: Outcome
  readonly uses: Charged['uses']
  readonly sessionId: string
  readonly now: number
  readonly tell: Tell
}

async function carryOut(work: Work, effect: Effect): Promise<void> {
  const { tx, commitment, final, now, tell, uses } = work
  const { random, secrets } = work.parts
  const { transaction } = commitment
  switch (effect.type) {
    case 'mail.queue': {
      const mail = { ...effect.mail, transactionId: transaction.id }
      const id = await queueMail(tx, mail, { secrets, random, now })
      const moved = { before: transaction.progress, after: final.progress }
      return tell(withDebugData(mailQueued(mail, id, moved), uses))
    }
    case 'credential.put':
      return putCredential(tx, effect, now)
    case 'credential.remove':
      return removeCredential(tx, effect.personId, effect.authenticator)
    case 'person.update':
      await updatePerson(tx, effect.personId, effect.changes, now, effect.from)
      return
    case 'codes.end':
      await spendTokens(tx, final.progress, effect.personId, now)
      await endTransactionsOf(tx, effect.personId, now, {
        except: transaction.id,
        rule: 'password-changed',
      })
      return
    case 'budget.clear':
      return // Together, by clearSpent.
    case 'sessions.revoke':
      return revokeSessions(work, effect.personId)
    case 'audit.record':
      return tell(withDebugData(effect.event, uses))
  }
}

/**
 * Spends the token that led here, and ends the person's others. A token that was spent or ended a moment ago leads
 * nowhere: nothing of the outcome stands.
 */
async function spendTokens(tx: Tx, { proofs }: Progress, personId: string, now: number): Promise<void> {
  for (const { tokenId } of proofs) {
    if (tokenId !== undefined && !(await spendPersonToken(tx, tokenId, now))) {
      throw sessionExpired('the recovery token has ended')
    }
  }
  await endPersonTokens(tx, personId)
}

async function revokeSessions({ tx, now, sessionId, tell }: Work, personId: string): Promise<void> {
  const revoked = await revokeSessionsOf(tx, personId, now, { except: sessionId })
  if (revoked > 0) tell(sessionsCleared(personId, revoked, { id: personId, type: 'User' }))
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
  { tx, parts, commitment: { interaction }, sessionId, now, tell }: Work,
  { personId, amr, unlocks }: Grant,
): Promise<string> {
  const { lifetimes, random, secrets } = parts
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
  await updatePerson(tx, personId, { lastLoginAt: now, ...(unlocks && { status: 'ACTIVE' }) }, now)
  tell({
    eventType: 'user.session.start',
    displayMessage: 'User login to app',
    outcome: { result: 'SUCCESS' },
    actor: { id: personId, type: 'User' },
    target: [{ id: clientId, type: 'AppInstance' }],
  })
  return code
}
