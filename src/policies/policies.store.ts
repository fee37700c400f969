import { type Random, randomId } from '../base/index.ts'
import type { Db, Row } from '../storage/index.ts'

/** A policy or one of its rules. Its body is stored as it was given, unsupported members included. */
export interface StoredItem {
  readonly id: string
  readonly name: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly priority: number
  readonly system: boolean
  readonly body: Readonly<Record<string, unknown>>
  readonly createdAt: number
  readonly updatedAt: number
}

export interface StoredPolicy extends StoredItem {
  readonly type: string
}

export interface StoredRule extends StoredItem {
  readonly policyId: string
}

/** The list that priorities refer to: the policies of a type, or the rules of a policy. */
export type Place = { readonly type: string } | { readonly policyId: string }

const toItem = (row: Omit<Row<'policies'>, 'type'>): StoredItem => ({
  id: row.id,
  name: row.name,
  status: row.status as StoredItem['status'],
  priority: row.priority,
  system: row.system === 1,
  body: JSON.parse(row.body) as StoredItem['body'],
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const toPolicy = (row: Row<'policies'>): StoredPolicy => ({ ...toItem(row), type: row.type })
const toRule = ({ policy_id, ...row }: Row<'policy_rules'>): StoredRule => ({
  ...toItem(row),
  policyId: policy_id,
})

/** The policies of a type by priority; the built-in one is last. */
export async function listPolicies(db: Db, type: string): Promise<readonly StoredPolicy[]> {
  const rows = await db
    .selectFrom('policies')
    .selectAll()
    .where('type', '=', type)
    .orderBy('system')
    .orderBy('priority')
    .orderBy('id')
    .execute()
  return rows.map(toPolicy)
}

export async function findPolicy(db: Db, id: string): Promise<StoredPolicy | undefined> {
  const row = await db.selectFrom('policies').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toPolicy(row)
}

/** The rules of a policy by priority; the built-in one is last. */
export async function listRules(db: Db, policyId: string): Promise<readonly StoredRule[]> {
  const rows = await db
    .selectFrom('policy_rules')
    .selectAll()
    .where('policy_id', '=', policyId)
    .orderBy('system')
    .orderBy('priority')
    .orderBy('id')
    .execute()
  return rows.map(toRule)
}

export interface NewItem {
  /** Absent: the item is created. */
  readonly id?: string
  readonly name: string
  readonly status: StoredItem['status']
  /** From 1. Absent: last before the built-in one. */
  readonly priority?: number | undefined
  readonly system?: boolean
  readonly body: StoredItem['body']
}

/** Creates or changes a policy or rule at its priority; the ones after it move down by one. Answers its id. */
export async function putItem(
  db: Db,
  place: Place,
  wanted: NewItem,
  { random, now }: { readonly random: Random; readonly now: number },
): Promise<string> {
  const isPolicy = 'type' in place
  const table = isPolicy ? 'policies' : 'policy_rules'
  const others = (isPolicy ? await listPolicies(db, place.type) : await listRules(db, place.policyId)).filter(
    ({ id, system }) => id !== wanted.id && !system,
  )
  const index = wanted.system
    ? others.length
    : Math.min((wanted.priority ?? others.length + 1) - 1, others.length)
  const id = wanted.id ?? randomId(random, idPrefix(place))
  const values = {
    name: wanted.name,
    status: wanted.status,
    priority: index + 1,
    body: JSON.stringify(wanted.body),
    updated_at: now,
  }
  if (wanted.id !== undefined) await db.updateTable(table).set(values).where('id', '=', id).execute()
  else {
    const row = { ...values, id, system: wanted.system ? 1 : 0, created_at: now }
    if (isPolicy)
      await db
        .insertInto('policies')
        .values({ ...row, type: place.type })
        .execute()
    else
      await db
        .insertInto('policy_rules')
        .values({ ...row, policy_id: place.policyId })
        .execute()
  }
  if (wanted.system) return id
  for (const [position, other] of others.entries()) {
    const priority = position < index ? position + 1 : position + 2
    if (priority !== other.priority)
      await db.updateTable(table).set({ priority }).where('id', '=', other.id).execute()
  }
  return id
}

const idPrefix = (place: Place): string =>
  'policyId' in place
    ? '0pr'
    : place.type === 'ACCESS_POLICY' || place.type === 'PROFILE_ENROLLMENT'
      ? 'rst'
      : '00p'

/** Deletes a policy with its rules. */
export async function removePolicy(db: Db, id: string): Promise<void> {
  await db.deleteFrom('policy_rules').where('policy_id', '=', id).execute()
  await db.deleteFrom('policies').where('id', '=', id).execute()
}

export async function removeRule(db: Db, id: string): Promise<void> {
  await db.deleteFrom('policy_rules').where('id', '=', id).execute()
}
