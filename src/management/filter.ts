import { type EventFilter, type FilterAttribute, filterAttributes } from '../audit/index.ts'
import { apiError, type ProtocolError } from '../base/index.ts'

/** Bounds of a filter, so that parsing and its query stay cheap. */
const longest = 2000
const mostComparisons = 50
const deepest = 10

export const invalidFilter = (why: string): ProtocolError =>
  apiError('E0000053', { summary: `Invalid filter: ${why}.` })

/** Comparisons, joined by `and` (every) and `or` (some). */
export type Filter<Comparison> =
  | Comparison
  | { readonly every: readonly Filter<Comparison>[] }
  | { readonly some: readonly Filter<Comparison>[] }

/** A value of a comparison, as JSON has it (RFC 7644, section 3.4.2.2). */
export type FilterValue = string | number | boolean | null

/** Builds a comparison from its parts, or throws `invalidFilter`. `value` is read on demand: `pr` has none. */
export type Compare<Comparison> = (
  attribute: string,
  operator: string,
  value: () => FilterValue,
) => Comparison

/** Parses a filter of the System Log API: comparisons with `eq`. Throws 400 `E0000053`. */
export const parseEventFilter = (text: string): EventFilter =>
  parseFilter(text, (word, operator, value) => {
    const attribute = attributeOf(word)
    if (operator !== 'eq') throw invalidFilter(`${attribute} can only be compared with eq`)
    const is = value()
    if (typeof is !== 'string')
      throw invalidFilter(`the value of ${attribute} must be a text in double quotes`)
    return { attribute, is }
  })

/**
 * Parses a filter: comparisons joined by `and` and `or`, with parentheses; `and` binds tighter (RFC 7644, section
 * 3.4.2.2). Throws 400 `E0000053`.
 */
export function parseFilter<Comparison>(text: string, compare: Compare<Comparison>): Filter<Comparison> {
  if (text.length > longest) throw invalidFilter('it is too long')
  const tokens = tokensOf(text)
  let at = 0
  let comparisons = 0

  const next = (): string => tokens[at++] ?? ''
  const isNext = (word: string): boolean => tokens[at]?.toLowerCase() === word

  function either(depth: number): Filter<Comparison> {
    const parts = [both(depth)]
    while (isNext('or')) {
      at++
      parts.push(both(depth))
    }
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : { some: parts }
  }

  function both(depth: number): Filter<Comparison> {
    const parts = [single(depth)]
    while (isNext('and')) {
      at++
      parts.push(single(depth))
    }
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : { every: parts }
  }

  function single(depth: number): Filter<Comparison> {
    if (!isNext('(')) return comparison()
    if (depth >= deepest) throw invalidFilter('it is nested too deeply')
    at++
    const inner = either(depth + 1)
    if (next() !== ')') throw invalidFilter('a parenthesis is not closed')
    return inner
  }

  function comparison(): Filter<Comparison> {
    if (++comparisons > mostComparisons) throw invalidFilter('it has too many comparisons')
    const attribute = next()
    return compare(attribute, next().toLowerCase(), () => {
      const value = next()
      if (!/^(["\d-]|(true|false|null)$)/.test(value)) {
        const found = value === '' ? `${attribute} has none` : `not ${value.slice(0, 40)}`
        throw invalidFilter(`a value is a text in double quotes, a number, true, false or null, ${found}`)
      }
      const read = JSON.parse(value) as FilterValue
      if (typeof read === 'number' && !Number.isFinite(read))
        throw invalidFilter(`${value.slice(0, 40)} is too large`)
      return read
    })
  }

  const filter = either(0)
  if (at < tokens.length) throw invalidFilter('unexpected text after its end')
  return filter
}

export const cannotBeCompared = (word: string): string =>
  word === '' ? 'an attribute is missing:' : `${word.slice(0, 80)} cannot be compared, only`

function attributeOf(word: string): FilterAttribute {
  const known = filterAttributes.find((attribute) => attribute.toLowerCase() === word.toLowerCase())
  if (known === undefined) throw invalidFilter(`${cannotBeCompared(word)} ${filterAttributes.join(', ')}`)
  return known
}

/** Whether a text is a time in ISO 8601. `Date.parse` takes more, such as "1" for a year. */
export const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/.test(text)

/** Splits a filter into words, parentheses and quoted values. Throws if anything else is left. */
function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  const pattern =
    /\s*([()]|"(?:[^"\\\p{Cc}]|\\["\\/bfnrt])*"|[A-Za-z][\w.]*|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))/guy
  let end = 0
  for (const match of text.matchAll(pattern)) {
    tokens.push(match[1] ?? '')
    end = match.index + match[0].length
  }
  if (text.slice(end).trim() !== '') {
    throw invalidFilter(`it is not well-formed at ${text.slice(end).trim().slice(0, 40)}`)
  }
  return tokens
}
