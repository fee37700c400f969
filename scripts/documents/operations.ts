import { readdir, readFile } from 'node:fs/promises'
import { operations } from '../../src/management/index.ts'
import { generatedFrom, table } from './table.ts'

/** An operation of the public management API, as the SDK calls it. */
interface PublicOperation {
  readonly family: string
  readonly name: string
  readonly method: string
  readonly path: string
}

const sdk = new URL('../../test/clients/node_modules/@okta/okta-sdk-nodejs/', import.meta.url)

/** Families whose operations are listed; the others are only counted. */
const families: Readonly<Record<string, string>> = {
  User: 'Users',
  Group: 'Groups',
  Application: 'Apps',
  Policy: 'Policies',
  TrustedOrigin: 'Trusted origins',
  Schema: 'Schemas',
  UserFactor: 'Factors of users',
  UserAuthenticatorEnrollments: 'Enrollments of users',
  Authenticator: 'Authenticators',
  AuthorizationServer: 'Authorization servers',
  SystemLog: 'System log',
}

/** The operations of the SDK: each of its methods contains a path and an HTTP method. */
async function publicOperations(): Promise<readonly PublicOperation[]> {
  const folder = new URL('src/generated/apis/', sdk)
  const files = (await readdir(folder)).filter((file) => file.endsWith('Api.js')).toSorted()
  const found = files.map(async (file) => {
    const text = await readFile(new URL(file, folder), 'utf8')
    // The head of a method, its path and its HTTP method, without crossing into the next method.
    const pattern =
      /\n {2}async (\w+)\((?:(?!\n {2}async )[\s\S])*?const path = '([^']+)'(?:(?!\n {2}async )[\s\S])*?HttpMethodEnum\.(\w+)/g
    return [...text.matchAll(pattern)].map(([, name = '', path = '', method = '']) => ({
      family: file.replace(/Api\.js$/, ''),
      name,
      path,
      method,
    }))
  })
  return (await Promise.all(found)).flat()
}

const keyOf = (method: string, path: string): string => `${method} ${path.replace(/\{\w+\}|:\w+/g, '{}')}`

/** docs/operations.md: which operations of the public management API are supported. */
export async function operationsPage(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('package.json', sdk), 'utf8')) as { version: string }
  const all = await publicOperations()
  const ours = new Set(operations.map(({ method, path }) => keyOf(method, `/api/v1${path}`)))
  const isOurs = ({ method, path }: PublicOperation) => ours.has(keyOf(method, path))
  const listed = Object.keys(families)
  const sections = listed.map((family) => {
    const each = all.filter((operation) => operation.family === family)
    const rows = each.map((operation) => [
      `\`${operation.name}\``,
      `\`${operation.method} ${operation.path}\``,
      isOurs(operation) ? 'yes' : 'no',
    ])
    const yes = each.filter(isOurs).length
    const title = `## ${families[family]}: ${yes} of ${each.length}`
    return `${title}\n\n${table(['operation', 'request', 'supported'], rows)}`
  })
  const others = [...Map.groupBy(all, ({ family }) => family)]
    .filter(([family]) => !listed.includes(family))
    .map(([family, each]) => [`\`${family}\``, String(each.length), String(each.filter(isOurs).length)])
  const theirs = new Set(all.map(({ method, path }) => keyOf(method, path)))
  const more = operations.filter(({ method, path }) => !theirs.has(keyOf(method, `/api/v1${path}`)))
  return `${generatedFrom('the table of operations and the methods of okta-sdk-nodejs')}

# Operations of the management API

The public management API is taken from \`@okta/okta-sdk-nodejs\` ${version}, which is generated from it: each method that sends a
request is an operation. ${all.filter(isOurs).length} of ${all.length} are supported. What each does, and which settings are not supported, is in
[management.md](management.md).

${sections.join('\n\n')}

## Other families

${table(['family', 'operations', 'supported'], others)}

## Operations that the SDK does not have

${
  more.length === 0
    ? 'None.'
    : table(
        ['request', 'effect'],
        more.map(({ method, path, summary }) => [
          `\`${method} /api/v1${path.replace(/:(\w+)/g, '{$1}')}\``,
          summary,
        ]),
      )
}
`
}
