import { invalid, invalidCriteria } from './errors.ts'
import type { Query } from './log.ts'
import type { Fields } from './operation.ts'

/** Reads a body or a query and remembers everything that is wrong with it, so that a caller learns all at once. */
export interface Reader {
  readonly problems: string[]
  /** Throws 400 `E0000001` with a cause for each problem, where there is one. */
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

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A member that is an object; an empty one where it is absent. */
export function fieldsIn(reader: Reader, fields: Fields, name: string): Fields {
  const value = fields[name]
  if (value === undefined || value === null) return {}
  if (isFields(value)) return value
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
  reader.problems.push(`${label}: must be a text of at most ${max} characters`)
  return undefined
}

/** A text without which nothing can be done. */
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
  reader.problems.push(`${name}: must be a list of texts`)
  return undefined
}

/** A parameter of a query; given twice it has no meaning: two readers would take different ones. */
export function parameter(query: Query, name: string): string | undefined {
  const value = query[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw invalid([`${name}: must be given once`])
  if (value.includes('\0')) throw invalid([`${name}: has a character that is not allowed`])
  return value
}

/** A parameter that says what is searched for. An empty one is a mistake: it must not find all there is. */
export function criteria(query: Query, name: string): string | undefined {
  if (query[name] === '') throw invalidCriteria(`${name} is empty`)
  return parameter(query, name)
}

/** `true` or `false`, or what counts where neither is said. */
export function flag(query: Query, name: string, absent: boolean): boolean {
  const text = parameter(query, name)?.toLowerCase()
  if (text === undefined) return absent
  if (text !== 'true' && text !== 'false') throw invalid([`${name}: must be true or false`])
  return text === 'true'
}

export interface Page {
  readonly limit: number
  readonly after: string | undefined
}

/** Which page is asked for, of things whose made ids begin with `ids`. Larger limits than the largest count as the largest, as Okta takes them. */
export function pageOf(
  query: Query,
  { limit = 200, most = 200, ids = '' }: { limit?: number; most?: number; ids?: string } = {},
): Page {
  const text = parameter(query, 'limit')
  const asked = text === undefined ? limit : /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (asked < 1) throw invalid(['limit: must be a number from 1'])
  const after = parameter(query, 'after')
  // Whatever else is taken for a place in the list, and most of it for its beginning.
  const isId = ids === '' || (after?.startsWith(ids) && after.length === 20)
  if (after !== undefined && !(isId && /^[\w.:-]{1,100}$/.test(after))) {
    throw invalid(['after: is not one that a Link header gave'])
  }
  return { limit: Math.min(asked, most), after }
}

/** A page of a whole list that is not in the order of its ids. Where the item before is gone, it ends. */
export function pageWithin<T>(
  rows: readonly T[],
  page: Page,
  idOf: (row: T) => string,
): ReturnType<typeof pageFrom<T>> {
  const at = page.after === undefined ? 0 : rows.findIndex((row) => idOf(row) === page.after) + 1
  if (at === 0 && page.after !== undefined) return { items: [], next: undefined }
  return pageFrom(rows.slice(at, at + page.limit + 1), page, idOf)
}

/** A page of what was read one longer than asked for, and the parameters of the next. */
export function pageFrom<T>(
  rows: readonly T[],
  { limit }: Page,
  idOf: (row: T) => string,
): { readonly items: readonly T[]; readonly next: Readonly<Record<string, string>> | undefined } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? { after: idOf(last) } : undefined }
}
