import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import { digest, equalBytes, pbkdf2, scrypt } from '../base/index.ts'

/**
 * Hashes of passwords made by other systems, each stored as one text. They are compared, never made: at the first
 * right sign-in argon2id takes their place. Who imports a hash decides what each sign-in costs until then, so what costs
 * more than a second or 256 MiB is refused when it comes, with the reason.
 */

/** How a foreign hash is described: the members of `credentials.password.hash` of Okta's users API. */
export type HashFields = Readonly<Record<string, unknown>>

/** The text to keep, or what is wrong, each beginning with the member that is. */
export type Encoded = { readonly encoded: string } | { readonly problems: readonly string[] }

const wrong = (...problems: string[]): Encoded => ({ problems })

// Unpadded base64, as the PHC string format has it.
const b64 = '[A-Za-z0-9+/]'
const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64')
const textOf = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

interface Family {
  /** The texts of this family; the groups are its parameters. */
  readonly pattern: RegExp
  /** What is wrong with the parameters, if anything. */
  readonly problem?: (parameters: readonly string[]) => string | undefined
  readonly matches: (password: string, parameters: readonly string[], encoded: string) => Promise<boolean>
  /** About how many milliseconds of a core one comparison takes. */
  readonly costMs: (parameters: readonly string[]) => number
}

const bcrypt: Family = {
  pattern: /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/,
  problem: ([cost]) => (Number(cost) < 4 || Number(cost) > 14 ? 'workFactor: must be 4 to 14' : undefined),
  matches: (password, _, encoded) => verifyBcrypt(password, encoded),
  costMs: ([cost]) => 2 ** (Number(cost) - 4),
}

const scrypted: Family = {
  pattern: new RegExp(
    `^\\$scrypt\\$ln=(\\d{1,2}),r=(\\d{1,3}),p=(\\d{1,2})\\$(${b64}{2,128})\\$(${b64}{22,128})$`,
  ),
  problem([logN, r, p]) {
    const memory = 128 * Number(r) * 2 ** Number(logN)
    const fits = Number(logN) > 0 && Number(r) > 0 && Number(p) > 0 && memory <= 256 * 1024 * 1024
    return fits && memory * Number(p) <= 512 * 1024 * 1024
      ? undefined
      : 'value: its ln, r and p must cost less'
  },
  async matches(password, [logN, r, p, salt = '', hash = '']) {
    const expected = bytesOf(hash)
    const options = { logN: Number(logN), r: Number(r), p: Number(p), bytes: expected.length }
    return equalBytes(await scrypt(password, bytesOf(salt), options), expected)
  },
  // About half a second for 128 MiB.
  costMs: ([logN, r, p]) => (Number(r) * Number(p) * 2 ** Number(logN)) / 2048,
}

const pbkdf2Digests = { sha1: 'sha1', sha256: 'sha256', sha512: 'sha512' } as const
const pbkdf2ed: Family = {
  pattern: new RegExp(
    `^\\$pbkdf2-(sha1|sha256|sha512)\\$i=(\\d{1,8})(?:,l=\\d{1,3})?\\$(${b64}{2,256})\\$(${b64}{22,128})$`,
  ),
  problem: ([, iterations]) =>
    Number(iterations) < 1 || Number(iterations) > 2_000_000
      ? 'iterationCount: must be 1 to 2000000'
      : undefined,
  async matches(password, [name, iterations, salt = '', hash = '']) {
    const expected = bytesOf(hash)
    const options = {
      iterations: Number(iterations),
      bytes: expected.length,
      digest: pbkdf2Digests[name as keyof typeof pbkdf2Digests],
    }
    return equalBytes(await pbkdf2(password, bytesOf(salt), options), expected)
  },
  costMs: ([, iterations]) => Number(iterations) / 2000,
}

const lengths = { md5: 16, sha1: 20, sha256: 32, sha512: 64 } as const
type Plain = keyof typeof lengths
/** One round of a digest over salt and password: what it protects from is little, and ends with the first sign-in. */
const digested: Family = {
  pattern: new RegExp(
    `^\\$digest-(md5|sha1|sha256|sha512)\\$o=(prefix|postfix)\\$(${b64}{0,256})\\$(${b64}{22,86})$`,
  ),
  async matches(password, [name, order, salt = '', hash = '']) {
    const parts = order === 'prefix' ? [bytesOf(salt), password] : [password, bytesOf(salt)]
    return equalBytes(digest(name as Plain, ...parts), bytesOf(hash))
  },
  costMs: () => 1,
}

const families = [bcrypt, scrypted, pbkdf2ed, digested] as const

/** The family of a hash and its parameters; undefined for argon2, and for what is no hash. */
function familyOf(encoded: string) {
  for (const family of families) {
    const found = family.pattern.exec(encoded)
    if (found !== null) return { family, parameters: found.slice(1) }
  }
  return undefined
}

export const isForeign = (encoded: string): boolean => familyOf(encoded) !== undefined

/** About how many milliseconds of a core it takes to compare a password with a hash: its weight in the queue (A51). */
export function costOf(encoded: string): number {
  const found = familyOf(encoded)
  if (found !== undefined) return Math.max(1, found.family.costMs(found.parameters))
  const [, memory = '19456', passes = '2'] = argon2.exec(encoded) ?? []
  return Math.max(1, (Number(memory) * Number(passes)) / 2000)
}

/** Whether the password is the one that another system has hashed. */
export async function verifyForeign(password: string, encoded: string): Promise<boolean> {
  // To bcrypt a password ends at its first NUL, and to HMAC, in PBKDF2 and scrypt, NULs at its end are padding.
  if (password.includes('\0')) return false
  const found = familyOf(encoded)
  return (await found?.family.matches(password, found.parameters, encoded)) ?? false
}

