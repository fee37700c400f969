import { isObject, ProtocolError } from '../../base/index.ts'
import type { Fields } from '../input.ts'
import { withoutNulls } from '../members.ts'
import { policyTypes } from '../policies/index.ts'
import { type Api, memberAt, textAt } from './api.ts'
import type { ResourceLists } from './change.ts'
import { appBody, comparedApp, comparedMembers } from './read.ts'
import { peopleIn, replaceReferences } from './references.ts'
import { mappedNames, mappedPolicies } from './run.ts'

/** A present resource: `body` as in a document, `wire` as the API returns it. */
export interface Item {
  readonly id: string
  readonly body: Fields
  readonly wire: Fields
}

export interface PolicyItem extends Item {
  readonly rules: readonly Item[]
}

/** All resources that a document can describe. */
export interface CurrentState {
  readonly userAttributes: readonly Item[]
  readonly authenticators: readonly Item[]
  readonly groups: readonly Item[]
  readonly policies: readonly PolicyItem[]
  readonly apps: readonly Item[]
  readonly trustedOrigins: readonly Item[]
  readonly people: readonly Item[]
  /** The ids of all groups, including Everyone, by lower-case name. */
  readonly groupIds: ReadonlyMap<string, string>
}

/** Reads the current state. Users are read only on request, as there may be many. */
export async function readCurrentState(api: Api, { people = false } = {}): Promise<CurrentState> {
  const groups = await api.list('/groups')
  const groupNames = new Map(groups.map((group) => [textAt(group, 'id'), textAt(group, 'profile', 'name')]))
  const policies = await policiesOf(api, groupNames)
  return {
    userAttributes: await attributesOf(api),
    authenticators: (await api.list('/authenticators')).map((wire) => item(wire, authenticatorBody(wire))),
    groups: groups.filter(({ type }) => type !== 'BUILT_IN').map((wire) => item(wire, groupBody(wire))),
    groupIds: new Map([...groupNames].map(([id, name]) => [name.toLowerCase(), id])),
    policies,
    apps: await appsOf(api, groupNames, policies),
    trustedOrigins: (await api.list('/trustedOrigins')).map((wire) => item(wire, originBody(wire))),
    people: people ? await peopleOf(api, groupNames) : [],
  }
}

/** The current state as a document. */
export async function currentState(api: Api, { people = false } = {}): Promise<ResourceLists> {
  const state = await readCurrentState(api, { people })
  return {
    userAttributes: state.userAttributes.map(({ body }) => body),
    groups: state.groups.map(({ body }) => body),
    policies: state.policies.map(({ body, rules }) => ({
      ...body,
      rules: rules.map((rule) => rule.body),
    })),
    authenticators: state.authenticators.map(({ body }) => body),
    apps: state.apps.map(({ body }) => ({ ...body, signOnMode: 'OPENID_CONNECT' })),
    trustedOrigins: state.trustedOrigins.map(({ body }) => body),
    ...(people && { people: state.people.map(({ body }) => body) }),
  }
}

const item = (wire: Fields, body: Fields): Item => ({ id: textAt(wire, 'id'), body, wire })

function groupBody(wire: Fields): Fields {
  return { profile: withoutNulls(isObject(wire.profile) ? wire.profile : {}) }
}

async function attributesOf(api: Api): Promise<readonly Item[]> {
  const schema = await api.call('GET', '/meta/schemas/user/default')
  const properties = (memberAt(schema, 'definitions', 'custom', 'properties') ?? {}) as Fields
  return Object.entries(properties).map(([name, definition]) => {
    const body = { name, ...(definition as Fields) }
    return { id: name, body, wire: body }
  })
}

const authenticatorBody = ({ key, status, settings }: Fields): Fields => ({
  key,
  status,
  settings: settings ?? {},
})

const originBody = ({ name, origin, scopes, status }: Fields): Fields => ({
  name,
  origin,
  scopes: (scopes as readonly { readonly type: string }[]).map(({ type }) => ({ type })).toSorted(byType),
  status,
})
const byType = (a: { readonly type: string }, b: { readonly type: string }) => (a.type < b.type ? -1 : 1)

