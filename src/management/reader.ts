import { isObject } from '../base/index.ts'
import { invalid, invalidCriteria } from './errors.ts'
import { type Fields, type Page, parameter, type Query } from './input.ts'

// To be replaced by the schemas of operations (input.ts).

/** Collects all problems of a body or a query, so that one answer reports them together. */
export interface Reader {
  readonly problems: string[]
  /** Throws 400 `E0000001` with a cause for each problem, if there are any. */
  check(): void
}

export function newReader(): Reader {
  const problems: string[] = []
  return {
    problems,
    check() {
      if (problems.length > 0) throw invalid(problems)
    },
  }
}

/** A member that must be an object; an empty one if it is absent. */
export function fieldsIn(reader: Reader, fields: Fields, name: string): Fields {
  const value = fields[name]
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  reader.problems.push(`${name}: must be an object`)
  return {}
}

export function textIn(
  reader: Reader,
  fields: Fields,
  name: string,
  { label = name, max = 1024 }: { readonly label?: string; readonly max?: number } = {},
): string | undefined {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value.length <= max) return value
  reader.problems.push(`${label}: must be a string of at most ${max} characters`)
  return undefined
}

/** A required string. */
export function requiredText(
  reader: Reader,
  fields: Fields,
  name: string,
  options: { readonly label?: string; readonly max?: number } = {},
): string {
  const value = textIn(reader, fields, name, options)
  if (value !== undefined && value.trim() !== '') return value
  if (value !== undefined || fields[name] === undefined || fields[name] === null) {
    reader.problems.push(`${options.label ?? name}: The field cannot be left blank`)
  }
  return ''
}

export function textsIn(reader: Reader, fields: Fields, name: string): readonly string[] | undefined {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value) && value.length <= 200 && value.every((text) => typeof text === 'string')) {
    return value as readonly string[]
  }
  reader.problems.push(`${name}: must be a list of strings`)
  return undefined
}

/** A search parameter. An empty one is refused: it is a mistake and must not match everything. */
export function criteria(query: Query, name: string): string | undefined {
  if (query[name] === '') throw invalidCriteria(`${name} is empty`)
  return parameter(query, name)
}

/** A boolean query parameter; `absent` is its default. */
export function flag(query: Query, name: string, absent: boolean): boolean {
  const text = parameter(query, name)?.toLowerCase()
  if (text === undefined) return absent
  if (text !== 'true' && text !== 'false') throw invalid([`${name}: must be true or false`])
  return text === 'true'
}

/**
 * The requested page of a list whose generated ids begin with `ids`. Limits above `most` are reduced to it, as Okta does.
 */
export function rawPageOf(
  query: Query,
  { limit = 200, most = 200, ids = '' }: { limit?: number; most?: number; ids?: string } = {},
): Page {
  const text = parameter(query, 'limit')
  const asked = text === undefined ? limit : /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (asked < 1) throw invalid(['limit: must be a number of at least 1'])
  const after = parameter(query, 'after')
  // Any other value would be compared with ids, and most of them would silently start again at the first page.
  const isId = ids === '' || (after?.startsWith(ids) && after.length === 20)
  if (after !== undefined && !(isId && /^[\w.:-]{1,100}$/.test(after))) {
    throw invalid(['after: must be taken from a Link header'])
  }
  return { limit: Math.min(asked, most), after }
}
