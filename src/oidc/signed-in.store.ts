import type { Secrets } from '../base/index.ts'
import { assignedText } from '../clients/index.ts'
import { type CodeKind, interactionCodeHashes } from '../interactions/index.ts'
import { type Session, toSession } from '../sessions/index.ts'
import { type Db, type Row, run, slots } from '../storage/index.ts'

const liveSession = (id: string, now: string, client: string): string => `
  select sessions.*, case when ${assignedText(client, 'sessions.person_id')} then 1 else 0 end as assigned
  from sessions
  where id = ${id} and revoked_at is null and expires_at > ${now}`

const liveSessionText = liveSession('$1', '$2', '$3')
const sessionOfCodeTexts = new Map<number, string>()

/** A session that can be used, and whether its user is assigned to the client. */
export interface LiveSession {
  readonly session: Session
  readonly assigned: boolean
}

/** The same of the session that a code leads to, which is not known before the code is: one statement for both. */
export async function findLiveSessionOfCode(
  db: Db,
  { code, kind, clientId }: { readonly code: string; readonly kind: CodeKind; readonly clientId: string },
  { secrets, now }: { readonly secrets: Secrets; readonly now: number },
): Promise<LiveSession | undefined> {
  const hashes = interactionCodeHashes(secrets, code, kind)
  const text =
    sessionOfCodeTexts.get(hashes.length) ??
    liveSession(`(select session_id from interactions where code_hash in (${slots(hashes, 3)}))`, '$1', '$2')
  sessionOfCodeTexts.set(hashes.length, text)
  const [row] = await run<LiveRow>(db, text, [now, clientId, ...hashes])
  return row && liveFrom(row)
}

type LiveRow = Row<'sessions'> & { readonly assigned: number }

const liveFrom = (row: LiveRow): LiveSession => ({ session: toSession(row), assigned: row.assigned === 1 })

/**
 * The session, if it exists, is not revoked and has not expired, and whether its user is assigned to the client now. In
 * one statement: every use of a token asks for both (A39).
 */
export async function findLiveSession(
  db: Db,
  id: string,
  { clientId, now }: { readonly clientId: string; readonly now: number },
): Promise<LiveSession | undefined> {
  const [row] = await run<LiveRow>(db, liveSessionText, [id, now, clientId])
  return row && liveFrom(row)
}
