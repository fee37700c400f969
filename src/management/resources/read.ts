import { closest, didYouMean, hasInvisible, isObject, ProtocolError } from '../../base/index.ts'
import { readApp } from '../apps/read.ts'
import { oauthCredentialNames, oauthSettingNames, storedNames } from '../apps/schema.ts'
import { defaultsOf, withoutDefaults } from '../apps/wire.ts'
import { groupProfileProblems } from '../groups/index.ts'
import { type Fields, readBody } from '../input.ts'
import { withoutNulls } from '../members.ts'
import { newTrustedOrigin, toOrigin } from '../origins/index.ts'
import { newPolicy, newPolicyRule, toPolicy, toRule } from '../policies/index.ts'
import { readSchemaChanges } from '../user-schema/index.ts'
import { memberAt, textAt } from './api.ts'
import { type ListName, lists, merged, type ResourceLists, without } from './change.ts'
import { mappedNames } from './run.ts'

/** A problem of a document: the path of the resource, such as `['policies', 2, 'rules', 0]`, and the member, if it is one. */
export interface ResourceProblem {
  readonly path: readonly (string | number)[]
  readonly member?: string
  readonly words: string
}

export const listNames: readonly string[] = lists

/** Reports a problem of one resource. */
type Report = (words: string, member?: string) => void

/**
 * Reads a document: its resources in the shapes that the API accepts, without read-only members. Returns all problems that
 * can be found without the database.
 */
export function readResources(document: unknown): {
  readonly declared: ResourceLists
  readonly problems: readonly ResourceProblem[]
} {
  const problems: ResourceProblem[] = []
  if (!isObject(document)) return { declared: {}, problems: [{ path: [], words: 'must be an object' }] }
  const declared: { -readonly [Name in ListName]?: Fields[] } = {}
  for (const [name, value] of Object.entries(document)) {
    const list = lists.find((one) => one === name)
    if (list === undefined) {
      problems.push({ path: [name], words: `unknown list${didYouMean(name, lists)}` })
    } else if (!Array.isArray(value)) problems.push({ path: [name], words: 'must be a list' })
    else {
      declared[list] = (list === 'policies' ? byPriority(value) : [...value.entries()]).flatMap(([n, item]) =>
        readItem(list, item, [list, n], problems),
      )
    }
  }
  return { declared, problems }
}

function readItem(list: ListName, item: unknown, path: ResourceProblem['path'], problems: ResourceProblem[]) {
  const report: Report = (words, member) =>
    problems.push({ path, words, ...(member !== undefined && { member }) })
  if (!isObject(item)) {
    report('must be an object')
    return []
  }
  return [readers[list](item, report, path, problems)]
}

type Read = (
  item: Fields,
  report: Report,
  path: ResourceProblem['path'],
  problems: ResourceProblem[],
) => Fields

/** Members that the engine sets, which a document may contain: ignored. */
const readOnlyMembers = ['id', 'created', 'lastUpdated', '_links', '_embedded']

function refuseUnknown(fields: unknown, known: readonly string[], report: Report, prefix = ''): void {
  if (!isObject(fields)) return
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) report(`${prefix}${name}: unknown member${didYouMean(name, known)}`, name)
  }
}

/** Runs a reader of the API and reports each cause of its error as a problem. */
function readWith<T>(report: Report, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    for (const cause of error.causes.length > 0 ? error.causes : [error.description]) {
      report(cause, cause.split(':')[0]?.split('.').at(-1))
    }
    return undefined
  }
}

function names(value: unknown, report: Report, member: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) {
    return [...new Set(value as readonly string[])].toSorted()
  }
  report(`${member}: must be a list of names`, member)
  return undefined
}

