import { type Input, valueAt } from '../../flow/index.ts'

/** More than any statement of an authenticator with its certificates. */
const longest = 32_768

/**
 * Bytes as a client sends them, base64 or base64url, padded or not, as base64url without padding: the name of the
 * encoding differs from client to client. Undefined for anything else.
 */
export function bytesAt(input: Input, path: string): string | undefined {
  const value = valueAt(input, path)
  if (typeof value !== 'string' || value.length > longest) return undefined
  const digits = value
    .replace(/={1,2}$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
  // A single digit more than whole groups of four is no byte.
  return /^[\w-]+$/.test(digits) && digits.length % 4 !== 1 ? digits : undefined
}

/** A list of short words: as a list, or as the text of one. */
export function wordsAt(input: Input, path: string): readonly string[] {
  const value = listIn(valueAt(input, path))
  const words = value.filter((one) => typeof one === 'string' && /^[a-z][a-z-]{0,31}$/.test(one)) as string[]
  return [...new Set(words)].slice(0, 8)
}

function listIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string' || value.length > 500) return []
  try {
    const parsed: unknown = JSON.parse(value)
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return value.split(',').map((one) => one.trim())
  }
}
