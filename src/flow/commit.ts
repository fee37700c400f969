import { type NewEvent, recordEvents, sessionsCleared } from '../audit/index.ts'
import type { Clock, Random, Secrets } from '../base/index.ts'
import { queueMail } from '../delivery/index.ts'
import {
  asJudged,
  endPersonTokens,
  type JudgedUser,
  putCredential,
  rehashCredential,
  removeCredential,
  updatePerson,
  usePersonToken,
} from '../directory/index.ts'
import {
  completeInteraction,
  endTransactionsOf,
  extendInteraction,
  type Interaction,
  newInteractionCode,
} from '../interactions/index.ts'
import { announcementOf, clearBudgets, roomIn, sourceOf, spend } from '../limits/index.ts'
import { newSessionId, revokeSessionsOf, startSession } from '../sessions/index.ts'
import { type Db, type Storage, type Tx, together } from '../storage/index.ts'
import { budgetSpent, endedBy, eventsOfMove, mailQueued } from './events.ts'
import { sessionExpired } from './load.ts'
import type { Charge, Effect, Outcome } from './outcome.ts'
import { close } from './progress.ts'
import { moveTransaction, openTransaction, type Transaction } from './transactions.store.ts'

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
  /** The user that the outcome was computed from; undefined where it is about no user, known or not. */
  readonly user: JudgedUser | undefined
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
  /** The sources that she is known from now on. */
  readonly knownSources: string
}

export interface Committed {
  readonly outcome: Outcome
  readonly interactionCode?: string
}

/**
 * Carries an outcome out in one database transaction: the lock of the user's row, the move from the version that was
 * read, the charges, the effects and, if it grants, the session and the interaction code. Undefined: somebody else moved
 * the transaction first, so nothing was judged, charged or written. Throws `StaleRead`, and writes nothing, where the user
 * is not as judged any more: the credential or the status that an answer was right by must stand when it is written (A49).
 *
 * The user's row comes first, before the transaction and the budgets: what an owner or an administrator does to a user
 * begins with it, too, so that neither waits for the other in a circle (A50).
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
  return inTransaction(parts.storage, commitment.user, async (tx) => {
    const now = parts.clock.now()
    if (!(await move(tx, transaction, settled(outcome), now))) return undefined
    const { outcome: judged, uses, announced } = await charge(tx, outcome, now)
    const final = settled(judged)
    if (judged !== outcome) {
      await move(tx, { ...transaction, version: transaction.version + 1 }, final, now)
    }

    const granted = commitment.grants(judged)
    const interactionCode = granted && newInteractionCode(parts.random)
    const sessionId = newSessionId(parts.random)
    const work = { tx, parts, commitment, final, uses, sessionId, interactionCode, now }
    const events = await together([
      announced,
      ...(judged.effects ?? []).map((effect) => carryOut(work, effect)),
      clearSpent(tx, judged),
      eventsOfMove(transaction.progress, final, commitment.interaction),
      final.progress.closed === 'cancelled' ? openSuccessor(work) : [],
      granted === undefined ? [] : signIn(work, granted),
    ])
    await recordEvents(tx, events.flat().map(toldOf(commitment)), { random: parts.random, now })
    return { outcome: final, ...(interactionCode !== undefined && { interactionCode }) }
  })
}

const inTransaction = <T>(
  storage: Storage,
  user: JudgedUser | undefined,
  work: (tx: Tx) => Promise<T>,
): Promise<T> => (user === undefined ? storage.transaction(work) : asJudged(storage, user, work))

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

type Events = readonly NewEvent[]

/** An event of a conversation, with where its visitor is and which app it is for. */
function toldOf({ transaction, interaction }: Commitment): (event: NewEvent) => NewEvent {
  const { ip, userAgent } = interaction.origin
  const client = { ipAddress: ip, userAgent, id: interaction.clientId }
  return (event) => ({ client, ...event, transactionId: transaction.id })
}

/** Forgets what a success makes good, all budgets in one statement. */
async function clearSpent(tx: Tx, { effects = [] }: Outcome): Promise<Events> {
  const cleared = effects.filter((effect) => effect.type === 'budget.clear')
  if (cleared.length > 0) await clearBudgets(tx, cleared)
  return []
}

interface Charged {
  readonly outcome: Outcome
  /** How much of each budget is used now, as the log tells it: `3 of 20`. */
  readonly uses: Readonly<Record<string, string>>
  /** Of budgets that are spent. */
  readonly announced: Events
}

const uncharged = { uses: {}, announced: [] }

/** Charges the budgets one after the other; the first that is spent puts its other outcome in place of this one. */
async function charge(
  tx: Tx,
  outcome: Outcome,
  now: number,
  before: Omit<Charged, 'outcome'> = uncharged,
): Promise<Charged> {
  let { uses } = before
  const charges = outcome.charges ?? []
  // Right answers take nothing, so whether there is room can be asked of all their budgets at once.
  const free = charges.filter((charged) => charged.free)
  const room = await roomIn(tx, free, now)
  for (const charged of charges) {
    const { budget, subject } = charged
    const spent = room[free.indexOf(charged)] ?? (await spend(tx, budget, subject, now))
    uses = { ...uses, [budget.purpose]: `${budget.limit - spent.left} of ${budget.limit}` }
    if (!spent.allowed) {
      uses = { ...uses, [budget.purpose]: `${budget.limit} of ${budget.limit}` }
      const announced = [...before.announced, ...(await announce(tx, charged, spent.resetsAt, now))]
      return charge(tx, insteadOf(charged, spent.resetsAt), now, { uses, announced })
    }
  }
  return { outcome, uses, announced: before.announced }
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
): Promise<Events> {
  if (announces === undefined) return []
  const { allowed } = await spend(tx, announcementOf(budget, resetsAt - now), subject, now)
  return allowed ? [budgetSpent(announces, budget, otherwise.progress)] : []
}

