import { type Row, run, type Storage, slots, type Tx } from '../storage/index.ts'

/**
 * The part of a statement that ends sessions which notes that apps are to be sent logout tokens (OpenID Connect Back-Channel Logout 1.0).
 * It is in the statement that ends them, so that no end of a session can be without it, and it costs a sign-out nothing.
 *
 * A session of an app is noted where its app has an address for them; that of a browser always, for the apps' that came of it.
 */
export const queuesLogout = (
  now: string,
): string => `logout_at = case when cookie_hash is not null or exists (
    select 1 from clients where clients.id = sessions.client_id
    and clients.settings like '%"backchannelLogoutUri"%') then ${now} else logout_at end`

/** A session of an app that has ended, or whose browser has signed out. */
export interface EndedSession {
  readonly id: string
  readonly personId: string
  readonly clientId: string
  /** The authorization server of its tokens. */
  readonly issuer: 'default' | 'org'
}

/** Whether sessions have ended whose apps have not been sent anything. One statement, which reads no more than one row. */
export async function hasEndedSessions({ db }: Storage, now: number): Promise<boolean> {
  const text = 'select 1 as found from sessions where logout_at <= $1 limit 1'
  return (await run<{ found: number }>(db, text, [now])).length > 0
}

/**
 * Takes sessions that have ended, and answers those of apps: their own, and those that came of a browser's session that has ended. The latter
 * go on, as their tokens do. Each end is one caller's, in whose database transaction it is queued.
 */
export async function takeEndedSessions(
  tx: Tx,
  kind: Storage['kind'],
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<readonly EndedSession[]> {
  // No wait for a row that a change of its user has: that one holds the user's row first, and would wait for this one.
  const unlocked = kind === 'postgres' ? 'for update skip locked' : ''
  const text = `
    with due as materialized (
      select id from sessions where logout_at <= $1 order by logout_at limit $2 ${unlocked})
    update sessions set logout_at = null where id in (select id from due) and logout_at is not null returning *`
  const rows = await run<Row<'sessions'>>(tx, text, [now, limit])
  const browsers = rows.filter(({ cookie_hash: hash }) => hash !== null).map(({ id }) => id)
  const children =
    browsers.length === 0
      ? []
      : await run<Row<'sessions'>>(
          tx,
          `select * from sessions where parent_id in (${slots(browsers, 2)}) and revoked_at is null
           and cookie_hash is null and expires_at > $1`,
          [now, ...browsers],
        )
  return [...rows.filter(({ cookie_hash: hash }) => hash === null), ...children].map(toEnded)
}

const toEnded = (row: Row<'sessions'>): EndedSession => ({
  id: row.id,
  personId: row.person_id,
  clientId: row.client_id,
  issuer: (JSON.parse(row.details) as Partial<EndedSession>).issuer ?? 'default',
})
