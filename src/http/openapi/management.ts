import { type TSchema, Type } from 'typebox'
import { type Operation, operations, scopeOf } from '../../management/index.ts'
import { errorReference } from './schemas.ts'

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
function collect({ title, hint: _, documented, ...schema }: Node, found: Record<string, object>): object {
  if (documented !== undefined) return collect(documented, found)
  const inlined = {
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, member]) => [name, collect(member, found)]),
      ),
    }),
    ...(schema.items && { items: collect(schema.items, found) }),
    ...(typeof schema.additionalProperties === 'object' && {
      additionalProperties: collect(schema.additionalProperties, found),
    }),
    ...(schema.anyOf && { anyOf: schema.anyOf.map((choice) => collect(choice, found)) }),
  }
  if (title === undefined) return inlined
  found[title] = inlined
  return { $ref: `#/components/schemas/${title}` }
}

interface Node {
  readonly title?: string
  readonly hint?: string
  /** What documents show in its place. */
  readonly documented?: Node
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly additionalProperties?: Node | boolean
  readonly anyOf?: readonly Node[]
}

const referring = (schema: TSchema): object => collect(schema as Node, {})

const json = (schema: object) => ({ content: { 'application/json': { schema } } })

/** A file, as forms send it and as it is. */
const upload = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['file'],
        properties: { file: { type: 'string', contentMediaType: 'image/png' } },
      },
    },
    'image/png': { schema: { type: 'string', contentMediaType: 'image/png' } },
  },
}

const queryParameters = ({ query = {} }: Operation): readonly object[] =>
  Object.entries(query).map(([name, schema]) => {
    const { description, ...described } = schema as TSchema & Node & { readonly description?: string }
    return {
      name,
      in: 'query',
      required: !Type.IsOptional(schema) && described.default === undefined,
      ...(description !== undefined && { description }),
      schema: referring(described),
    }
  })

/** The paths of the management API, derived from the operations that are served. */
export function managementPaths(): Readonly<Record<string, Readonly<Record<string, object>>>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    const { method, path, role, summary } = operation
    const { body, response, status = method === 'DELETE' ? 204 : 200 } = operation
    const refused = { description: 'The request was refused.', ...json(errorReference) }
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
          ...queryParameters(operation),
        ],
        ...(body && { requestBody: { required: true, ...json(referring(body)) } }),
        ...(operation.upload && { requestBody: upload }),
        security: [{ apiToken: [] }, { serviceApp: [scopeOf(operation)] }],
        responses: {
          [status]: {
            description: 'Success.',
            ...(status !== 204 && json(response === undefined ? anything : referring(response))),
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