interface Work {
  readonly tx: Tx
  readonly parts: CommitParts
  readonly commitment: Commitment
  readonly final: Outcome
  readonly uses: Charged['uses']
  /** Of the session that begins here, if one does, and the code that is redeemed for it. */
  readonly sessionId: string
  readonly interactionCode: string | undefined
  readonly now: number
}

/** Does it, and answers what the log is to tell of it. */
async function carryOut(work: Work, effect: Effect): Promise<Events> {
  const { tx, commitment, final, now, uses } = work
  const { random, secrets } = work.parts
  const { transaction } = commitment
  switch (effect.type) {
    case 'mail.queue': {
      const source = secrets.hash('mail source', sourceOf(commitment.interaction).key)
      const mail = { ...effect.mail, transactionId: transaction.id, source }
      const id = await queueMail(tx, mail, { secrets, random, now })
      const moved = { before: transaction.progress, after: final.progress }
      return [withDebugData(mailQueued(mail, id, moved), uses)]
    }
    case 'credential.put':
      await putCredential(tx, effect, now)
      return []
    case 'credential.rehash':
      // Another sign-in may have been first; nothing depends on it.
      await rehashCredential(tx, effect, effect.from, now)
      return []
    case 'credential.remove':
      await removeCredential(tx, effect.personId, effect.authenticator)
      await updatePerson(tx, effect.personId, { secretChanged: true }, now)
      return []
    case 'person.update':
      await updatePerson(tx, effect.personId, effect.changes, now, effect.from)
      return []
    case 'codes.end':
      await endCodes(work, effect.personId)
      return []
    case 'budget.clear':
      return [] // Together, by clearSpent.
    case 'sessions.revoke':
      return revokeSessions(work, effect.personId)
    case 'audit.record':
      return [withDebugData(effect.event, uses)]
  }
}

/**
 * Ends every other way in that was on its way. The token that led here is spent: one that was spent or ended a moment
 * ago leads nowhere, and nothing of the outcome stands.
 */
async function endCodes({ tx, commitment, final, now }: Work, personId: string): Promise<void> {
  for (const { tokenId } of final.progress.proofs) {
    if (tokenId !== undefined && !(await usePersonToken(tx, tokenId, now))) {
      throw sessionExpired('the recovery token has ended')
    }
  }
  const except = commitment.transaction.id
  await together<unknown>([
    endPersonTokens(tx, personId),
    endTransactionsOf(tx, personId, now, { except, rule: 'password-changed' }),
  ])
}

async function revokeSessions({ tx, now, sessionId }: Work, personId: string): Promise<Events> {
  const revoked = await revokeSessionsOf(tx, personId, now, { except: sessionId })
  return revoked > 0 ? [sessionsCleared(personId, revoked, { id: personId, type: 'User' })] : []
}

/** A cancelled conversation leaves the interaction alive: the next one starts from the first page with a new handle. */
async function openSuccessor({ tx, parts, commitment, now }: Work): Promise<Events> {
  const { lifetimes, secrets, random } = parts
  const { transaction, interaction } = commitment
  const expiresAt = now + lifetimes.transaction
  await extendInteraction(tx, interaction.id, expiresAt)
  await openTransaction(
    tx,
    {
      interactionId: interaction.id,
      clientId: interaction.clientId,
      turn: transaction.ordinal + 1,
      expiresAt,
    },
    { secrets, random, now },
  )
  return []
}

/** The one good end: a session, an interaction code, and a conversation that is over. */
async function signIn(work: Work, { personId, amr, unlocks, knownSources }: Grant): Promise<Events> {
  const { tx, parts, sessionId, interactionCode: code = '', now } = work
  const { interaction } = work.commitment
  const { lifetimes, secrets } = parts
  const { clientId } = interaction
  const { ip, userAgent } = interaction.origin
  const session = {
    id: sessionId,
    personId,
    clientId,
    createdAt: now,
    expiresAt: now + lifetimes.session,
    details: { amr, ip, userAgent },
  }
  const codeExpiresAt = now + lifetimes.interactionCode
  await together<unknown>([
    startSession(tx, session),
    complete(tx, interaction.id, { code, codeExpiresAt, sessionId }, secrets),
    updatePerson(tx, personId, { lastLoginAt: now, knownSources, ...(unlocks && { status: 'ACTIVE' }) }, now),
  ])
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

async function complete(...[tx, id, ...how]: Parameters<typeof completeInteraction>): Promise<void> {
  if (!(await completeInteraction(tx, id, ...how))) throw new Error(`interaction ${id} was completed twice`)
}
