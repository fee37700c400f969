import { findUnfinished, type Person } from '../directory/index.ts'
import { StaleRead, type Storage } from '../storage/index.ts'
import type { People } from './people.ts'

/** How long a sign-up that was left after its first proof keeps its account. */
const keptMs = 7 * 24 * 3_600_000
const batchSize = 200

/**
 * Removes the users whose sign-up never ended: nothing of them is of use, and what was typed is personal. One who goes on at the same
 * moment stays (A49), and so does every account that is in use, its mailbox proven or not. Any number of nodes may do it at once.
 */
export async function removeUnfinished(
  { storage, people }: { readonly storage: Storage; readonly people: Pick<People, 'remove'> },
  now: number,
): Promise<void> {
  const before = now - keptMs
  const found = await findUnfinished(storage.db, { before, limit: batchSize })
  // Read again where the row is locked: the sign-up may have ended meanwhile, and an administrator changed the user (A49).
  const only = ({ status, unfinishedAt }: Person) =>
    status === 'PROVISIONED' && unfinishedAt !== undefined && unfinishedAt <= before
  for (const id of found) {
    await people.remove(id, { only }).catch((error) => {
      // Changed at every attempt: for the next time.
      if (!(error instanceof StaleRead)) throw error
    })
  }
}
