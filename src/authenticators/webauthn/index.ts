import { plainHash } from '../../base/index.ts'
import type { Enrollment } from '../../directory/index.ts'
import {
  type Authenticator,
  attempt,
  type Challenge,
  type Field,
  type Input,
  identify,
  type Judgement,
  type Progress,
  proofOf,
  prove,
  type RenderContext,
  type Started,
  type Step,
  type StepContext,
  type View,
  versionOf,
} from '../../flow/index.ts'
import type { Demand, Policy } from '../../policies/index.ts'
import {
  algorithms,
  type Expected,
  evidenceOfPasskey,
  originIn,
  type PasskeyData,
  verifyAssertion,
  verifyAttestation,
} from './ceremony.ts'
import { bytesAt, wordsAt } from './encoding.ts'
import { passkeyFactor, passkeyHandle } from './factor.ts'
import { modelName } from './models.ts'
import { extensionsOf, isAllowedOrigin, type RelyingParty, rpIdOf } from './relying-party.ts'
import { attachmentOf, lower, passkeySettings, settingsChecks } from './settings.ts'

export { passkeyHandle } from './factor.ts'
export { isCovered, type RelyingParty, relatedOrigins, rpIdOf } from './relying-party.ts'
export { type SoftwareCredential, softwarePasskey } from './software.ts'

/**
 * Passkeys and security keys (WebAuthn), as Okta's `webauthn`. Owns how one is made and used: its challenges, which
 * origins may answer them, and what an answer is evidence of. The statements themselves are checked by
 * `@simplewebauthn/server`.
 *
 * - A challenge is derived from the transaction and what has happened in it: no row a visit, another one after each wrong
 *   answer, none that is good twice.
 * - Before a proof no page has the id of a credential (A53): without a name only passkeys answer that know their user.
 * - An answer names no credential: each of the user's is tried, for a user without one a key that nothing is signed by.
 * - A signature cannot be guessed, so no budget by account could do anything but keep the owner out (A56): wrong answers
 *   are counted on the transaction and the source.
 */
const key = 'webauthn'
const method = 'webauthn'
const prefix = 'fwf'

const failed = (what: 'assertion' | 'attestation'): string =>
  `authfactor.webauthn.error.${what}_validation_failure`

/** A public key whose private one was thrown away. */
const decoy: PasskeyData = {
  credentialId: 'AAAAAAAAAAAAAAAAAAAAAA',
  publicKey:
    'pQECAyYgASFYIPcyG38yauGEuHlMc7vyZIzVgiKu45MxwHGxUJGqOxZrIlggsoJ05yOyzs6rSpDJPJG_QdDpt3Yz1JsjnjMyojYcqCM',
  rpId: '',
  transports: [],
  aaguid: '',
  isSyncable: false,
  isHardware: false,
}

const hidden = (name: string, label: string, required = true): Field => ({
  name,
  label,
  required,
  hidden: true,
})
const credentials = (...fields: readonly Field[]): readonly Field[] => [
  { name: 'credentials', type: 'object', required: true, fields },
]
const assertionFields = [
  hidden('authenticatorData', 'Authenticator Data'),
  hidden('clientData', 'Client Data'),
  hidden('signatureData', 'Signature Data'),
]

/** What a passkey signs: only the engine can make it, for this transaction, until it is answered. */
function challengeIn({ transaction, progress }: Pick<View, 'transaction' | 'progress'>): string {
  const { challenge, misses } = progress
  const asked = challenge === undefined ? 'first page' : `${challenge.purpose} ${challenge.startedAt}`
  // Without the name of the secret that it is made with.
  return transaction.derived(`passkey ${asked} ${misses}`).replace(/^.*\./, '')
}

/** Whether the user must be verified: an administrator says so, or nothing less is enough for the app. */
const requiresVerification = (policy: Policy): boolean =>
  passkeySettings(policy).userVerificationForVerify === 'REQUIRED' ||
  demandsVerification(policy.signOn.demand)

