import { isCanonicalKey, isObject } from '../../base/index.ts'
import type { PublicKey } from '../../clients/index.ts'
import type { Fields } from '../input.ts'
import { without } from '../resources/change.ts'

const curves: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }

/** At most so many keys an app: enough for rotations. */
const maxKeys = 10

/** Reads the public keys of a service app. Keys with private members are refused: those must never leave the app. */
export function readKeys(problems: string[], jwks: unknown): { readonly keys: readonly PublicKey[] } {
  const wrong = (why: string) => {
    problems.push(`jwks: ${why}`)
    return { keys: [] }
  }
  const keys = isObject(jwks) ? jwks.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0) return wrong('a service app needs at least one public key')
  if (keys.length > maxKeys) return wrong(`must have at most ${maxKeys} keys`)
  const read = keys.map((key: unknown) => (isObject(key) ? readKey(key) : 'must be a list of JWKs'))
  const problem = read.find((key) => typeof key === 'string')
  if (problem !== undefined) return wrong(problem)
  const made = read.filter((key) => typeof key !== 'string')
  if (new Set(made.map(({ kid }) => kid)).size < made.length)
    return wrong('each key must have a kid of its own')
  return { keys: made }
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** Why a key must not be stored, if so: it is none, or it is private. */
export const keyProblem = (key: unknown): string | undefined => {
  if (!isObject(key)) return 'must be a list of JWKs'
  return privateMembers.some((name) => name in key) ? 'must not contain private keys' : undefined
}

/** Members of a key that the engine checks. Others, such as its id and times, are stored and returned as well. */
const checkedMembers = ['kty', 'kid', 'alg', 'use', 'n', 'e', 'crv', 'x', 'y']

/** A key, or what is wrong with it. */
function readKey(key: Fields): PublicKey | string {
  const problem = keyProblem(key)
  if (problem !== undefined) return problem
  if (key.status !== undefined && key.status !== null && key.status !== 'ACTIVE')
    return 'a key must have the status ACTIVE; omit a key that must not be used'
  const text = (name: string) => (typeof key[name] === 'string' ? key[name] : '')
  const { kid, alg, use = 'sig' } = key
  if (use !== 'sig') return 'a key must have the use sig'
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > 255))
    return 'a kid must be a string'
  if (alg !== undefined && !/^[RE]S(256|384|512)$/.test(text('alg')))
    return 'an alg must be one of RS256 to RS512 and ES256 to ES512'
  const named = {
    ...(kid !== undefined && { kid: text('kid') }),
    ...(alg !== undefined && { alg: text('alg') }),
    use: 'sig' as const,
    ...without(key, checkedMembers),
  }
  if (key.kty === 'RSA') {
    const bytes = bytesOf(text('n'))
    if (bytes < 256 || bytes > 1024 || bytesOf(text('e')) === 0)
      return 'an RSA key must have 2048 to 8192 bits'
    const numbers = { kty: 'RSA' as const, n: text('n'), e: text('e') }
    // Another way of writing a key would be another key to who remembers who set it (A58).
    if (!isCanonicalKey(numbers)) return 'n and e of a key must be base64url without leading zeros'
    return { ...named, ...numbers }
  }
  const size = curves[text('crv')]
  if (key.kty !== 'EC' || size === undefined) return 'a key must be RSA, or EC on P-256, P-384 or P-521'
  const point = { kty: 'EC' as const, crv: text('crv'), x: text('x'), y: text('y') }
  if (bytesOf(point.x) !== size || bytesOf(point.y) !== size || !isCanonicalKey(point))
    return 'the point of a key is not on its curve'
  return { ...named, ...point }
}

/** The decoded length of a base64url string in bytes; 0 if it is not one. */
const bytesOf = (text: string): number =>
  /^[\w-]{1,1400}$/.test(text) ? Buffer.from(text, 'base64url').length : 0
