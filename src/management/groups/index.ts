/**
 * Groups over HTTP, after Okta's Groups API: create, read, change, remove, and who is in them. Everyone is built in: it
 * holds all people and stays as it is.
 */
import { record } from '../../audit/index.ts'
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
import { invalid, invalidCriteria, notFound, taken } from '../errors.ts'
import { criteria, fieldsIn, newReader, pageFrom, pageOf, parameter, requiredText, textIn } from '../input.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { getUser, usersOf } from '../users/index.ts'
import { groupOf } from './wire.ts'

async function getGroup({ parts, params }: Call): Promise<StoredGroup> {
  const id = params.groupId ?? ''
  const group = await findGroup(parts.storage.db, id)
  if (group === undefined) throw notFound(id, 'Group')
  return group
}

/** A group that may be changed. */
async function getOwn(call: Call): Promise<StoredGroup> {
  const group = await getGroup(call)
  if (group.type === 'BUILT_IN') throw new ProtocolError(501, 'E0000060', 'Unsupported operation.')
  return group
}

async function put(call: Call, id?: string): Promise<Answer> {
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
  if (group === 'taken') throw invalid([taken('name')])
  await tell(call, id === undefined ? 'group.lifecycle.create' : 'group.profile.update', group)
  return { body: groupOf(parts.baseUrl(), group) }
}

const tell = (
  { parts, actor, now }: Call,
  eventType: 'group.lifecycle.create' | 'group.profile.update' | 'group.lifecycle.delete',
  { id, name }: StoredGroup,
): Promise<void> =>
  record(
    parts.storage.db,
    {
      eventType,
      displayMessage: 'Group managed',
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id, type: 'UserGroup', displayName: name }],
    },
    { random: parts.random, now },
  )

/** What a group is searched by: its type, its name, or the beginning of its name. */
function criteriaOf(query: Call['query']): Pick<GroupsQuery, 'type' | 'named' | 'startsWith'> {
  const q = parameter(query, 'q')
  const given = [criteria(query, 'filter'), criteria(query, 'search')].filter((text) => text !== undefined)
  if (given.length + (q === undefined ? 0 : 1) > 1) {
    throw invalid(['search: q, filter and search exclude each other'])
  }
  const [text] = given
  if (text === undefined) return { startsWith: q }
  const [, type] = /^type eq "(OKTA_GROUP|BUILT_IN|APP_GROUP)"$/i.exec(text) ?? []
  if (type !== undefined) return { type: type.toUpperCase() }
  const [, operator, name] = /^profile\.name (eq|sw) "([^"\\\p{Cc}]{1,255})"$/iu.exec(text) ?? []
  if (name === undefined) throw invalidCriteria('it may be type eq "…", or profile.name with eq or sw')
  return operator?.toLowerCase() === 'eq' ? { named: name } : { startsWith: name }
}

async function list({ parts, query }: Call): Promise<Answer> {
  const page = pageOf(query, { limit: 10_000, most: 10_000, ids: '00g' })
  const wanted = { ...criteriaOf(query), ...page, limit: page.limit + 1 }
  const { items, next } = pageFrom(await listGroups(parts.storage.db, wanted), page, ({ id }) => id)
  return { body: items.map((group) => groupOf(parts.baseUrl(), group)), next }
}

async function members(call: Call): Promise<Answer> {
  const { id } = await getGroup(call)
  const page = pageOf(call.query, { limit: 1000, most: 1000, ids: '00u' })
  const found = await queryPeople(call.parts.storage, { ...page, limit: page.limit + 1, inGroup: id })
  const { items, next } = pageFrom(found, page, (person) => person.id)
  return { body: await usersOf(call.parts, items), next }
}

async function member(call: Call, change: typeof addMember): Promise<Answer> {
  const group = await getOwn(call)
  const person = await getUser(call)
  const { parts, actor, now } = call
  await parts.storage.transaction(async (tx) => {
    await change(tx, group.id, person.id)
    const event = {
      eventType: change === addMember ? 'group.user_membership.add' : 'group.user_membership.remove',
      displayMessage: change === addMember ? 'Add user to group' : 'Remove user from group',
      outcome: { result: 'SUCCESS' },
      actor,
      target: [
        { id: person.id, type: 'User', alternateId: person.profile.login },
        { id: group.id, type: 'UserGroup', displayName: group.name },
      ],
    } as const
    await record(tx, event, { random: parts.random, now })
  })
  return {}
}

const one = '/groups/:groupId'

export const groupOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/groups',
    role: 'read',
    summary: 'Lists groups; `q` finds by the beginning of a name.',
    handle: list,
  },
  { method: 'POST', path: '/groups', role: 'all', summary: 'Creates a group.', handle: (call) => put(call) },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Tells of a group.',
    handle: async (call) => ({ body: groupOf(call.parts.baseUrl(), await getGroup(call)) }),
  },
  {
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Changes name and description of a group.',
    handle: async (call) => put(call, (await getOwn(call)).id),
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Removes a group; its people stay.',
    handle: async (call) => {
      const group = await getOwn(call)
      await call.parts.storage.transaction((tx) => removeGroup(tx, group.id))
      await tell(call, 'group.lifecycle.delete', group)
      return {}
    },
  },
  { method: 'GET', path: `${one}/users`, role: 'read', summary: 'Lists who is in a group.', handle: members },
  {
    method: 'PUT',
    path: `${one}/users/:userId`,
    role: 'users',
    summary: 'Takes a person into a group.',
    handle: (call) => member(call, addMember),
  },
  {
    method: 'DELETE',
    path: `${one}/users/:userId`,
    role: 'users',
    summary: 'Takes a person out of a group.',
    handle: (call) => member(call, removeMember),
  },
]
