import { type Static, Type } from 'typebox'
import type { EventType } from '../../audit/index.ts'
import { apiError, isObject } from '../../base/index.ts'
import {
  type Assignment,
  assign,
  assignmentsOf,
  type Client,
  createClient,
  findClient,
  hasClientSecret,
  listClients,
  removeClient,
  unassign,
  updateClient,
  withPlanted,
} from '../../clients/index.ts'
import { findPerson, lockGroup, type Person } from '../../directory/index.ts'
import { type Db, takeLock } from '../../storage/index.ts'
import { alreadyExists, invalid, notFound } from '../errors.ts'
import { type Fields, pageFrom, pageOf, pageWithin, sizeProblems } from '../input.ts'
import { unsupportedMembers } from '../members.ts'
import {
  type Answer,
  type Call,
  type Context,
  lifecycleOperations,
  type Operation,
  operation,
} from '../operation.ts'
import { merged } from '../resources/change.ts'
import { page } from '../schema.ts'
import { warnUnsupported } from '../unsupported.ts'
import { getUser } from '../users/index.ts'
import { answerApp, renderApps } from './answer.ts'
import { checkGranted } from './delegation.ts'
import { filterApps } from './filter.ts'
import { getApp, getAppForUpdate, recordAppEvent, recordAppUpdate } from './find.ts'
import { grantOperations } from './grants.ts'
import { appProblems, readApp, toApp } from './read.ts'
import {
  app,
  appGroup,
  appUser,
  newApp,
  newAppGroup,
  newAppUser,
  oauthCredentialNames,
  oidcSettings,
} from './schema.ts'
import { secretOperations } from './secrets.ts'
import { settingsWithoutMember } from './settings.ts'
import { signOnOperations } from './sign-on.ts'
import { unsupportedApp } from './unsupported.ts'
import { renderApp, renderAppGroup, renderAppUser } from './wire.ts'

const recordChange = (
  call: Context,
  db: Db,
  eventType: Extract<EventType, `application.${string}`>,
  client: Pick<Client, 'id' | 'label'>,
): Promise<void> => recordAppEvent(call, db, client, { eventType, displayMessage: 'App managed' })

/** Logs what of an app has no effect: of what is stored, and of the members of the body that are not. */
const warnOf = (
  call: Context,
  { id, label, settings }: Pick<Client, 'id' | 'label' | 'settings'>,
  body: Fields,
): void =>
  warnUnsupported(call, 'an app has settings', { appId: id, label }, [
    ...unsupportedApp(settings, call.parts.authorizationServer?.().grantTypes),
    ...unsupportedMembers(body, Object.keys(app.properties)),
  ])

async function create(call: Call<Fields, { readonly activate?: boolean }>): Promise<Answer> {
  const { parts, now, scopes } = call
  const { storage, random, secrets } = parts
  const { id, label, secret: chosen, settings } = toApp(call.body)
  const { client, secret } = await storage.transaction(async (tx) => {
    await takeLock(tx, 'apps')
    if (id !== undefined && (await findClient(tx, id))) throw invalid([alreadyExists('client_id')])
    const created = await createClient(
      tx,
      {
        ...withPlanted(settings, undefined, scopes),
        label,
        ...(id !== undefined && { id }),
        ...(chosen !== undefined && { secret: chosen }),
      },
      { random, secrets, now, groupIds: [], plantedBy: scopes },
    )
    if (call.query.activate === false) await updateClient(tx, created.client.id, { status: 'INACTIVE' }, now)
    await recordChange(call, tx, 'application.lifecycle.create', created.client)
    return created
  })
  warnOf(call, client, call.body)
  return answerApp(call, client.id, secret)
}

