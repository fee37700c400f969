import { sql } from 'kysely'
import type { Db, Storage } from '../../storage/index.ts'
import { baseAttributes, type SchemaAttribute, type UserSchema } from './attributes.ts'

const key = 'schema.user'

/** What was changed of the schema it came with. */
interface Stored {
  readonly base: Readonly<Record<string, SchemaAttribute>>
  readonly custom: UserSchema['custom']
  readonly updatedAt: number
}

/** Which attributes users' profiles may have. */
export async function findUserSchema(db: Db): Promise<UserSchema> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  if (row === undefined) return { base: baseAttributes, custom: {}, updatedAt: 0 }
  const { base, custom, updatedAt } = JSON.parse(row.value) as Stored
  return { base: { ...baseAttributes, ...base }, custom, updatedAt }
}

export async function putUserSchema(db: Db, { base, custom, updatedAt }: UserSchema): Promise<void> {
  const changed = Object.entries(base).filter(([name, attribute]) => baseAttributes[name] !== attribute)
  const value = JSON.stringify({ base: Object.fromEntries(changed), custom, updatedAt } satisfies Stored)
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}

/** Takes an attribute out of all profiles. Its name is one that was checked when it was defined. */
export async function forgetAttribute(db: Db, kind: Storage['kind'], name: string): Promise<void> {
  if (kind === 'sqlite') {
    const path = `$."${name}"`
    await sql`update people set profile = json_remove(profile, ${path}) where json_extract(profile, ${path}) is not null`.execute(
      db,
    )
    return
  }
  await sql`update people set profile = (profile::jsonb - ${name}::text)::text where profile::jsonb -> ${name}::text is not null`.execute(
    db,
  )
}