async function appsOf(
  api: Api,
  groupNames: ReadonlyMap<string, string>,
  policies: readonly PolicyItem[],
): Promise<readonly Item[]> {
  const items: Item[] = []
  for (const wire of await api.list('/apps')) {
    const assigned = await api.list(`/apps/${encodeURIComponent(textAt(wire, 'id'))}/groups`)
    const groups = assigned.map(({ id }) => groupNames.get(String(id)) ?? String(id)).toSorted()
    const grants = await grantsOf(api, textAt(wire, 'id'))
    const hasGrants = grants.length > 0 || isService(wire)
    const mapped = mappedNames.flatMap((member) => {
      const id = textAt(wire, '_links', mappedPolicies[member].link, 'href').split('/').at(-1)
      const policy = policies.find((one) => one.id === id)
      return policy === undefined ? [] : [[member, policy.body.name] as const]
    })
    const body = { ...wire, groups, ...(hasGrants && { grants }), ...Object.fromEntries(mapped) }
    items.push(item(wire, comparedApp(appBody(body))))
  }
  return items
}

const isService = (wire: Fields): boolean =>
  memberAt(wire, 'settings', 'oauthClient', 'application_type') === 'service'

async function grantsOf(api: Api, appId: string): Promise<readonly string[]> {
  const grants = await api.list(`/apps/${encodeURIComponent(appId)}/grants`)
  return grants.map(({ scopeId }) => String(scopeId)).toSorted()
}

async function policiesOf(api: Api, groupNames: ReadonlyMap<string, string>): Promise<readonly PolicyItem[]> {
  const found: { readonly type: string; readonly wire: Fields; readonly rules: readonly Fields[] }[] = []
  for (const type of policyTypes) {
    for (const wire of await api.list(`/policies?type=${type}`)) {
      found.push({ type, wire, rules: await api.list(`/policies/${textAt(wire, 'id')}/rules`) })
    }
  }
  const logins = await loginsOf(
    api,
    found.flatMap(({ wire, rules }) => [wire, ...rules]),
  )
  const toItem = (wire: Fields): Item => {
    const names = {
      group: (id: string) => groupNames.get(id) ?? id,
      person: (id: string) => logins.get(id) ?? id,
    }
    const { name, status } = wire
    const body = Object.fromEntries(
      Object.entries(wire).filter(([member]) => !readOnlyMembers.includes(member)),
    )
    return item(
      wire,
      replaceReferences(comparedMembers(wire, { name: String(name), status: String(status), body }), names),
    )
  }
  return found.map(({ type, wire, rules }) => {
    const { body, ...rest } = toItem(wire)
    return { ...rest, body: { type, ...body }, rules: rules.map(toItem) }
  })
}

/** Members of policies and rules that the engine sets. */
const readOnlyMembers = [
  'id',
  'name',
  'status',
  'priority',
  'system',
  'type',
  'created',
  'lastUpdated',
  '_links',
]

async function loginsOf(api: Api, bodies: readonly Fields[]): Promise<ReadonlyMap<string, string>> {
  const logins = new Map<string, string>()
  for (const id of peopleIn(bodies)) {
    const person = await findPerson(api, id)
    if (person !== undefined) logins.set(id, textAt(person, 'profile', 'login'))
  }
  return logins
}

/** A user by id or login, or undefined. */
export async function findPerson(api: Api, name: string): Promise<Fields | undefined> {
  try {
    return await api.call('GET', `/users/${encodeURIComponent(name)}`)
  } catch (error) {
    if (error instanceof ProtocolError && error.status === 404) return undefined
    throw error
  }
}

async function peopleOf(api: Api, groupNames: ReadonlyMap<string, string>): Promise<readonly Item[]> {
  const items: Item[] = []
  for (const wire of await api.list('/users')) {
    const groups = (await api.list(`/users/${textAt(wire, 'id')}/groups`))
      .filter(({ type }) => type !== 'BUILT_IN')
      .map(({ id }) => groupNames.get(String(id)) ?? String(id))
    const profile = Object.entries(wire.profile as Fields).filter(([, value]) => value !== null)
    items.push(item(wire, { profile: Object.fromEntries(profile), groups: groups.toSorted() }))
  }
  return items
}