const group: Read = (item, report) => {
  refuseUnknown(item, ['profile', 'type', 'objectClass', 'lastMembershipUpdated', ...readOnlyMembers], report)
  const name = textAt(item, 'profile', 'name')
  const description = memberAt(item, 'profile', 'description')
  if (name.trim() === '' || name.length > 255)
    report('profile.name: must be a string of 1 to 255 characters', 'name')
  if (hasInvisible(name)) report('profile.name: contains an invisible character', 'name')
  if (name.toLowerCase() === 'everyone') report('profile.name: Everyone is built in', 'name')
  const isText = typeof description === 'string' && description.length <= 1024
  if (description !== undefined && description !== null && !isText) {
    report('profile.description: must be a string of at most 1024 characters', 'description')
  }
  const { name: _, description: __, ...others } = isObject(item.profile) ? item.profile : {}
  // Other members are stored as they are: one is a slip where it resembles a name that is missing.
  const missing = ['name', 'description'].filter((known) => memberAt(item, 'profile', known) === undefined)
  for (const other of Object.keys(others)) {
    const meant = didYouMean(other, missing)
    if (meant !== '') report(`profile.${other}: unknown member${meant}`, other)
  }
  for (const problem of groupProfileProblems(others)) report(`profile.${problem}`, 'profile')
  return { profile: { ...withoutNulls(others), name, ...(isText && { description }) } }
}

const origin: Read = (item, report) => {
  refuseUnknown(
    item,
    ['name', 'origin', 'scopes', 'status', 'createdBy', 'lastUpdatedBy', ...readOnlyMembers],
    report,
  )
  const status = statusOf(item, report)
  const read = readWith(report, () => toOrigin(readBody(newTrustedOrigin, item)))
  return { ...read, scopes: read?.scopes.toSorted().map((type) => ({ type })) ?? [], status }
}

function statusOf({ status = 'ACTIVE' }: Fields, report: Report): unknown {
  if (status !== 'ACTIVE' && status !== 'INACTIVE') report('status: must be ACTIVE or INACTIVE', 'status')
  return status
}

const appMembers = [
  'label',
  'credentials',
  'settings',
  'groups',
  'grants',
  ...mappedNames,
  'status',
  'signOnMode',
  ...storedNames,
]

/** An app as it is compared: its settable members, and the secret for a new one. */
export function appBody(item: Fields): Fields {
  const settable = appMembers.filter((name) => name !== 'signOnMode' && item[name] !== undefined)
  const body = Object.fromEntries(settable.map((name) => [name, item[name]]))
  const oauthClient = memberAt(item, 'settings', 'oauthClient') ?? {}
  return { ...body, settings: { ...(isObject(item.settings) ? item.settings : {}), oauthClient } }
}

/** An app as it is compared, without members that have the value which they would have if they were absent. */
export function comparedApp(body: Fields): Fields {
  const type = memberAt(body, 'settings', 'oauthClient', 'application_type')
  const grants = memberAt(body, 'settings', 'oauthClient', 'grant_types')
  const applicationType = applicationTypes.find((one) => one === type) ?? 'web'
  const rest = withoutDefaults(
    body,
    defaultsOf({ applicationType, grantTypes: Array.isArray(grants) ? grants : [] }),
  )
  return rest.settings === undefined ? { ...rest, settings: { oauthClient: {} } } : rest
}
const applicationTypes = ['web', 'browser', 'native', 'service'] as const

/** Members of the API that a file may have, and those that only resemble one. Others are stored as they are. */
function refuseMisspelt(fields: unknown, known: readonly string[], report: Report, prefix: string): void {
  if (!isObject(fields)) return
  const misspelt = Object.keys(fields).filter(
    (name) => !known.includes(name) && closest(name, known) !== undefined,
  )
  for (const name of misspelt) report(`${prefix}${name}: unknown member${didYouMean(name, known)}`, name)
}

const app: Read = (item, report) => {
  refuseUnknown(item, [...appMembers, 'name', ...readOnlyMembers], report)
  for (const [place, known] of [
    ['settings', oauthSettingNames],
    ['credentials', oauthCredentialNames],
  ] as const) {
    refuseMisspelt(memberAt(item, place, 'oauthClient'), known, report, `${place}.oauthClient.`)
  }
  statusOf(item, report)
  const groups = names(item.groups, report, 'groups')
  const grants = names(item.grants, report, 'grants')
  for (const member of mappedNames) {
    if (item[member] !== undefined && typeof item[member] !== 'string') {
      report(`${member}: must be the name of a policy`, member)
    }
  }
  const read = readWith(report, () => readApp({ signOnMode: 'OPENID_CONNECT', ...item }))
  // Keys are compared as the engine stores them.
  const jwks = read?.settings.jwks
  const whole = jwks === undefined ? item : merged(item, { settings: { oauthClient: { jwks } } })
  return appBody({ ...whole, ...(groups && { groups }), ...(grants && { grants }) })
}