/** Replaces an app by the one of a body, which is as that of a new app. */
async function replace(call: Context, bodyFor: (before: Client) => Fields): Promise<Answer> {
  const { parts, now, scopes } = call
  const { after, body } = await parts.storage.transaction(async (tx) => {
    const before = await getAppForUpdate(call, tx)
    // Before anything is compared: what differs would say of a secret that was guessed whether it is right (A58).
    await checkGranted(call, tx, before)
    const sent = bodyFor(before)
    const { id, label, settings, secret } = readApp(sent)
    const problems = [
      ...(id === undefined || id === before.id ? [] : ['client_id: cannot be changed']),
      ...(settings.applicationType === before.settings.applicationType
        ? []
        : ['application_type: cannot be changed']),
      // Sent back by tools that keep what the creation answered.
      ...(secret === undefined || hasClientSecret(before, secret, parts.secrets)
        ? []
        : ['client_secret: cannot be changed here']),
    ]
    if (problems.length > 0) throw invalid(problems)
    const replaced = withPlanted(
      { ...settingsWithoutMember(before.settings), ...settings },
      before.settings,
      scopes,
    )
    await updateClient(tx, before.id, { label, settings: replaced }, now)
    const changed = { ...before, label, settings: replaced }
    await recordChange(call, tx, 'application.lifecycle.update', changed)
    return { after: changed, body: sent }
  })
  warnOf(call, after, body)
  return answerApp(call, after.id)
}

/** The body of an app whose OAuth client has other settings: members that are not given stay, null removes one. */
function withOidcSettings(base: string, before: Client, { label, ...settings }: Fields): Fields {
  const isCredential = (name: string) => oauthCredentialNames.includes(name)
  const entries = Object.entries(settings)
  return merged(renderApp(base, before, undefined) as Fields, {
    label: label ?? before.label,
    credentials: { oauthClient: Object.fromEntries(entries.filter(([name]) => isCredential(name))) },
    settings: { oauthClient: Object.fromEntries(entries.filter(([name]) => !isCredential(name))) },
  })
}

/**
 * Activates or deactivates an app. What an app may do returns with its activation, so a service app needs the scopes of
 * the other for it, as for a grant (A58).
 */
async function setStatus(
  call: Context,
  status: Client['status'],
  action: 'activate' | 'deactivate',
): Promise<Answer> {
  await call.parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    if (status === 'ACTIVE' && client.status !== 'ACTIVE') await checkGranted(call, tx, client)
    await updateClient(tx, client.id, { status }, call.now)
    await recordChange(call, tx, `application.lifecycle.${action}`, client)
  })
  return { body: {} }
}

/** Deletes an app, which must have been deactivated before, as in Okta. */
async function remove(call: Context): Promise<Answer> {
  await call.parts.storage.transaction(async (tx) => {
    const client = await getAppForUpdate(call, tx)
    if (client.status === 'ACTIVE') {
      throw apiError('E0000056', {
        causes: ['The application must be deactivated before deletion'],
      })
    }
    await removeClient(tx, client.id)
    await recordChange(call, tx, 'application.lifecycle.delete', client)
  })
  return {}
}

/** Logs what of an assignment is not stored. */
function warnOfAssignment(call: Context, body: Fields): void {
  const ignored = Object.entries(body).flatMap(([name, value]) => {
    const isEmpty = !value || (isObject(value) && Object.keys(value).length === 0)
    return isEmpty || ['id', 'scope', 'profile'].includes(name) ? [] : [name]
  })
  warnUnsupported(call, 'an assignment has settings', { appId: call.params.appId ?? '' }, ignored)
}

/** The profile of an assignment, whose size is bounded. */
function assignedProfile(profile: unknown): Assignment['profile'] | undefined {
  if (profile === undefined || profile === null) return undefined
  if (!isObject(profile)) throw invalid(['profile: must be an object'])
  const problems = sizeProblems('profile', profile)
  if (problems.length > 0) throw invalid(problems)
  return profile
}

