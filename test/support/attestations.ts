import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { SettingsService } from '@simplewebauthn/server'
import type { Made, Statement } from './software-passkey.ts'

// What makers say of their authenticators, with certificates of these tests: a maker's root is trusted where a test says so,
// in the settings of the library that checks them.

const der = (tag: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const set = (...parts: readonly Buffer[]) => der(0x31, ...parts)
const octets = (...parts: readonly Buffer[]) => der(0x04, ...parts)

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const base128 = (value: number): readonly number[] =>
    value < 128 ? [value] : [...base128(Math.floor(value / 128)).map((part) => part | 128), value % 128]
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

const named = (type: string, value: string) => set(sequence(oid(type), der(0x0c, value)))
const commonName = (value: string) => sequence(named('2.5.4.3', value))
const extension = (type: string, value: Buffer) => sequence(oid(type), octets(value))
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
const bits = (value: Buffer) => der(0x03, Buffer.from([0]), value)
const sha256 = (...parts: readonly Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

/** A certificate that is good until 2049. */
function certificate(of: {
  readonly subject: Buffer
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
  readonly issuer: Buffer
  readonly by: KeyObject
}): Buffer {
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    of.issuer,
    sequence(der(0x17, '200101000000Z'), der(0x17, '491231235959Z')),
    of.subject,
    of.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...of.extensions)),
  )
  return sequence(tbs, ecdsaWithSha256, bits(sign('sha256', tbs, of.by)))
}

const pem = (bytes: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`

/** A maker of authenticators, with a root of its own. */
export function newMaker() {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = commonName('A maker of these tests')
  const basicConstraints = extension('2.5.29.19', sequence(der(0x01, Buffer.from([255]))))
  const own = certificate({
    subject: issuer,
    publicKey: root.publicKey,
    extensions: [basicConstraints],
    issuer,
    by: root.privateKey,
  })
  const signed = (of: Pick<Parameters<typeof certificate>[0], 'subject' | 'publicKey' | 'extensions'>) =>
    certificate({ ...of, issuer, by: root.privateKey })

  return {
    /** Has the library trust this maker, for a format, until the returned function is called. */
    isTrustedFor(identifier: 'apple'): () => void {
      const before = SettingsService.getRootCertificates({ identifier })
      SettingsService.setRootCertificates({ identifier, certificates: [...before, pem(own)] })
      return () => SettingsService.setRootCertificates({ identifier, certificates: before })
    },

    /** A secure enclave: the certificate is of the passkey's own key, and holds what was signed (WebAuthn, section 8.8). */
    apple({ publicKey, authData, clientDataHash }: Made): Statement {
      const nonce = sequence(der(0xa1, octets(sha256(authData, clientDataHash))))
      const leaf = signed({
        subject: commonName('A passkey'),
        publicKey,
        extensions: [extension('1.2.840.113635.100.8.2', nonce)],
      })
      return { fmt: 'apple', attStmt: new Map([['x5c', [leaf]]]) }
    },

    /** A trusted platform module, with a key of its own that certifies the passkey's (WebAuthn, section 8.3). */
    tpm({ publicKey, authData, clientDataHash }: Made): Statement {
      const numbers = (...values: readonly number[]) =>
        Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 255])))
      const sized = (bytes: Buffer) => Buffer.concat([numbers(bytes.length), bytes])
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
      const point = [x, y].map((part) => sized(Buffer.from(part, 'base64url')))
      // ECC, SHA-256, the attributes, no policy; no symmetric algorithm, no scheme, P-256, no derivation.
      const area = Buffer.concat([numbers(0x23, 0x0b, 0x6, 0x472, 0, 0x10, 0x10, 0x03, 0x10), ...point])
      const info = Buffer.concat([
        Buffer.from('ff5443478017', 'hex'),
        sized(Buffer.alloc(0)),
        sized(sha256(authData, clientDataHash)),
        Buffer.alloc(25),
        sized(Buffer.concat([numbers(0x0b), sha256(area)])),
        sized(Buffer.alloc(0)),
      ])
      const aik = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const module = sequence(
        named('2.23.133.2.1', 'id:414D4400'),
        named('2.23.133.2.2', 'Model'),
        named('2.23.133.2.3', 'id:1'),
      )
      const leaf = signed({
        subject: sequence(),
        publicKey: aik.publicKey,
        extensions: [
          extension('2.5.29.17', sequence(der(0xa4, module))),
          extension('2.5.29.37', sequence(oid('2.23.133.8.3'))),
        ],
      })
      return {
        fmt: 'tpm',
        attStmt: new Map<string, string | number | Buffer | readonly Buffer[]>([
          ['ver', '2.0'],
          ['alg', -7],
          ['x5c', [leaf]],
          ['sig', sign('sha256', info, aik.privateKey)],
          ['certInfo', info],
          ['pubArea', area],
        ]),
      }
    },
  }
}
