import type * as Library from '@simplewebauthn/server'
import type { Trait } from '../../policies/index.ts'

/** What is stored of a passkey. None of it is secret. */
export interface PasskeyData {
  /** Base64url. */
  readonly credentialId: string
  /** COSE, base64url. */
  readonly publicKey: string
  /** The domain that it is bound to: it works for no other one, ever. */
  readonly rpId: string
  readonly transports: readonly string[]
  readonly aaguid: string
  /** Whether it may be copied to other devices. */
  readonly isSyncable: boolean
  /** Whether an attestation says that hardware protects its key. */
  readonly isHardware: boolean
}

/** What a ceremony is checked by. */
export interface Expected {
  readonly challenge: string
  readonly rpId: string
  /** The origin that was found to be allowed. */
  readonly origin: string
  readonly requiresVerification: boolean
}

/** What a checked answer of a passkey says. */
export interface Verified {
  readonly isUserVerified: boolean
  readonly isSyncable: boolean
  readonly counter: number
}

let loaded: Promise<typeof Library> | undefined

/** The library, loaded with the first passkey: with its parsers of certificates it would cost every start 100 ms and more. */
const library = (): Promise<typeof Library> => {
  loaded ??= import('@simplewebauthn/server')
  return loaded
}

/** Which key algorithms may be enrolled: ES256, RS256, EdDSA. */
export const algorithms = [-7, -257, -8]

/**
 * The formats that say that hardware protects the key, where the library has roots of their makers to check a chain against: without a root it
 * takes every chain, and anyone can make one (A67). It has none for `tpm`, which many makers sign.
 */
const ofHardware = ['android-key', 'apple'] as const

/**
 * The origin that the browser reports; undefined where there is none, or the page was inside of a page of another origin,
 * where a user cannot see whom the passkey is for.
 */
export function originIn(clientData: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(clientData, 'base64url').toString('utf8'))
    if (typeof parsed !== 'object' || parsed === null) return undefined
    const { origin, crossOrigin } = parsed as { readonly origin?: unknown; readonly crossOrigin?: unknown }
    return typeof origin === 'string' && crossOrigin !== true ? origin : undefined
  } catch {
    return undefined
  }
}

export interface Assertion {
  readonly authenticatorData: string
  readonly clientData: string
  readonly signature: string
}

/**
 * Checks an assertion by one passkey; undefined where it is not right. The counter is compared by the library: an answer
 * must raise it where either it or the stored one is not 0, or the passkey was copied (WebAuthn, section 7.2, step 22).
 */
export async function verifyAssertion(
  { authenticatorData, clientData, signature }: Assertion,
  { data, counter }: { readonly data: PasskeyData; readonly counter: number },
  { challenge, rpId, origin, requiresVerification }: Expected,
): Promise<Verified | undefined> {
  const { verifyAuthenticationResponse } = await library()
  const { credentialId: id, publicKey } = data
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        response: { authenticatorData, clientDataJSON: clientData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      credential: { id, publicKey: new Uint8Array(Buffer.from(publicKey, 'base64url')), counter },
      requireUserVerification: requiresVerification,
    })
    const isSyncable = authenticationInfo.credentialDeviceType === 'multiDevice'
    // What a passkey is allowed never changes (section 7.2, step 18).
    if (!verified || isSyncable !== data.isSyncable) return undefined
    return {
      isUserVerified: authenticationInfo.userVerified,
      isSyncable,
      counter: authenticationInfo.newCounter,
    }
  } catch {
    // The library throws for whatever is wrong with an answer.
    return undefined
  }
}

/** Checks the making of a passkey; undefined where it is not right. */
export async function verifyAttestation(
  { attestation, clientData, transports }: Registration,
  { challenge, rpId, origin, requiresVerification }: Expected,
  { isAttested }: { readonly isAttested: boolean },
): Promise<(Verified & { readonly data: PasskeyData }) | undefined> {
  const { verifyRegistrationResponse } = await library()
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        // Clients leave it out; the signed data has the id.
        id: 'unknown',
        rawId: 'unknown',
        type: 'public-key',
        response: { attestationObject: attestation, clientDataJSON: clientData },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: requiresVerification,
      supportedAlgorithmIDs: algorithms,
    })
    if (!verified || registrationInfo === undefined) return undefined
    const { credential, userVerified, credentialDeviceType, aaguid, fmt } = registrationInfo
    const isSyncable = credentialDeviceType === 'multiDevice'
    return {
      isUserVerified: userVerified,
      isSyncable,
      counter: credential.counter,
      data: {
        credentialId: credential.id,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
        rpId,
        transports,
        aaguid,
        isSyncable,
        isHardware: isAttested && !isSyncable && ofHardware.some((one) => one === fmt),
      },
    }
  } catch {
    return undefined
  }
}

interface Registration {
  readonly attestation: string
  readonly clientData: string
  readonly transports: readonly string[]
}

/**
 * What an answer is evidence of. A passkey that verified its user is what the user has and is; one that did not is
 * possession alone.
 */
export const evidenceOfPasskey = (
  { isUserVerified }: Verified,
  { isSyncable, isHardware }: PasskeyData,
): { readonly factors: readonly ('possession' | 'inherence')[]; readonly traits: readonly Trait[] } => ({
  factors: isUserVerified ? ['possession', 'inherence'] : ['possession'],
  traits: [
    'phishingResistant',
    'userPresence',
    ...(isUserVerified ? (['userVerification'] as const) : []),
    ...(isSyncable ? [] : (['deviceBound'] as const)),
    ...(isHardware ? (['hardwareProtection'] as const) : []),
  ],
})
