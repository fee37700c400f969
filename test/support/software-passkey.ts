import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'

type Algorithm = 'ES256' | 'RS256' | 'EdDSA'

/** How a passkey behaves; everything has the value of an honest one. */
export interface PasskeyOptions {
  readonly rpId?: string
  readonly origin?: string
  readonly algorithm?: Algorithm
  /** Whether its user is verified, by a PIN or a finger. */
  readonly verifiesUser?: boolean
  readonly isPresent?: boolean
  /** Whether it may be copied to other devices. */
  readonly isSyncable?: boolean
  /** Its counter; 0: it counts nothing. */
  readonly counter?: number
  readonly credentialId?: Buffer
  /** Of a credential that was made elsewhere. */
  readonly privateKey?: KeyObject
  readonly crossOrigin?: boolean
  /** What its maker says of it; absent: nothing (`none`). */
  readonly attests?: (made: Made) => Statement
}

/** What an attestation is about. */
export interface Made {
  readonly publicKey: KeyObject
  readonly authData: Buffer
  readonly clientDataHash: Buffer
}

export interface Statement {
  readonly fmt: string
  readonly attStmt: ReadonlyMap<string, Cbor>
}

/** The standard base64 that clients send, whatever their helpers are called. */
export const standard = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** A passkey in software: it makes and signs what a browser would send (WebAuthn, sections 6.1, 6.5). */
export class SoftwarePasskey {
  readonly credentialId: Buffer
  readonly options: PasskeyOptions
  counter: number
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject

  constructor(options: PasskeyOptions = {}) {
    const { algorithm = 'ES256', credentialId = randomBytes(32), counter = 1 } = options
    this.options = options
    this.credentialId = credentialId
    this.counter = counter
    const { privateKey, publicKey } = options.privateKey
      ? { privateKey: options.privateKey, publicKey: createPublicKey(options.privateKey) }
      : pairOf(algorithm)
    this.#privateKey = privateKey
    this.#publicKey = publicKey
  }

  /** The answer to `activationData`. */
  create(challenge: string, more: PasskeyOptions = {}) {
    const options = { ...this.options, ...more }
    const attested = Buffer.concat([
      Buffer.alloc(16),
      uint16(this.credentialId.length),
      this.credentialId,
      this.#coseKey(),
    ])
    const authData = Buffer.concat([authenticatorData(options, this.counter, 0x40), attested])
    const client = clientData('webauthn.create', challenge, options)
    const clientDataHash = createHash('sha256').update(client).digest()
    const made = { publicKey: this.#publicKey, authData, clientDataHash }
    const { fmt, attStmt } = options.attests?.(made) ?? { fmt: 'none', attStmt: new Map<string, Cbor>() }
    const attestation = cbor(
      new Map<string, Cbor>([
        ['fmt', fmt],
        ['attStmt', attStmt],
        ['authData', authData],
      ]),
    )
    return { attestation: standard(attestation), clientData: standard(client) }
  }

  /** The answer to `challengeData`. The counter rises, unless it is given. */
  get(challenge: string, more: PasskeyOptions = {}) {
    const options = { ...this.options, ...more }
    if (more.counter === undefined && this.counter > 0) this.counter++
    const data = authenticatorData(options, more.counter ?? this.counter, 0)
    const client = clientData('webauthn.get', challenge, options)
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
    const { algorithm = 'ES256' } = this.options
    const signature = sign(algorithm === 'EdDSA' ? null : 'sha256', signed, this.#privateKey)
    return {
      authenticatorData: standard(data),
      clientData: standard(client),
      signatureData: standard(signature),
    }
  }

  #coseKey(): Buffer {
    const jwk = this.#publicKey.export({ format: 'jwk' })
    const bytes = (text = '') => Buffer.from(text, 'base64url')
    const { algorithm = 'ES256' } = this.options
    const parts: Readonly<Record<Algorithm, readonly (readonly [number, Cbor])[]>> = {
      ES256: [
        ...([
          [1, 2],
          [3, -7],
          [-1, 1],
        ] as const),
        ...([
          [-2, bytes(jwk.x)],
          [-3, bytes(jwk.y)],
        ] as const),
      ],
      RS256: [
        ...([
          [1, 3],
          [3, -257],
        ] as const),
        ...([
          [-1, bytes(jwk.n)],
          [-2, bytes(jwk.e)],
        ] as const),
      ],
      EdDSA: [
        ...([
          [1, 1],
          [3, -8],
          [-1, 6],
        ] as const),
        [-2, bytes(jwk.x)],
      ],
    }
    return cbor(new Map<number, Cbor>(parts[algorithm]))
  }
}

function pairOf(algorithm: Algorithm) {
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return algorithm === 'EdDSA'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function authenticatorData(
  { rpId = 'localhost', verifiesUser = true, isPresent = true, isSyncable = false }: PasskeyOptions,
  counter: number,
  attested: number,
): Buffer {
  const flags = (isPresent ? 0x01 : 0) | (verifiesUser ? 0x04 : 0) | (isSyncable ? 0x08 : 0) | attested
  const count = Buffer.alloc(4)
  count.writeUInt32BE(counter)
  return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), count])
}

const clientData = (
  type: string,
  challenge: string,
  { origin, crossOrigin = false }: PasskeyOptions,
): Buffer =>
  // Browsers add members at random, so that servers parse it.
  Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin, other_keys_can_be_added_here: true }))

export type Cbor = string | number | Buffer | readonly Cbor[] | ReadonlyMap<string | number, Cbor>

/** As much of CBOR (RFC 8949) as an attestation has. */
function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (isList(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)])
  const entries = [...value].flatMap(([name, inner]) => [cbor(name), cbor(inner)])
  return Buffer.concat([head(5, value.size), ...entries])
}

const isList = (value: Cbor): value is readonly Cbor[] => Array.isArray(value)

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length])
  if (length < 256) return Buffer.from([(major << 5) | 24, length])
  return Buffer.concat([Buffer.from([(major << 5) | 25]), uint16(length)])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
