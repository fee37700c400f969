import { noteTransaction, plainHash, randomToken } from '../base/index.ts'
import { findEnrollments, findPerson, lockPerson } from '../directory/index.ts'
import { findInteraction, type Interaction, issueAuthorizationCode } from '../interactions/index.ts'
import {
  type BrowserSession,
  findSession,
  linkSession,
  renewBrowserSession,
  revokeSession,
  type Session,
  type SessionDetails,
  type SessionProof,
  startBrowserSession,
} from '../sessions/index.ts'
import { retryStale, type Tx } from '../storage/index.ts'
import { commit } from './commit/index.ts'
import { contextAfter, type FlowParts, loadByInteraction, type TransactionContext } from './load.ts'
import { identify, type Proof } from './progress.ts'
import { decide } from './stage.ts'
import { findTransactionByState, versionOf } from './transactions.store.ts'

/** What a transaction that a browser has brought begins as. */
export type BegunInBrowser =
  /** Something is to be asked. The token is the transaction's state handle, for `introspect` and the pages. */
  | { readonly result: 'asks' }
  /** The browser's session proves enough: nothing is asked. */
  | { readonly result: 'signed-in'; readonly interactionId: string }
  /** The user of the session may not use the app. */
  | { readonly result: 'denied' }

/**
 * Opens the transaction of a request to `authorize`. What the browser's session has proven enters it as proofs with their times, so that
 * the app's own policy and wishes judge it (A74): enough of it signs in at once, else the rest alone is asked for.
 *
 * @param options.mayAsk false: where something is to be asked, nothing is written for it (`prompt=none`).
 */
export async function beginInBrowser(
  parts: FlowParts,
  interactionHandle: string,
  { session, mayAsk }: { readonly session: BrowserSession | undefined; readonly mayAsk: boolean },
): Promise<BegunInBrowser> {
  const begun =
    session &&
    (await retryStale(async () => {
      const context = await loadByInteraction(parts, interactionHandle)
      return continueFrom(parts, context, session, mayAsk)
    }))
  if (begun !== undefined) return begun
  await loadByInteraction(parts, interactionHandle)
  return { result: 'asks' }
}

/** The transaction with the proofs of a session; undefined where they are of no use in it. */
async function continueFrom(
  parts: FlowParts,
  before: TransactionContext,
  session: BrowserSession,
  mayAsk: boolean,
): Promise<BegunInBrowser | undefined> {
  const { transaction, interaction } = before
  const person = await findPerson(parts.storage.db, session.personId)
  const proofs = await proofsOf(parts, session)
  // Guesses by others do not end the session (A29); a user who is not active signs in anew, and is refused as such.
  if (person === undefined || proofs.length === 0 || !usableStatuses.has(person.status)) return undefined
  const known = identify(transaction.progress, { identifier: person.profile.login, userId: person.id })
  const progress = { ...known, proofs }
  const after = await contextAfter(parts, before, progress)
  const { stage, denied } = decide(progress, after.situation)
  // Nothing that the user has would be enough: another account may.
  if (denied !== undefined && denied.rule !== 'not-assigned') return undefined
  if (stage !== 'granted' && denied === undefined && !mayAsk) return undefined
  const user = after.person && versionOf(transaction.id, after.person)
  const outcome = { progress }
  const step = 'browser-session'
  const committed = await commit(parts, { transaction, interaction, outcome, after, user, step })
  if (committed === undefined) return undefined
  if (denied !== undefined) return { result: 'denied' }
  if (committed.returns) return { result: 'signed-in', interactionId: interaction.id }
  return { result: 'asks' }
}

const usableStatuses: ReadonlySet<string> = new Set(['ACTIVE', 'PASSWORD_EXPIRED', 'RECOVERY'])

/** What a session has proven, as a transaction has it. A factor that the user does not have any more counts no more (A74). */
async function proofsOf({ storage }: FlowParts, { personId, details }: Session): Promise<readonly Proof[]> {
  const proofs = (details.proofs ?? []).flatMap(toProof)
  if (!proofs.some(({ enrollmentId }) => enrollmentId !== undefined)) return proofs
  const ids = new Set((await findEnrollments(storage.db, personId)).map(({ id }) => id))
  return proofs.filter(({ enrollmentId }) => enrollmentId === undefined || ids.has(enrollmentId))
}

function toProof({ type, method, traits, setBy, ...proof }: SessionProof): readonly Proof[] {
  if (type === undefined || method === undefined || traits === undefined) return []
  return [{ ...proof, type, method, traits, ...(setBy !== undefined && { setBy }) } as Proof]
}

/** The way back to the app. */
export interface Returned {
  readonly interaction: Interaction
  readonly code: string
  /** The cookie of the browser's session where it has begun or changed. */
  readonly cookie?: string
}

