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

/** The groups and users that a client is assigned to. */
export async function assignmentsOf(
  db: Db,
  clientId: string,
): Promise<{ readonly groups: readonly string[]; readonly people: readonly string[] }> {
  const groups = await db
    .selectFrom('client_groups')
    .select('group_id')
    .where('client_id', '=', clientId)
    .orderBy('group_id')
    .execute()
  const people = await db
    .selectFrom('client_people')
    .select('person_id')
    .where('client_id', '=', clientId)
    .orderBy('person_id')
    .execute()
  return { groups: groups.map((row) => row.group_id), people: people.map((row) => row.person_id) }
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

/** Assigns a client to a group or a user, or removes the assignment. */
export async function assign(
  db: Db,
  clientId: string,
  to: { readonly groupId: string } | { readonly personId: string },
  assigned: boolean,
): Promise<void> {
  if ('groupId' in to) {
    const row = { client_id: clientId, group_id: to.groupId }
    if (assigned) {
      await db
        .insertInto('client_groups')
        .values(row)
        .onConflict((oc) => oc.columns(['client_id', 'group_id']).doNothing())
        .execute()
    } else {
      await db
        .deleteFrom('client_groups')
        .where('client_id', '=', clientId)
        .where('group_id', '=', to.groupId)
        .execute()
    }
    return
  }
  const row = { client_id: clientId, person_id: to.personId }
  if (assigned) {
    await db
      .insertInto('client_people')
      .values(row)
      .onConflict((oc) => oc.columns(['client_id', 'person_id']).doNothing())
      .execute()
  } else {
    await db
      .deleteFrom('client_people')
      .where('client_id', '=', clientId)
      .where('person_id', '=', to.personId)
      .execute()
  }
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
