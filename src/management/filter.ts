import { type EventFilter, type FilterAttribute, filterAttributes } from '../audit/index.ts'
import { ProtocolError } from '../base/index.ts'

/** Longer and deeper filters are nobody's question. */
const longest = 2000
const mostComparisons = 50
const deepest = 10

const invalid = (why: string): ProtocolError => new ProtocolError(400, 'E0000053', `Invalid filter: ${why}.`)

/**
 * Reads a filter of the System Log API: comparisons with `eq`, joined by `and` and `or`, in parentheses where wanted
 * (RFC 7644, section 3.4.2.2: `and` binds closer). Throws 400 `E0000053`.
 */
export function parseEventFilter(text: string): EventFilter {
  if (text.length > longest) throw invalid('it is too long')
  const tokens = tokensOf(text)
  let at = 0
  let comparisons = 0

  const next = (): string => tokens[at++] ?? ''
  const isNext = (word: string): boolean => tokens[at]?.toLowerCase() === word

  function either(depth: number): EventFilter {
    const parts = [both(depth)]
    while (isNext('or')) {
      at++
      parts.push(both(depth))
    }
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : { some: parts }
  }

  function both(depth: number): EventFilter {
    const parts = [single(depth)]
    while (isNext('and')) {
      at++
      parts.push(single(depth))
    }
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : { every: parts }
  }

  function single(depth: number): EventFilter {
    if (!isNext('(')) return comparison()
    if (depth >= deepest) throw invalid('it is too deep')
    at++
    const inner = either(depth + 1)
    if (next() !== ')') throw invalid('a parenthesis is not closed')
    return inner
  }

  function comparison(): EventFilter {
    if (++comparisons > mostComparisons) throw invalid('it has too many comparisons')
    const attribute = attributeOf(next())
    if (next().toLowerCase() !== 'eq') throw invalid('only the operator eq is supported')
    const value = next()
    if (!value.startsWith('"')) throw invalid('a value must stand in quotation marks')
    return { attribute, is: JSON.parse(value) as string }
  }

  const filter = either(0)
  if (at < tokens.length) throw invalid('it goes on after its end')
  return filter
}

function attributeOf(word: string): FilterAttribute {
  const known = filterAttributes.find((attribute) => attribute.toLowerCase() === word.toLowerCase())
  if (known === undefined) throw invalid(`it may compare ${filterAttributes.join(', ')}`)
  return known
}

/** Words, parentheses and quoted values; nothing else may stand between them. */
function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  const pattern = /\s*([()]|"(?:[^"\\\p{Cc}]|\\["\\/bfnrt])*"|[A-Za-z][\w.]*)/guy
  let end = 0
  for (const match of text.matchAll(pattern)) {
    tokens.push(match[1] ?? '')
    end = match.index + match[0].length
  }
  if (text.slice(end).trim() !== '') throw invalid('it is not well-formed')
  return tokens
}
