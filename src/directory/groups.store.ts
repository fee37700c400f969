import { type Random, randomId } from '../base/index.ts'
import { type Db, isUniqueViolation, locksRows, type Row, type Storage, type Tx } from '../storage/index.ts'
import { type Filter, filterCondition, type Searched } from './filter.store.ts'
import { nameKey } from './people.store.ts'

/** A group with what is known of it, named as in the management API. */
export interface StoredGroup {
  readonly id: string
  readonly type: 'BUILT_IN' | 'OKTA_GROUP'
  readonly name: string
  readonly profile: {
    readonly name: string
    readonly description?: string | null
    readonly [member: string]: unknown
  }
  readonly createdAt: number
  readonly updatedAt: number
  /** When a member was added or removed; that of Everyone is not noted. */
  readonly membershipUpdatedAt: number
}

export interface GroupsQuery {
  readonly limit: number
  /** Fewer than `limit` are answered where they have more characters than this as JSON. */
  readonly characters: number
  readonly after?: string | undefined
  readonly filter?: GroupFilter | undefined
  /** The beginning of a name. */
  readonly startsWith?: string | undefined
  readonly ofPerson?: string | undefined
  readonly ofClient?: string | undefined
}

/** A filter of groups; their own attributes are `id`, `type`, `created`, `lastUpdated` and `lastMembershipUpdated`. */
export type GroupFilter = Filter

const searched: Searched = {
  own: {
    id: 'groups.id',
    type: 'groups.type',
    created: 'groups.created_at',
    lastUpdated: 'groups.updated_at',
    lastMembershipUpdated: 'groups.membership_updated_at',
  },
  keys: { name: { column: 'groups.name_key', key: nameKey } },
  profile: 'groups.profile',
}

const toGroup = (row: Row<'groups'>): StoredGroup => ({
  id: row.id,
  type: row.type as StoredGroup['type'],
  name: row.name,
  profile: JSON.parse(row.profile) as StoredGroup['profile'],
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  membershipUpdatedAt: Number(row.membership_updated_at ?? row.created_at),
})

export async function findGroup(db: Db, id: string): Promise<StoredGroup | undefined> {
  const row = await db.selectFrom('groups').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toGroup(row)
}

/** A group that is not deleted until the transaction ends: what is written beside it belongs to a group that there is. */
export async function lockGroup(tx: Tx, id: string): Promise<StoredGroup | undefined> {
  const query = tx.selectFrom('groups').selectAll().where('id', '=', id)
  const row = await (locksRows(tx) ? query.forKeyShare() : query).executeTakeFirst()
  return row && toGroup(row)
}

/** Groups are read in parts of so many, and no further part once those before have `characters`. */
const groupsAtOnce = 1000

/** One page of groups, in the order of their ids. */
export async function listGroups(
  storage: Pick<Storage, 'db' | 'kind'>,
  wanted: GroupsQuery,
): Promise<readonly StoredGroup[]> {
  const found: StoredGroup[] = []
  let size = 0
  while (found.length < wanted.limit && size <= wanted.characters) {
    const limit = Math.min(wanted.limit - found.length, groupsAtOnce)
    const rows = await readGroups(storage, { ...wanted, limit, after: found.at(-1)?.id ?? wanted.after })
    const groups = rows.map(toGroup)
    found.push(...groups)
    size += groups.reduce((sum, group) => sum + JSON.stringify(group).length, 0)
    if (rows.length < limit) break
  }
  return found
}

async function readGroups(
  { db, kind }: Pick<Storage, 'db' | 'kind'>,
  wanted: GroupsQuery,
): Promise<readonly Row<'groups'>[]> {
  const { after, filter, startsWith, ofPerson, ofClient } = wanted
  let query = db.selectFrom('groups').selectAll().orderBy('id').limit(wanted.limit)
  if (after !== undefined) query = query.where('id', '>', after)
  if (filter !== undefined) {
    query = query.where((where) => filterCondition(where, kind, searched, filter))
  }
  if (startsWith !== undefined) {
    const key = nameKey(startsWith)
    query = query.where((where) =>
      where(where.fn<string>('substr', ['name_key', where.val(1), where.val([...key].length)]), '=', key),
    )
  }
  if (ofPerson !== undefined) {
    query = query.where('id', 'in', (where) =>
      where.selectFrom('memberships').select('group_id').where('person_id', '=', ofPerson),
    )
  }
  if (ofClient !== undefined) {
    query = query.where('id', 'in', (where) =>
      where.selectFrom('client_groups').select('group_id').where('client_id', '=', ofClient),
    )
  }
  return query.execute()
}

/** Stores a group, new or changed; `taken` where another one has its name, undefined where there is none with the id. */
export async function putGroup(
  db: Db,
  group: { readonly id?: string; readonly profile: StoredGroup['profile'] },
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<StoredGroup | 'taken' | undefined> {
  const { name } = group.profile
  const values = { name, name_key: nameKey(name), profile: JSON.stringify(group.profile), updated_at: now }
  try {
    const row =
      group.id === undefined
        ? await db
            .insertInto('groups')
            .values({
              ...values,
              id: randomId(random, '00g'),
              type: 'OKTA_GROUP',
              created_at: now,
              membership_updated_at: now,
            })
            .returningAll()
            .executeTakeFirstOrThrow()
        : await db
            .updateTable('groups')
            .set(values)
            .where('id', '=', group.id)
            .returningAll()
            .executeTakeFirst()
    return row && toGroup(row)
  } catch (error) {
    if (isUniqueViolation(error)) return 'taken'
    throw error
  }
}

/** Removes a group with its members and what it was assigned to; false where there is none. */
export async function removeGroup(db: Db, id: string): Promise<boolean> {
  // The group first: who adds to it at this moment has done so before, or finds none (`lockGroup`).
  const { numDeletedRows } = await db.deleteFrom('groups').where('id', '=', id).executeTakeFirstOrThrow()
  await db.deleteFrom('memberships').where('group_id', '=', id).execute()
  await db.deleteFrom('client_groups').where('group_id', '=', id).execute()
  return numDeletedRows > 0n
}

/** Adds a user to a group. The caller holds the group (`lockGroup`), and it is not Everyone. */
export async function addMember(db: Db, groupId: string, personId: string, now: number): Promise<void> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('memberships')
    .values({ group_id: groupId, person_id: personId })
    .onConflict((oc) => oc.columns(['group_id', 'person_id']).doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows > 0n) await noteMembership(db, groupId, now)
}

/** Removes a user from a group that is not Everyone. */
export async function removeMember(db: Db, groupId: string, personId: string, now: number): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('memberships')
    .where('group_id', '=', groupId)
    .where('person_id', '=', personId)
    .executeTakeFirstOrThrow()
  if (numDeletedRows > 0n) await noteMembership(db, groupId, now)
}

async function noteMembership(db: Db, groupId: string, now: number): Promise<void> {
  await db.updateTable('groups').set({ membership_updated_at: now }).where('id', '=', groupId).execute()
}
