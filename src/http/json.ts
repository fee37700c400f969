import { apiError } from '../base/index.ts'

/** Maximum nesting: deeper than any form of the protocols. */
const maxDepth = 10

/** The cause is for the caller; it has nothing of the body. */
const malformed = (detail: string, cause = `must not have ${detail}`) =>
  apiError('E0000003', { detail, causes: [`body: ${cause}`] })

/**
 * Parses JSON that all parsers read alike: UTF-8 without a byte order mark, an object, no duplicate keys, no `__proto__`,
 * no NUL, at most ten levels. Otherwise two parsers could see different values (RFC 8259, section 4; A47). Throws 400.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('not an object', 'must be a JSON object')
  check(text)
  return value
}

// With the byte order mark left in, JSON.parse refuses it: parsers disagree about its meaning.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    throw malformed('not UTF-8', 'must be UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw malformed('not JSON', notJson(text, error))
  }
}

/** Where the text stops to be JSON, counted from 1. The parser's own message would repeat the text, which may be secret. */
function notJson(text: string, error: unknown): string {
  if (text.trim() === '') return 'must be a JSON object'
  const fault = faultIn(text, error)
  if (fault === undefined) return 'no JSON'
  return fault >= text.length ? 'no JSON: it ends too early' : `no JSON at character ${fault + 1}`
}

/** So long a text is parsed again to find the place; a longer one would cost an attacker's request too much. */
const longestSearched = 4096

/** The index of the first character that is wrong; the length of the text where it ends too early. */
function faultIn(text: string, error: unknown): number | undefined {
  const named = namedFault(text, error)
  if (named !== undefined) return named
  if (text.length > longestSearched) return undefined
  // Of some faults the parser names no place: it is behind the longest beginning that only ends too early.
  let [good, bad] = [0, text.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (endsTooEarly(text.slice(0, middle))) good = middle
    else bad = middle
  }
  return good
}

/** The index that the parser's message names, where it does. */
function namedFault(text: string, error: unknown): number | undefined {
  const message = error instanceof Error ? error.message : ''
  const [, position] = /at position (\d+)/.exec(message) ?? []
  if (position !== undefined) return Number(position)
  return /end of JSON/.test(message) ? text.length : undefined
}

function endsTooEarly(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    return (namedFault(text, error) ?? -1) >= text.length
  }
}

/** Checks the tokens of valid JSON. `JSON.parse` would silently use the last of duplicate keys. */
function check(text: string): void {
  const open: (Set<string> | undefined)[] = []
  let atKey = false
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined)
      atKey = token === '{'
      if (open.length > maxDepth)
        throw malformed('too deep', `must not be nested deeper than ${maxDepth} levels`)
    } else if (token === '}' || token === ']') open.pop()
    else if (token === ',') atKey = open.at(-1) !== undefined
    else if (token === ':') atKey = false
    else {
      const string = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
      checkString(string, atKey ? open.at(-1) : undefined)
    }
  }
}

function checkString(text: string, keys: Set<string> | undefined): void {
  // PostgreSQL cannot store NUL, and no form needs it.
  if (text.includes('\0')) throw malformed('a NUL character')
  if (keys === undefined) return
  if (text === '__proto__') throw malformed('a key named __proto__')
  if (keys.has(text)) throw malformed('a key twice')
  keys.add(text)
}