const demandsVerification = ({ alternatives }: Demand): boolean =>
  alternatives.length > 0 &&
  alternatives.every((requirements) => requirements.some(({ traits }) => traits.includes('userVerification')))

const opened = ({ now, lifetimes }: StepContext, purpose: Challenge['purpose'], data: unknown): Started => ({
  challenge: {
    authenticator: key,
    method,
    purpose,
    startedAt: now,
    // A prompt waits as long as its page is open.
    expiresAt: now + lifetimes.code * 6,
    data,
  },
  effects: [],
})

/** What the browser offers first, where an administrator allows one kind of authenticator alone. */
function hintsOf(policy: Policy): readonly string[] {
  const attachment = attachmentOf(passkeySettings(policy))
  if (attachment === undefined) return []
  return attachment === 'platform' ? ['client-device'] : ['security-key', 'hybrid']
}

const challengeData = (party: RelyingParty, context: RenderContext) => ({
  challengeData: {
    challenge: challengeIn(context),
    rpId: rpIdOf(party, context.org),
    userVerification: requiresVerification(context.policy)
      ? ('required' as const)
      : lower(passkeySettings(context.policy).userVerificationForVerify),
    extensions: extensionsOf(party, context),
    hints: hintsOf(context.policy),
  },
})

function activationData(party: RelyingParty, challenge: Challenge, context: RenderContext) {
  const { policy, org, user } = context
  const settings = passkeySettings(policy)
  const attachment = attachmentOf(settings)
  const login = user?.profile.login ?? ''
  return {
    activationData: {
      rp: { name: org.name, id: rpIdOf(party, org) },
      user: {
        id: (challenge.data as Enrolment).handle,
        name: login,
        displayName: user?.profile.firstName || login,
      },
      pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
      challenge: challengeIn(context),
      attestation: settings.attestation.toLowerCase(),
      authenticatorSelection: {
        userVerification: verifiesAtEnrolment(policy) ? 'required' : lower(settings.userVerification),
        requireResidentKey: settings.residentKeyRequirement === 'REQUIRED',
        residentKey: lower(settings.residentKeyRequirement),
        ...(attachment && { authenticatorAttachment: attachment }),
      },
      u2fParams: { appid: org.baseUrl },
      hints: hintsOf(policy),
      excludeCredentials: context.enrollments
        .filter(({ authenticator }) => authenticator === key)
        .map(({ data }) => data as PasskeyData)
        .map(({ credentialId: id, transports }) => ({ type: 'public-key', id, transports })),
    },
  }
}

const verifiesAtEnrolment = (policy: Policy): boolean =>
  passkeySettings(policy).userVerification === 'REQUIRED' || demandsVerification(policy.signOn.demand)

/** What is known of a passkey that is being made: by what it will name its user. */
interface Enrolment {
  readonly handle: string
}

/** What answers are checked by; undefined where they come from an origin that may not use the passkeys of this installation. */
async function expectedOf(
  party: RelyingParty,
  context: StepContext,
  clientData: string,
  mustVerify: boolean,
): Promise<Expected | undefined> {
  const origin = originIn(clientData)
  const isAllowed = await isAllowedOrigin(origin ?? '', party, context)
  if (origin === undefined || !isAllowed) return undefined
  return {
    challenge: challengeIn(context),
    rpId: rpIdOf(party, context.org),
    origin,
    requiresVerification: mustVerify,
  }
}

