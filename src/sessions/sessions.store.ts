import { type Random, randomId } from '../base/index.ts'
import { type Db, insert, type Row, run } from '../storage/index.ts'
import { queuesLogout } from './logout.store.ts'

/** One completed sign-in. Its tokens carry its id and are invalid once it is revoked. */
export interface Session {
  readonly id: string
  readonly personId: string
  readonly clientId: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly revokedAt: number | null
  /** The browser's session that it came of; absent: none, as where an app's own pages sign users in. */
  readonly parentId?: string | undefined
  /** Set for one of a browser, by its cookie: when it was last used. Sessions of apps came of it. */
  readonly usedAt?: number | undefined
  readonly details: SessionDetails
}

export interface SessionDetails {
  /** Authentication methods as in RFC 8176: `pwd`, `otp`, `mca` … */
  readonly amr: readonly string[]
  /** What the proofs were besides their factors: `phishingResistant`. Absent: nothing. */
  readonly traits?: readonly string[]
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
  /**
   * What was proven when it began: later calls in its name may ask for more than that it lives. It is never renewed. Absent:
   * a session of an earlier version.
   */
  readonly proofs?: readonly SessionProof[]
  /** When the latest of what counted was proven, in epoch milliseconds; absent: when the session began. */
  readonly authTime?: number
  /** Of an app: the authorization server of its tokens, where that is not `default`. */
  readonly issuer?: 'org'
  /** How the session of the browser lives; absent: as configured. */
  readonly browser?: BrowserSettings
}

/** What the rule of its user, and the user, say of the session of a browser. Absent members: as configured. */
export interface BrowserSettings {
  /** After its last use, in milliseconds. */
  readonly idleMs?: number
  /** At most, in milliseconds. */
  readonly lifetimeMs?: number
  /** Its user stays signed in when the browser is closed. */
  readonly persists?: true
}

/** One proof of a sign-in. */
export interface SessionProof {
  readonly authenticator: string
  readonly factors: readonly string[]
  /** What a browser's session has of it besides: another sign-in judges it again. */
  readonly type?: string
  readonly method?: string
  readonly traits?: readonly string[]
  readonly setBy?: string
  /** Of several of a kind: which one. */
  readonly enrollmentId?: string
  /** What it was proven by, as it was then: it counts no more once that is another one. */
  readonly credential?: string
  /** It was proven in an earlier sign-in of the browser that the session came of. */
  readonly carried?: boolean
  /** In epoch milliseconds. */
  readonly at: number
}

/** The session of a row. */
export const toSession = (row: Row<'sessions'>): Session => ({
  id: row.id,
  personId: row.person_id,
  clientId: row.client_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  details: JSON.parse(row.details) as SessionDetails,
  ...(row.parent_id !== null && { parentId: row.parent_id }),
  ...(row.cookie_hash !== null && { usedAt: row.used_at ?? row.created_at }),
})

export const newSessionId = (random: Random): string => randomId(random, 'ses')

export async function startSession(db: Db, session: Omit<Session, 'revokedAt'>): Promise<void> {
  await insert(db, 'sessions', [
    {
      id: session.id,
      person_id: session.personId,
      client_id: session.clientId,
      details: JSON.stringify(session.details),
      created_at: session.createdAt,
      expires_at: session.expiresAt,
      revoked_at: null,
      cookie_hash: null,
      used_at: null,
      parent_id: session.parentId ?? null,
      logout_at: null,
    },
  ])
}

/** Where a page of sessions begins: after the one with these. */
export type SessionsAfter = Pick<Session, 'createdAt' | 'id'>

/** One page of the sessions of a user that have neither ended nor expired, those of browsers among them, newest first. */
export async function liveSessionsOf(
  db: Db,
  personId: string,
  {
    now,
    limit,
    after,
    browserIdleMs = Number.MAX_SAFE_INTEGER,
  }: {
    readonly now: number
    readonly limit: number
    readonly after?: SessionsAfter
    /** After how long without a use a browser's session is over. */
    readonly browserIdleMs?: number | undefined
  },
): Promise<readonly Session[]> {
  let query = db
    .selectFrom('sessions')
    .selectAll()
    .where('person_id', '=', personId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .where(({ eb, or }) => or([eb('cookie_hash', 'is', null), eb('used_at', '>', now - browserIdleMs)]))
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit)
  if (after !== undefined) {
    query = query.where(({ eb, or, and }) =>
      or([
        eb('created_at', '<', after.createdAt),
        and([eb('created_at', '=', after.createdAt), eb('id', '>', after.id)]),
      ]),
    )
  }
  return (await query.execute()).map(toSession)
}

/** A session that has neither ended nor expired. */
export async function findSession(db: Db, id: string, now: number): Promise<Session | undefined> {
  const text = 'select * from sessions where id = $1 and revoked_at is null and expires_at > $2'
  const [row] = await run<Row<'sessions'>>(db, text, [id, now])
  return row && toSession(row)
}

/** Sets how long a session lives at most: one that waits for its app to come for it ends with what it waits for. */
export async function setSessionEnd(db: Db, id: string, expiresAt: number): Promise<void> {
  await run(db, 'update sessions set expires_at = $2 where id = $1', [id, expiresAt])
}

/** Whether a user has a session that has neither ended nor expired. */
export async function hasLiveSession(db: Db, personId: string, id: string, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Revokes one session, and so its tokens. Undefined where it was revoked before: of several callers one gets the
 * session.
 */
export async function revokeSession(db: Db, id: string, now: number): Promise<Session | undefined> {
  const text = `update sessions set revoked_at = $2, ${queuesLogout('$2')}
    where id = $1 and revoked_at is null returning *`
  const [row] = await run<Row<'sessions'>>(db, text, [id, now])
  return row && toSession(row)
}

/** Revokes all sessions of a user, except one (A33). Answers how many were revoked. */
export async function revokeSessionsOf(
  db: Db,
  personId: string,
  now: number,
  options: { readonly except?: string | undefined } = {},
): Promise<number> {
  const text = `update sessions set revoked_at = $2, ${queuesLogout('$2')}
    where person_id = $1 and revoked_at is null and id <> $3 returning id`
  // No session has an empty id.
  return (await run(db, text, [personId, now, options.except ?? ''])).length
}

/** Deletes the sessions of a user with their refresh tokens. */
export async function forgetSessionsOf(db: Db, personId: string): Promise<void> {
  await run(db, 'delete from artifacts where session_id in (select id from sessions where person_id = $1)', [
    personId,
  ])
  await run(db, 'delete from sessions where person_id = $1', [personId])
}
