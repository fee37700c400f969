import { didYouMean, ProtocolError } from '../../base/index.ts'
import { readApp } from '../apps/read.ts'
import { isFields } from '../input.ts'
import type { Fields } from '../operation.ts'
import { readOrigin } from '../origins/index.ts'
import { readPolicy, readRule, typeOf } from '../policies/read.ts'
import { readSchemaChanges } from '../schemas/read.ts'
import { memberAt, textAt } from './api.ts'
import { joined, type ListName, lists, type ResourceLists, without } from './change.ts'

/** What is wrong, and where: `['policies', 2, 'rules', 0]` and, where one is to blame, the member. */
export interface ResourceProblem {
  readonly path: readonly (string | number)[]
  readonly member?: string
  readonly words: string
}

export const listNames: readonly string[] = lists

/** Collects what is wrong with one thing of a list. */
type Tell = (words: string, member?: string) => void

/**
 * Reads a document: its things as the API would take them, without what the engine itself says of them. All problems
 * are told at once; what others there may be only the database knows.
 */
export function readResources(document: unknown): {
  readonly declared: ResourceLists
  readonly problems: readonly ResourceProblem[]
} {
  const problems: ResourceProblem[] = []
  if (!isFields(document)) return { declared: {}, problems: [{ path: [], words: 'must be an object' }] }
  const declared: { -readonly [Name in ListName]?: Fields[] } = {}
  for (const [name, value] of Object.entries(document)) {
    const list = lists.find((one) => one === name)
    if (list === undefined) {
      problems.push({ path: [name], words: `there is no such list${didYouMean(name, lists)}` })
    } else if (!Array.isArray(value)) problems.push({ path: [name], words: 'must be a list' })
    else {
      declared[list] = (list === 'policies' ? inOrder(value) : [...value.entries()]).flatMap(([n, item]) =>
        readItem(list, item, [list, n], problems),
      )
    }
  }
  return { declared, problems }
}

function readItem(list: ListName, item: unknown, path: ResourceProblem['path'], problems: ResourceProblem[]) {
  const tell: Tell = (words, member) =>
    problems.push({ path, words, ...(member !== undefined && { member }) })
  if (!isFields(item)) {
    tell('must be an object')
    return []
  }
  return [readers[list](item, tell, path, problems)]
}

type Read = (item: Fields, tell: Tell, path: ResourceProblem['path'], problems: ResourceProblem[]) => Fields

/** What the engine says of each thing, which a body may carry back. */
const told = ['id', 'created', 'lastUpdated', '_links', '_embedded']

function refuseUnknown(fields: unknown, known: readonly string[], tell: Tell, prefix = ''): void {
  if (!isFields(fields)) return
  for (const name of Object.keys(fields)) {
    if (!known.includes(name))
      tell(`${prefix}${name}: there is no such member${didYouMean(name, known)}`, name)
  }
}

/** Runs a reader of the API and takes its refusal apart, a problem a cause. */
function judged<T>(tell: Tell, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    for (const cause of error.causes.length > 0 ? error.causes : [error.description]) {
      tell(cause, cause.split(':')[0]?.split('.').at(-1))
    }
    return undefined
  }
}

function names(value: unknown, tell: Tell, member: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) {
    return [...new Set(value as readonly string[])].toSorted()
  }
  tell(`${member}: must be a list of names`, member)
  return undefined
}

const group: Read = (item, tell) => {
  refuseUnknown(item, ['profile', 'type', 'objectClass', 'lastMembershipUpdated', ...told], tell)
  refuseUnknown(item.profile, ['name', 'description'], tell, 'profile.')
  const name = textAt(item, 'profile', 'name')
  const description = memberAt(item, 'profile', 'description')
  if (name.trim() === '' || name.length > 255)
    tell('profile.name: must be a text of 1 to 255 characters', 'name')
  if (name.toLowerCase() === 'everyone') tell('profile.name: Everyone is built in', 'name')
  const isText = typeof description === 'string' && description.length <= 1024
  if (description !== undefined && description !== null && !isText) {
    tell('profile.description: must be a text of at most 1024 characters', 'description')
  }
  return { profile: { name, ...(isText && { description }) } }
}

const origin: Read = (item, tell) => {
  refuseUnknown(item, ['name', 'origin', 'scopes', 'status', 'createdBy', 'lastUpdatedBy', ...told], tell)
  const status = statusOf(item, tell)
  const read = judged(tell, () => readOrigin({ body: item }))
  return { ...read, scopes: read?.scopes.toSorted().map((type) => ({ type })) ?? [], status }
}

function statusOf({ status = 'ACTIVE' }: Fields, tell: Tell): unknown {
  if (status !== 'ACTIVE' && status !== 'INACTIVE') tell('status: must be ACTIVE or INACTIVE', 'status')
  return status
}

/** What the engine says of every app alike, or makes of other members: not compared. */
const ofEveryApp = ['response_types', 'consent_method', 'issuer_mode']
const appSettings = [
  'redirect_uris',
  'post_logout_redirect_uris',
  'grant_types',
  'application_type',
  'email_magic_link_redirect_uri',
  'jwks',
]
const appMembers = [
  'label',
  'credentials',
  'settings',
  'groups',
  'grants',
  'accessPolicy',
  'status',
  'signOnMode',
]

