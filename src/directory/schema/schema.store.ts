import { sql } from 'kysely'
import { type Db, type Storage, statement } from '../../storage/index.ts'
import { baseAttributes, type SchemaAttribute, type UserSchema } from './attributes.ts'

const key = 'schema.user'

/** What was changed of the schema it came with. */
interface Stored {
  readonly base: Readonly<Record<string, SchemaAttribute>>
  readonly custom: UserSchema['custom']
  readonly updatedAt: number
}

const selectSchema = statement<object, { readonly value: string }>((db) =>
  db.selectFrom('settings').select('value').where('key', '=', key),
)

/** Which attributes users' profiles may have. */
export async function findUserSchema(db: Db): Promise<UserSchema> {
  const {
    rows: [row],
  } = await selectSchema(db, {})
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

/** Profiles in one statement: a statement over a million would take longer than it may. */
const batch = 10_000

/** Takes an attribute out of all profiles. Its name is one that was checked when it was defined. */
export async function forgetAttribute(
  db: Db,
  kind: Storage['kind'],
  name: string,
  size = batch,
): Promise<void> {
  let from = ''
  for (let to: string | undefined; ; from = to) {
    const last = await db
      .selectFrom('people')
      .select('id')
      .where('id', '>', from)
      .orderBy('id')
      .offset(size - 1)
      .limit(1)
      .executeTakeFirst()
    to = last?.id
    await forgetAttributeIn(db, kind, name, { from, to })
    if (to === undefined) return
  }
}

async function forgetAttributeIn(
  db: Db,
  kind: Storage['kind'],
  name: string,
  { from, to }: { readonly from: string; readonly to: string | undefined },
): Promise<void> {
  const range = to === undefined ? sql`id > ${from}` : sql`id > ${from} and id <= ${to}`
  if (kind === 'sqlite') {
    const path = `$."${name}"`
    await sql`update people set profile = json_remove(profile, ${path})
      where ${range} and json_extract(profile, ${path}) is not null`.execute(db)
    return
  }
  await sql`update people set profile = (profile::jsonb - ${name}::text)::text
    where ${range} and profile::jsonb -> ${name}::text is not null`.execute(db)
}
