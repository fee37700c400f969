import type { Db } from '../../storage/index.ts'

const key = 'resources.seed'

/** What was last noted of the document that the configuration holds. */
export async function appliedResources(db: Db): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value
}

export async function noteAppliedResources(db: Db, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}
