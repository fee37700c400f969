import { plainHash } from '../base/index.ts'
import { type Db, run } from '../storage/index.ts'

/** A pushed request: what its client sent, sealed, under the hash of its name, which is returned only once. */
interface PushedRequest {
  readonly sealed: string
}

/** Which pushed request is meant: by its name, of one client, at one server. Another client's call finds none, and takes none. */
interface PushedName {
  readonly name: string
  readonly server: string
  readonly clientId: string | undefined
}

const idOf = ({ name, server, clientId }: PushedName): string =>
  `PushedRequest:${plainHash(JSON.stringify([name, server, clientId]))}`

export async function storePushedRequest(
  db: Db,
  pushed: PushedName,
  { sealed }: PushedRequest,
  { now, until }: { readonly now: number; readonly until: number },
): Promise<void> {
  const text = `insert into artifacts (id, model, payload, grant_id, session_id, created_at, expires_at, consumed_at)
    values ($1, 'PushedRequest', $2, null, null, $3, $4, null)`
  await run(db, text, [idOf(pushed), sealed, now, until])
}

/** Takes a pushed request out, once: of parallel calls one gets it. */
export async function takePushedRequest(
  db: Db,
  pushed: PushedName,
  now: number,
): Promise<PushedRequest | undefined> {
  const text = `delete from artifacts where id = $1 and expires_at > $2 returning payload`
  const [row] = await run<{ readonly payload: string }>(db, text, [idOf(pushed), now])
  return row && { sealed: row.payload }
}
