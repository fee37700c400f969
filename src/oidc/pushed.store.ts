import { plainHash } from '../base/index.ts'
import { type Db, run } from '../storage/index.ts'

/** A pushed request: what its client sent, sealed, under the hash of its name, which is returned only once. */
interface PushedRequest {
  readonly sealed: string
}

const idOf = (name: string): string => `PushedRequest:${plainHash(name)}`

export async function storePushedRequest(
  db: Db,
  name: string,
  { sealed }: PushedRequest,
  { now, until }: { readonly now: number; readonly until: number },
): Promise<void> {
  const text = `insert into artifacts (id, model, payload, grant_id, session_id, created_at, expires_at, consumed_at)
    values ($1, 'PushedRequest', $2, null, null, $3, $4, null)`
  await run(db, text, [idOf(name), sealed, now, until])
}

/** Takes a pushed request out, once: of parallel calls one gets it, whichever client it is of. */
export async function takePushedRequest(
  db: Db,
  name: string,
  now: number,
): Promise<PushedRequest | undefined> {
  const text = `delete from artifacts where id = $1 and expires_at > $2 returning payload`
  const [row] = await run<{ readonly payload: string }>(db, text, [idOf(name), now])
  return row && { sealed: row.payload }
}