interface Returning {
  readonly session: { readonly cookie: string | undefined; readonly found: BrowserSession | undefined }
  readonly lifetimes: { readonly codeMs: number; readonly absoluteMs: number }
}

/** The interaction and the proofs of a transaction that has ended with a sign-in, in the browser that it began in. */
export async function findEnded(
  parts: FlowParts,
  stateToken: string,
  browser: string | undefined,
): Promise<{ readonly interaction: Interaction; readonly proofs: readonly Proof[] } | undefined> {
  const { db } = parts.storage
  const transaction = await findTransactionByState(db, stateToken, parts)
  const interaction = transaction && (await findInteraction(db, transaction.interactionId))
  const hosted = interaction?.request.hosted
  if (transaction === undefined || interaction === undefined || hosted === undefined) return undefined
  noteTransaction(transaction.id)
  // A token in an address is worth nothing in another browser (A80).
  if (browser === undefined || hosted.browser !== plainHash(browser)) return undefined
  const isOver = transaction.progress.closed === 'completed' && transaction.expiresAt > parts.clock.now()
  return isOver && interaction.sessionId !== null
    ? { interaction, proofs: transaction.progress.proofs }
    : undefined
}

/**
 * Makes the code of a sign-in that has ended, and the browser's session with it, in one database transaction. Undefined where the code was
 * made before, or the session has ended since.
 *
 * @param proofs what the transaction has proven; absent: the browser's session was enough, and stays as it is.
 */
export function returnToApp(
  parts: FlowParts,
  interaction: Interaction,
  proofs: readonly Proof[] | undefined,
  returning: Returning,
): Promise<Returned | undefined> {
  const { storage, random, secrets, clock } = parts
  const { sessionId } = interaction
  if (sessionId === null) return Promise.resolve(undefined)
  return storage.transaction(async (tx) => {
    const now = clock.now()
    const begun = await findSession(tx, sessionId, now)
    if (begun === undefined) return undefined
    // The user's row comes first, so that a reset that ends all sessions ends this one, too (A49).
    await lockPerson(tx, begun.personId)
    const session = await findSession(tx, sessionId, now)
    if (session === undefined) return undefined
    const code = randomToken(random)
    const expiresAt = now + returning.lifetimes.codeMs
    if (!(await issueAuthorizationCode(tx, { id: interaction.id, code, expiresAt }, secrets)))
      return undefined
    const { found } = returning.session
    if (proofs === undefined) {
      if (found !== undefined) await linkSession(tx, session.id, found.id)
      return { interaction, code }
    }
    const own = await keepSession(tx, parts, session, proofs, returning)
    await linkSession(tx, session.id, own.id)
    return { interaction, code, cookie: own.cookie }
  })
}

/**
 * Writes what was proven into the browser's session: into the one that it came from, whose life it does not prolong, or into a new one in
 * place of what the browser had.
 */
async function keepSession(
  tx: Tx,
  { random, clock }: FlowParts,
  session: Session,
  proofs: readonly Proof[],
  { session: { cookie, found }, lifetimes }: Returning,
): Promise<{ readonly id: string; readonly cookie: string }> {
  const now = clock.now()
  const details: SessionDetails = { ...session.details, proofs: latest(proofs).map(toSessionProof) }
  const former = found?.details.proofs ?? []
  const continues =
    found?.personId === session.personId &&
    former.some((one) =>
      proofs.some(({ authenticator, at }) => one.authenticator === authenticator && one.at === at),
    )
  const renewed = continues ? await renewBrowserSession(tx, cookie, details, { random, now }) : undefined
  if (renewed !== undefined) return renewed
  if (found !== undefined) await revokeSession(tx, found.id, now)
  const { personId, clientId } = session
  return startBrowserSession(
    tx,
    { personId, clientId, details },
    { random, now, absoluteMs: lifetimes.absoluteMs },
  )
}

/** Of several proofs of the same the latest. A token that was mailed is none that another sign-in could count. */
function latest(proofs: readonly Proof[]): readonly Proof[] {
  const found = new Map<string, Proof>()
  for (const proof of proofs) {
    if (proof.tokenId !== undefined || proof.factors.length === 0) continue
    found.set(`${proof.authenticator} ${proof.method} ${proof.enrollmentId ?? ''}`, proof)
  }
  return [...found.values()]
}

const toSessionProof = ({
  authenticator,
  factors,
  enrollmentId,
  at,
  type,
  method,
  traits,
  setBy,
}: Proof): SessionProof => ({
  ...{ authenticator, factors, at, type, method, traits },
  ...(enrollmentId !== undefined && { enrollmentId }),
  ...(setBy !== undefined && { setBy }),
})
