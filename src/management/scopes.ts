import type { Operation } from './operation.ts'

/** The families of scopes. A test checks that every operation belongs to one. */
const families = [
  'appGrants',
  'apps',
  'authenticators',
  'authorizationServers',
  'brands',
  'groups',
  'logs',
  'policies',
  'schemas',
  'sessions',
  'trustedOrigins',
  'userTypes',
  'users',
] as const

/** All scopes that can be granted to service apps. */
export const managementScopes: readonly string[] = families.flatMap((family) => [
  `okta.${family}.read`,
  ...(family === 'logs' ? [] : [`okta.${family}.manage`]),
])

/** The family of the paths that begin so; other paths name their family by the first segment. */
const familyByPrefix: Readonly<Record<string, string>> = {
  'meta/schemas': 'schemas',
  'meta/types': 'userTypes',
}

/** Paths whose family differs from that of their first segment. */
const exceptions: readonly (readonly [path: RegExp, family: string])[] = [
  // Permission to manage apps must not include permission to grant scopes to them.
  [/^\/apps\/:\w+\/grants\b/, 'appGrants'],
  [/^\/users\/:\w+\/sessions\b/, 'sessions'],
  [/^\/internal\/apps\//, 'apps'],
]

/** The OAuth scope that an operation requires, with Okta's names: `okta.users.read` for GET, else `okta.users.manage`. */
export function scopeOf({ method, path }: Pick<Operation, 'method' | 'path'>): string {
  const [first = '', second = ''] = path.slice(1).split('/')
  const [, exception] = exceptions.find(([pattern]) => pattern.test(path)) ?? []
  const family = exception ?? familyByPrefix[`${first}/${second}`] ?? first
  return `okta.${family}.${method === 'GET' ? 'read' : 'manage'}`
}

/** Whether scopes include the needed one; `manage` includes `read`. */
export const coversScope = (scopes: readonly string[], needed: string): boolean =>
  scopes.includes(needed) || scopes.includes(needed.replace(/\.read$/, '.manage'))