/**
 * Whether argon2id may take a hash's place after this password was right. Of a password of more than 72 bytes bcrypt
 * compares the first 72: what was typed beyond them was never compared, and must not become part of the password.
 */
export const mayReplace = (password: string, encoded: string): boolean =>
  !bcrypt.pattern.test(encoded) || Buffer.byteLength(password) <= 72

const argon2 =
  /^\$argon2(?:id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/

/** A hash that is one text already: PHC string format, or bcrypt's own. */
function encodedAlready(value: string, named: RegExp): Encoded {
  if (!named.test(value)) return wrong('value: is not a hash of the algorithm')
  const [, memory, passes, lanes] = argon2.exec(value) ?? []
  if (memory !== undefined) {
    const work = Number(memory) * Number(passes)
    const fits = Number(memory) <= 262_144 && work > 0 && work <= 1_048_576 && Number(lanes) <= 16
    return fits ? { encoded: value } : wrong('value: its m, t and p must cost less')
  }
  const found = familyOf(value)
  if (found === undefined) return wrong('value: is not a hash of the algorithm')
  const problem = found.family.problem?.(found.parameters)
  return problem === undefined ? { encoded: value } : wrong(problem)
}

/** A member that must be there as a text, of so many characters at most. */
function text(fields: HashFields, name: string, problems: string[], pattern: RegExp, most = 400): string {
  const value = fields[name]
  if (typeof value === 'string' && value.length <= most && pattern.test(value)) return value
  problems.push(`${name}: ${value === undefined ? 'is missing' : 'is not as the algorithm asks for'}`)
  return ''
}

function whole(fields: HashFields, name: string, problems: string[]): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  problems.push(`${name}: must be a whole number`)
  return 0
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

function fromBcrypt(fields: HashFields): Encoded {
  if (String(fields.value).startsWith('$')) return encodedAlready(String(fields.value), bcrypt.pattern)
  const problems: string[] = []
  const cost = whole(fields, 'workFactor', problems)
  const salt = text(fields, 'salt', problems, /^[./A-Za-z0-9]{22}$/)
  const value = text(fields, 'value', problems, /^[./A-Za-z0-9]{31}$/)
  if (problems.length > 0) return wrong(...problems)
  if (cost < 4 || cost > 14) return wrong('workFactor: must be 4 to 14')
  return { encoded: `$2b$${String(cost).padStart(2, '0')}$${salt}${value}` }
}

function fromPbkdf2(fields: HashFields): Encoded {
  if (String(fields.value).startsWith('$')) return encodedAlready(String(fields.value), pbkdf2ed.pattern)
  const problems: string[] = []
  const [, name] = /^SHA(256|512)_HMAC$/.exec(String(fields.digestAlgorithm)) ?? []
  if (name === undefined) problems.push('digestAlgorithm: must be SHA256_HMAC or SHA512_HMAC')
  const iterations = whole(fields, 'iterationCount', problems)
  const size = whole(fields, 'keySize', problems)
  const salt = bytesOf(text(fields, 'salt', problems, base64))
  const value = bytesOf(text(fields, 'value', problems, base64))
  if (problems.length > 0) return wrong(...problems)
  if (value.length !== size) return wrong('keySize: must be the number of bytes of value')
  return encodedAlready(
    `$pbkdf2-sha${name}$i=${iterations},l=${size}$${textOf(salt)}$${textOf(value)}`,
    pbkdf2ed.pattern,
  )
}

const fromDigest =
  (name: Plain) =>
  (fields: HashFields): Encoded => {
    const problems: string[] = []
    const order = String(fields.saltOrder ?? 'PREFIX').toLowerCase()
    if (order !== 'prefix' && order !== 'postfix') problems.push('saltOrder: must be PREFIX or POSTFIX')
    const salt = fields.salt === undefined ? '' : textOf(bytesOf(text(fields, 'salt', problems, base64, 250)))
    const value = bytesOf(text(fields, 'value', problems, base64))
    if (problems.length > 0) return wrong(...problems)
    if (value.length !== lengths[name]) return wrong(`value: must be ${lengths[name]} bytes in base64`)
    return { encoded: `$digest-${name}$o=${order}$${salt}$${textOf(value)}` }
  }

const phcOnly =
  (pattern: RegExp) =>
  ({ value }: HashFields): Encoded =>
    typeof value === 'string' ? encodedAlready(value, pattern) : wrong('value: is missing')

const readers: Readonly<Record<string, (fields: HashFields) => Encoded>> = {
  BCRYPT: fromBcrypt,
  PBKDF2: fromPbkdf2,
  'SHA-512': fromDigest('sha512'),
  'SHA-256': fromDigest('sha256'),
  'SHA-1': fromDigest('sha1'),
  MD5: fromDigest('md5'),
  ARGON2ID: phcOnly(/^\$argon2id\$/),
  ARGON2I: phcOnly(/^\$argon2i\$/),
  ARGON2D: phcOnly(/^\$argon2d\$/),
  SCRYPT: phcOnly(scrypted.pattern),
}

/** What can be imported, as `algorithm` names it. */
export const importableHashes: readonly string[] = Object.keys(readers)

/** The text to keep for a hash as Okta's users API describes one; ours besides: ARGON2…, SCRYPT, as PHC strings. */
export function encodeHash(fields: HashFields): Encoded {
  const name = typeof fields.algorithm === 'string' ? fields.algorithm.toUpperCase() : ''
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined
  return read?.(fields) ?? wrong(`algorithm: must be one of ${importableHashes.join(', ')}`)
}