/** An app as it is compared: what can be chosen of it, with the secret that a new one gets. */
export function appBody(item: Fields): Fields {
  const oauth = (place: string): Fields => {
    const fields = memberAt(item, place, 'oauthClient')
    return isFields(fields) ? fields : {}
  }
  const { client_id, client_secret } = oauth('credentials')
  const id = {
    ...(client_id !== undefined && { client_id }),
    ...(client_secret !== undefined && { client_secret }),
  }
  return {
    label: item.label,
    ...(item.status !== undefined && { status: item.status }),
    ...(Object.keys(id).length > 0 && { credentials: { oauthClient: id } }),
    settings: { oauthClient: without(oauth('settings'), ofEveryApp) },
    ...(item.groups !== undefined && { groups: item.groups }),
    ...(item.grants !== undefined && { grants: item.grants }),
    ...(item.accessPolicy !== undefined && { accessPolicy: item.accessPolicy }),
  }
}

const app: Read = (item, tell) => {
  refuseUnknown(item, [...appMembers, 'name', 'features', 'visibility', ...told], tell)
  const settings = memberAt(item, 'settings', 'oauthClient')
  refuseUnknown(settings, [...appSettings, ...ofEveryApp], tell, 'settings.oauthClient.')
  statusOf(item, tell)
  const groups = names(item.groups, tell, 'groups')
  const grants = names(item.grants, tell, 'grants')
  if (item.accessPolicy !== undefined && typeof item.accessPolicy !== 'string') {
    tell('accessPolicy: must be the name of a policy', 'accessPolicy')
  }
  const read = judged(tell, () => readApp({ signOnMode: 'OPENID_CONNECT', ...item }))
  // Keys are told back with what the engine makes of them.
  const jwks = read?.settings.jwks
  const whole = jwks === undefined ? item : joined(item, { settings: { oauthClient: { jwks } } })
  return appBody({ ...whole, ...(groups && { groups }), ...(grants && { grants }) })
}

const policy: Read = (item, tell, path, problems) => {
  const type = judged(tell, () => typeOf(item))
  const body = membersKept(
    item,
    judged(tell, () => readPolicy(without(item, ['rules']), type ?? 'PASSWORD')),
  )
  const { rules } = item
  if (rules !== undefined && !Array.isArray(rules)) tell('rules: must be a list', 'rules')
  if (!Array.isArray(rules)) return { type, ...body }
  const read = inOrder(rules).flatMap(([n, rule]) => {
    const place = [...path, 'rules', n]
    const tellRule: Tell = (words, member) =>
      problems.push({ path: place, words, ...(member !== undefined && { member }) })
    if (!isFields(rule)) {
      tellRule('must be an object')
      return []
    }
    return [
      membersKept(
        rule,
        judged(tellRule, () => readRule(rule, type ?? 'PASSWORD')),
      ),
    ]
  })
  return { type, ...body, rules: read }
}

/** A policy or a rule as it is compared: of the built-in ones the conditions are the engine's own. */
export function membersKept(
  item: Fields,
  read: { readonly name: string; readonly status: string; readonly body: Fields } | undefined,
): Fields {
  const isBuiltIn = item.system === true
  const body = Object.entries(read?.body ?? {}).filter(
    ([name, value]) => value !== null && !(isBuiltIn && name === 'conditions'),
  )
  return {
    name: read?.name ?? '',
    ...(isBuiltIn && { system: true }),
    status: read?.status ?? 'ACTIVE',
    ...Object.fromEntries(body),
  }
}

/** As they stand; where priorities are said, by them. Each with its place in the document. */
function inOrder(items: readonly unknown[]): readonly (readonly [number, unknown])[] {
  const priority = (item: unknown, n: number) =>
    isFields(item) && typeof item.priority === 'number' ? item.priority : n + 1
  return [...items.entries()].toSorted(([n, a], [m, b]) => priority(a, n) - priority(b, m))
}

const person: Read = (item, tell) => {
  refuseUnknown(item, ['profile', 'groups', 'status', 'type', 'credentials', ...toldOfPeople, ...told], tell)
  const { profile } = item
  if (!isFields(profile)) tell('profile: must be an object', 'profile')
  for (const name of ['login', 'email']) {
    if (isFields(profile) && textAt(item, 'profile', name).trim() === '') {
      tell(`profile.${name}: The field cannot be left blank`, name)
    }
  }
  if (memberAt(item, 'credentials', 'password') !== undefined) {
    tell('credentials.password: passwords do not stand in such a file', 'password')
  }
  const { status } = item
  if (status !== undefined && status !== 'STAGED' && status !== 'ACTIVE') {
    tell('status: of a new person, must be STAGED or ACTIVE', 'status')
  }
  const groups = names(item.groups, tell, 'groups')
  return { profile, ...(status === 'STAGED' && { status }), ...(groups && { groups }) }
}
const toldOfPeople = ['activated', 'statusChanged', 'lastLogin', 'passwordChanged']

const attribute: Read = (item, tell) => {
  const { name, ...definition } = item
  if (typeof name !== 'string') tell('name: must be a text', 'name')
  const body = { definitions: { custom: { properties: { [String(name)]: definition } } } }
  judged(tell, () => readSchemaChanges(body, { base: {}, custom: {}, updatedAt: 0 }))
  const said = Object.entries(definition).filter(([, value]) => value !== null)
  return { name: String(name), ...Object.fromEntries(said) }
}

const authenticator: Read = (item, tell) => {
  refuseUnknown(item, ['key', 'status', 'settings', 'type', 'name', ...told], tell)
  if (typeof item.key !== 'string') tell('key: must be a text, such as okta_email', 'key')
  const { settings = {} } = item
  if (!isFields(settings)) tell('settings: must be an object', 'settings')
  return { key: item.key, status: statusOf(item, tell), settings: isFields(settings) ? settings : {} }
}

const readers: Readonly<Record<ListName, Read>> = {
  userAttributes: attribute,
  groups: group,
  policies: policy,
  authenticators: authenticator,
  apps: app,
  trustedOrigins: origin,
  people: person,
}
