import type { Secrets } from '../base/index.ts'
import type { Db } from '../storage/index.ts'

const key = 'api-token'
const purpose = 'api token'

/** Stores the token of the management API as a keyed hash, in place of the one before. */
export async function putApiToken(db: Db, secrets: Secrets, token: string): Promise<void> {
  // The hash repeats itself for the same token and secret, so several nodes that start at once agree.
  const value = secrets.hash(purpose, token)
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}

/** Whether this is the token of the management API; constant time. Without a stored one nothing is. */
export async function isApiToken(db: Db, secrets: Secrets, token: string): Promise<boolean> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  return row !== undefined && secrets.matches(purpose, token, row.value)
}
