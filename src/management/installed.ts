import { getEveryone } from '../directory/index.ts'
import type { Db } from '../storage/index.ts'

/**
 * When this installation was made, in epoch milliseconds: `created` of what every installation has from its start and
 * stores nowhere. It is the time of the group Everyone, which the first start makes and nothing deletes.
 */
export const installedAt = async (db: Db): Promise<number> => (await getEveryone(db)).createdAt
