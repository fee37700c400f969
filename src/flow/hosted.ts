import { noteTransaction, plainHash, randomToken } from '../base/index.ts'
import type { Client } from '../clients/index.ts'
import { findEnrollments, findMember } from '../directory/index.ts'
import {
  type beginInteraction,
  findInteraction,
  type Interaction,
  issueAuthorizationCode,
} from '../interactions/index.ts'
import {
  type BrowserSession,
  type BrowserSessionCookie,
  findLiveBrowserSession,
  findSession,
  linkSession,
  passOnChildren,
  renewBrowserSession,
  revokeSession,
  type Session,
  type SessionDetails,
  type SessionProof,
  startBrowserSession,
} from '../sessions/index.ts'
import { retryStale, type Tx, together, withCommit } from '../storage/index.ts'
import { carriedFrom, latestOf } from './carried.ts'
import { commit } from './commit/index.ts'
import {
  beginningOf,
  contextOfDraft,
  type FlowParts,
  loadByInteraction,
  type TransactionContext,
} from './load.ts'
import { identify } from './progress.ts'
import { lockOwnerOfSession } from './session-owner.store.ts'
import { decide } from './stage.ts'
import {
  findTransactionByState,
  findTransactionOfInteraction,
  openTransaction,
  versionOf,
} from './transactions.store.ts'

type Begun = Awaited<ReturnType<typeof beginInteraction>>

/** A request to `authorize`, of which nothing is written yet. */
export interface HostedBeginning {
  readonly client: Client
  readonly draft: Omit<Interaction, 'id' | 'createdAt' | 'expiresAt' | 'sessionId'>
  /** Writes the interaction: called once at most, and not at all where nothing comes of the request. */
  open(): Promise<Begun>
}

/** What a transaction that a browser has brought begins as. */
export type BegunInBrowser =
  /**
   * Something is to be asked. The handle is the one of the interaction, with the state token of its transaction; absent: nothing was written,
   * as nothing may be asked.
   */
  | {
      readonly result: 'asks'
      readonly asked?: { readonly handle: string; readonly stateToken: string }
      readonly lacksConsent?: true
    }
  /** The browser's session proves enough: nothing is asked. */
  | { readonly result: 'signed-in'; readonly ended: EndedInBrowser }
  /** The user of the session may not use the app. */
  | { readonly result: 'denied' }
  /** The user of the session has no way to prove what the app wishes. Nothing was written. */
  | { readonly result: 'unmet' }

/** A sign-in that has ended, whose browser is on its way back to the app. */
export interface EndedInBrowser {
  readonly interaction: Interaction
  /** The session of the browser that carried some of what was proven; absent: all of it is new. */
  readonly carriedBy?: string | undefined
}

/**
 * Opens the transaction of a request to `authorize`. What the browser's session has proven enters it as proofs with their times, so that
 * the app's own policy and wishes judge it (A74): enough of it signs in at once, else the rest alone is asked for.
 *
 * @param options.session the session of the browser, as this request has read it: it is read once more with the user's row locked
 * @param options.mayAsk false: where something is to be asked, nothing is written at all (`prompt=none`)
 */
export async function beginInBrowser(
  parts: FlowParts,
  beginning: HostedBeginning,
  { session, mayAsk }: { readonly session: BrowserSession | undefined; readonly mayAsk: boolean },
): Promise<BegunInBrowser> {
  let opened: Promise<Begun> | undefined
  const open = () => {
    opened ??= beginning.open()
    return opened
  }
  const begun =
    session === undefined
      ? undefined
      : await retryStale(async (attempt) => {
          const found = attempt === 1 ? session : await liveSession(parts, session.id)
          return found && continueFrom(parts, { ...beginning, open }, found, mayAsk)
        })
  if (begun !== undefined) return begun
  if (!mayAsk) return { result: 'asks' }
  const { handle } = await open()
  const { transaction } = await loadByInteraction(parts, handle)
  return { result: 'asks', asked: { handle, stateToken: transaction.stateHandle } }
}

