import {
  createHash,
  createPublicKey,
  pbkdf2 as derivePbkdf2,
  scrypt as deriveScrypt,
  type JsonWebKey,
  type ScryptOptions,
  timingSafeEqual,
} from 'node:crypto'
import { promisify } from 'node:util'

const scryptOf = promisify<string, Buffer, number, ScryptOptions, Buffer>(deriveScrypt)
const pbkdf2Of = promisify(derivePbkdf2)

/** PBKDF2 (RFC 8018, section 5.2). Off the main thread. */
export const pbkdf2 = (
  password: string,
  salt: Buffer,
  options: {
    readonly iterations: number
    readonly bytes: number
    readonly digest: 'sha1' | 'sha256' | 'sha512'
  },
): Promise<Buffer> => pbkdf2Of(password, salt, options.iterations, options.bytes, options.digest)

/** scrypt (RFC 7914): N is 2 to the power of `logN`. Off the main thread. */
export const scrypt = (
  password: string,
  salt: Buffer,
  options: { readonly logN: number; readonly r: number; readonly p: number; readonly bytes: number },
): Promise<Buffer> => {
  const N = 2 ** options.logN
  const { r, p, bytes } = options
  return scryptOf(password, salt, bytes, { N, r, p, maxmem: 128 * r * (N + p) + 1024 * 1024 })
}

/** One digest over all parts: for imported password hashes only, never for a hash that the engine makes. */
export function digest(
  algorithm: 'md5' | 'sha1' | 'sha256' | 'sha512',
  ...parts: (string | Buffer)[]
): Buffer {
  const hash = createHash(algorithm)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Compares bytes in a time that does not depend on where they differ. */
export const equalBytes = (left: Buffer, right: Buffer): boolean =>
  left.length === right.length && timingSafeEqual(left, right)

/**
 * Whether a public key can be used and is written in the one way that every library writes it: base64url without stray bits,
 * numbers without leading zeros (RFC 7518, section 6), a point that is on its curve.
 */
export function isCanonicalKey(jwk: Readonly<Record<string, string>>): boolean {
  try {
    const written = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }).export({ format: 'jwk' })
    return Object.entries(jwk).every(([name, value]) => written[name] === value)
  } catch {
    return false
  }
}
