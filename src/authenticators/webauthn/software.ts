import { generateKeyPairSync } from 'node:crypto'
import { plainHash, type Random } from '../../base/index.ts'
import type { NewEnrollment } from '../../directory/index.ts'
import type { PasskeyData } from './ceremony.ts'

/** A passkey with its key, in the members that `WebAuthn.addCredential` of Chrome's virtual authenticator takes; base64. */
export interface SoftwareCredential {
  readonly credentialId: string
  readonly isResidentCredential: true
  readonly rpId: string
  /** PKCS #8, of an ES256 key. */
  readonly privateKey: string
  readonly userHandle: string
  readonly signCount: number
}

/** Makes a passkey without a browser, for tests: its private key leaves it, which no real one's does. */
export function softwarePasskey(
  {
    personId,
    handle,
    rpId,
    name,
  }: Readonly<Record<'personId' | 'handle' | 'rpId', string>> & { readonly name?: string },
  random: Random,
): { readonly enrollment: NewEnrollment; readonly credential: SoftwareCredential } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const id = Buffer.from(random.bytes(32))
  const data: PasskeyData = {
    credentialId: id.toString('base64url'),
    publicKey: coseKey(x, y).toString('base64url'),
    rpId,
    transports: ['internal'],
    aaguid: '00000000-0000-0000-0000-000000000000',
    isSyncable: false,
    isHardware: false,
  }
  return {
    enrollment: {
      ...{ personId, authenticator: 'webauthn', prefix: 'fwf', method: 'webauthn', data, counter: 0, handle },
      ...{ several: true, slot: plainHash(data.credentialId) },
      ...(name !== undefined && { name }),
    },
    credential: {
      credentialId: id.toString('base64'),
      isResidentCredential: true,
      rpId,
      privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
      userHandle: Buffer.from(handle, 'base64url').toString('base64'),
      signCount: 0,
    },
  }
}

/** An ES256 key in COSE (RFC 9053, section 7.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
const coseKey = (x: string, y: string): Buffer =>
  Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ])
