import type { Db } from '../storage/index.ts'
import type { Client } from './client.ts'
import { toClient } from './clients.store.ts'

/** When clients were created and last changed. Not members of `Client`: only the management API needs them. */
export async function timesOfClients(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { readonly createdAt: number; readonly updatedAt: number }>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('clients')
    .select(['id', 'created_at', 'updated_at'])
    .where('id', 'in', [...ids])
    .execute()
  return new Map(rows.map((row) => [row.id, { createdAt: row.created_at, updatedAt: row.updated_at }]))
}

/** An assignment of a client to a group or a user, with what it was made with. */
export interface Assignment {
  /** Of the group or the user. */
  readonly id: string
  /** Of groups; 0 where none was sent. */
  readonly priority: number
  readonly profile: Readonly<Record<string, unknown>>
  /** Undefined: made by a version that did not note it. */
  readonly createdAt?: number
}

const toAssignment = (row: {
  readonly id: string
  readonly priority?: number | null
  readonly profile: string | null
  readonly created_at: number | null
}): Assignment => ({
  id: row.id,
  priority: row.priority ?? 0,
  profile: row.profile === null ? {} : (JSON.parse(row.profile) as Assignment['profile']),
  ...(row.created_at !== null && { createdAt: Number(row.created_at) }),
})

/** The groups and users that a client is assigned to, by id. */
export async function assignmentsOf(
  db: Db,
  clientId: string,
): Promise<{ readonly groups: readonly Assignment[]; readonly people: readonly Assignment[] }> {
  const groups = await db
    .selectFrom('client_groups')
    .select(['group_id as id', 'priority', 'profile', 'created_at'])
    .where('client_id', '=', clientId)
    .orderBy('group_id')
    .execute()
  const people = await db
    .selectFrom('client_people')
    .select(['person_id as id', 'profile', 'created_at'])
    .where('client_id', '=', clientId)
    .orderBy('person_id')
    .execute()
  return { groups: groups.map(toAssignment), people: people.map(toAssignment) }
}

/** The ids of the clients that a group is assigned to. */
export async function clientIdsOfGroup(db: Db, groupId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('client_groups')
    .select('client_id')
    .where('group_id', '=', groupId)
    .execute()
  return rows.map((row) => row.client_id)
}

/** What an assignment is made with. What is absent stays as it is where there is one already. */
export interface AssignmentSettings {
  readonly priority?: number | undefined
  readonly profile?: Readonly<Record<string, unknown>> | undefined
}

/** Assigns a client to a group or a user, or changes the assignment that there is. */
export async function assign(
  db: Db,
  clientId: string,
  to: { readonly groupId: string } | { readonly personId: string },
  { priority, profile }: AssignmentSettings,
  now: number,
): Promise<void> {
  const settings = {
    ...(profile !== undefined && { profile: JSON.stringify(profile) }),
    ...('groupId' in to && priority !== undefined && { priority }),
  }
  // Set to itself where nothing is changed: an assignment that there is keeps its time.
  const changed = { client_id: clientId, ...settings }
  if ('groupId' in to) {
    await db
      .insertInto('client_groups')
      .values({ ...changed, group_id: to.groupId, created_at: now })
      .onConflict((oc) => oc.columns(['client_id', 'group_id']).doUpdateSet(changed))
      .execute()
    return
  }
  await db
    .insertInto('client_people')
    .values({ ...changed, person_id: to.personId, created_at: now })
    .onConflict((oc) => oc.columns(['client_id', 'person_id']).doUpdateSet(changed))
    .execute()
}

/** Removes the assignment of a client to a group or a user. */
export async function unassign(
  db: Db,
  clientId: string,
  from: { readonly groupId: string } | { readonly personId: string },
): Promise<void> {
  if ('groupId' in from) {
    await db
      .deleteFrom('client_groups')
      .where('client_id', '=', clientId)
      .where('group_id', '=', from.groupId)
      .execute()
    return
  }
  await db
    .deleteFrom('client_people')
    .where('client_id', '=', clientId)
    .where('person_id', '=', from.personId)
    .execute()
}

/** The active clients that a user is assigned to, directly or through a group, by id. */
export async function clientsOf(db: Db, personId: string): Promise<readonly Client[]> {
  const rows = await db
    .selectFrom('clients')
    .selectAll()
    .where('status', '=', 'ACTIVE')
    .where((eb) =>
      eb.or([
        eb('id', 'in', eb.selectFrom('client_people').select('client_id').where('person_id', '=', personId)),
        eb(
          'id',
          'in',
          eb
            .selectFrom('client_groups')
            .innerJoin('memberships', 'memberships.group_id', 'client_groups.group_id')
            .select('client_groups.client_id')
            .where('memberships.person_id', '=', personId),
        ),
      ]),
    )
    .orderBy('id')
    .execute()
  return rows.map(toClient)
}
