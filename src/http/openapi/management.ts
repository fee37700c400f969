import { type TSchema, Type } from 'typebox'
import { type Operation, operations, scopeOf } from '../../management/index.ts'
import { ref, type schemas } from './schemas.ts'

/** `App` is described by its operations. */
type Name = keyof typeof schemas | 'App'

/** The body, response and query parameters of an operation. */
interface Shape {
  readonly body?: Name
  /** The schema of the response; with `[]` a list of it. */
  readonly response?: Name | `${Name}[]`
  readonly status?: number
  /** Query parameters. */
  readonly query?: readonly (keyof typeof queries)[]
}

const queries = {
  limit: Type.Integer({ minimum: 1, description: 'Maximum number of items on a page.' }),
  after: Type.String({ description: 'The cursor of the next page, from the Link header with rel="next".' }),
  q: Type.String({ description: 'The beginning of a name; for events, words that they contain.' }),
  filter: Type.String({ description: 'For example `status eq "ACTIVE"`.' }),
  search: Type.String({ description: 'For example `profile.lastName sw "Lo"`.' }),
  activate: Type.Boolean({ default: true }),
  sendEmail: Type.Boolean({
    default: true,
    description: 'false: return the link or token instead of sending a mail.',
  }),
  nextLogin: Type.Literal('changePassword'),
  since: Type.String({ description: 'Start of the range, ISO 8601 with a time zone.' }),
  until: Type.String({ description: 'End of the range, ISO 8601 with a time zone.' }),
  sortOrder: Type.Union([Type.Literal('ASCENDING'), Type.Literal('DESCENDING')]),
} as const

const page = ['limit', 'after'] as const
const mailed: Shape = { response: 'Token', query: ['sendEmail'] }

/** By method and path. Other operations return an object; those with DELETE nothing. */
const shapes: Readonly<Record<string, Shape>> = {
  'GET /users': { response: 'User[]', query: [...page, 'q', 'filter', 'search'] },
  'POST /users': { body: 'NewUser', response: 'User', query: ['activate', 'nextLogin'] },
  'GET /users/:userId': { response: 'User' },
  'POST /users/:userId': { body: 'UserChanges', response: 'User' },
  'PUT /users/:userId': { body: 'NewUser', response: 'User' },
  'GET /users/:userId/groups': { response: 'Group[]' },
  'POST /users/:userId/lifecycle/activate': mailed,
  'POST /users/:userId/lifecycle/reactivate': mailed,
  'POST /users/:userId/lifecycle/reset_password': mailed,
  'POST /users/:userId/lifecycle/expire_password': { response: 'User' },
  'POST /users/:userId/lifecycle/expire_password_with_temp_password': { response: 'Token' },
  'POST /users/:userId/credentials/forgot_password': mailed,
  'POST /users/:userId/credentials/change_password': { body: 'PasswordChange', response: 'Credentials' },
  'POST /users/:userId/credentials/change_recovery_question': {
    body: 'QuestionChange',
    response: 'Credentials',
  },
  'GET /users/:userId/sessions': { response: 'Session[]', query: page },
  'GET /users/:userId/appLinks': { response: 'AppLink[]' },
  'GET /groups': { response: 'Group[]', query: [...page, 'q', 'filter', 'search'] },
  'POST /groups': { body: 'NewGroup', response: 'Group' },
  'GET /groups/:groupId': { response: 'Group' },
  'PUT /groups/:groupId': { body: 'NewGroup', response: 'Group' },
  'GET /groups/:groupId/users': { response: 'User[]', query: page },
  'PUT /groups/:groupId/users/:userId': { status: 204 },
  'GET /policies/:policyId/app': { response: 'App[]' },
  'GET /meta/schemas/user/:schemaId': { response: 'UserSchema' },
  'POST /meta/schemas/user/:schemaId': { body: 'UserSchemaChanges', response: 'UserSchema' },
  'GET /meta/types/user': { response: 'UserType[]' },
  'GET /meta/types/user/:typeId': { response: 'UserType' },
  'GET /logs': {
    response: 'LogEvent[]',
    query: [...page, 'since', 'until', 'filter', 'q', 'sortOrder'],
  },
}

