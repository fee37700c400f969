import { assignedText } from '../clients/index.ts'
import { type Session, toSession } from '../sessions/index.ts'
import { type Db, type Row, run } from '../storage/index.ts'

const liveSessionText = `
  select sessions.*, case when ${assignedText('$3', 'sessions.person_id')} then 1 else 0 end as assigned
  from sessions
  where id = $1 and revoked_at is null and expires_at > $2`

/**
 * The session, if it exists, is not revoked and has not expired, and whether its user is assigned to the client now. In
 * one statement: every use of a token asks for both (A39).
 */
export async function findLiveSession(
  db: Db,
  id: string,
  { clientId, now }: { readonly clientId: string; readonly now: number },
): Promise<{ readonly session: Session; readonly assigned: boolean } | undefined> {
  const [row] = await run<Row<'sessions'> & { readonly assigned: number }>(db, liveSessionText, [
    id,
    now,
    clientId,
  ])
  return row && { session: toSession(row), assigned: row.assigned === 1 }
}
