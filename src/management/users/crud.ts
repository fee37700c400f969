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
import { pageFrom, parameter } from '../input.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { criteria, flag, rawPageOf as pageOf } from '../reader.ts'
import { prepareQuestion } from './question.ts'
import { getUser, readChanges, readUser, replacementProfile, type UserBody } from './read.ts'
import { activationTokenRequest, issueUserToken } from './recovery.ts'
import { parseSearch, parseUserFilter, refuseUnbounded } from './search.ts'
import { usersOf } from './wire.ts'

async function renderUser({ parts }: Call, person: Person): Promise<Answer> {
  const [body = {}] = await usersOf(parts, [person])
  return { body }
}

/** Creates a user. Without a password, an activation mail is sent; with one, the user can sign in at once. */
async function create(call: Call): Promise<Answer> {
  const { parts, actor, query } = call
  const activate = flag(query, 'activate', true)
  const next = parameter(query, 'nextLogin')
  if (next !== undefined && next !== 'changePassword') throw invalid(['nextLogin: must be changePassword'])
  const { groupIds, recoveryQuestion, ...wanted } = await readUser(call)
  for (const id of groupIds) {
    const group = await findGroup(parts.storage.db, id)
    if (group === undefined) throw notFound(id, 'Group')
    if (group.type === 'BUILT_IN') throw invalid(['groupIds: Everyone contains all users already'])
  }
  const hasPassword = wanted.password !== undefined || wanted.passwordHash !== undefined
  const status = initialStatus(activate, hasPassword, next !== undefined)
  const storeQuestion = recoveryQuestion && (await prepareQuestion(parts, recoveryQuestion))
  const person = await parts.people.add(
    { ...wanted, status },
    {
      by: actor,
      async with(tx, created, now) {
        for (const id of groupIds) await addMember(tx, id, created.id)
        await storeQuestion?.(tx, created, now)
        if (status === 'PROVISIONED')
          await issueUserToken({ ...call, now }, tx, created, {
            ...activationTokenRequest(call),
            sendsMail: true,
          })
      },
    },
  )
  parts.onCommitted()
  return renderUser(call, person)
}

function initialStatus(activate: boolean, hasPassword: boolean, mustChange: boolean): PersonStatus {
  if (!activate) return 'STAGED'
  if (!hasPassword) return 'PROVISIONED'
  return mustChange ? 'PASSWORD_EXPIRED' : 'ACTIVE'
}

async function list({ parts, query }: Call): Promise<Answer> {
  const q = parameter(query, 'q')
  const filter = criteria(query, 'filter')
  const search = criteria(query, 'search')
  for (const name of ['sortBy', 'sortOrder']) {
    if (parameter(query, name) !== undefined)
      throw invalid([`${name}: not supported, users are ordered by id`])
  }
  if ([q, filter, search].filter((given) => given !== undefined).length > 1) {
    throw invalid(['search: only one of q, filter and search can be used'])
  }
  const page = pageOf(query, { ids: '00u', ...(q !== undefined && { limit: 10 }) })
  const compared =
    search !== undefined ? parseSearch(search) : filter !== undefined ? parseUserFilter(filter) : undefined
  if (compared !== undefined) await refuseUnbounded(parts.storage, compared, parts.scannedUsers)
  const people = await queryPeople(parts.storage, {
    startsWith: q,
    filter: compared,
    // As in Okta, deactivated users are listed only if a filter or search matches them.
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
  const refused = invalid(['password: cannot be set for a deactivated user'])
  const setsPassword = changes.password !== undefined
  if (setsPassword && before.status === 'DEPROVISIONED') throw refused
  const statuses = personStatuses.filter((status) => status !== 'DEPROVISIONED')
  const { profile, password, passwordHash, recoveryQuestion } = changes
  const storeQuestion = recoveryQuestion && (await prepareQuestion(parts, recoveryQuestion))
  const changed = await parts.people.change(
    before.id,
    { ...(profile && { profile }), password, passwordHash },
    {
      by: actor,
      ...(setsPassword && { from: { statuses, refused } }),
      ...(storeQuestion && { with: storeQuestion }),
    },
  )
  if (changed === undefined) throw notFound(before.id, 'User')
  return renderUser(call, changed)
}

/** Deactivates a user; deletes one that is deactivated already, as Okta does. */
async function remove(call: Call): Promise<Answer> {
  const { parts, actor, query } = call
  // Checked for compatibility and ignored: Okta mails administrators, this engine only records an event.
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
    summary: 'List users: all that are not deactivated, or those that match `q`, `filter` or `search`',
    handle: list,
  },
  {
    method: 'POST',
    path: '/users',
    role: 'users',
    summary:
      'Create a user; `activate=false` leaves it STAGED, `nextLogin=changePassword` requires a new password at the first sign-in',
    handle: create,
  },
  {
    method: 'GET',
    path: '/users/:userId',
    role: 'read',
    summary: 'Get a user by id or login',
    handle: async (call) => renderUser(call, await getUser(call)),
  },
  {
    method: 'POST',
    path: '/users/:userId',
    role: 'users',
    summary: 'Update the given attributes of a user',
    handle: async (call) => {
      const { profile, ...rest } = await readChanges(call, await getUser(call))
      return change(call, { ...rest, ...(profile && { profile: profile as UserBody['profile'] }) })
    },
  },
  {
    method: 'PUT',
    path: '/users/:userId',
    role: 'users',
    summary: 'Replace a user: attributes that are not given are removed, an empty password is ignored',
    handle: async (call) => {
      const before = await getUser(call)
      const { groupIds: _, ...body } = await readUser(call, before)
      return change(call, {
        ...body,
        profile: replacementProfile(before, body.profile) as UserBody['profile'],
      })
    },
  },
  {
    method: 'DELETE',
    path: '/users/:userId',
    role: 'users',
    summary: 'Deactivate a user; delete one that is deactivated',
    handle: remove,
  },
  {
    method: 'GET',
    path: '/users/:userId/groups',
    role: 'read',
    summary: 'List the groups of a user',
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
    summary: 'Revoke the sessions of a user and their tokens',
    handle: async (call) => {
      await call.parts.people.endSessions((await getUser(call)).id, { by: call.actor })
      return {}
    },
  },
]