const anything = { type: 'object' }

/** The named schemas that the operations use, for `components`. */
export function managementSchemas(): Readonly<Record<string, object>> {
  const found: Record<string, object> = {}
  for (const { body, response } of operations) {
    for (const schema of [body, response]) if (schema !== undefined) collect(schema as Node, found)
  }
  return found
}

/** A schema with references in place of named schemas, which are added to `found`; without hints for messages. */
function collect({ title, hint: _, ...schema }: Node, found: Record<string, object>): object {
  const inlined = {
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, member]) => [name, collect(member, found)]),
      ),
    }),
    ...(schema.items && { items: collect(schema.items, found) }),
    ...(schema.anyOf && { anyOf: schema.anyOf.map((choice) => collect(choice, found)) }),
  }
  if (title === undefined) return inlined
  found[title] = inlined
  return { $ref: `#/components/schemas/${title}` }
}

interface Node {
  readonly title?: string
  readonly hint?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly anyOf?: readonly Node[]
}

const referring = (schema: TSchema): object => collect(schema as Node, {})

const json = (schema: object) => ({ content: { 'application/json': { schema } } })

function schemaOf(name: string): object {
  const list = name.endsWith('[]')
  const one = ref((list ? name.slice(0, -2) : name) as keyof typeof schemas)
  return list ? Type.Array(one) : one
}

interface Described {
  readonly body?: object | undefined
  readonly response?: object | undefined
  readonly status: number
  readonly query: readonly object[]
}

function describedOf({ method, path, body, response, status, query }: Operation): Described {
  const shape = shapes[`${method} ${path}`]
  const usual = method === 'DELETE' ? 204 : 200
  if (shape !== undefined) {
    return {
      body: shape.body && schemaOf(shape.body),
      response: shape.response && schemaOf(shape.response),
      status: shape.status ?? usual,
      query: (shape.query ?? []).map((name) => ({
        name,
        in: 'query',
        required: false,
        schema: queries[name],
      })),
    }
  }
  return {
    body: body && referring(body),
    response: response && referring(response),
    status: status ?? usual,
    query: Object.entries(query ?? {}).map(([name, schema]) => {
      const { description, ...described } = schema as TSchema & { readonly description?: string }
      return {
        name,
        in: 'query',
        required: !Type.IsOptional(schema),
        ...(description !== undefined && { description }),
        schema: referring(described),
      }
    }),
  }
}

/** The paths of the management API, derived from the operations that are served. */
export function managementPaths(): Readonly<Record<string, Readonly<Record<string, object>>>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    const { method, path, role, summary } = operation
    const { body, response, status, query } = describedOf(operation)
    const refused = { description: 'The request was refused.', ...json(ref('Error')) }
    const address = `/api/v1${path.replace(/:(\w+)/g, '{$1}')}`
    paths[address] = {
      ...paths[address],
      [method.toLowerCase()]: {
        operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z]+(\w)?/g, (_, letter = '') => letter.toUpperCase())}`,
        tags: [path.split('/')[1]],
        summary,
        description: `Requires an API token with the role \`${role}\`, or a service app with the scope \`${scopeOf(operation)}\`.`,
        parameters: [
          ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
            name,
            in: 'path',
            required: true,
            schema: Type.String(),
          })),
          ...query,
        ],
        ...(body && { requestBody: { required: true, ...json(body) } }),
        security: [{ apiToken: [] }, { serviceApp: [scopeOf(operation)] }],
        responses: {
          [status]: {
            description: 'Success.',
            ...(status !== 204 && json(response ?? anything)),
          },
          '4XX': refused,
          '5XX': {
            ...refused,
            description: 'The request failed or is not implemented; nothing was changed.',
          },
        },
      },
    }
  }
  return paths
}

/** The scopes that the operations require. */
export const scopes = (): Readonly<Record<string, string>> =>
  Object.fromEntries([...new Set(operations.map(scopeOf))].sort().map((scope) => [scope, scope]))
