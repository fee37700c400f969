import { readdir, readFile } from 'node:fs/promises'
import { operations } from '../../src/management/index.ts'
import { generatedFrom, table } from './table.ts'

/** An operation of the public management API, as the SDK that is generated from it calls it. */
interface PublicOperation {
  readonly family: string
  readonly name: string
  readonly method: string
  readonly path: string
}

const sdk = new URL('../../node_modules/@okta/okta-sdk-nodejs/', import.meta.url)

/** Families of which every operation is told; of the others only how many they are. */
const families: Readonly<Record<string, string>> = {
  User: 'Users',
  Group: 'Groups',
  Application: 'Apps',
  Policy: 'Policies',
  TrustedOrigin: 'Trusted origins',
  Schema: 'Schemas',
  Authenticator: 'Authenticators',
  AuthorizationServer: 'Authorization servers',
  SystemLog: 'System log',
}

/** What the SDK can call: each of its methods names its path and its HTTP method. */
async function publicOperations(): Promise<readonly PublicOperation[]> {
  const folder = new URL('src/generated/apis/', sdk)
  const files = (await readdir(folder)).filter((file) => file.endsWith('Api.js')).toSorted()
  const found = files.map(async (file) => {
    const text = await readFile(new URL(file, folder), 'utf8')
    // A method's head, its path, and how it is asked for; what stands between belongs to the same method.
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

/** docs/operations.md: which operations of the public management API there are here. */
export async function operationsPage(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('package.json', sdk), 'utf8')) as { version: string }
  const all = await publicOperations()
  const ours = new Set(operations.map(({ method, path }) => keyOf(method, `/api/v1${path}`)))
  const isOurs = ({ method, path }: PublicOperation) => ours.has(keyOf(method, path))
  const told = Object.keys(families)
  const sections = told.map((family) => {
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
    .filter(([family]) => !told.includes(family))
    .map(([family, each]) => [`\`${family}\``, String(each.length), String(each.filter(isOurs).length)])
  const theirs = new Set(all.map(({ method, path }) => keyOf(method, path)))
  const more = operations.filter(({ method, path }) => !theirs.has(keyOf(method, `/api/v1${path}`)))
  return `${generatedFrom('the table of operations and the methods of okta-sdk-nodejs')}

# Operations of the management API

The public management API is taken from \`@okta/okta-sdk-nodejs\` ${version}, which is generated from it: each method that sends a
request is an operation. Of ${all.length} there are ${all.filter(isOurs).length} here. What each does, and what is not obeyed, is in
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
