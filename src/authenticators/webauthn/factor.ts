import { plainHash } from '../../base/index.ts'
import type { AskedFactor, FactorContext, FactorVerdict, ManagedFactor } from '../../flow/index.ts'
import {
  algorithms,
  type Expected,
  originIn,
  type PasskeyData,
  verifyAssertion,
  verifyAttestation,
} from './ceremony.ts'
import { bytesAt, wordsAt } from './encoding.ts'
import { modelName } from './models.ts'
import { isAllowedOrigin, type RelyingParty, rpIdOf } from './relying-party.ts'
import { attachmentOf, lower, type PasskeySettings, passkeySettings } from './settings.ts'

type Members = Readonly<Record<string, unknown>>

const key = 'webauthn'

/** What is known of a passkey that waits to be made. */
interface Waiting {
  readonly handle: string
}
interface Drawn {
  readonly challenge: string
  readonly expiresAt: number
}

const blank = (member: string): FactorVerdict => ({
  verdict: 'unreadable',
  problems: [`${member}: must be base64url`],
})

/**
 * Passkeys as a factor of the management API: the caller shows the options to the user's browser and sends what it signed.
 * Pages of any app of this installation may be where that happens; the RP ID is that of a sign-in, so that the passkey is
 * good there.
 */
export const passkeyFactor = (party: RelyingParty): ManagedFactor => ({
  kinds: [{ factorType: key, provider: 'FIDO', vendorName: 'FIDO', method: key, idPrefix: 'fwf' }],
  several: true,
  profile(data, { enrollments }) {
    const { credentialId } = (data ?? {}) as Partial<PasskeyData>
    if (credentialId === undefined) return {}
    const own = enrollments.find(
      (one) => one.authenticator === key && (one.data as PasskeyData).credentialId === credentialId,
    )
    return { credentialId, ...(own?.name != null && { authenticatorName: own.name }) }
  },
  enroll: async (_, { enrollments, random }) => ({
    data: { handle: passkeyHandle(enrollments, random) } satisfies Waiting,
  }),
  async challenge({ data, enrollment }, context) {
    const { now, random, codeLifetime, org, policy } = context
    // A prompt waits for its user: longer than a code that is read and typed.
    const expiresAt = now + Math.max(codeLifetime, 300_000)
    const drawn: Drawn = { challenge: random.bytes(32).toString('base64url'), expiresAt }
    const { credentialId: id, transports } = data as Partial<PasskeyData>
    return {
      data: drawn,
      expiresAt,
      effects: [],
      ...(enrollment && {
        embedded: {
          challenge: drawn.challenge,
          rpId: rpIdOf(party, org),
          userVerification: lower(passkeySettings(policy).userVerificationForVerify),
          allowCredentials: [{ type: 'public-key', id, transports }],
          extensions: {},
        },
      }),
    }
  },
  activation: async ({ data, challenge }, context) =>
    creationOptions(party, { data: data as Waiting, challenge: challenge as Drawn }, context),
  activate: (answer, pending, context) => activate(party, answer, pending, context),
  verify: (answer, factor, context) => verify(party, answer, factor, context),
})

/** The handle of a user: the one that the user's passkeys have, else a random one. Nothing of the user is in it. */
export const passkeyHandle = (
  enrollments: FactorContext['enrollments'],
  random: FactorContext['random'],
): string =>
  enrollments.find(({ authenticator, handle }) => authenticator === key && handle)?.handle ??
  random.bytes(24).toString('base64url')

/** The options that a browser makes a passkey with, as the web's interface has them. */
function creationOptions(
  party: RelyingParty,
  { data, challenge }: { readonly data: Waiting; readonly challenge: Drawn },
  { enrollments, org, person, policy }: FactorContext,
): Members {
  const settings = passkeySettings(policy)
  const { login, firstName } = person.profile
  return {
    rp: { name: org.name, id: rpIdOf(party, org) },
    user: { id: data.handle, name: login, displayName: firstName || login },
    challenge: challenge.challenge,
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    attestation: settings.attestation.toLowerCase(),
    authenticatorSelection: selection(settings),
    excludeCredentials: enrollments
      .filter(({ authenticator }) => authenticator === key)
      .map((one) => one.data as PasskeyData)
      .map(({ credentialId: id, transports }) => ({ type: 'public-key', id, transports })),
  }
}