async function assignGroup(
  call: Context,
  { priority, profile }: Static<typeof newAppGroup>,
): Promise<Answer> {
  const { parts, params, now } = call
  const groupId = params.groupId ?? ''
  return parts.storage.transaction(async (tx) => {
    const client = await getApp(call, tx)
    if ((await lockGroup(tx, groupId)) === undefined) throw notFound(groupId, 'Group')
    const settings = { priority: priority ?? undefined, profile: assignedProfile(profile) }
    await assign(tx, client.id, { groupId }, settings, now)
    await recordAppUpdate(call, tx, client, 'group assigned')
    const { groups } = await assignmentsOf(tx, client.id)
    return { body: renderAppGroup(parts.baseUrl(), client.id, assignmentOf(groups, groupId, 'Group')) }
  })
}

const unassignGroup = (call: Context): Promise<Answer> =>
  call.parts.storage.transaction(async (tx) => {
    const groupId = call.params.groupId ?? ''
    const client = await getApp(call, tx)
    if ((await lockGroup(tx, groupId)) === undefined) throw notFound(groupId, 'Group')
    await unassign(tx, client.id, { groupId })
    await recordAppUpdate(call, tx, client, 'group unassigned')
    return {}
  })

function assignmentOf(assignments: readonly Assignment[], id: string, type: string): Assignment {
  const found = assignments.find((one) => one.id === id)
  if (found === undefined) throw notFound(id, type)
  return found
}

async function personOf(db: Db, personId: string): Promise<Person> {
  const person = await findPerson(db, personId)
  if (person === undefined) throw notFound(personId, 'User')
  return person
}

const addUser = (call: Context, { id, profile }: Static<typeof newAppUser>): Promise<Answer> =>
  call.parts.storage.transaction(async (tx) => {
    const client = await getApp(call, tx)
    const person = await personOf(tx, id)
    await assign(tx, client.id, { personId: person.id }, { profile: assignedProfile(profile) }, call.now)
    await recordAppUpdate(call, tx, client, 'user assigned')
    const { people } = await assignmentsOf(tx, client.id)
    return {
      body: renderAppUser(call.parts.baseUrl(), person, assignmentOf(people, person.id, 'AppUser')),
    }
  })

async function getAssigned(call: Context): Promise<Assignment> {
  const client = await getApp(call)
  const { id } = await getUser(call)
  const { people } = await assignmentsOf(call.parts.storage.db, client.id)
  return assignmentOf(people, id, 'AppUser')
}

const all = '/apps'
const one = '/apps/:appId'

