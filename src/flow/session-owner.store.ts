import { lockPersonFoundBy, type Person } from '../directory/index.ts'
import type { Tx } from '../storage/index.ts'

/** The user whose session it is, locked, whether the session lives or not. */
export const lockOwnerOfSession = (tx: Tx, sessionId: string): Promise<Person | undefined> =>
  lockPersonFoundBy(tx, 'select person_id from sessions where id = $1', [sessionId])
