/**
 * Apps over HTTP, after Okta's Applications API: OIDC clients, who is assigned to them, their lifecycle. A secret is
 * answered once, when its app is created.
 */
import { type EventType, record } from '../../audit/index.ts'
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
import { invalid, notFound, taken } from '../errors.ts'
import { newReader, pageFrom, pageOf, pageWithin, parameter, requiredText } from '../input.ts'
import { type Answer, type Call, type ManagementParts, type Operation, prefix } from '../operation.ts'
import { getUser } from '../users/index.ts'
import { grantOperations, mayHandOn } from './grants.ts'
import { readApp } from './read.ts'
import { secretOperations } from './secrets.ts'
import { builtInAccessPolicy, signOnOperations } from './sign-on.ts'
import { appOf } from './wire.ts'

async function getApp({ parts, params }: Call): Promise<Client> {
  const id = params.appId ?? ''
  const client = await findClient(parts.storage.db, id)
  if (client === undefined) throw notFound(id, 'AppInstance')
  return client
}

async function wire(parts: ManagementParts, clients: readonly Client[]): Promise<readonly object[]> {
  const times = await timesOfClients(
    parts.storage.db,
    clients.map(({ id }) => id),
  )
  const policyId = await builtInAccessPolicy(parts.storage.db)
  return clients.map((client) => appOf(parts.baseUrl(), client, times.get(client.id), { policyId }))
}

async function told(call: Call, id: string, secret?: string): Promise<Answer> {
  const client = await findClient(call.parts.storage.db, id)
  if (client === undefined) throw notFound(id, 'AppInstance')
  const times = (await timesOfClients(call.parts.storage.db, [id])).get(id)
  const policyId = await builtInAccessPolicy(call.parts.storage.db)
  return { body: appOf(call.parts.baseUrl(), client, times, { policyId, secret }) }
}

const tell = (
  { parts, actor, now }: Call,
  eventType: Extract<EventType, `application.${string}`>,
  { id, label }: Pick<Client, 'id' | 'label'>,
): Promise<void> =>
  record(
    parts.storage.db,
    {
      eventType,
      displayMessage: 'App managed',
      outcome: { result: 'SUCCESS' },
      actor,
      target: [{ id, type: 'AppInstance', displayName: label }],
    },
    { random: parts.random, now },
  )

async function create(call: Call): Promise<Answer> {
  const { parts, now } = call
  const { storage, random, secrets } = parts
  const { id, label, secret: chosen, settings } = readApp(call.body)
  if (id !== undefined && (await findClient(storage.db, id))) throw invalid([taken('client_id')])
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
  await tell(call, 'application.lifecycle.create', client)
  return told(call, client.id, secret)
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
  mayHandOn(
    call,
    granted.map(({ scope }) => scope),
  )
  await updateClient(
    call.parts.storage.db,
    before.id,
    { label, settings: { ...withoutLink(before.settings), ...settings } },
    call.now,
  )
  await tell(call, 'application.lifecycle.update', before)
  return told(call, before.id)
}

/** A link that is not named any more goes; that links lead to the engine's own page is said in no body, and stays. */
function withoutLink({ emailMagicLinkRedirectUri: link, ...settings }: ClientSettings): ClientSettings {
  return link === null ? { ...settings, emailMagicLinkRedirectUri: null } : settings
}

const becomes = (name: 'activate' | 'deactivate', status: Client['status']): Operation => ({
  method: 'POST',
  path: `/apps/:appId/lifecycle/${name}`,
  role: 'all',
  summary: `Sets an app ${status}.`,
  handle: async (call) => {
    const client = await getApp(call)
    await updateClient(call.parts.storage.db, client.id, { status }, call.now)
    await tell(call, `application.lifecycle.${name}`, client)
    return { body: {} }
  },
})

/** As Okta does: only what is deactivated is removed. */
async function remove(call: Call): Promise<Answer> {
  const client = await getApp(call)
  if (client.status === 'ACTIVE') {
    throw new ProtocolError(403, 'E0000056', 'Delete application forbidden.', {
      causes: ['The application must be deactivated before deletion'],
    })
  }
  await call.parts.storage.transaction((tx) => removeClient(tx, client.id))
  await tell(call, 'application.lifecycle.delete', client)
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
  return { body: await wire(parts, items), next }
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
  await tell(call, 'application.lifecycle.update', client)
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
  await tell(call, 'application.lifecycle.update', client)
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
    summary: 'Lists apps; `q` finds by the beginning of a label.',
    handle: list,
  },
  {
    method: 'POST',
    path: '/apps',
    role: 'all',
    summary: 'Registers an OIDC client, assigned to nobody; its secret is answered here alone.',
    handle: create,
  },
  {
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Tells of an app.',
    handle: async (call) => told(call, (await getApp(call)).id),
  },
  { method: 'PUT', path: one, role: 'all', summary: 'Changes label and settings of an app.', handle: update },
  {
    method: 'DELETE',
    path: one,
    role: 'all',
    summary: 'Removes an app that is deactivated.',
    handle: remove,
  },
  ...grantOperations,
  ...secretOperations,
  ...signOnOperations,
  becomes('activate', 'ACTIVE'),
  becomes('deactivate', 'INACTIVE'),
  {
    method: 'GET',
    path: `${one}/groups`,
    role: 'read',
    summary: 'Lists the groups that an app is assigned to.',
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
    summary: 'Assigns an app to a group.',
    handle: (call) => setGroup(call, true),
  },
  {
    method: 'DELETE',
    path: `${one}/groups/:groupId`,
    role: 'all',
    summary: 'Ends the assignment of an app to a group.',
    handle: (call) => setGroup(call, false),
  },
  {
    method: 'GET',
    path: `${one}/users`,
    role: 'read',
    summary: 'Lists the people that an app is assigned to by themselves.',
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
    summary: 'Assigns an app to a person.',
    handle: addUser,
  },
  {
    method: 'GET',
    path: `${one}/users/:userId`,
    role: 'read',
    summary: 'Tells of an assignment.',
    handle: async (call) => ({ body: await appUser(call, await getAssigned(call)) }),
  },
  {
    method: 'DELETE',
    path: `${one}/users/:userId`,
    role: 'all',
    summary: 'Ends the assignment of an app to a person.',
    handle: async (call) => {
      const personId = await getAssigned(call)
      const client = await getApp(call)
      await assign(call.parts.storage.db, client.id, { personId }, false)
      await tell(call, 'application.lifecycle.update', client)
      return {}
    },
  },
]
