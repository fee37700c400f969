import { plainHash, type Random, randomToken } from '../base/index.ts'
import { type Db, insert, type Row, run } from '../storage/index.ts'
import { queuesLogout } from './logout.store.ts'
import { newSessionId, type Session, type SessionDetails, toSession } from './sessions.store.ts'

/** The session of a browser: what its user has proven, for every app that asks. Its tokens are those of the apps' sessions. */
export interface BrowserSession extends Session {
  readonly usedAt: number
  /** How long it lives after its last use, in milliseconds. */
  readonly idleMs: number
}

/** A new cookie of a session, and until when it lives at most, in epoch milliseconds. */
export interface BrowserSessionCookie {
  readonly id: string
  readonly cookie: string
  readonly expiresAt: number
}

/** How long a browser's session lives, in milliseconds. */
export interface BrowserSessionLifetimes {
  /** After its last use. */
  readonly idleMs: number
  /** At most, however often it is used. */
  readonly absoluteMs: number
}

type SessionRow = Row<'sessions'>

/** A row that has neither ended nor expired, unless it has been idle for too long by what it says itself, or by the default. */
function toBrowserSession(
  row: SessionRow | undefined,
  { now, idleMs: usualMs }: { readonly now: number; readonly idleMs: number },
): BrowserSession | undefined {
  if (row === undefined) return undefined
  const session = toSession(row)
  const usedAt = row.used_at ?? row.created_at
  const { idleMs = usualMs } = session.details.browser ?? {}
  return usedAt + idleMs > now ? { ...session, usedAt, idleMs } : undefined
}

/** The parts of a cookie: an id to find the row by, and a secret that the row has the hash of. Undefined: none could be. */
function partsOf(cookie: string | undefined): { readonly id: string; readonly hash: string } | undefined {
  const [, id, secret] = /^(ses[A-Za-z0-9]{8,60})\.([A-Za-z0-9]{43})$/.exec(cookie ?? '') ?? []
  return id === undefined || secret === undefined ? undefined : { id, hash: plainHash(secret) }
}

/** The session of a cookie, if it has not ended, expired or been idle for too long. */
export async function findBrowserSession(
  db: Db,
  cookie: string | undefined,
  { now, idleMs }: { readonly now: number; readonly idleMs: number },
): Promise<BrowserSession | undefined> {
  const parts = partsOf(cookie)
  if (parts === undefined) return undefined
  const [row] = await run<SessionRow>(
    db,
    `select * from sessions where id = $1 and cookie_hash = $2 and revoked_at is null
     and expires_at > $3`,
    [parts.id, parts.hash, now],
  )
  return toBrowserSession(row, { now, idleMs })
}

/** The same of an id: for what a session has begun, which goes on for as long as it lives. */
export async function findLiveBrowserSession(
  db: Db,
  id: string,
  { now, idleMs }: { readonly now: number; readonly idleMs: number },
): Promise<BrowserSession | undefined> {
  const [row] = await run<SessionRow>(
    db,
    `select * from sessions where id = $1 and cookie_hash is not null and revoked_at is null
     and expires_at > $2`,
    [id, now],
  )
  return toBrowserSession(row, { now, idleMs })
}

/** A use is written at most so often, in milliseconds. */
const notedMs = 60_000

/** Notes a use, which the idle time counts from. */
export async function useBrowserSession(
  db: Db,
  session: BrowserSession,
  now: number,
): Promise<BrowserSession> {
  if (now - session.usedAt < Math.min(notedMs, session.idleMs / 10)) return session
  await run(db, 'update sessions set used_at = $2 where id = $1 and used_at < $2', [session.id, now])
  return { ...session, usedAt: now }
}

/** Begins a session and answers its cookie, which stands nowhere else. What it says of its own life counts before `absoluteMs`. */
export async function startBrowserSession(
  db: Db,
  session: Pick<Session, 'personId' | 'clientId' | 'details'>,
  { random, now, absoluteMs }: { readonly random: Random; readonly now: number; readonly absoluteMs: number },
): Promise<BrowserSessionCookie> {
  const id = newSessionId(random)
  const secret = randomToken(random)
  const expiresAt = now + (session.details.browser?.lifetimeMs ?? absoluteMs)
  await insert(db, 'sessions', [
    {
      id,
      person_id: session.personId,
      client_id: session.clientId,
      details: JSON.stringify(session.details),
      created_at: now,
      expires_at: expiresAt,
      revoked_at: null,
      cookie_hash: plainHash(secret),
      used_at: now,
      parent_id: null,
      logout_at: null,
    },
  ])
  return { id, cookie: `${id}.${secret}`, expiresAt }
}

/**
 * Gives a session more that was proven, and another cookie: one from before the proof is worth nothing after it (A71). When it ends at the
 * latest stays. The caller holds the user's row and has read the session under it. Undefined where it has ended meanwhile.
 */
export async function renewBrowserSession(
  db: Db,
  id: string,
  details: SessionDetails,
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<BrowserSessionCookie | undefined> {
  const secret = randomToken(random)
  const [row] = await run<Pick<SessionRow, 'id' | 'expires_at'>>(
    db,
    `update sessions set cookie_hash = $2, details = $3, used_at = $4
     where id = $1 and cookie_hash is not null and revoked_at is null and expires_at > $4
     returning id, expires_at`,
    [id, plainHash(secret), JSON.stringify(details), now],
  )
  return row && { id: row.id, cookie: `${row.id}.${secret}`, expiresAt: row.expires_at }
}

/** Notes which browser's session that of an app came of, and when that of the app ends unless it is come for (A60). */
export async function linkSession(
  db: Db,
  id: string,
  { parentId, expiresAt }: { readonly parentId: string; readonly expiresAt: number },
): Promise<void> {
  const text = 'update sessions set parent_id = $2, expires_at = $3 where id = $1'
  await run(db, text, [id, parentId, expiresAt])
}

/** Has the sessions of apps that came of one browser's session belong to another of the same user, which took its place. */
export async function passOnChildren(db: Db, from: string, to: string): Promise<void> {
  await run(
    db,
    `update sessions set parent_id = $2 where parent_id = $1
     and person_id = (select person_id from sessions where id = $2)`,
    [from, to],
  )
}

/**
 * Ends the browser's session that a session of an app came of, whether that has ended or not. Undefined where there is none, or it had
 * ended before.
 */
export async function revokeParentOf(db: Db, id: string, now: number): Promise<Session | undefined> {
  const text = `update sessions set revoked_at = $2, ${queuesLogout('$2')}
    where id = (select parent_id from sessions where id = $1) and revoked_at is null returning *`
  const [row] = await run<SessionRow>(db, text, [id, now])
  return row && toSession(row)
}

/** Ends the sessions of apps that came of a browser's session. Answers how many. */
export async function revokeChildrenOf(db: Db, id: string, now: number): Promise<number> {
  const text = `update sessions set revoked_at = $2, ${queuesLogout('$2')}
    where parent_id = $1 and revoked_at is null returning id`
  return (await run<{ id: string }>(db, text, [id, now])).length
}
