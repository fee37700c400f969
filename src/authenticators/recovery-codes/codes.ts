import { plainHash, type Secrets, secretMissing, secretVersionOf } from '../../base/index.ts'

/** What is stored of a user's codes. */
export interface CodesData {
  /** The hashes of those that were not used yet, sealed: a dump of the database says nothing of them. */
  readonly sealedHashes: string
  /** How many those are. */
  readonly left: number
  /** Whether one was used to sign in or to recover since: the set is to be replaced. Absent: none was. */
  readonly isUsed?: boolean
}

const purpose = 'recovery codes'
const count = 10
/** 32 letters and digits that are not confused with each other (Crockford's base 32). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** With five bits each it is 80 in a code; 64 are asked for (NIST SP 800-63B-4). */
const letters = 16

/**
 * A set of codes as they are shown: sixteen letters and digits each, in groups of four. They are made of values that only
 * the engine can make, one a code, so that they are stored nowhere while a page shows them.
 */
export const codesOf = (derived: (purpose: string) => string): readonly string[] =>
  Array.from({ length: count }, (_, index) => grouped(derived(`recovery code ${index}`)))

/** A keyed hash (`version.hash`) as a code: five bits of each of its first bytes, which are all equally likely. */
function grouped(hash: string): string {
  const bytes = Buffer.from(hash.slice(hash.indexOf('.') + 1), 'base64url')
  const code = [...bytes.subarray(0, letters)].map((byte) => alphabet[byte % 32]).join('')
  return (code.match(/.{4}/g) ?? []).join('-')
}

/** A code as it is hashed, however it was typed; undefined where the text is none. */
export function codeIn(typed: string): string | undefined {
  const code = typed
    .normalize('NFKC')
    .replace(/[\s\p{Pd}]/gu, '')
    .toUpperCase()
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
  return code === '' ? undefined : code.slice(0, 2 * letters)
}

/**
 * Hashed without a key, as they cannot be guessed, and sealed together: a keyed hash could not be moved to another
 * secret of the engine, and these are good for years.
 */
const hashOf = (code: string): string => plainHash(`recovery code ${code}`)

const sealed = (hashes: readonly string[], secrets: Secrets): CodesData => ({
  sealedHashes: secrets.seal(purpose, JSON.stringify(hashes)),
  left: hashes.length,
})

/** A set of codes as it is stored. */
export const codesData = (codes: readonly string[], secrets: Secrets): CodesData =>
  sealed(codes.flatMap((code) => codeIn(code) ?? []).map(hashOf), secrets)

/** What is left of a set once a code was used; undefined where it is none of them. Throws `secretMissing`. */
export function withoutCode(data: CodesData, typed: string, secrets: Secrets): CodesData | undefined {
  const code = codeIn(typed)
  const used = code === undefined ? undefined : hashOf(code)
  const hashes = hashesIn(data, secrets)
  return used !== undefined && hashes.includes(used)
    ? sealed(
        hashes.filter((hash) => hash !== used),
        secrets,
      )
    : undefined
}

/** The same set sealed with the current secret; undefined where it is already. */
export const resealedCodes = (data: CodesData, secrets: Secrets): CodesData | undefined =>
  secrets.isOutdated(data.sealedHashes) ? { ...data, ...sealed(hashesIn(data, secrets), secrets) } : undefined

const hashesIn = ({ sealedHashes }: CodesData, secrets: Secrets): readonly string[] =>
  JSON.parse(opened(sealedHashes, secrets)) as readonly string[]

function opened(text: string, secrets: Secrets): string {
  const found = secrets.open(purpose, text)
  if (!secrets.knows(text)) throw secretMissing(secretVersionOf(text), 'recovery codes')
  if (found === undefined) throw new Error('recovery codes cannot be opened')
  return found
}