/** The transaction with the proofs of a session; undefined where they are of no use in it. Throws `StaleRead`. */
async function continueFrom(
  parts: FlowParts,
  beginning: HostedBeginning,
  session: BrowserSession,
  mayAsk: boolean,
): Promise<BegunInBrowser | undefined> {
  const context = await contextWith(parts, beginning, session)
  if (context === undefined) return undefined
  const { stage, denied } = decide(context.transaction.progress, context.situation)
  if (denied?.answersApp) return { result: 'unmet' }
  // Nothing that the user has would be enough for the policy: another account may.
  if (denied !== undefined && denied.rule !== 'not-assigned') return undefined
  if (!mayAsk && denied !== undefined) return { result: 'denied' }
  if (!mayAsk && stage === 'consent') return { result: 'asks', lacksConsent: true }
  if (!mayAsk && stage !== 'granted') return undefined

  const { interaction, handle } = await beginning.open()
  const transaction = await openedFor(parts, interaction)
  if (transaction === undefined) return undefined
  const { progress } = context.transaction
  const after = { ...context, interaction, transaction: { ...transaction, progress } }
  const user = after.person && versionOf(transaction.id, after.person)
  const outcome = { progress }
  const step = 'browser-session'
  const committed = await commit(parts, { transaction, interaction, outcome, after, user, step })
  if (committed === undefined) return undefined
  if (denied !== undefined) return { result: 'denied' }
  if (!committed.returns) {
    return { result: 'asks', asked: { handle, stateToken: transaction.stateHandle } }
  }
  const completed =
    context.situation.leftOut === undefined
      ? { ...interaction, sessionId: committed.sessionId ?? null }
      : await findInteraction(parts.storage.db, interaction.id)
  return completed && { result: 'signed-in', ended: { interaction: completed, carriedBy: session.id } }
}

const liveSession = ({ clock, lifetimes, storage }: FlowParts, id: string) =>
  findLiveBrowserSession(storage.db, id, { now: clock.now(), idleMs: lifetimes.browserIdle })

/** What a transaction would be with the proofs of a session; undefined: the session carries nothing into it. */
async function contextWith(
  parts: FlowParts,
  { client, draft }: HostedBeginning,
  session: BrowserSession,
): Promise<TransactionContext | undefined> {
  const { clock, storage } = parts
  const now = clock.now()
  const beginsWith = beginningOf(parts, { request: draft.request })
  const member = await findMember(storage.db, session.personId)
  const { person } = member
  if (person === undefined) return undefined
  const enrollments = await findEnrollments(storage.db, person.id)
  const proofs = carriedFrom(parts, session, { person, enrollments })
  if (proofs.length === 0) return undefined
  const subject = { identifier: person.profile.login, userId: person.id }
  const progress = { ...identify(beginsWith, subject), proofs, carriedBy: session.id }
  const interaction = { ...draft, id: '', createdAt: now, expiresAt: now, sessionId: null }
  return contextOfDraft(parts, { interaction, client, member, progress })
}

async function openedFor(parts: FlowParts, interaction: Interaction) {
  const { clock, lifetimes, storage } = parts
  const now = clock.now()
  const { id: interactionId, clientId } = interaction
  const expiresAt = Math.min(now + lifetimes.transaction, interaction.expiresAt)
  const progress = beginningOf(parts, interaction)
  return openTransaction(
    storage.db,
    { interactionId, clientId, ordinal: 0, expiresAt, progress },
    { ...parts, now },
  )
}

/** The way back to the app. */
export interface Returned {
  readonly interaction: Interaction
  readonly code: string
  /** The cookie of the browser's session where it has begun or changed. */
  readonly cookie?: string
  /** How long that is to live, in milliseconds; absent: as long as the browser. */
  readonly cookieMs?: number
}

interface Returning {
  /** The session of the browser's cookie, as it came: it is read anew. */
  readonly sessionId: string | undefined
  /** In milliseconds. */
  readonly lifetimes: { readonly codeMs: number; readonly absoluteMs: number }
}

/** The transaction of a state token that has ended with a sign-in, in the browser that it began in. */
export async function findEnded(
  parts: FlowParts,
  stateToken: string,
  browser: string | undefined,
): Promise<EndedInBrowser | undefined> {
  const { db } = parts.storage
  const transaction = await findTransactionByState(db, stateToken, parts)
  const interaction = transaction && (await findInteraction(db, transaction.interactionId))
  const hosted = interaction?.request.hosted
  if (transaction === undefined || interaction === undefined || hosted === undefined) return undefined
  noteTransaction(transaction.id)
  // A token in an address is worth nothing in another browser (A80).
  if (browser === undefined || hosted.browser !== plainHash(browser)) return undefined
  const { closed, carriedBy } = transaction.progress
  const isOver = closed === 'completed' && transaction.expiresAt > parts.clock.now()
  return isOver && interaction.sessionId !== null ? { interaction, carriedBy } : undefined
}

/** The same of an interaction, for what its browser is asked between the end and the way back: the caller compares the browser. */
export async function findCompleted(
  parts: FlowParts,
  interactionId: string,
): Promise<EndedInBrowser | undefined> {
  const { db } = parts.storage
  const interaction = await findInteraction(db, interactionId)
  const transaction = interaction && (await findTransactionOfInteraction(db, interactionId, parts))
  if (interaction === undefined || transaction?.progress.closed !== 'completed') return undefined
  return { interaction, carriedBy: transaction.progress.carriedBy }
}