const policy: Read = (item, report, path, problems) => {
  const read = readWith(report, () => readBody(newPolicy, without(item, ['rules'])))
  const type = read?.type ?? 'PASSWORD'
  const body = comparedMembers(item, read && toPolicy(read, type))
  const { rules } = item
  if (rules !== undefined && !Array.isArray(rules)) report('rules: must be a list', 'rules')
  if (!Array.isArray(rules)) return { type, ...body }
  const readRules = byPriority(rules).flatMap(([n, rule]) => {
    const place = [...path, 'rules', n]
    const reportRule: Report = (words, member) =>
      problems.push({ path: place, words, ...(member !== undefined && { member }) })
    if (!isObject(rule)) {
      reportRule('must be an object')
      return []
    }
    return [
      comparedMembers(
        rule,
        readWith(reportRule, () => toRule(readBody(newPolicyRule, rule), type)),
      ),
    ]
  })
  return { type, ...body, rules: readRules }
}

/** A policy or a rule as it is compared. The conditions of built-in ones cannot be changed and are left out. */
export function comparedMembers(
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

/** Sorts by priority, where there is one, else by position. Each item with its index in the document. */
function byPriority(items: readonly unknown[]): readonly (readonly [number, unknown])[] {
  const priority = (item: unknown, n: number) =>
    isObject(item) && typeof item.priority === 'number' ? item.priority : n + 1
  return [...items.entries()].toSorted(([n, a], [m, b]) => priority(a, n) - priority(b, m))
}

const person: Read = (item, report) => {
  refuseUnknown(
    item,
    ['profile', 'groups', 'status', 'type', 'credentials', ...readOnlyUserMembers, ...readOnlyMembers],
    report,
  )
  const { profile } = item
  if (!isObject(profile)) report('profile: must be an object', 'profile')
  for (const name of ['login', 'email']) {
    if (isObject(profile) && textAt(item, 'profile', name).trim() === '') {
      report(`profile.${name}: The field cannot be left blank`, name)
    }
  }
  if (memberAt(item, 'credentials', 'password') !== undefined) {
    report('credentials.password: passwords are not supported in this file', 'password')
  }
  const { status } = item
  if (status !== undefined && status !== 'STAGED' && status !== 'ACTIVE') {
    report('status: must be STAGED or ACTIVE, and applies to new users only', 'status')
  }
  const groups = names(item.groups, report, 'groups')
  return { profile, ...(status === 'STAGED' && { status }), ...(groups && { groups }) }
}
const readOnlyUserMembers = ['activated', 'statusChanged', 'lastLogin', 'passwordChanged']

const attribute: Read = (item, report) => {
  const { name, ...definition } = item
  if (typeof name !== 'string') report('name: must be a string', 'name')
  const body = { definitions: { custom: { properties: { [String(name)]: definition } } } }
  readWith(report, () => readSchemaChanges(body, { base: {}, custom: {}, updatedAt: 0 }))
  const members = Object.entries(definition).filter(([, value]) => value !== null)
  return { name: String(name), ...Object.fromEntries(members) }
}

const authenticator: Read = (item, report) => {
  refuseUnknown(item, ['key', 'status', 'settings', 'type', 'name', ...readOnlyMembers], report)
  if (typeof item.key !== 'string') report('key: must be a string such as okta_email', 'key')
  const { settings = {} } = item
  if (!isObject(settings)) report('settings: must be an object', 'settings')
  return { key: item.key, status: statusOf(item, report), settings: isObject(settings) ? settings : {} }
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
