import { Value } from 'typebox/value'
import { openApiDocument } from '../../src/http/openapi/index.ts'

type Schema = Readonly<Record<string, unknown>>
type Content = Readonly<Record<string, { readonly schema: Schema }>>
interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

const document = openApiDocument('http://localhost') as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** A schema with what it refers to put in place. */
function whole(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(whole)
  if (typeof schema !== 'object' || schema === null) return schema
  const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(String((schema as Schema).$ref)) ?? []
  if (name !== undefined) return whole(document.components.schemas[name])
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(value)]))
}

const wholes = new WeakMap<object, object>()

/** What of a value is not as a schema of the document says. */
export function problems(schema: Schema, value: unknown): readonly string[] {
  const known = wholes.get(schema) ?? (whole(schema) as object)
  wholes.set(schema, known)
  if (Value.Check(known, value)) return []
  return [...Value.Errors(known, value)].map(({ instancePath, message }) => `${instancePath} ${message}`)
}

// Those that are written out before those with a part that may be anything: /users/me is not a user's id.
const templates = Object.keys(document.paths)
  .map((path) => ({ path, pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`) }))
  .toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)

/** Operations that need none, and are deaf to one that is sent. */
const isBodyless = (path: string): boolean => /\/(lifecycle\/\w+|forgot_password|groups\/[^/]+)$/.test(path)

export interface Exchange {
  readonly method: string
  readonly url: string
  readonly sent: unknown
  readonly status: number
  readonly text: string
}

/**
 * What is wrong with an answer of the management API by docs/openapi.yaml: a status or a body that is not described, or
 * a body that was taken though it is not described. Each call of the suite is held against it.
 */
export function undescribed({ method, url, sent, status, text }: Exchange): readonly string[] {
  const path = new URL(url).pathname
  const template = templates.find(
    (one) => one.pattern.test(path) && document.paths[one.path]?.[method.toLowerCase()] !== undefined,
  )
  const operation = template && document.paths[template.path]?.[method.toLowerCase()]
  // A path or a method that there is not: 404 and 405 are HTTP's.
  if (operation === undefined) return status < 400 ? ['is an operation that is not described'] : []
  const response = operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`]
  if (response === undefined) return [`${status} is not described`]
  const answered = response.content?.['application/json']?.schema
  if (answered === undefined) return text === '' ? [] : [`${status} is described without a body`]
  if (text === '') return [`${status} is described with a body`]
  const taken = operation.requestBody?.content['application/json']?.schema
  return [
    ...problems(answered, JSON.parse(text)).map((problem) => `answers ${problem}`),
    ...(status < 300 && sent !== undefined && taken === undefined && !isBodyless(path)
      ? ['takes a body that is not described']
      : []),
    ...(status < 300 && sent !== undefined && taken !== undefined
      ? problems(taken, sent).map((problem) => `takes ${problem}`)
      : []),
  ]
}