/**
 * Makes the code of a sign-in that has ended, and the browser's session with it, in one database transaction. Undefined where the code was
 * made before, or the app's session or the one that carried the proofs has ended since.
 */
export async function returnToApp(
  parts: FlowParts,
  { interaction, carriedBy }: EndedInBrowser,
  returning: Returning,
): Promise<Returned | undefined> {
  const { storage, random, secrets, clock } = parts
  const { sessionId } = interaction
  if (sessionId === null) return undefined
  const now = clock.now()
  const code = randomToken(random)
  const expiresAt = now + returning.lifetimes.codeMs
  try {
    return await storage.transaction(async (tx) => {
      // The user's row comes first, so that a reset that ends all sessions ends this one, too (A49). What is read with it is read behind it.
      const locked = lockOwnerOfSession(tx, sessionId).then(() => undefined)
      const [, session] = await together([locked, findSession(tx, sessionId, now)])
      if (session === undefined) return undefined
      // What follows travels with it, and is undone where the code was made before.
      const made = () => new CodeIsMade('the code was made before')
      await withCommit(
        tx,
        issueAuthorizationCode(tx, { id: interaction.id, code, expiresAt }, { secrets, otherwise: made }),
      )
      const own = await browserSessionOf(tx, parts, session, carriedBy, returning)
      if (own === undefined) {
        // The code leaves for nowhere, and its session is gone.
        await revokeSession(tx, session.id, now)
        return undefined
      }
      await withCommit(tx, linkSession(tx, session.id, { parentId: own.id, expiresAt }))
      if (own.cookie === undefined) return { interaction, code }
      const { cookie, persists } = own
      return { interaction, code, cookie, ...(persists && { cookieMs: own.expiresAt - now }) }
    })
  } catch (error) {
    if (error instanceof CodeIsMade) return undefined
    throw error
  }
}

/** Thrown to roll back. */
class CodeIsMade extends Error {}

/**
 * The browser's session after a sign-in. What a session has carried goes on in that one alone, as it is now: it may have got more in another
 * tab meanwhile, and its life is not prolonged by what is added. A sign-in that carries nothing begins a new one in place of what the browser had.
 * Undefined: the session that carried the proofs has ended, so they are worth nothing any more (A74).
 */
export async function browserSessionOf(
  tx: Tx,
  parts: FlowParts,
  session: Session,
  carriedBy: string | undefined,
  { sessionId: found, lifetimes }: Returning,
): Promise<OwnSession | undefined> {
  const { random, clock } = parts
  const now = clock.now()
  const { personId, clientId, details } = session
  const proofs = details.proofs ?? []
  if (found !== undefined && found !== carriedBy) await revokeSession(tx, found, now)
  if (carriedBy !== undefined) {
    const idleMs = parts.lifetimes.browserIdle
    const carrier = await findLiveBrowserSession(tx, carriedBy, { now, idleMs })
    if (carrier?.personId !== personId) return undefined
    if (found !== undefined && found !== carrier.id) await passOnChildren(tx, found, carrier.id)
    const added = proofs.filter(({ carried }) => !carried)
    if (added.length === 0) return { id: carrier.id }
    const more = merged(carrier.details, details, added)
    const renewed = await renewBrowserSession(tx, carrier.id, more, { random, now })
    return renewed && { ...renewed, persists: more.browser?.persists }
  }
  const started = await startBrowserSession(
    tx,
    { personId, clientId, details: { ...details, proofs: latestOf(proofs) } },
    { random, now, absoluteMs: lifetimes.absoluteMs },
  )
  // A sign-out at an app that signed in by the former session ends this one (A71).
  if (found !== undefined) await passOnChildren(tx, found, started.id)
  return { ...started, persists: details.browser?.persists }
}

/** The session of a browser after a sign-in; without a cookie it is as it was. */
type OwnSession =
  | (BrowserSessionCookie & { readonly persists: boolean | undefined })
  | { readonly id: string; readonly cookie?: undefined }

/** What a session has proven, with what was added to it. How it lives stays as it was begun. */
function merged(
  before: SessionDetails,
  { browser: _, ...after }: SessionDetails,
  added: readonly SessionProof[],
): SessionDetails {
  const traits = [...new Set([...(before.traits ?? []), ...(after.traits ?? [])])]
  return {
    ...after,
    ...(before.browser && { browser: before.browser }),
    amr: [...new Set([...before.amr, ...after.amr])],
    ...(traits.length > 0 && { traits }),
    proofs: latestOf([...(before.proofs ?? []), ...added]),
  }
}
