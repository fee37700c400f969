import { type Db, run } from '../storage/index.ts'
import { queuesLogout } from './logout.store.ts'

/** Revokes the sessions of a user at one app, and so their tokens. That of the browser stays: it belongs to no app. */
export async function revokeSessionsAt(
  db: Db,
  { personId, clientId }: { readonly personId: string; readonly clientId: string },
  now: number,
): Promise<void> {
  const text = `update sessions set revoked_at = $3, ${queuesLogout('$3')}
    where person_id = $1 and client_id = $2 and revoked_at is null and cookie_hash is null`
  await run(db, text, [personId, clientId, now])
}