function selection(settings: PasskeySettings): Members {
  const attachment = attachmentOf(settings)
  return {
    userVerification: lower(settings.userVerification),
    requireResidentKey: settings.residentKeyRequirement === 'REQUIRED',
    residentKey: lower(settings.residentKeyRequirement),
    ...(attachment && { authenticatorAttachment: attachment }),
  }
}

/** What an answer is checked by; undefined where its page may not use the passkeys of this installation (A67). */
async function expectedOf(
  party: RelyingParty,
  { challenge, clientData, mustVerify }: { challenge: string; clientData: string; mustVerify: boolean },
  { org }: FactorContext,
): Promise<Expected | undefined> {
  const origin = originIn(clientData)
  if (origin === undefined || !(await isAllowedOrigin(origin, party, { org }))) return undefined
  return { challenge, rpId: rpIdOf(party, org), origin, requiresVerification: mustVerify }
}

async function activate(
  party: RelyingParty,
  answer: Members,
  { data, challenge: open }: AskedFactor,
  context: FactorContext,
): Promise<FactorVerdict> {
  const attestation = bytesAt(answer, 'attestation')
  const clientData = bytesAt(answer, 'clientData')
  if (!attestation) return blank('attestation')
  if (!clientData) return blank('clientData')
  const { challenge = '', expiresAt = 0 } = (open ?? {}) as Partial<Drawn>
  if (expiresAt <= context.now) return { verdict: 'timeout' }
  const settings = passkeySettings(context.policy)
  const mustVerify = settings.userVerification === 'REQUIRED'
  const expected = await expectedOf(party, { challenge, clientData, mustVerify }, context)
  if (expected === undefined) return { verdict: 'wrong', rule: 'passkey-origin' }
  const made = { attestation, clientData, transports: wordsAt(answer, 'transports') }
  const verified = await verifyAttestation(made, expected, { isAttested: settings.attestation !== 'NONE' })
  if (verified === undefined) return { verdict: 'wrong', rule: 'wrong-attestation' }
  const { data: passkey, counter, isSyncable } = verified
  if (isSyncable && !settings.allowSyncablePasskeys) return { verdict: 'wrong', rule: 'passkey-syncable' }
  const slot = plainHash(passkey.credentialId)
  // A credential belongs to one user (WebAuthn, section 7.1, step 26).
  if (await context.isSlotTaken(slot)) return { verdict: 'wrong', rule: 'passkey-taken' }
  const { handle } = data as Waiting
  const name = modelName(passkey.aaguid, passkey.transports)
  return { verdict: 'right', effects: [], enrollment: { data: passkey, counter, slot, handle, name } }
}

async function verify(
  party: RelyingParty,
  answer: Members,
  { enrollment, challenge: open }: AskedFactor,
  context: FactorContext,
): Promise<FactorVerdict> {
  const authenticatorData = bytesAt(answer, 'authenticatorData')
  const clientData = bytesAt(answer, 'clientData')
  const signature = bytesAt(answer, 'signatureData')
  if (!authenticatorData) return blank('authenticatorData')
  if (!clientData) return blank('clientData')
  if (!signature) return blank('signatureData')
  const { challenge = '', expiresAt = 0 } = (open ?? {}) as Partial<Drawn>
  if (expiresAt <= context.now || enrollment === undefined) return { verdict: 'timeout' }
  const { id, counter } = enrollment
  const data = enrollment.data as PasskeyData
  const mustVerify = passkeySettings(context.policy).userVerificationForVerify === 'REQUIRED'
  const expected = await expectedOf(party, { challenge, clientData, mustVerify }, context)
  if (expected === undefined) return { verdict: 'wrong', rule: 'passkey-origin' }
  const signed = { authenticatorData, clientData, signature }
  const verified = await verifyAssertion(signed, { data, counter }, expected)
  if (verified === undefined) return { verdict: 'wrong', rule: 'wrong-assertion' }
  // Passkeys that are copied to other devices count nothing: their answer is always 0.
  const use =
    verified.counter > 0
      ? ({ type: 'enrollment.advance', id, counter: verified.counter } as const)
      : ({ type: 'enrollment.use', id } as const)
  return { verdict: 'right', effects: [use] }
}
