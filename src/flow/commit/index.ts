import { type NewEvent, type Party, recordEvents } from '../../audit/index.ts'
import type { Secrets } from '../../base/index.ts'
import { ifUnchanged, type Person, type PersonChanges, type UserVersion } from '../../directory/index.ts'
import { type Interaction, narrowInteraction, newInteractionCode } from '../../interactions/index.ts'
import { newSessionId } from '../../sessions/index.ts'
import { type Storage, type Tx, together, withCommit } from '../../storage/index.ts'
import { answersApp } from '../declined.ts'
import { endedBy, eventsOfMove } from '../events.ts'
import { rememberSource } from '../known-sources.ts'
import type { FlowParts, TransactionContext } from '../load.ts'
import type { Outcome } from '../outcome.ts'
import { type Settled, settle } from '../settle.ts'
import { nameInLog } from '../subjects.ts'
import { type Move, moveTransaction, requireMove, type Transaction } from '../transactions.store.ts'
import { resolveCharges } from './charges.ts'
import { openSuccessor, signIn } from './complete.ts'
import { type CreatesUser, createUser, creationIn, lockReplaced, takenOutcome } from './create-user.ts'
import { withDeferred } from './deferred.ts'
import { carryOutEffects } from './effects.ts'
import { withNotices } from './notices.ts'
import { requireCarrier, withProofs, withProvenBy } from './proven.ts'
import { withRegistered } from './registered.ts'
import { type RememberedSecret, remember } from './remember.ts'
import { withUnlock } from './unlocked.ts'

/** An outcome to write, and what it was computed from. */
export interface Commitment {
  readonly transaction: Transaction
  readonly interaction: Interaction
  readonly outcome: Outcome
  /** The context of what the outcome makes of the transaction: what decides its end. */
  readonly after: TransactionContext
  /** The user that the outcome was computed from; undefined where it is about no user, known or not. */
  readonly user: UserVersion | undefined
  /** The name of the step that was taken. */
  readonly step: string
}

export interface Committed {
  readonly outcome: Outcome
  readonly interactionCode?: string
  /** The end of a sign-in on the engine's own pages: the browser goes back to the app, and the code is made on that way. */
  readonly returns?: true
  /** The app's session that has begun with that. */
  readonly sessionId?: string
  /** The secret of a device that is remembered from now on. */
  readonly device?: RememberedSecret
}

/** Thrown to roll back where another request moved the transaction first. */
class Moved extends Error {}

/**
 * Writes an outcome in one database transaction: the user's row is locked, the budgets are charged, the transaction
 * moves on from the version that was read, the effects are carried out and, at the end of a sign-in, a session and an
 * interaction code are made. Undefined: another request moved the transaction first, so nothing was checked, charged or
 * written. Throws `StaleRead`, and writes nothing, where the user has changed since the answer was checked: the credential or the status
 * that an answer was right by must stand when it is written (A49).
 *
 * The user's row comes first, before the budgets and the transaction: what a user or an administrator changes begins
 * with it, too, so that neither waits for the other in a circle (A50).
 */
export async function commit(parts: FlowParts, commitment: Commitment): Promise<Committed | undefined> {
  const { transaction, outcome, after } = commitment
  if (isIdle(transaction, outcome)) return { outcome }
  const settled = settle(outcome, after.situation, parts.authenticators)

  // Where the move is all there is, its one statement needs no transaction around it.
  if (isOnlyMove(commitment, settled)) {
    const moved = await moveTransaction(
      parts.storage.db,
      moveOf(commitment, settled.outcome, parts.clock.now()),
    )
    return moved ? { outcome: settled.outcome } : undefined
  }
  try {
    const made = creationIn(outcome)
    if (made !== undefined) {
      return await parts.storage.transaction((tx) => writeUser(parts, commitment, made, settled, tx))
    }
    return await inTransaction(parts.storage, commitment.user, (tx) => write(parts, commitment, settled, tx))
  } catch (error) {
    if (error instanceof Moved) return undefined
    throw error
  }
}

/** The same where it makes a user: there is no row to lock, but those of the users who have the names. */
async function writeUser(
  parts: FlowParts,
  commitment: Commitment,
  made: CreatesUser,
  wanted: Settled,
  tx: Tx,
): Promise<Committed> {
  const replaced = await lockReplaced(tx, made)
  if (replaced !== undefined) return write(parts, commitment, wanted, tx, replaced)
  const { transaction, outcome: before, after } = commitment
  const outcome = takenOutcome(transaction.progress, before)
  return write(parts, { ...commitment, outcome }, settle(outcome, after.situation, parts.authenticators), tx)
}

