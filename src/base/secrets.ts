import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { ProtocolError, tryAgain } from './errors.ts'

/**
 * Keys derived from the master secrets, which are not in the database. Every secret in a row is a keyed hash or sealed,
 * so a dump of the database alone reveals no live code, handle or link. Several master secrets may be given: new values
 * use the current one, which is the first until `makeCurrent` is called; values of the others still verify. A value of a
 * secret that is not configured here is no wrong value: it cannot be checked, which is answered 503.
 */
export interface Secrets {
  /** The keyed hash to store: `version.hash`. */
  hash(purpose: string, value: string): string
  /** The hash under each configured version, the current one first: for look-ups by hash. */
  hashes(purpose: string, value: string): readonly string[]
  /**
   * Whether a value is the one that was hashed. Compares in constant time. Throws `secretMissing` where it was hashed with
   * a secret that is not configured.
   */
  matches(purpose: string, value: string, stored: string): boolean
  /** Encrypts and authenticates a text (AES-256-GCM); the purpose is bound to it. */
  seal(purpose: string, text: string): string
  /** The sealed text; undefined where it was sealed for another purpose or under an unknown key, or was changed. */
  open(purpose: string, sealed: string): string | undefined
  /** Which version seals and hashes now: six characters that identify a secret and reveal nothing of it. */
  readonly version: string
  /** All configured versions, the first of the configuration first. */
  readonly versions: readonly string[]
  /** Whether what was hashed or sealed can be checked or opened here: its secret is configured. */
  knows(stored: string): boolean
  /** Whether what was hashed or sealed is to be written anew: its secret is configured and was replaced by the current one. */
  isOutdated(stored: string): boolean
  /** Seals and hashes with one of the configured versions from now on; `replaced` are those before it in the database. */
  makeCurrent(version: string, replaced: readonly string[]): void
}

/** The version of the secret that something was hashed or sealed with; empty where the text is neither. */
export const secretVersionOf = (stored: string): string => /^([\w-]{6})\./.exec(stored)?.[1] ?? ''

/** What needs a secret that is not configured on this node: while it is being rotated another node may have it. */
export const secretMissing = (version: string, what: string): ProtocolError =>
  new ProtocolError(tryAgain.status, tryAgain.code, tryAgain.description, {
    headers: tryAgain.headers,
    detail: `${what} needs the secret ${version}, which is not among those of REKEY_SECRET on this node`,
  })

const sha256 = (value: string): Buffer => hash('sha256', value, 'buffer')

/** An unkeyed SHA-256 for values that are themselves unguessable (256 random bits). */
export const plainHash = (value: string): string => hash('sha256', value, 'base64url')

/** A public id that is derived from a text: a prefix and 17 letters, the same on every node and after every start. */
export const derivedId = (prefix: string, text: string): string =>
  prefix + plainHash(text).replace(/[-_]/g, '').slice(0, 17)

/** Base64url of SHA-256, as PKCE's S256 asks (RFC 7636, section 4.2). */
export const s256 = plainHash

/** Compares two texts in a time that does not depend on where they differ. */
export function constantTimeEqual(left: string, right: string): boolean {
  // Hashing first gives both sides one length, so that not even the length leaks.
  return timingSafeEqual(sha256(left), sha256(right))
}

function sealWithKey(key: KeyObject, text: string, bound: string): string {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(bound))
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  )
}

function openWithKey(key: KeyObject, sealed: string, bound: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < 28) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  decipher.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(-16))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
  } catch {
    return undefined // A wrong key or changed bytes: GCM does not distinguish them.
  }
}

// As key objects: from raw bytes node:crypto builds one for each use, which costs six times the hash itself.
const derive = (material: string, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', material, 'rekey', purpose, 32)))

/** Seals under a key derived from a token that is stored nowhere, such as the one in a magic link. */
export const sealUnder = (token: string, purpose: string, text: string): string =>
  sealWithKey(derive(token, purpose), text, purpose)

export const openUnder = (token: string, purpose: string, sealed: string): string | undefined =>
  openWithKey(derive(token, purpose), sealed, purpose)

interface Version {
  readonly name: string
  key(purpose: string): KeyObject
}

function versionOf(master: string): Version {
  const keys = new Map<string, KeyObject>()
  return {
    // Identifies the key and reveals nothing of it.
    name: derive(master, 'key version').export().toString('base64url').slice(0, 6),
    key(purpose) {
      const known = keys.get(purpose) ?? derive(master, purpose)
      keys.set(purpose, known)
      return known
    },
  }
}

/** @param masters the master secrets, newest first; at least one. */
export function createSecrets(masters: readonly string[]): Secrets {
  const versions = masters.map(versionOf)
  const [first] = versions
  if (first === undefined) throw new Error('at least one master secret is needed')
  let current = first
  let outdated: ReadonlySet<string> = new Set()
  const hashWith = (version: Version, purpose: string, value: string): string =>
    `${version.name}.${createHmac('sha256', version.key(`hash ${purpose}`))
      .update(value)
      .digest('base64url')}`
  const versionNamed = (name: string) => versions.find((version) => version.name === name)
  const knows = (stored: string): boolean => versionNamed(secretVersionOf(stored)) !== undefined

  return {
    get version() {
      return current.name
    },
    versions: versions.map(({ name }) => name),
    hash: (purpose, value) => hashWith(current, purpose, value),
    hashes: (purpose, value) =>
      [current, ...versions.filter((version) => version !== current)].map((version) =>
        hashWith(version, purpose, value),
      ),
    matches(purpose, value, stored) {
      const name = secretVersionOf(stored)
      if (name === '') return false
      const version = versionNamed(name)
      if (version === undefined) throw secretMissing(name, `a hash of the kind "${purpose}"`)
      return constantTimeEqual(hashWith(version, purpose, value), stored)
    },
    seal: (purpose, text) => `${current.name}.${sealWithKey(current.key(`seal ${purpose}`), text, purpose)}`,
    open(purpose, sealed) {
      const dot = sealed.indexOf('.')
      const version = versionNamed(sealed.slice(0, dot))
      return version && openWithKey(version.key(`seal ${purpose}`), sealed.slice(dot + 1), purpose)
    },
    knows,
    isOutdated: (stored) => knows(stored) && outdated.has(secretVersionOf(stored)),
    makeCurrent(name, replaced) {
      current = versionNamed(name) ?? current
      outdated = new Set(replaced.filter((version) => version !== current.name))
    },
  }
}