async function judgeAssertion(party: RelyingParty, input: Input, context: StepContext): Promise<Judgement> {
  const authenticatorData = bytesAt(input, 'credentials.authenticatorData')
  const clientData = bytesAt(input, 'credentials.clientData')
  const signature = bytesAt(input, 'credentials.signatureData')
  if (!authenticatorData || !clientData || !signature) return { verdict: 'unreadable' }
  const { person, org, now, progress } = context
  const refusal = { status: 401, key: failed('assertion') }
  const wrong = (rule: string): Judgement => ({ verdict: 'wrong', budgets: [], effects: [], refusal, rule })
  const all = await context.directory.enrollments<PasskeyData>(person?.id ?? '', key)
  const own = all.filter(({ data }) => data.rpId === rpIdOf(party, org))
  const expected = await expectedOf(party, context, clientData, requiresVerification(context.policy))
  if (expected === undefined) return wrong('passkey-origin')
  if (progress.challenge !== undefined && now >= progress.challenge.expiresAt) return wrong('passkey-expired')
  const answer = { authenticatorData, clientData, signature }
  // A user without a passkey costs the check of one.
  const tried = own.length > 0 ? own : [{ id: '', data: decoy, counter: 0 }]
  for (const { id, data, counter } of tried) {
    const verified = await verifyAssertion(answer, { data, counter }, expected)
    if (verified === undefined || own.length === 0) continue
    return {
      verdict: 'right',
      budgets: [],
      enrollmentId: id,
      evidence: evidenceOfPasskey(verified, data),
      // Passkeys that are copied to other devices count nothing: their answer is always 0.
      effects:
        verified.counter > 0
          ? [{ type: 'enrollment.advance', id, counter: verified.counter }]
          : [{ type: 'enrollment.use', id }],
      refusal,
    }
  }
  return wrong('wrong-assertion')
}

async function judgeAttestation(
  party: RelyingParty,
  input: Input,
  context: StepContext,
  challenge: Challenge | undefined,
): Promise<Judgement> {
  const attestation = bytesAt(input, 'credentials.attestation')
  const clientData = bytesAt(input, 'credentials.clientData')
  const { person, now, policy } = context
  if (!attestation || !clientData || challenge === undefined || person === undefined) {
    return { verdict: 'unreadable' }
  }
  const refusal = { status: 400, key: failed('attestation') }
  const wrong = (rule: string): Judgement => ({ verdict: 'wrong', budgets: [], effects: [], refusal, rule })
  const settings = passkeySettings(policy)
  const expected = await expectedOf(party, context, clientData, verifiesAtEnrolment(policy))
  if (expected === undefined) return wrong('passkey-origin')
  if (now >= challenge.expiresAt) return wrong('passkey-expired')
  const made = { attestation, clientData, transports: wordsAt(input, 'credentials.transports') }
  const verified = await verifyAttestation(made, expected, { isAttested: settings.attestation !== 'NONE' })
  if (verified === undefined) return wrong('wrong-attestation')
  const { data, counter, isSyncable } = verified
  if (isSyncable && !settings.allowSyncablePasskeys) return wrong('passkey-syncable')
  const slot = plainHash(data.credentialId)
  // A credential belongs to one user: a second one with its id would be of an authenticator that copies (section 7.1, step 26).
  if (await context.directory.isSlotTaken(key, slot)) return wrong('passkey-taken')
  return {
    verdict: 'right',
    budgets: [],
    evidence: evidenceOfPasskey(verified, data),
    effects: [
      {
        type: 'enrollment.put',
        enrollment: {
          personId: person.id,
          authenticator: key,
          ...{ prefix, method, data, counter, slot },
          several: true,
          handle: (challenge.data as Enrolment).handle,
          name: modelName(data.aaguid, data.transports),
        },
      },
    ],
    refusal,
  }
}

async function handleFor({ directory, person, random }: StepContext): Promise<string> {
  return passkeyHandle(await directory.enrollments(person?.id ?? '', key), random)
}

/** What a passkey shows of itself: its id and how it is reached, for the browser to find it. */
const details = ({
  data,
}: Enrollment): { readonly credentialId: string; readonly transports: readonly string[] } => {
  const { credentialId, transports } = data as PasskeyData
  return { credentialId, transports }
}

/**
 * The first page: the browser fills in the passkeys it has, or a button asks for them, before a name is typed. A passkey
 * of an unknown user takes the same statements and the same check as a wrong answer of a known one.
 */