/** @param wanted what the outcome brings unless a budget puts another one in its place. */
async function write(
  parts: FlowParts,
  commitment: Commitment,
  wanted: Settled,
  tx: Tx,
  replaced: readonly Person[] = [],
): Promise<Committed> {
  const { secrets, random, authenticators, lifetimes } = parts
  const { transaction, interaction, after } = commitment
  const now = parts.clock.now()
  await requireCarrier(tx, parts, commitment.outcome.progress)
  const {
    outcome: charged,
    uses,
    announced,
  } = await resolveCharges(tx, commitment.outcome, now, (budget) => parts.refusals?.count(budget))
  const settled = charged === commitment.outcome ? wanted : settle(charged, after.situation, authenticators)
  const { grant } = settled
  const ended = withDeferred(secrets, settled)
  const typed = commitment.outcome.progress.subject?.identifier
  const noticed = withUnlock(parts, after, withNotices(parts, after, ended, now), typed)
  const registered = await withRegistered(parts, tx, after, noticed, grant, now)
  const isHosted = interaction.request.hosted !== undefined
  const outcome = isHosted
    ? await withProvenBy(tx, parts, transaction.progress, after.person, registered)
    : registered
  // What follows travels with it, to the commit, and is undone where it has failed. Its statement comes first.
  const moving = requireMove(
    tx,
    moveOf(commitment, outcome, now),
    () => new Moved('another request moved the transaction'),
  )
  await withCommit(tx, moving)
  const sessionId = newSessionId(random)
  const work = { tx, secrets, random, now, authenticators, lifetimes, transaction, interaction }
  const signedIn = grant && { personId: grant.personId, changes: changesOfSignIn(parts, commitment, outcome) }
  const interactionCode = grant && newInteractionCode(random)
  const made = creationIn(outcome)
  // By itself: where another registration has the name, nothing else may be under way.
  if (made !== undefined) await moving
  const created = made === undefined ? [] : await createUser(work, made, replaced)
  const carryingOut = () => carryOutEffects({ ...work, outcome, uses, sessionId, signedIn })
  const signingIn = async (granted = grant) =>
    granted !== undefined && interactionCode !== undefined
      ? signIn(work, granted, { sessionId, interactionCode })
      : []
  const writing = isHosted
    ? // What the session says of its proofs is read once everything of them is written.
      carryingOut().then(async (effects) => {
        const granted = grant && (await withProofs(tx, parts, grant, outcome, after.situation.ownPolicy))
        return [effects, await signingIn(granted)] as const
      })
    : together([carryingOut(), signingIn()])
  const [effects, signIns] = await writing
  const { leftOut } = after.situation
  if (grant && leftOut) await narrowInteraction(tx, interaction, withoutScopes(interaction, leftOut))
  const device = grant && (await remember(work, outcome.progress, after.situation))
  if (outcome.progress.closed === 'cancelled') await openSuccessor(work)
  const events = [
    ...announced,
    ...created,
    ...(effects ?? []),
    ...eventsOfMove(transaction.progress, outcome, interaction),
    ...(signIns ?? []),
  ]
  await recordEvents(tx, events.map(ofTransaction(commitment, secrets)), { random, now })
  return {
    outcome,
    ...(interactionCode !== undefined &&
      (isHosted ? { returns: true as const, sessionId } : { interactionCode })),
    ...(answersApp(outcome.progress) && { returns: true as const }),
    ...(device && { device }),
  }
}

/** The scopes of a request without those that its user has left out at an earlier sign-in. */
const withoutScopes = ({ request: { scope } }: Interaction, leftOut: readonly string[]): string =>
  scope
    .split(' ')
    .filter((name) => !leftOut.includes(name))
    .join(' ')

/** What a sign-in writes of its user. */
function changesOfSignIn(
  { secrets, clock }: FlowParts,
  { after, interaction }: Commitment,
  { progress }: Outcome,
): PersonChanges {
  // A new password forgets where the old one was used (A56), which the user as read before still has.
  const known = progress.replaced.length > 0 ? undefined : after.person?.knownSources
  return {
    lastLoginAt: clock.now(),
    knownSources: rememberSource(known, secrets, interaction),
    ...(after.lockIsOver && { status: 'ACTIVE' }),
  }
}

const moveOf = ({ transaction: from, step }: Commitment, outcome: Outcome, now: number): Move => ({
  from,
  progress: outcome.progress,
  now,
  step,
  result: outcome.refused?.key ?? 'accepted',
  endedBy: endedBy(outcome),
})

const inTransaction = <T>(
  storage: Storage,
  user: UserVersion | undefined,
  work: (tx: Tx) => Promise<T>,
): Promise<T> => (user === undefined ? storage.transaction(work) : ifUnchanged(storage, user, work))

/** Nothing to write: a poll, or an answer that could not even be checked. */
const isIdle = (transaction: Transaction, { progress, effects = [], charges = [] }: Outcome): boolean =>
  progress === transaction.progress && effects.length === 0 && charges.length === 0

const isOnlyMove = (
  { transaction, interaction, outcome: { effects = [], charges = [] } }: Commitment,
  { outcome, grant }: Settled,
): boolean =>
  effects.length === 0 &&
  charges.length === 0 &&
  outcome.progress.closed === undefined &&
  grant === undefined &&
  eventsOfMove(transaction.progress, outcome, interaction).length === 0

/** Adds to an event where its visitor is, which app it is for, and the transaction. */
function ofTransaction(
  { transaction, interaction }: Commitment,
  secrets: Secrets,
): (event: NewEvent) => NewEvent {
  const { ip, userAgent } = interaction.origin
  const client = { ipAddress: ip, userAgent, id: interaction.clientId }
  return (event) => ({
    client,
    ...event,
    ...(event.actor && { actor: loggedAs(event.actor, secrets) }),
    transactionId: transaction.id,
  })
}

/** The actor as the log may have it: of an unknown user what was typed is no name, and may be a password. */
const loggedAs = (actor: Party, secrets: Secrets): Party =>
  actor.id === 'unknown' && actor.alternateId !== undefined && actor.alternateId !== 'unknown'
    ? { ...actor, alternateId: nameInLog(secrets, actor.alternateId) }
    : actor
