import type { Db } from '../storage/index.ts'

const key = 'configuration'

/** What the start that wrote last has noted of its configuration, as text; undefined where none has yet. */
export async function findNotedConfiguration(db: Db): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value
}

export async function noteConfiguration(db: Db, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}
