import { Type } from 'typebox'
import {
  addMember,
  findGroup,
  listGroups,
  lockGroup,
  type Person,
  type PersonStatus,
  type Profile,
  personStatuses,
  queryPeople,
} from '../../directory/index.ts'
import { retryStale } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { group } from '../groups/schema.ts'
import { renderGroup } from '../groups/wire.ts'
import { longestPage, pageFrom, pageOf } from '../input.ts'
import { type Answer, type Call, type Context, type Operation, operation } from '../operation.ts'
import { page } from '../schema.ts'
import { prepareQuestion } from './question.ts'
import { type Credentials, getUser, readChanges, readUser, replacementProfile } from './read.ts'
import { activationTokenRequest, issueUserToken } from './recovery.ts'
import {
  type Creation,
  creation,
  type NewUser,
  newUser,
  noticed,
  strictness,
  type UserList,
  user,
  userChanges,
  userList,
  userReplacement,
} from './schema.ts'
import { parseUserCriteria, refuseUnbounded } from './search.ts'
import { renderUsers } from './wire.ts'

async function answerWith({ parts }: Context, person: Person): Promise<Answer> {
  const [body = {}] = await renderUsers(parts, [person])
  return { body }
}

/** Creates a user. Without a password, an activation mail is sent; with one, the user can sign in at once. */
async function create(call: Call<NewUser, Creation>): Promise<Answer> {
  const { parts, actor, body, query } = call
  const { recoveryQuestion, ...wanted } = await readUser(call, body)
  const groupIds = body.groupIds ?? []
  for (const id of groupIds) {
    const group = await findGroup(parts.storage.db, id)
    if (group === undefined) throw notFound(id, 'Group')
    if (group.type === 'BUILT_IN') throw invalid(['groupIds: Everyone contains all users already'])
  }
  const hasPassword = wanted.password !== undefined || wanted.passwordHash !== undefined
  const status = initialStatus(query.activate, hasPassword, query.nextLogin !== undefined)
  const storeQuestion = recoveryQuestion && (await prepareQuestion(parts, recoveryQuestion))
  const person = await parts.people.add(
    { ...wanted, status },
    {
      by: actor,
      async with(tx, created, now) {
        for (const id of groupIds) {
          if ((await lockGroup(tx, id)) === undefined) throw notFound(id, 'Group')
          await addMember(tx, id, created.id, now)
        }
        await storeQuestion?.(tx, created, now)
        if (status === 'PROVISIONED')
          await issueUserToken({ ...call, now }, tx, created, activationTokenRequest(true))
      },
    },
  )
  parts.onCommitted()
  return answerWith(call, person)
}

function initialStatus(activate: boolean, hasPassword: boolean, mustChange: boolean): PersonStatus {
  if (!activate) return 'STAGED'
  if (!hasPassword) return 'PROVISIONED'
  return mustChange ? 'PASSWORD_EXPIRED' : 'ACTIVE'
}

async function list({ parts, query }: Call<unknown, UserList>): Promise<Answer> {
  const { q, filter, search } = query
  for (const name of ['sortBy', 'sortOrder'] as const) {
    if (query[name] !== undefined) throw invalid([`${name}: not supported, users are ordered by id`])
  }
  if ([q, filter, search].filter((given) => given !== undefined).length > 1) {
    throw invalid(['search: only one of q, filter and search can be used'])
  }
  const wanted = pageOf(query, { ids: '00u', ...(q !== undefined && { limit: 10 }) })
  const compared = await parseUserCriteria(parts.storage.db, { search, filter })
  if (compared !== undefined) await refuseUnbounded(parts.storage, compared, parts.scannedUsers)
  const people = await queryPeople(parts.storage, {
    startsWith: q,
    filter: compared,
    // As in Okta, deactivated users are listed only if a filter or search matches them.
    except: search === undefined && filter === undefined ? 'DEPROVISIONED' : undefined,
    limit: wanted.limit + 1,
    after: wanted.after,
  })
  const { items, next } = pageFrom(people, wanted, ({ id }) => id)
  return { body: await renderUsers(parts, items), next }
}

