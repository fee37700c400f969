import type { Secrets } from '../base/index.ts'
import { interactionCodeHashes } from '../interactions/index.ts'
import { type Db, run, slots } from '../storage/index.ts'

/** Whose interaction code it is, whether it may still be redeemed or not: whose row a redemption must lock first. */
export async function userIdOfCode(db: Db, code: string, secrets: Secrets): Promise<string | undefined> {
  const hashes = interactionCodeHashes(secrets, code)
  const text = `
    select sessions.person_id from interactions
    join sessions on sessions.id = interactions.session_id
    where interactions.code_hash in (${slots(hashes, 1)})`
  const [row] = await run<{ readonly person_id: string }>(db, text, hashes)
  return row?.person_id
}
