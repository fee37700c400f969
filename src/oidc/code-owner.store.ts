import type { Secrets } from '../base/index.ts'
import { lockPersonFoundBy, type Person } from '../directory/index.ts'
import { type CodeKind, interactionCodeHashes } from '../interactions/index.ts'
import { slots, type Tx } from '../storage/index.ts'

/** The user whose code it is, locked, whether it may still be redeemed or not. */
export function lockOwnerOfCode(
  tx: Tx,
  code: string,
  secrets: Secrets,
  kind: CodeKind,
): Promise<Person | undefined> {
  const hashes = interactionCodeHashes(secrets, code, kind)
  const id = `
    select sessions.person_id from interactions
    join sessions on sessions.id = interactions.session_id
    where interactions.code_hash in (${slots(hashes, 1)})`
  return lockPersonFoundBy(tx, id, hashes)
}
