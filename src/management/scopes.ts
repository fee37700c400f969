import type { Operation } from './operation.ts'

/** What scopes are about. A test sees to it that every operation has its family here. */
const about = [
  'appGrants',
  'apps',
  'authenticators',
  'authorizationServers',
  'groups',
  'logs',
  'policies',
  'schemas',
  'sessions',
  'trustedOrigins',
  'userTypes',
  'users',
] as const

/** All scopes that can be granted. */
export const managementScopes: readonly string[] = about.flatMap((family) => [
  `okta.${family}.read`,
  ...(family === 'logs' ? [] : [`okta.${family}.manage`]),
])

/** What paths begin with, and the family of OAuth scopes that it stands for; others are their own. */
const families: Readonly<Record<string, string>> = {
  'meta/schemas': 'schemas',
  'meta/types': 'userTypes',
}

/** Paths that ask for another family than their beginning tells. */
const exceptions: readonly (readonly [path: RegExp, family: string])[] = [
  // Whoever may change apps may not thereby give scopes away.
  [/^\/apps\/:\w+\/grants\b/, 'appGrants'],
  [/^\/users\/:\w+\/sessions$/, 'sessions'],
]

/** The OAuth scope that an operation asks for, named as Okta's: `okta.users.read` to read, `okta.users.manage` to change. */
export function scopeOf({ method, path }: Pick<Operation, 'method' | 'path'>): string {
  const [first = '', second = ''] = path.slice(1).split('/')
  const [, exception] = exceptions.find(([pattern]) => pattern.test(path)) ?? []
  const family = exception ?? families[`${first}/${second}`] ?? first
  return `okta.${family}.${method === 'GET' ? 'read' : 'manage'}`
}

/** Whether scopes are enough; to manage is also to read. */
export const suffices = (scopes: readonly string[], needed: string): boolean =>
  scopes.includes(needed) || scopes.includes(needed.replace(/\.read$/, '.manage'))
