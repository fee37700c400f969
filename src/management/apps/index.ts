/**
 * Apps over HTTP, after Okta's Applications API: OIDC clients, their assignments and lifecycle. A secret is returned once,
 * when it is created.
 */
import type { EventType } from '../../audit/index.ts'
import { isoTime, ProtocolError } from '../../base/index.ts'
import {
  assign,
  assignmentsOf,
  type Client,
  type ClientSettings,
  createClient,
  findClient,
  listClients,
  listScopeGrants,
  removeClient,
  timesOfClients,
  updateClient,
} from '../../clients/index.ts'
import { findGroup, findPerson } from '../../directory/index.ts'
import { alreadyExists, invalid, notFound } from '../errors.ts'
import { pageFrom, pageWithin, parameter } from '../input.ts'
import {
  type Answer,
  type Call,
  lifecycleOperations,
  type ManagementParts,
  type Operation,
  prefix,
} from '../operation.ts'
import { newReader, rawPageOf as pageOf, requiredText } from '../reader.ts'
import { getUser } from '../users/index.ts'
import { getApp, recordAppEvent } from './find.ts'
import { checkDelegation, grantOperations } from './grants.ts'
import { readApp } from './read.ts'
import { secretOperations } from './secrets.ts'
import { builtInAccessPolicy, signOnOperations } from './sign-on.ts'
import { appOf } from './wire.ts'

async function renderApps(parts: ManagementParts, clients: readonly Client[]): Promise<readonly object[]> {
  const times = await timesOfClients(
    parts.storage.db,
    clients.map(({ id }) => id),
  )
  const policyId = await builtInAccessPolicy(parts.storage.db)
  return clients.map((client) => appOf(parts.baseUrl(), client, times.get(client.id), { policyId }))
}

async function renderApp(call: Call, id: string, secret?: string): Promise<Answer> {
  const client = await findClient(call.parts.storage.db, id)
  if (client === undefined) throw notFound(id, 'AppInstance')
  const times = (await timesOfClients(call.parts.storage.db, [id])).get(id)
  const policyId = await builtInAccessPolicy(call.parts.storage.db)
  return { body: appOf(call.parts.baseUrl(), client, times, { policyId, secret }) }
}

const recordChange = (
  call: Call,
  eventType: Extract<EventType, `application.${string}`>,
  client: Pick<Client, 'id' | 'label'>,
): Promise<void> =>
  recordAppEvent(call, call.parts.storage.db, client, { eventType, displayMessage: 'App managed' })

async function create(call: Call): Promise<Answer> {
  const { parts, now } = call
  const { storage, random, secrets } = parts
  const { id, label, secret: chosen, settings } = readApp(call.body)
  if (id !== undefined && (await findClient(storage.db, id))) throw invalid([alreadyExists('client_id')])
  const { client, secret } = await storage.transaction((tx) =>
    createClient(
      tx,
      {
        ...settings,
        label,
        ...(id !== undefined && { id }),
        ...(chosen !== undefined && { secret: chosen }),
      },
      { random, secrets, now, groupIds: [] },
    ),
  )
  await recordChange(call, 'application.lifecycle.create', client)
  return renderApp(call, client.id, secret)
}

async function update(call: Call): Promise<Answer> {
  const before = await getApp(call)
  const { id, label, settings, secret } = readApp(call.body)
  const problems = [
    ...(id === undefined || id === before.id ? [] : ['client_id: cannot be changed']),
    ...(settings.applicationType === before.settings.applicationType
      ? []
      : ['application_type: cannot be changed']),
    ...(secret === undefined ? [] : ['client_secret: cannot be changed here']),
  ]
  if (problems.length > 0) throw invalid(problems)
  const granted = await listScopeGrants(call.parts.storage.db, before.id)
  checkDelegation(
    call,
    granted.map(({ scope }) => scope),
  )
  await updateClient(
    call.parts.storage.db,
    before.id,
    { label, settings: { ...withoutLink(before.settings), ...settings } },
    call.now,
  )
  await recordChange(call, 'application.lifecycle.update', before)
  return renderApp(call, before.id)
}

/**
 * Settings without the magic link's address, which a replacement without one removes. Null (links show the engine's own
 * page) cannot be expressed in a body, and stays.
 */
function withoutLink({ emailMagicLinkRedirectUri: link, ...settings }: ClientSettings): ClientSettings {
  return link === null ? { ...settings, emailMagicLinkRedirectUri: null } : settings
}

async function setStatus(
  call: Call,
  status: Client['status'],
  action: 'activate' | 'deactivate',
): Promise<Answer> {
  const client = await getApp(call)
  await updateClient(call.parts.storage.db, client.id, { status }, call.now)
  await recordChange(call, `application.lifecycle.${action}`, client)
  return { body: {} }
}

/** Deletes an app, which must have been deactivated before, as in Okta. */
async function remove(call: Call): Promise<Answer> {
  const client = await getApp(call)
  if (client.status === 'ACTIVE') {
    throw new ProtocolError(403, 'E0000056', 'Delete application forbidden.', {
      causes: ['The application must be deactivated before deletion'],
    })
  }
  await call.parts.storage.transaction((tx) => removeClient(tx, client.id))
  await recordChange(call, 'application.lifecycle.delete', client)
  return {}
}

