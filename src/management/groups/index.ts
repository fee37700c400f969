/**
 * Groups over HTTP, after Okta's Groups API: create, read, change, delete, and their members. The group Everyone is built
 * in: it contains all users and cannot be changed.
 */
import { ProtocolError } from '../../base/index.ts'
import {
  addMember,
  findGroup,
  type GroupsQuery,
  listGroups,
  putGroup,
  queryPeople,
  removeGroup,
  removeMember,
  type StoredGroup,
} from '../../directory/index.ts'
import { alreadyExists, invalid, invalidCriteria, notFound } from '../errors.ts'
import { pageFrom, parameter } from '../input.ts'
import { type Answer, type Call, type Operation, recordEvent } from '../operation.ts'
import { criteria, fieldsIn, newReader, rawPageOf as pageOf, requiredText, textIn } from '../reader.ts'
import { getUser, usersOf } from '../users/index.ts'
import { groupOf } from './wire.ts'

async function getGroup({ parts, params }: Call): Promise<StoredGroup> {
  const id = params.groupId ?? ''
  const group = await findGroup(parts.storage.db, id)
  if (group === undefined) throw notFound(id, 'Group')
  return group
}

/** The group of a path, which must not be built in. Throws 404 and 501. */
async function getEditableGroup(call: Call): Promise<StoredGroup> {
  const group = await getGroup(call)
  if (group.type === 'BUILT_IN') throw new ProtocolError(501, 'E0000060', 'Unsupported operation.')
  return group
}

async function saveGroup(call: Call, id?: string): Promise<Answer> {
  const { parts, now } = call
  const reader = newReader()
  const fields = fieldsIn(reader, call.body, 'profile')
  const name = requiredText(reader, fields, 'name', { max: 255 })
  const description = textIn(reader, fields, 'description')
  reader.check()
  const profile = { name, ...(description !== undefined && { description }) }
  const group = await putGroup(
    parts.storage.db,
    { ...(id !== undefined && { id }), profile },
    { random: parts.random, now },
  )
  if (group === 'taken') throw invalid([alreadyExists('name')])
  await recordChange(call, id === undefined ? 'group.lifecycle.create' : 'group.profile.update', group)
  return { body: groupOf(parts.baseUrl(), group) }
}

const recordChange = (
  call: Call,
  eventType: 'group.lifecycle.create' | 'group.profile.update' | 'group.lifecycle.delete',
  { id, name }: StoredGroup,
): Promise<void> =>
  recordEvent(call, call.parts.storage.db, {
    eventType,
    displayMessage: 'Group managed',
    target: [{ id, type: 'UserGroup', displayName: name }],
  })

/** The search criteria: the type, the name, or the beginning of the name. */
function criteriaOf(query: Call['query']): Pick<GroupsQuery, 'type' | 'named' | 'startsWith'> {
  const q = parameter(query, 'q')
  const given = [criteria(query, 'filter'), criteria(query, 'search')].filter((text) => text !== undefined)
  if (given.length + (q === undefined ? 0 : 1) > 1) {
    throw invalid(['search: only one of q, filter and search can be used'])
  }
  const [text] = given
  if (text === undefined) return { startsWith: q }
  const [, type] = /^type eq "(OKTA_GROUP|BUILT_IN|APP_GROUP)"$/i.exec(text) ?? []
  if (type !== undefined) return { type: type.toUpperCase() }
  const [, operator, name] = /^profile\.name (eq|sw) "([^"\\\p{Cc}]{1,255})"$/iu.exec(text) ?? []
  if (name === undefined)
    throw invalidCriteria('only type eq "…" and profile.name with eq or sw are supported')
  return operator?.toLowerCase() === 'eq' ? { named: name } : { startsWith: name }
}

async function list({ parts, query }: Call): Promise<Answer> {
  const page = pageOf(query, { limit: 10_000, most: 10_000, ids: '00g' })
  const wanted = { ...criteriaOf(query), ...page, limit: page.limit + 1 }
  const { items, next } = pageFrom(await listGroups(parts.storage.db, wanted), page, ({ id }) => id)
  return { body: items.map((group) => groupOf(parts.baseUrl(), group)), next }
}

async function listMembers(call: Call): Promise<Answer> {
  const { id } = await getGroup(call)
  const page = pageOf(call.query, { limit: 1000, most: 1000, ids: '00u' })
  const found = await queryPeople(call.parts.storage, { ...page, limit: page.limit + 1, inGroup: id })
  const { items, next } = pageFrom(found, page, (person) => person.id)
  return { body: await usersOf(call.parts, items), next }
}

async function changeMembership(call: Call, change: typeof addMember): Promise<Answer> {
  const group = await getEditableGroup(call)
  const person = await getUser(call)
  await call.parts.storage.transaction(async (tx) => {
    await change(tx, group.id, person.id)
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
  {
    method: 'GET',
    path: '/groups',
    role: 'read',
    summary: 'List groups; `q` matches the beginning of a name',
    handle: list,
  },
  {
    method: 'POST',
    path: '/groups',
    role: 'all',
    summary: 'Create a group',
    handle: (call) => saveGroup(call),
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a group',
    handle: async (call) => ({ body: groupOf(call.parts.baseUrl(), await getGroup(call)) }),
  },
  {
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace the name and description of a group',
    handle: async (call) => saveGroup(call, (await getEditableGroup(call)).id),
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a group; its members stay',
    handle: async (call) => {
      const group = await getEditableGroup(call)
      await call.parts.storage.transaction((tx) => removeGroup(tx, group.id))
      await recordChange(call, 'group.lifecycle.delete', group)
      return {}
    },
  },
  {
    method: 'GET',
    path: `${one}/users`,
    role: 'read',
    summary: 'List the members of a group',
    handle: listMembers,
  },
  {
    method: 'PUT',
    path: `${one}/users/:userId`,
    role: 'users',
    summary: 'Add a user to a group',
    handle: (call) => changeMembership(call, addMember),
  },
  {
    method: 'DELETE',
    path: `${one}/users/:userId`,
    role: 'users',
    summary: 'Remove a user from a group',
    handle: (call) => changeMembership(call, removeMember),
  },
]