const firstPage = (
  name: string,
  party: RelyingParty,
  setting: 'enableAutofillUI' | 'showSignInWithAPasskeyButton',
  authenticator: () => Authenticator,
): Step => ({
  name,
  path: 'challenge/answer/webauthn-autofillui',
  place: 'remediation',
  stages: ['identify'],
  about: () => ({ part: 'webauthnAutofillUIChallenge' }),
  offered: ({ policy }) => policy.signOn.active.includes(key) && passkeySettings(policy)[setting],
  parts: (context) => ({
    webauthnAutofillUIChallenge: { type: 'object', value: challengeData(party, context) },
  }),
  fields: () => credentials(...assertionFields, hidden('userHandle', 'User Handle', false)),
  async accept(input, context) {
    const { progress, now } = context
    const person = await context.directory.findByHandle(bytesAt(input, 'credentials.userHandle') ?? '')
    const named: Progress = identify(progress, {
      identifier: person?.profile.login ?? 'unknown',
      ...(person && { userId: person.id }),
    })
    const outcome = await attempt(
      await context.about(named),
      {
        key,
        judge: (answer, about) => judgeAssertion(party, answer, about),
        // A wrong answer leaves no user named: the first page comes back as it was.
        before: progress,
        right: (judgement) => prove(named, proofOf(authenticator(), method, judgement, now)),
      },
      input,
    )
    const missing = { status: 400, key: 'model.validation.field.blank' }
    return {
      ...(outcome ?? { progress, refused: missing }),
      user: versionOf(context.transaction.id, person),
    }
  },
})

/** @param party for whom passkeys are made: the domain, and the origins besides those of the app. */
export function webauthnAuthenticator(party: RelyingParty): Authenticator {
  const authenticator: Authenticator = {
    key,
    type: 'security_key',
    displayName: 'Security Key or Biometric',
    // What it can be at most; each answer says what it was (`evidenceOfPasskey`).
    factors: ['possession', 'inherence'],
    traits: ['phishingResistant', 'userPresence', 'userVerification', 'deviceBound', 'hardwareProtection'],
    methods: [{ type: method, amr: ['hwk', 'user'] }],
    // The ids of credentials would show who has an account (A53).
    first: false,
    recovers: false,
    initialStatus: 'INACTIVE',
    implicit: false,
    enrollmentPrefix: prefix,
    challenge: {
      about: 'authenticator',
      optionAbout: 'authenticator',
      opensAtOnce: true,
      resends: false,
      start: async (context) => opened(context, 'verify', null),
      fields: () => credentials(...assertionFields),
      judge: (input, context) => judgeAssertion(party, input, context),
      details,
      contextualData: (_, context) => challengeData(party, context),
    },
    enroll: {
      several: true,
      resends: false,
      start: async (context) =>
        opened(context, 'enroll', { handle: await handleFor(context) } satisfies Enrolment),
      fields: () =>
        credentials(
          hidden('clientData', 'Client Data'),
          hidden('attestation', 'Attestation'),
          hidden('transports', 'Transports', false),
          hidden('clientExtensions', 'clientExtensions', false),
        ),
      judge: (input, context, challenge) => judgeAttestation(party, input, context, challenge),
      contextualData: (challenge, context) => activationData(party, challenge, context),
    },
    isUsable: ({ data }, org) => (data as PasskeyData).rpId === rpIdOf(party, org),
    steps: [
      firstPage('launch-passkeys-authenticator', party, 'showSignInWithAPasskeyButton', () => authenticator),
      firstPage(
        'challenge-webauthn-autofillui-authenticator',
        party,
        'enableAutofillUI',
        () => authenticator,
      ),
    ],
    factor: passkeyFactor(party),
    settings: settingsChecks,
    messages: {
      [failed('assertion')]: {
        class: 'ERROR',
        text: 'None of the WebAuthn authenticators the user has enrolled for was able to validate the assertion',
      },
      [failed('attestation')]: {
        class: 'ERROR',
        text: 'The security key could not be set up. Try again.',
      },
    },
  }
  return authenticator
}
