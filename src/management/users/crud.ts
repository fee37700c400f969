import {
  addMember,
  findGroup,
  listGroups,
  type Person,
  type PersonStatus,
  personStatuses,
  queryPeople,
} from '../../directory/index.ts'
import { retryStale } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { groupOf } from '../groups/wire.ts'
import { criteria, flag, pageFrom, pageOf, parameter } from '../input.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { questionToPut } from './question.ts'
import { getUser, readChanges, readUser, replacing, type UserBody } from './read.ts'
import { activationOf, handOut } from './recovery.ts'
import { parseSearch, parseUserFilter } from './search.ts'
import { usersOf } from './wire.ts'

async function told({ parts }: Call, person: Person): Promise<Answer> {
  const [body = {}] = await usersOf(parts, [person])
  return { body }
}

/** A new person. Without a password she gets a token to choose one; with one she can sign in at once. */
async function create(call: Call): Promise<Answer> {
  const { parts, actor, query } = call
  const activate = flag(query, 'activate', true)
  const next = parameter(query, 'nextLogin')
  if (next !== undefined && next !== 'changePassword') throw invalid(['nextLogin: must be changePassword'])
  const { groupIds, recoveryQuestion, ...wanted } = await readUser(call)
  for (const id of groupIds) {
    const group = await findGroup(parts.storage.db, id)
    if (group === undefined) throw notFound(id, 'Group')
    if (group.type === 'BUILT_IN') throw invalid(['groupIds: everybody is in Everyone already'])
  }
  const hasPassword = wanted.password !== undefined || wanted.passwordHash !== undefined
  const status = firstStatus(activate, hasPassword, next !== undefined)
  const putQuestion = recoveryQuestion && (await questionToPut(parts, recoveryQuestion))
  const person = await parts.people.add(
    { ...wanted, status },
    {
      by: actor,
      async with(tx, created, now) {
        for (const id of groupIds) await addMember(tx, id, created.id)
        await putQuestion?.(tx, created, now)
        if (status === 'PROVISIONED')
          await handOut({ ...call, now }, tx, created, { ...activationOf(call), mails: true })
      },
    },
  )
  parts.onCommitted()
  return told(call, person)
}

function firstStatus(activate: boolean, hasPassword: boolean, mustChange: boolean): PersonStatus {
  if (!activate) return 'STAGED'
  if (!hasPassword) return 'PROVISIONED'
  return mustChange ? 'PASSWORD_EXPIRED' : 'ACTIVE'
}

async function list({ parts, query }: Call): Promise<Answer> {
  const q = parameter(query, 'q')
  const filter = criteria(query, 'filter')
  const search = criteria(query, 'search')
  for (const name of ['sortBy', 'sortOrder']) {
    if (parameter(query, name) !== undefined) throw invalid([`${name}: people are in the order of their ids`])
  }
  if ([q, filter, search].filter((given) => given !== undefined).length > 1) {
    throw invalid(['search: q, filter and search exclude each other'])
  }
  const page = pageOf(query, { ids: '00u', ...(q !== undefined && { limit: 10 }) })
  const people = await queryPeople(parts.storage, {
    startsWith: q,
    filter:
      search !== undefined ? parseSearch(search) : filter !== undefined ? parseUserFilter(filter) : undefined,
    // Who is gone shows to those who ask for her.
    except: search === undefined && filter === undefined ? 'DEPROVISIONED' : undefined,
    limit: page.limit + 1,
    after: page.after,
  } as Parameters<typeof queryPeople>[1])
  const { items, next } = pageFrom(people, page, ({ id }) => id)
  return { body: await usersOf(parts, items), next }
}

async function change(call: Call, changes: Partial<UserBody> & object): Promise<Answer> {
  const before = await getUser(call)
  const { parts, actor } = call
  const refused = invalid(['password: a deactivated person has none'])
  const setsPassword = changes.password !== undefined
  if (setsPassword && before.status === 'DEPROVISIONED') throw refused
  const statuses = personStatuses.filter((status) => status !== 'DEPROVISIONED')
  const { profile, password, passwordHash, recoveryQuestion } = changes
  const putQuestion = recoveryQuestion && (await questionToPut(parts, recoveryQuestion))
  const changed = await parts.people.change(
    before.id,
    { ...(profile && { profile }), password, passwordHash },
    {
      by: actor,
      ...(setsPassword && { from: { statuses, refused } }),
      ...(putQuestion && { with: putQuestion }),
    },
  )
  if (changed === undefined) throw notFound(before.id, 'User')
  return told(call, changed)
}

/** As Okta does: the first call deactivates, the second one removes. */
async function remove(call: Call): Promise<Answer> {
  const { parts, actor, query } = call
  // As Okta takes it. Nobody is told here of who was deactivated but the log.
  flag(query, 'sendEmail', false)
  return retryStale(async () => {
    const { id, status, version } = await getUser(call)
    // A user who was activated meanwhile is deactivated first, not removed.
    if (status === 'DEPROVISIONED') await parts.people.remove(id, { by: actor, version })
    else await parts.people.change(id, { status: 'DEPROVISIONED' }, { by: actor, version })
    return {}
  })
}

export const crud: readonly Operation[] = [
  {
    method: 'GET',
    path: '/users',
    role: 'read',
    summary: 'Lists people: all but the deactivated, or those that `q`, `filter` or `search` match.',
    handle: list,
  },
  {
    method: 'POST',
    path: '/users',
    role: 'users',
    summary:
      'Creates a person; `activate=false` leaves her STAGED, `nextLogin=changePassword` has her choose a new password.',
    handle: create,
  },
  {
    method: 'GET',
    path: '/users/:userId',
    role: 'read',
    summary: 'Tells of a person, by id or login.',
    handle: async (call) => told(call, await getUser(call)),
  },
  {
    method: 'POST',
    path: '/users/:userId',
    role: 'users',
    summary: 'Changes what is named of a person.',
    handle: async (call) => {
      const { profile, ...rest } = await readChanges(call, await getUser(call))
      return change(call, { ...rest, ...(profile && { profile: profile as UserBody['profile'] }) })
    },
  },
  {
    method: 'PUT',
    path: '/users/:userId',
    role: 'users',
    summary: 'Puts a person as a whole: what is not named goes, an empty password stays.',
    handle: async (call) => {
      const before = await getUser(call)
      const { groupIds: _, ...body } = await readUser(call, before)
      return change(call, { ...body, profile: replacing(before, body.profile) as UserBody['profile'] })
    },
  },
  {
    method: 'DELETE',
    path: '/users/:userId',
    role: 'users',
    summary: 'Deactivates a person; removes one who is deactivated.',
    handle: remove,
  },
  {
    method: 'GET',
    path: '/users/:userId/groups',
    role: 'read',
    summary: 'Lists the groups of a person.',
    handle: async (call) => {
      const { id } = await getUser(call)
      const page = pageOf(call.query)
      const groups = await listGroups(call.parts.storage.db, {
        ofPerson: id,
        limit: page.limit + 1,
        after: page.after,
      })
      const { items, next } = pageFrom(groups, page, (group) => group.id)
      return { body: items.map((group) => groupOf(call.parts.baseUrl(), group)), next }
    },
  },
  {
    method: 'DELETE',
    path: '/users/:userId/sessions',
    role: 'users',
    summary: 'Ends the sessions of a person, and with them her tokens.',
    handle: async (call) => {
      await call.parts.people.endSessions((await getUser(call)).id, { by: call.actor })
      return {}
    },
  },
]