export const appOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List apps; `q` matches the beginning of a label, `filter` compares by `eq`',
    query: {
      ...page,
      q: Type.Optional(Type.String({ description: 'The beginning of a label.' })),
      filter: Type.Optional(
        Type.String({
          description: '`id`, `name`, `status`, `user.id` and `group.id`, such as `status eq "ACTIVE"`.',
        }),
      ),
    },
    response: Type.Array(app),
    async handle(call) {
      const asked = pageOf(call.query)
      const q = call.query.q?.toLowerCase()
      const { db } = call.parts.storage
      const all = await listClients(db)
      const { filter } = call.query
      const clients = (filter === undefined ? all : await filterApps(db, all, filter))
        .filter(({ label }) => q === undefined || label.toLowerCase().startsWith(q))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .filter(({ id }) => asked.after === undefined || id > asked.after)
      const { items, next } = pageFrom(clients, asked, ({ id }) => id)
      return { body: await renderApps(call, items), next }
    },
  }),
  operation({
    method: 'POST',
    path: all,
    role: 'all',
    summary: 'Create an app without assignments; its secret is returned only here',
    query: {
      activate: Type.Optional(Type.Boolean({ default: true, description: 'false: leave it INACTIVE.' })),
    },
    body: newApp,
    check: appProblems,
    response: app,
    handle: create,
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get an app',
    response: app,
    handle: async (call) => answerApp(call, (await getApp(call)).id),
  }),
  operation({
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace the label and settings of an app',
    body: newApp,
    check: appProblems,
    response: app,
    handle: (call) => replace(call, () => call.body),
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a deactivated app',
    handle: remove,
  }),
  operation({
    method: 'POST',
    path: `/internal${one}/settings/oidc`,
    role: 'all',
    summary: 'Change the OAuth settings of an app in one object, as the console of Okta does',
    body: oidcSettings,
    response: app,
    handle: (call) => replace(call, (before) => withOidcSettings(call.parts.baseUrl(), before, call.body)),
  }),
  ...grantOperations,
  ...secretOperations,
  ...signOnOperations,
  ...lifecycleOperations(one, 'an app', setStatus),
  operation({
    method: 'GET',
    path: `${one}/groups`,
    role: 'read',
    summary: 'List the groups that an app is assigned to',
    query: page,
    response: Type.Array(appGroup),
    handle: async (call) => {
      const { id } = await getApp(call)
      const { groups } = await assignmentsOf(call.parts.storage.db, id)
      const { items, next } = pageWithin(groups, pageOf(call.query), (group) => group.id)
      return { body: items.map((group) => renderAppGroup(call.parts.baseUrl(), id, group)), next }
    },
  }),
  operation({
    method: 'GET',
    path: `${one}/groups/:groupId`,
    role: 'read',
    summary: 'Get the assignment of an app to a group',
    response: appGroup,
    handle: async (call) => {
      const { id } = await getApp(call)
      const { groupId = '' } = call.params
      const { groups } = await assignmentsOf(call.parts.storage.db, id)
      const found = assignmentOf(groups, groupId, 'ApplicationGroupAssignment')
      return { body: renderAppGroup(call.parts.baseUrl(), id, found) }
    },
  }),
  operation({
    method: 'PUT',
    path: `${one}/groups/:groupId`,
    role: 'all',
    summary: 'Assign an app to a group',
    body: newAppGroup,
    response: appGroup,
    handle: async (call) => {
      return assignGroup(call, call.body)
    },
  }),
  operation({
    method: 'DELETE',
    path: `${one}/groups/:groupId`,
    role: 'all',
    summary: 'Unassign an app from a group',
    handle: unassignGroup,
  }),
  operation({
    method: 'GET',
    path: `${one}/users`,
    role: 'read',
    summary: 'List the users that an app is assigned to directly',
    query: page,
    response: Type.Array(appUser),
    handle: async (call) => {
      const { db } = call.parts.storage
      const { people } = await assignmentsOf(db, (await getApp(call)).id)
      const { items, next } = pageWithin(people, pageOf(call.query), ({ id }) => id)
      const body = await Promise.all(
        items.map(async (one) => renderAppUser(call.parts.baseUrl(), await personOf(db, one.id), one)),
      )
      return { body, next }
    },
  }),
  operation({
    method: 'POST',
    path: `${one}/users`,
    role: 'all',
    summary: 'Assign an app to a user',
    body: newAppUser,
    response: appUser,
    handle: async (call) => {
      const answer = await addUser(call, call.body)
      warnOfAssignment(call, call.body)
      return answer
    },
  }),
  operation({
    method: 'GET',
    path: `${one}/users/:userId`,
    role: 'read',
    summary: 'Get the assignment of an app to a user',
    response: appUser,
    handle: async (call) => {
      const assigned = await getAssigned(call)
      const person = await personOf(call.parts.storage.db, assigned.id)
      return { body: renderAppUser(call.parts.baseUrl(), person, assigned) }
    },
  }),
  operation({
    method: 'DELETE',
    path: `${one}/users/:userId`,
    role: 'all',
    summary: 'Unassign an app from a user',
    handle: async (call) => {
      const { id: personId } = await getAssigned(call)
      await call.parts.storage.transaction(async (tx) => {
        const client = await getApp(call, tx)
        await unassign(tx, client.id, { personId })
        await recordAppUpdate(call, tx, client, 'user unassigned')
      })
      return {}
    },
  }),
]
