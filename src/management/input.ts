/** Reads bodies and query parameters by the schemas of an operation. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox'
import { Settings as Typebox } from 'typebox/system'
import { Value } from 'typebox/value'
import { didYouMean, isObject } from '../base/index.ts'
import { invalid, invalidCriteria } from './errors.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The query parameters of a request, unchecked: a repeated one is a list. */
export type Query = Readonly<Record<string, unknown>>

/** The part of JSON Schema that bodies use. `hint` says in messages what is expected. */
interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly hint?: string
}

/**
 * A body that its schema has checked, and `check` beyond it. Throws 400 `E0000001` with a cause for each invalid member.
 */
export function readBody<T extends TSchema>(
  schema: T,
  body: unknown,
  check: (body: Fields) => readonly string[] = () => [],
): Static<T> {
  const problems = [
    ...new Set([
      ...bodyProblems(schema, body),
      ...endlessNumbers(body),
      ...(isObject(body) ? check(body) : []),
    ]),
  ]
  if (problems.length > 0) throw invalid(problems)
  return body as Static<T>
}

/** JSON has no endless number, but `1e400` is read as one, which would be stored as null. */
function endlessNumbers(value: unknown, path: readonly string[] = []): readonly string[] {
  if (typeof value === 'number') {
    return Number.isFinite(value)
      ? []
      : [`${labelOf(path)}: must be a number that is not greater than 1.8e308`]
  }
  if (typeof value !== 'object' || value === null) return []
  const isList = Array.isArray(value)
  return Object.entries(value).flatMap(([name, member]) =>
    endlessNumbers(member, isList ? path : [...path, name]),
  )
}

/**
 * What is stored as it was sent, and so is read with each list, has at most so many characters as JSON. Bodies that are
 * larger are refused.
 */
export const longestStored = 16_384

/** What is wrong with the size of what would be stored. `what` names the member of the body, and of what it has too much. */
export function sizeProblems(what: string, value: unknown): readonly string[] {
  const size = JSON.stringify(value).length
  return size > longestStored
    ? [`${what}: must have at most ${longestStored} characters as JSON, and has ${size}`]
    : []
}

/** What is wrong with a body, as `member: what it must be`. */
export function bodyProblems(schema: TSchema, body: unknown): readonly string[] {
  if (Value.Check(schema, body)) return []
  const places = new Set(errorsOf(schema, body).flatMap(placesOf))
  const deepest = [...places].filter((place) => ![...places].some((other) => other.startsWith(`${place}/`)))
  return [...new Set(deepest.map((place) => problemAt(schema as Schema, body, place)))]
}

function errorsOf(schema: TSchema, body: unknown): ReturnType<typeof Value.Errors> {
  const before = Typebox.Get().maxErrors
  // Typebox stops after eight errors by default; one answer reports all problems.
  Typebox.Set({ maxErrors: 100 })
  try {
    return Value.Errors(schema, body)
  } finally {
    Typebox.Set({ maxErrors: before })
  }
}

/** What a message says of a text that is right but for characters that are not seen. */
export const invisibleText = 'contains an invisible character'

type ShapeError = ReturnType<typeof Value.Errors>[number]

/** The JSON pointers of what an error is about: of required members that are missing, not of their parent. */
function placesOf({ keyword, instancePath, params }: ShapeError): readonly string[] {
  if (keyword !== 'required') return [instancePath]
  const { requiredProperties = [] } = params as { requiredProperties?: readonly string[] }
  return requiredProperties.map((name) => `${instancePath}/${name}`)
}

