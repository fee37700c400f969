import { type Static, type TObject, Type } from 'typebox'
import { apiError } from '../../base/index.ts'
import {
  addMember,
  findGroup,
  type GroupsQuery,
  listGroups,
  lockGroup,
  putGroup,
  queryPeople,
  removeGroup,
  removeMember,
  type StoredGroup,
} from '../../directory/index.ts'
import type { Tx } from '../../storage/index.ts'
import { parseCriteria, type Searchable } from '../criteria.ts'
import { alreadyExists, invalid, notFound } from '../errors.ts'
import { longestPage, pageFrom, pageOf } from '../input.ts'
import { unsupportedMembers } from '../members.ts'
import { type Answer, type Call, type Context, type Operation, operation, recordEvent } from '../operation.ts'
import { page } from '../schema.ts'
import { warnUnsupported } from '../unsupported.ts'
import { getUser, renderUsers, user } from '../users/index.ts'
import { group, groupList, type NewGroup, newGroup } from './schema.ts'
import { renderGroup, toGroupProfile } from './wire.ts'

/** The group of a path; in a transaction it is not deleted until that ends. Throws 404. */
async function getGroup({ parts, params }: Context, tx?: Tx): Promise<StoredGroup> {
  const id = params.groupId ?? ''
  const group = await (tx === undefined ? findGroup(parts.storage.db, id) : lockGroup(tx, id))
  if (group === undefined) throw notFound(id, 'Group')
  return group
}

/** The group of a path, which must not be built in. Throws 404 and 501. */
async function getEditableGroup(call: Context, tx?: Tx): Promise<StoredGroup> {
  const group = await getGroup(call, tx)
  if (group.type === 'BUILT_IN') throw apiError('E0000060')
  return group
}

async function saveGroup(call: Call<NewGroup, unknown>, id?: string): Promise<Answer> {
  const { body, parts, now } = call
  const profile = toGroupProfile(body)
  warnUnsupported(call, 'a group was sent with members', {}, unsupportedMembers(body, supportedMembers))
  const group = await parts.storage.transaction(async (tx) => {
    const wanted = { ...(id !== undefined && { id }), profile }
    const stored = await putGroup(tx, wanted, { random: parts.random, now })
    if (stored === 'taken') throw invalid([alreadyExists('name')])
    // Deleted a moment ago.
    if (stored === undefined) throw notFound(id ?? '', 'Group')
    await recordChange(call, tx, id === undefined ? 'group.lifecycle.create' : 'group.profile.update', stored)
    return stored
  })
  return { body: renderGroup(parts.baseUrl(), group) }
}

/** What a group may be sent with: its profile, and what the engine itself sets. */
const supportedMembers = [
  ...['profile', 'id', 'type', 'objectClass', 'created', 'lastUpdated', 'lastMembershipUpdated'],
  ...['_links', '_embedded'],
]

const recordChange = (
  call: Context,
  tx: Tx,
  eventType: 'group.lifecycle.create' | 'group.profile.update' | 'group.lifecycle.delete',
  { id, name }: StoredGroup,
): Promise<void> =>
  recordEvent(call, tx, {
    eventType,
    displayMessage: 'Group managed',
    target: [{ id, type: 'UserGroup', displayName: name }],
  })

type List = Static<TObject<typeof groupList>>

const searchable: Searchable = {
  own: {
    id: 'text',
    type: ['OKTA_GROUP', 'BUILT_IN', 'APP_GROUP'],
    created: 'time',
    lastUpdated: 'time',
    lastMembershipUpdated: 'time',
  },
  typeOf: (name) => (name === 'name' || name === 'description' ? { type: 'string' } : undefined),
}

function criteriaOf({ q, filter, search }: List): Pick<GroupsQuery, 'filter' | 'startsWith'> {
  if ([q, filter, search].filter((given) => given !== undefined).length > 1) {
    throw invalid(['search: only one of q, filter and search can be used'])
  }
  const text = filter ?? search
  return text === undefined ? { startsWith: q } : { filter: parseCriteria(text, searchable) }
}

async function list({ parts, query }: Call<unknown, List>): Promise<Answer> {
  const page = pageOf(query, { limit: 10_000, most: 10_000, ids: '00g' })
  const wanted = { ...criteriaOf(query), ...page, limit: page.limit + 1, characters: longestPage }
  const { items, next } = pageFrom(await listGroups(parts.storage, wanted), page, ({ id }) => id)
  return { body: items.map((one) => renderGroup(parts.baseUrl(), one)), next }
}

async function listMembers(call: Call<unknown, Static<TObject<typeof page>>>): Promise<Answer> {
  const { id } = await getGroup(call)
  const wanted = pageOf(call.query, { limit: 1000, most: 1000, ids: '00u' })
  const found = await queryPeople(call.parts.storage, { ...wanted, limit: wanted.limit + 1, inGroup: id })
  const { items, next } = pageFrom(found, wanted, (person) => person.id)
  return { body: await renderUsers(call.parts, items), next }
}

async function changeMembership(call: Context, change: typeof addMember): Promise<Answer> {
  await getEditableGroup(call)
  const person = await getUser(call)
  await call.parts.storage.transaction(async (tx) => {
    const group = await getEditableGroup(call, tx)
    await change(tx, group.id, person.id, call.now)
    await recordEvent(call, tx, {
      eventType: change === addMember ? 'group.user_membership.add' : 'group.user_membership.remove',
      displayMessage: change === addMember ? 'Add user to group' : 'Remove user from group',
      target: [
        { id: person.id, type: 'User', alternateId: person.profile.login },
        { id: group.id, type: 'UserGroup', displayName: group.name },
      ],
    })
  })
  return {}
}

const one = '/groups/:groupId'

export const groupOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/groups',
    role: 'read',
    summary: 'List groups: all, or those that match `q`, `filter` or `search`',
    query: groupList,
    response: Type.Array(group),
    handle: list,
  }),
  operation({
    method: 'POST',
    path: '/groups',
    role: 'all',
    summary: 'Create a group',
    body: newGroup,
    response: group,
    handle: (call) => saveGroup(call),
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a group',
    response: group,
    handle: async (call) => ({ body: renderGroup(call.parts.baseUrl(), await getGroup(call)) }),
  }),
  operation({
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace the profile of a group: members that are not given are removed',
    body: newGroup,
    response: group,
    handle: async (call) => saveGroup(call, (await getEditableGroup(call)).id),
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a group; its members stay',
    handle: async (call) => {
      const group = await getEditableGroup(call)
      await call.parts.storage.transaction(async (tx) => {
        if (!(await removeGroup(tx, group.id))) throw notFound(group.id, 'Group')
        await recordChange(call, tx, 'group.lifecycle.delete', group)
      })
      return {}
    },
  }),
  operation({
    method: 'GET',
    path: `${one}/users`,
    role: 'read',
    summary: 'List the members of a group',
    query: page,
    response: Type.Array(user),
    handle: listMembers,
  }),
  operation({
    method: 'PUT',
    path: `${one}/users/:userId`,
    role: 'users',
    summary: 'Add a user to a group',
    status: 204,
    handle: (call) => changeMembership(call, addMember),
  }),
  operation({
    method: 'DELETE',
    path: `${one}/users/:userId`,
    role: 'users',
    summary: 'Remove a user from a group',
    handle: (call) => changeMembership(call, removeMember),
  }),
]
