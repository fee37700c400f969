import type { Db } from '../../storage/index.ts'

const key = 'resources.seed'

/** The recorded value of the configured document that was applied last. */
export async function appliedResources(db: Db): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value
}

/** Records that the configured document was applied. */
export async function noteAppliedResources(db: Db, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}