function problemAt(schema: Schema, body: unknown, place: string): string {
  let at = solid(schema)
  let value = body
  const path: string[] = []
  for (const part of place.split('/').slice(1)) {
    // A list of strings, and a list that describes itself, are reported as a whole.
    if (at.type === 'array' && (at.hint !== undefined || isPlain(at.items))) break
    at = solid(at.type === 'array' ? at.items : at.properties?.[part])
    value = memberOf(value, part)
    path.push(part)
  }
  return `${labelOf(path)}: ${wordsFor(at, value)}`
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined

/** A schema without the alternative null. */
const solid = (schema: Schema = {}): Schema => {
  const choices = (schema.anyOf ?? []).filter(({ type }) => type !== 'null')
  const [only] = choices
  if (only === undefined || choices.length > 1) return schema
  return schema.hint === undefined ? only : { ...only, hint: schema.hint }
}

const isPlain = (schema: Schema = {}): boolean => schema.type !== 'object' && schema.type !== 'array'

/** What Okta wraps around the members of a resource and leaves out in its messages. */
const envelope = /^(profile|(credentials|settings)\.oauthClient|credentials)\.(?=.)/

/** How a message names a member: by its path, without envelopes, and a password without its `value`. */
export const labelOf = (path: readonly string[]): string => {
  if (path.length === 0) return 'body'
  return path
    .join('.')
    .replace(envelope, '')
    .replace(/(?<=password)\.value$/i, '')
}

function wordsFor(schema: Schema, value: unknown): string {
  const isBlank = value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
  if (isBlank && (schema.minLength !== 0 || value !== '')) return 'The field cannot be left blank'
  // Only texts are refined, and all that refines them is which characters they have.
  if (typeof value === 'string' && '~refine' in schema && value.length <= (schema.maxLength ?? 0)) {
    return invisibleText
  }
  const choices = (schema.enum ?? []).map(String)
  const meant = typeof value === 'string' ? didYouMean(value, choices) : ''
  return `must be ${expectation(schema)}${meant}`
}

/** What a schema expects, in words. */
function expectation(schema: Schema): string {
  if (schema.hint !== undefined) return schema.hint
  if (schema.enum !== undefined) return alternatives(schema.enum.map(String))
  if (schema.anyOf !== undefined) return alternatives(schema.anyOf.map(expectation))
  const { type, minimum, maximum } = schema
  if (type === 'string') {
    return schema.maxLength === undefined ? 'a string' : `a string of at most ${schema.maxLength} characters`
  }
  if (type === 'integer' || type === 'number') {
    const noun = type === 'integer' ? 'a whole number' : 'a number'
    if (maximum !== undefined) return `${noun} from ${minimum ?? 0} to ${maximum}`
    return minimum === undefined ? noun : `${noun} of at least ${minimum}`
  }
  if (type === 'array') return listOf(schema)
  return type === 'boolean' ? 'true or false' : type === 'null' ? 'null' : 'an object'
}

function listOf({ items, minItems = 0, maxItems }: Schema): string {
  const noun =
    items?.type === 'string' ? 'list of strings' : items?.enum ? `list of ${items.enum.join(', ')}` : 'list'
  return `a ${minItems > 0 ? 'non-empty ' : ''}${noun}${maxItems === undefined ? '' : ` with at most ${maxItems} items`}`
}

const alternatives = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter(Boolean).join(' or ')

/**
 * The query parameters that an operation describes, with their types and defaults; others are ignored, but those that
 * would choose or order the items of a list. Throws 400 `E0000001`, or `E0000031` for search criteria that are empty.
 */
export function readQuery<T extends TProperties>(properties: T, query: Query): Static<TObject<T>> {
  const problems: string[] = unservedCriteria(properties, query)
  const values = Object.entries(properties).flatMap(([name, property]) => {
    const schema = property as Schema
    if (query[name] === '' && schema.minLength === 1) throw invalidCriteria(`${name} is empty`)
    const text = parameter(query, name)
    if (text === undefined) return schema.default === undefined ? [] : [[name, schema.default] as const]
    const value = parsed(schema, text)
    if (Value.Check(property, value)) return [[name, value] as const]
    problems.push(`${name}: must be ${expectation(schema)}`)
    return []
  })
  const given = new Set(values.map(([name]) => name))
  const missing = Object.entries(properties).filter(
    ([name, schema]) => !given.has(name) && !Type.IsOptional(schema),
  )
  for (const [name, schema] of missing) {
    if (!problems.some((problem) => problem.startsWith(`${name}:`))) {
      problems.push(`${name}: must be ${expectation(schema as Schema)}`)
    }
  }
  if (problems.length > 0) throw invalid(problems)
  return Object.fromEntries(values) as Static<TObject<T>>
}

/** By these Okta's lists are searched and ordered: an answer that ignored one would be the whole list, taken for a part. */
const listCriteria = ['q', 'filter', 'search', 'sortBy', 'sortOrder']

const unservedCriteria = (properties: TProperties, query: Query): string[] =>
  Object.hasOwn(properties, 'limit')
    ? listCriteria
        .filter((name) => !Object.hasOwn(properties, name) && parameter(query, name) !== undefined)
        .map((name) => `${name}: is not supported by this list`)
    : []

function parsed(schema: Schema, text: string): unknown {
  if (schema.type === 'boolean') return { true: true, false: false }[text.toLowerCase()]
  if (schema.type === 'integer') return /^\d+$/.test(text) ? Number(text) : undefined
  return text
}

/** A query parameter. Repeated ones are refused: parsers disagree about which of them counts. */
export function parameter(query: Query, name: string): string | undefined {
  const value = query[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw invalid([`${name}: must be given once`])
  if (value.includes('\0')) throw invalid([`${name}: contains a character that is not allowed`])
  return value
}

export interface Page {
  readonly limit: number
  readonly after: string | undefined
}

/**
 * The requested page of a list whose generated ids begin with `ids`. Limits above `most` are reduced to it, as Okta does.
 */
export function pageOf(
  { limit: asked, after }: { readonly limit?: number | undefined; readonly after?: string | undefined },
  { limit = 200, most = 200, ids = '' }: { limit?: number; most?: number; ids?: string } = {},
): Page {
  // Any other value would be compared with ids, and most of them would silently start again at the first page.
  const isId = ids === '' || (after?.startsWith(ids) && after.length === 20)
  if (after !== undefined && !(isId && /^[\w.:~-]{1,201}$/.test(after))) {
    throw invalid([foreignCursor])
  }
  return { limit: Math.min(asked ?? limit, most), after }
}

const foreignCursor = 'after: must be taken from a Link header'

/**
 * A page of a complete list that is not ordered by id. Its cursor names the last item of the page and, behind a `~`, the one
 * that follows: a caller that deletes what it has read goes on there. If both are gone, the list begins again, so that
 * none of its items is left out. Throws 400 for an id that is none of the list.
 */
export function pageWithin<T>(
  rows: readonly T[],
  page: Page,
  idOf: (row: T) => string,
): ReturnType<typeof pageFrom<T>> {
  const at = beginOf(rows.map(idOf), page.after)
  const [items, following] = [rows.slice(at, at + page.limit), rows[at + page.limit]]
  const last = items.at(-1)
  const isLast = following === undefined || last === undefined
  return { items, next: isLast ? undefined : { after: `${idOf(last)}~${idOf(following)}` } }
}

function beginOf(ids: readonly string[], after: string | undefined): number {
  if (after === undefined) return 0
  const [last = '', following] = after.split('~')
  const at = ids.indexOf(last)
  if (at >= 0) return at + 1
  if (following === undefined) throw invalid([foreignCursor])
  return Math.max(0, ids.indexOf(following))
}

/** A page has at most so many characters of what is stored: of large items it has fewer than its limit. */
export const longestPage = 4_000_000

/** A page of rows that were read with `limit + 1`, and the parameters of the next page. */
export function pageFrom<T>(
  rows: readonly T[],
  { limit }: Page,
  idOf: (row: T) => string,
): { readonly items: readonly T[]; readonly next: Readonly<Record<string, string>> | undefined } {
  const within = rows.slice(0, limit)
  let size = 0
  const tooFar = within.findIndex((row) => {
    size += JSON.stringify(row).length
    return size > longestPage
  })
  // One item is a page at least, so that each page comes to its end.
  const items = tooFar === -1 ? within : within.slice(0, Math.max(1, tooFar))
  const last = items.at(-1)
  return { items, next: rows.length > items.length && last !== undefined ? { after: idOf(last) } : undefined }
}
