import { findUnfinished } from '../directory/index.ts'
import { StaleRead, type Storage } from '../storage/index.ts'
import type { People } from './people.ts'

/** How long a sign-up that was left after its first proof keeps its account. */
const keptMs = 7 * 24 * 3_600_000
const batchSize = 200

/**
 * Removes the users whose sign-up never ended: nothing of them is of use, and what was typed is personal. One who goes on at the same
 * moment stays (A49). Any number of nodes may do it at once.
 */
export async function removeUnfinished(
  { storage, people }: { readonly storage: Storage; readonly people: Pick<People, 'remove'> },
  now: number,
): Promise<void> {
  const found = await findUnfinished(storage.db, { before: now - keptMs, limit: batchSize })
  for (const { id, version } of found) {
    await people.remove(id, { version }).catch((error) => {
      if (!(error instanceof StaleRead)) throw error
    })
  }
}
