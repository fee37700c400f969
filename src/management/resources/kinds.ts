import type { Fields } from '../operation.ts'
import { memberAt, textAt } from './api.ts'
import { isSame, joined, type ListName, without } from './change.ts'
import type { Item } from './current-state.ts'
import { renamed } from './references.ts'
import { asSent, type Run, toIds } from './run.ts'

/** How things of a list are told apart, made, changed and removed. */
export interface ResourceKind {
  /** `trusted origin`. */
  readonly noun: string
  /** By what a thing of a document is known. */
  keyOf(body: Fields): string
  /** What people call it. */
  nameOf(body: Fields): string
  /** What it is to become: whether what a document does not say stays or goes. */
  becomes(before: Fields, after: Fields): Fields
  create(run: Run, body: Fields): Promise<void>
  change(run: Run, before: Item, after: Fields): Promise<void>
  /** Absent: such things are never removed by a document. */
  remove?(run: Run, item: Item): Promise<void>
}

const whole = (_: Fields, after: Fields): Fields => after
const part = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`

const groups: ResourceKind = {
  noun: 'group',
  keyOf: (body) => textAt(body, 'profile', 'name').toLowerCase(),
  nameOf: (body) => textAt(body, 'profile', 'name'),
  becomes: whole,
  async create(run, body) {
    const { id } = await run.api.call('POST', '/groups', body)
    run.groups.set(groups.keyOf(body), String(id))
  },
  async change(run, { id }, body) {
    await run.api.call('PUT', part('/groups', id), body)
  },
  async remove(run, { id }) {
    await run.api.call('DELETE', part('/groups', id))
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
  becomes: whole,
  async create(run, body) {
    const made = await run.api.call('POST', '/trustedOrigins', without(body, ['status']))
    await setStatus(run, part('/trustedOrigins', textAt(made, 'id')), made.status, body.status)
  },
  async change(run, { id, body: before }, body) {
    const path = part('/trustedOrigins', id)
    await run.api.call('PUT', path, without(body, ['status']))
    await setStatus(run, path, before.status, body.status)
  },
  async remove(run, { id }) {
    await run.api.call('DELETE', part('/trustedOrigins', id))
  },
}

const clientId = (body: Fields): string => textAt(body, 'credentials', 'oauthClient', 'client_id')

/** Which groups a thing has more, and which fewer, than before. */
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

async function arrangeApp(run: Run, path: string, before: Fields, after: Fields): Promise<void> {
  await setGroups(run, before.groups, after.groups, (method, id) =>
    run.api.call(method, part(`${path}/groups`, id)),
  )
  const { accessPolicy } = after
  if (typeof accessPolicy === 'string' && accessPolicy !== before.accessPolicy) {
    await run.api.call('PUT', part(`${path}/policies`, run.accessPolicies.get(accessPolicy) ?? accessPolicy))
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

const onlySettings = (body: Fields): Fields => without(body, ['status', 'groups', 'grants', 'accessPolicy'])

const apps: ResourceKind = {
  noun: 'app',
  keyOf: (body) => clientId(body) || textAt(body, 'label'),
  nameOf: (body) => textAt(body, 'label'),
  // The API can say the secret of none, and changes none here.
  becomes: (before, after) => {
    const body = joined(before, after)
    const settings = Object.entries(memberAt(body, 'settings', 'oauthClient') as Fields)
    return {
      ...body,
      credentials: { oauthClient: { client_id: clientId(before) } },
      // Null: it goes.
      settings: { oauthClient: Object.fromEntries(settings.filter(([, value]) => value !== null)) },
    }
  },
  async create(run, body) {
    const made = await run.api.call('POST', '/apps', { signOnMode: 'OPENID_CONNECT', ...onlySettings(body) })
    const secret = textAt(made, 'credentials', 'oauthClient', 'client_secret')
    if (secret !== '' && memberAt(body, 'credentials', 'oauthClient', 'client_secret') === undefined) {
      run.secrets.set(textAt(made, 'id'), secret)
    }
    await arrangeApp(run, part('/apps', textAt(made, 'id')), {}, body)
  },
  async change(run, { id, body: before }, after) {
    const path = part('/apps', id)
    if (!isSame(onlySettings(before), onlySettings(after))) {
      await run.api.call('PUT', path, { signOnMode: 'OPENID_CONNECT', ...onlySettings(after) })
    }
    await arrangeApp(run, path, before, after)
  },
  async remove(run, { id, body }) {
    const path = part('/apps', id)
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
  becomes: joined,
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
  becomes: joined,
  async create(_, { key }) {
    throw new Error(`no authenticator ${key} is made: the plan tells of it as a problem`)
  },
  async change(run, { id, body: before }, after) {
    const path = part('/authenticators', id)
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
  // Of somebody who is there, the status is changed by what is done, not by what is written.
  becomes: (before, { status: _, ...after }) => joined(before, after),
  async create(run, { profile, groups: names, status }) {
    const made = await run.api.call('POST', `/users?activate=${status !== 'STAGED'}`, { profile })
    await setPersonGroups(run, textAt(made, 'id'), [], names)
  },
  async change(run, { id, body: before }, after) {
    if (!isSame(before.profile, after.profile)) {
      await run.api.call('POST', part('/users', id), { profile: after.profile })
    }
    await setPersonGroups(run, id, before.groups, after.groups)
  },
}

const setPersonGroups = (run: Run, id: string, before: unknown, after: unknown): Promise<void> =>
  setGroups(run, before, after, (method, groupId) => run.api.call(method, `/groups/${groupId}/users/${id}`))

/** Policies, and the rules of one of them: bodies that are put whole. */
export const nestedKind = (noun: string, path: string): ResourceKind => ({
  noun,
  keyOf: (body) => (body.system === true ? `system ${body.type}` : `${body.type} ${body.name}`),
  nameOf: (body) => textAt(body, 'name'),
  becomes: whole,
  async create(run, body) {
    const { id } = await run.api.call('POST', path, asSent(renamed(body, toIds(run))))
    run.made.add(String(id))
    run.idOf.set(body, String(id))
    if (body.type === 'ACCESS_POLICY') run.accessPolicies.set(String(body.name), String(id))
  },
  async change(run, { id, body: before }, after) {
    await run.api.call('PUT', part(path, id), asSent(renamed(after, toIds(run))))
    if (before.type === 'ACCESS_POLICY') run.accessPolicies.set(String(after.name), id)
  },
  async remove(run, { id }) {
    await run.api.call('DELETE', part(path, id))
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