async function list({ parts, query }: Call): Promise<Answer> {
  const page = pageOf(query)
  const q = parameter(query, 'q')?.toLowerCase()
  const clients = (await listClients(parts.storage.db))
    .filter(({ label }) => q === undefined || label.toLowerCase().startsWith(q))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .filter(({ id }) => page.after === undefined || id > page.after)
  const { items, next } = pageFrom(clients, page, ({ id }) => id)
  return { body: await renderApps(parts, items), next }
}

const groupLink = (base: string, appId: string, groupId: string): object => ({
  id: groupId,
  priority: 0,
  profile: {},
  _links: {
    group: { href: `${base}${prefix}/groups/${groupId}` },
    app: { href: `${base}${prefix}/apps/${appId}` },
  },
})

async function setGroup(call: Call, assigned: boolean): Promise<Answer> {
  const { parts, params } = call
  const client = await getApp(call)
  const groupId = params.groupId ?? ''
  if ((await findGroup(parts.storage.db, groupId)) === undefined) throw notFound(groupId, 'Group')
  await assign(parts.storage.db, client.id, { groupId }, assigned)
  await recordChange(call, 'application.lifecycle.update', client)
  return assigned ? { body: groupLink(parts.baseUrl(), client.id, groupId) } : {}
}

async function appUser({ parts }: Call, personId: string): Promise<object> {
  const person = await findPerson(parts.storage.db, personId)
  if (person === undefined) throw notFound(personId, 'User')
  return {
    id: person.id,
    scope: 'USER',
    status: 'ACTIVE',
    created: isoTime(person.createdAt),
    credentials: { userName: person.profile.login },
    profile: {},
    _links: { user: { href: `${parts.baseUrl()}${prefix}/users/${person.id}` } },
  }
}

async function addUser(call: Call): Promise<Answer> {
  const client = await getApp(call)
  const reader = newReader()
  const id = requiredText(reader, call.body, 'id', { max: 100 })
  reader.check()
  const body = await appUser(call, id)
  await assign(call.parts.storage.db, client.id, { personId: id }, true)
  await recordChange(call, 'application.lifecycle.update', client)
  return { body }
}

async function getAssigned(call: Call): Promise<string> {
  const client = await getApp(call)
  const { id } = await getUser(call)
  const { people } = await assignmentsOf(call.parts.storage.db, client.id)
  if (!people.includes(id)) throw notFound(id, 'AppUser')
  return id
}

const one = '/apps/:appId'

export const appOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/apps',
    role: 'read',
    summary: 'List apps; `q` matches the beginning of a label',
    handle: list,
  },
  {
    method: 'POST',
    path: '/apps',
    role: 'all',
    summary: 'Create an app without assignments; its secret is returned only here',
    handle: create,
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get an app',
    handle: async (call) => renderApp(call, (await getApp(call)).id),
  },
  {
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace the label and settings of an app',
    handle: update,
  },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Delete a deactivated app',
    handle: remove,
  },
  ...grantOperations,
  ...secretOperations,
  ...signOnOperations,
  ...lifecycleOperations(one, 'an app', setStatus),
  {
    method: 'GET',
    path: `${one}/groups`,
    role: 'read',
    summary: 'List the groups that an app is assigned to',
    handle: async (call) => {
      const { id } = await getApp(call)
      const { groups } = await assignmentsOf(call.parts.storage.db, id)
      const { items, next } = pageWithin(groups, pageOf(call.query), (groupId) => groupId)
      return { body: items.map((groupId) => groupLink(call.parts.baseUrl(), id, groupId)), next }
    },
  },
  {
    method: 'PUT',
    path: `${one}/groups/:groupId`,
    role: 'all',
    summary: 'Assign an app to a group',
    handle: (call) => setGroup(call, true),
  },
  {
    method: 'DELETE',
    path: `${one}/groups/:groupId`,
    role: 'all',
    summary: 'Unassign an app from a group',
    handle: (call) => setGroup(call, false),
  },
  {
    method: 'GET',
    path: `${one}/users`,
    role: 'read',
    summary: 'List the users that an app is assigned to directly',
    handle: async (call) => {
      const { people } = await assignmentsOf(call.parts.storage.db, (await getApp(call)).id)
      const { items, next } = pageWithin(people, pageOf(call.query), (id) => id)
      return { body: await Promise.all(items.map((id) => appUser(call, id))), next }
    },
  },
  {
    method: 'POST',
    path: `${one}/users`,
    role: 'all',
    summary: 'Assign an app to a user',
    handle: addUser,
  },
  {
    method: 'GET',
    path: `${one}/users/:userId`,
    role: 'read',
    summary: 'Get the assignment of an app to a user',
    handle: async (call) => ({ body: await appUser(call, await getAssigned(call)) }),
  },
  {
    method: 'DELETE',
    path: `${one}/users/:userId`,
    role: 'all',
    summary: 'Unassign an app from a user',
    handle: async (call) => {
      const personId = await getAssigned(call)
      const client = await getApp(call)
      await assign(call.parts.storage.db, client.id, { personId }, false)
      await recordChange(call, 'application.lifecycle.update', client)
      return {}
    },
  },
]
