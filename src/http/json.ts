import { apiError } from '../base/index.ts'

/** Maximum nesting: deeper than any form of the protocols. */
const maxDepth = 10

const malformed = (detail: string) => apiError('E0000003', { detail })

/**
 * Parses JSON that all parsers read alike: UTF-8 without a byte order mark, an object, no duplicate keys, no `__proto__`,
 * no NUL, at most ten levels. Otherwise two parsers could see different values (RFC 8259, section 4; A47). Throws 400.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('not an object')
  check(text)
  return value
}

function decode(bytes: Uint8Array): string {
  try {
    // With the byte order mark left in, JSON.parse refuses it: parsers disagree about its meaning.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('not UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('not JSON')
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
      if (open.length > maxDepth) throw malformed('too deep')
    } else if (token === '}' || token === ']') open.pop()
    else if (token === ',') atKey = open.at(-1) !== undefined
    else if (token === ':') atKey = false
    else checkString(JSON.parse(token) as string, atKey ? open.at(-1) : undefined)
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
