import { isObject } from '../../base/index.ts'
import type { Fields } from '../input.ts'
import { memberAt, textAt } from './api.ts'
import { isSame, type ListName, merged, without } from './change.ts'
import type { Item } from './current-state.ts'
import { comparedApp } from './read.ts'
import { replaceReferences } from './references.ts'
import { mappedNames, mappedPolicies, policyKey, type Run, requestBody, toIds } from './run.ts'

/** How resources of a list are identified, created, changed and removed. */
export interface ResourceKind {
  /** `trusted origin`. */
  readonly noun: string
  /** The key that identifies a resource. */
  keyOf(body: Fields): string
  /** The name that is shown. */
  nameOf(body: Fields): string
  /** The wanted state: decides whether members that a document omits stay or are removed. */
  merge(before: Fields, after: Fields): Fields
  create(run: Run, body: Fields): Promise<void>
  change(run: Run, before: Item, after: Fields): Promise<void>
  /** Absent: such resources are never removed. */
  remove?(run: Run, item: Item): Promise<void>
}

const replace = (_: Fields, after: Fields): Fields => after
const pathOf = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`

const groups: ResourceKind = {
  noun: 'group',
  keyOf: (body) => textAt(body, 'profile', 'name').toLowerCase(),
  nameOf: (body) => textAt(body, 'profile', 'name'),
  merge: replace,
  async create(run, body) {
    const { id } = await run.api.call('POST', '/groups', body)
    run.groups.set(groups.keyOf(body), String(id))
  },
  async change(run, { id }, body) {
    await run.api.call('PUT', pathOf('/groups', id), body)
  },
  async remove(run, { id }) {
    await run.api.call('DELETE', pathOf('/groups', id))
  },
}

async function setStatus({ api }: Run, path: string, before: unknown, after: unknown): Promise<void> {
  if (after === undefined || before === after) return
  await api.call('POST', `${path}/lifecycle/${after === 'ACTIVE' ? 'activate' : 'deactivate'}`)
}

const trustedOrigins: ResourceKind = {
  noun: 'trusted origin',
  keyOf: (body) => textAt(body, 'origin'),
  nameOf: (body) => textAt(body, 'origin'),
  merge: replace,
  async create(run, body) {
    const created = await run.api.call('POST', '/trustedOrigins', without(body, ['status']))
    await setStatus(run, pathOf('/trustedOrigins', textAt(created, 'id')), created.status, body.status)
  },
  async change(run, { id, body: before }, body) {
    const path = pathOf('/trustedOrigins', id)
    await run.api.call('PUT', path, without(body, ['status']))
    await setStatus(run, path, before.status, body.status)
  },
  async remove(run, { id }) {
    await run.api.call('DELETE', pathOf('/trustedOrigins', id))
  },
}

const clientId = (body: Fields): string => textAt(body, 'credentials', 'oauthClient', 'client_id')

/** Adds and removes the groups of a resource by the difference of two lists. */
async function setGroups(
  run: Run,
  before: unknown,
  after: unknown,
  put: (method: 'PUT' | 'DELETE', groupId: string) => Promise<unknown>,
): Promise<void> {
  if (!Array.isArray(after)) return
  const old: readonly unknown[] = Array.isArray(before) ? before : []
  const { group } = toIds(run)
  for (const name of after) if (!old.includes(name)) await put('PUT', group(String(name)))
  for (const name of old) if (!after.includes(name)) await put('DELETE', group(String(name)))
}

async function configureApp(run: Run, path: string, before: Fields, after: Fields): Promise<void> {
  await setGroups(run, before.groups, after.groups, (method, id) =>
    run.api.call(method, pathOf(`${path}/groups`, id)),
  )
  for (const member of mappedNames) {
    const name = after[member]
    if (typeof name !== 'string' || name === before[member]) continue
    const id = run.mappable.get(policyKey(mappedPolicies[member].type, name)) ?? name
    await run.api.call('PUT', pathOf(`${path}/policies`, id))
  }
  await setGrants(run, path, before.grants, after.grants)
  await setStatus(run, path, before.status ?? 'ACTIVE', after.status)
}

async function setGrants({ api }: Run, path: string, before: unknown, after: unknown): Promise<void> {
  if (!Array.isArray(after) || isSame(before ?? [], after)) return
  const there = await api.list(`${path}/grants`)
  const granted = there.map(({ scopeId }) => scopeId)
  for (const scopeId of after) {
    if (!granted.includes(scopeId)) await api.call('POST', `${path}/grants`, { scopeId })
  }
  for (const { id, scopeId } of there) {
    if (!after.includes(scopeId)) await api.call('DELETE', `${path}/grants/${id}`)
  }
}

/** Null removes a member. */
const withoutNull = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === null ? [] : [[name, isObject(value) ? withoutNull(value) : value]],
    ),
  )

const onlySettings = (body: Fields): Fields => without(body, ['status', 'groups', 'grants', ...mappedNames])

const apps: ResourceKind = {
  noun: 'app',
  keyOf: (body) => clientId(body) || textAt(body, 'label'),
  nameOf: (body) => textAt(body, 'label'),
  // The API returns no secrets and an update cannot change them, so the document's one is not compared.
  merge: (before, after) => {
    const { credentials, ...body } = withoutNull(merged(before, after))
    const oauthClient = memberAt({ credentials }, 'credentials', 'oauthClient') as Fields
    return comparedApp({
      ...body,
      credentials: {
        ...(credentials as Fields),
        oauthClient: { ...without(oauthClient, ['client_secret']), client_id: clientId(before) },
      },
    })
  },
  async create(run, body) {
    const created = await run.api.call('POST', '/apps', {
      signOnMode: 'OPENID_CONNECT',
      ...onlySettings(body),
    })
    const secret = textAt(created, 'credentials', 'oauthClient', 'client_secret')
    if (secret !== '' && memberAt(body, 'credentials', 'oauthClient', 'client_secret') === undefined) {
      run.secrets.set(textAt(created, 'id'), secret)
    }
    await configureApp(run, pathOf('/apps', textAt(created, 'id')), {}, body)
  },
  async change(run, { id, body: before }, after) {
    const path = pathOf('/apps', id)
    if (!isSame(onlySettings(before), onlySettings(after))) {
      await run.api.call('PUT', path, { signOnMode: 'OPENID_CONNECT', ...onlySettings(after) })
    }
    await configureApp(run, path, before, after)
  },
  async remove(run, { id, body }) {
    const path = pathOf('/apps', id)
    await setStatus(run, path, body.status, 'INACTIVE')
    await run.api.call('DELETE', path)
  },
}

const setAttribute = ({ api }: Run, name: string, definition: Fields | null) =>
  api.call('POST', '/meta/schemas/user/default', {
    definitions: { custom: { properties: { [name]: definition } } },
  })

const userAttributes: ResourceKind = {
  noun: 'attribute',
  keyOf: (body) => textAt(body, 'name'),
  nameOf: (body) => textAt(body, 'name'),
  merge: merged,
  async create(run, { name, ...definition }) {
    await setAttribute(run, String(name), definition)
  },
  async change(run, { id }, { name: _, ...definition }) {
    await setAttribute(run, id, definition)
  },
  async remove(run, { id }) {
    await setAttribute(run, id, null)
  },
}

const authenticators: ResourceKind = {
  noun: 'authenticator',
  keyOf: (body) => textAt(body, 'key'),
  nameOf: (body) => textAt(body, 'key'),
  merge: merged,
  async create(_, { key }) {
    throw new Error(`the authenticator ${key} cannot be created: the plan reports it as a problem`)
  },
  async change(run, { id, body: before }, after) {
    const path = pathOf('/authenticators', id)
    await setStatus(run, path, before.status, after.status === 'ACTIVE' ? 'ACTIVE' : undefined)
    if (!isSame(before.settings, after.settings)) {
      await run.api.call('PUT', path, { settings: after.settings })
    }
    await setStatus(run, path, before.status, after.status === 'INACTIVE' ? 'INACTIVE' : undefined)
  },
}

const people: ResourceKind = {
  noun: 'person',
  keyOf: (body) => textAt(body, 'profile', 'login').toLowerCase(),
  nameOf: (body) => textAt(body, 'profile', 'login'),
  // The status of an existing user is changed by lifecycle operations only.
  merge: (before, { status: _, ...after }) => merged(before, after),
  async create(run, { profile, groups: names, status }) {
    const created = await run.api.call('POST', `/users?activate=${status !== 'STAGED'}`, { profile })
    await setPersonGroups(run, textAt(created, 'id'), [], names)
  },
  async change(run, { id, body: before }, after) {
    if (!isSame(before.profile, after.profile)) {
      await run.api.call('POST', pathOf('/users', id), { profile: after.profile })
    }
    await setPersonGroups(run, id, before.groups, after.groups)
  },
}

const setPersonGroups = (run: Run, id: string, before: unknown, after: unknown): Promise<void> =>
  setGroups(run, before, after, (method, groupId) => run.api.call(method, `/groups/${groupId}/users/${id}`))

/** Policies, or the rules of one policy. Their bodies are replaced as a whole. */
export const nestedKind = (noun: string, path: string): ResourceKind => ({
  noun,
  keyOf: (body) => (body.system === true ? `system ${body.type}` : `${body.type} ${body.name}`),
  nameOf: (body) => textAt(body, 'name'),
  merge: replace,
  async create(run, body) {
    const { id } = await run.api.call('POST', path, requestBody(replaceReferences(body, toIds(run))))
    run.created.add(String(id))
    run.idOf.set(body, String(id))
    if (noun === 'policy') run.mappable.set(policyKey(body.type, body.name), String(id))
  },
  async change(run, { id, body: before }, after) {
    await run.api.call('PUT', pathOf(path, id), requestBody(replaceReferences(after, toIds(run))))
    if (noun === 'policy') run.mappable.set(policyKey(before.type, after.name), id)
  },
  async remove(run, { id }) {
    await run.api.call('DELETE', pathOf(path, id))
  },
})

export const kinds: Readonly<Record<ListName, ResourceKind>> = {
  userAttributes,
  authenticators,
  groups,
  policies: nestedKind('policy', '/policies'),
  apps,
  trustedOrigins,
  people,
}