interface UserUpdate extends Credentials {
  readonly profile: Partial<Profile> | undefined
}

async function change(call: Context, before: Person, changes: UserUpdate, strict: boolean): Promise<Answer> {
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
      ...(strict && { own: { strict } }),
      ...(storeQuestion && { with: storeQuestion }),
    },
  )
  if (changed === undefined) throw notFound(before.id, 'User')
  return answerWith(call, changed)
}

/** Deactivates a user; deletes one that is deactivated already, as Okta does. */
async function remove(call: Context): Promise<Answer> {
  const { parts, actor } = call
  return retryStale(async () => {
    const { id, status, version } = await getUser(call)
    // A user who was activated meanwhile is deactivated first, not removed.
    if (status === 'DEPROVISIONED') await parts.people.remove(id, { by: actor, version })
    else await parts.people.change(id, { status: 'DEPROVISIONED' }, { by: actor, version })
    return {}
  })
}

export const crud: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/users',
    role: 'read',
    summary: 'List users: all that are not deactivated, or those that match `q`, `filter` or `search`',
    query: userList,
    response: Type.Array(user),
    handle: list,
  }),
  operation({
    method: 'POST',
    path: '/users',
    role: 'users',
    summary:
      'Create a user; `activate=false` leaves it STAGED, `nextLogin=changePassword` requires a new password at the first sign-in',
    body: newUser,
    query: creation,
    response: user,
    handle: create,
  }),
  operation({
    method: 'GET',
    path: '/users/:userId',
    role: 'read',
    summary: 'Get a user by id or login',
    response: user,
    handle: async (call) => answerWith(call, await getUser(call)),
  }),
  operation({
    method: 'POST',
    path: '/users/:userId',
    role: 'users',
    summary: 'Update the given attributes of a user',
    body: userChanges,
    query: strictness,
    response: user,
    handle: async (call) => {
      const before = await getUser(call)
      return change(call, before, await readChanges(call, call.body, before), call.query.strict)
    },
  }),
  operation({
    method: 'PUT',
    path: '/users/:userId',
    role: 'users',
    summary: 'Replace a user: attributes that are not given are removed, an empty password is ignored',
    body: userReplacement,
    query: strictness,
    response: user,
    handle: async (call) => {
      const before = await getUser(call)
      const { profile, ...credentials } = await readUser(call, call.body, before)
      const changes = { ...credentials, profile: replacementProfile(before, profile) }
      return change(call, before, changes, call.query.strict)
    },
  }),
  operation({
    method: 'DELETE',
    path: '/users/:userId',
    role: 'users',
    summary: 'Deactivate a user; delete one that is deactivated',
    query: noticed,
    handle: remove,
  }),
  operation({
    method: 'GET',
    path: '/users/:userId/groups',
    role: 'read',
    summary: 'List the groups of a user',
    query: page,
    response: Type.Array(group),
    handle: async (call) => {
      const { id } = await getUser(call)
      const wanted = pageOf(call.query, { ids: '00g' })
      const groups = await listGroups(call.parts.storage, {
        ofPerson: id,
        limit: wanted.limit + 1,
        characters: longestPage,
        after: wanted.after,
      })
      const { items, next } = pageFrom(groups, wanted, (one) => one.id)
      return { body: items.map((one) => renderGroup(call.parts.baseUrl(), one)), next }
    },
  }),
  operation({
    method: 'DELETE',
    path: '/users/:userId/sessions',
    role: 'users',
    summary: 'Revoke the sessions of a user and their tokens',
    query: {
      forgetDevices: Type.Optional(
        Type.Boolean({ default: true, description: 'false: remembered devices stay remembered.' }),
      ),
    },
    handle: async (call) => {
      const { forgetDevices = true } = call.query
      await call.parts.people.endSessions((await getUser(call)).id, { by: call.actor, forgetDevices })
      return {}
    },
  }),
]
