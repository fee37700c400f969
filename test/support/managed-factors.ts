import { randomDigits } from '../../src/base/index.ts'
import type { Enrollment } from '../../src/directory/index.ts'
import {
  type Authenticator,
  alreadySetUp,
  type FactorContext,
  type FactorVerdict,
  type ManagedFactor,
  noPassCode,
  passCodeIn,
} from '../../src/flow/index.ts'

/** What was sent, as a test reads it. */
export interface Sent {
  readonly to: string
  readonly by: string
  readonly code: string
}

interface PhoneData {
  readonly number: string
  readonly methods: readonly string[]
}
interface CodeData {
  readonly hash: string
  readonly expiresAt: number
}

const base = {
  factors: ['possession'],
  traits: [],
  first: false,
  recovers: false,
  initialStatus: 'ACTIVE',
  implicit: false,
  enroll: {
    resends: false,
    fields: () => [],
    start: async () => ({ refused: { status: 400, key: 'none' } }),
    judge: async () => ({ verdict: 'unreadable' }),
  },
} as const satisfies Partial<Authenticator>

function checkCode(
  answer: Readonly<Record<string, unknown>>,
  challenge: unknown,
  { now, secrets }: FactorContext,
): FactorVerdict {
  const code = passCodeIn(answer)
  if (code === undefined) return noPassCode
  const { hash = '', expiresAt = 0 } = (challenge ?? {}) as Partial<CodeData>
  if (expiresAt <= now) return { verdict: 'timeout' }
  return secrets.matches('example', code, hash)
    ? { verdict: 'right', effects: [] }
    : { verdict: 'wrong', rule: 'wrong-code' }
}

/** A phone: two factors of one enrollment, several of which a user may have. */
export function managedPhone(send: (message: Sent) => void): Authenticator {
  const phoneOf = (enrollments: readonly Enrollment[], number: string) =>
    enrollments.find(
      ({ authenticator, data }) => authenticator === 'phone_number' && (data as PhoneData).number === number,
    )
  const factor: ManagedFactor = {
    kinds: [
      {
        factorType: 'sms',
        provider: 'OKTA',
        vendorName: 'OKTA',
        method: 'sms',
        idPrefix: 'sms',
        sends: 'sms',
      },
      {
        factorType: 'call',
        provider: 'OKTA',
        vendorName: 'OKTA',
        method: 'voice',
        idPrefix: 'clf',
        sends: 'call',
      },
    ],
    several: true,
    isOf: ({ method }, { data }) => (data as PhoneData).methods.includes(method),
    profile: (data) => ({ phoneNumber: (data as PhoneData).number }),
    maskedProfile: (data) => ({ phoneNumber: `+1 XXX-XXX-${(data as PhoneData).number.slice(-4)}` }),
    without: ({ method }, { data }) => {
      const { number, methods } = data as PhoneData
      const left = methods.filter((one) => one !== method)
      const [first] = left
      return first === undefined ? undefined : { method: first, data: { number, methods: left } }
    },
    async enroll({ kind, profile: { phoneNumber }, updates }, { enrollments }) {
      if (typeof phoneNumber !== 'string' || !/^\+\d{8,15}$/.test(phoneNumber.replace(/-/g, '')))
        return { problems: ['profile.phoneNumber: must be a number such as +14155550100'] }
      const number = phoneNumber.replace(/-/g, '')
      const same = phoneOf(enrollments, number)
      const methods = same ? (same.data as PhoneData).methods : []
      if (methods.includes(kind.method)) return { problems: [alreadySetUp] }
      const replaced = enrollments.find(({ authenticator }) => authenticator === 'phone_number')
      const enrollment = same ?? (updates ? replaced : undefined)
      const data: PhoneData = { number, methods: [...methods, kind.method] }
      return { data, ...(enrollment && { enrollment }) }
    },
    async challenge({ kind, data }, { now, random, secrets, codeLifetime }) {
      const code = randomDigits(random, 6)
      const expiresAt = now + codeLifetime
      send({ to: (data as PhoneData).number, by: kind.method, code })
      return { data: { hash: secrets.hash('example', code), expiresAt }, expiresAt, effects: [] }
    },
    activate: async (answer, { challenge }, context) => checkCode(answer, challenge, context),
    verify: async (answer, { challenge }, context) => checkCode(answer, challenge, context),
  }
  return {
    ...base,
    key: 'phone_number',
    type: 'phone',
    displayName: 'Phone',
    methods: [
      { type: 'sms', amr: ['sms'] },
      { type: 'voice', amr: ['tel'] },
    ],
    enrollmentPrefix: 'pae',
    factor,
  }
}

/** A question: active at once, and its answer is nowhere. */
export const managedQuestion: Authenticator = {
  ...base,
  key: 'security_question',
  type: 'security_question',
  displayName: 'Security Question',
  factors: ['knowledge'],
  methods: [{ type: 'security_question', amr: ['kba'] }],
  enrollmentPrefix: 'qae',
  factor: {
    kinds: [
      {
        factorType: 'question',
        provider: 'OKTA',
        vendorName: 'OKTA',
        method: 'security_question',
        idPrefix: 'ufs',
      },
    ],
    questions: [{ question: 'disliked_food', questionText: 'What is the food you least liked as a child?' }],
    profile: (data) => ({ question: (data as { readonly question: string }).question }),
    async enroll({ profile: { question, answer } }, { secrets }) {
      if (typeof question !== 'string' || typeof answer !== 'string')
        return { problems: ['profile.answer: The field cannot be left blank'] }
      return { isActive: true, data: { question, hash: secrets.hash('example', answer) } }
    },
    async verify({ answer }, { data }, { secrets }) {
      if (typeof answer !== 'string')
        return { verdict: 'unreadable', problems: ['answer: The field cannot be left blank'] }
      return secrets.matches('example', answer, (data as { readonly hash: string }).hash)
        ? { verdict: 'right', effects: [] }
        : { verdict: 'wrong', rule: 'wrong-answer' }
    },
  },
}

/** A passkey, as far as its options and its challenge go: what is signed is the challenge itself. */
export const managedPasskey: Authenticator = {
  ...base,
  key: 'webauthn',
  type: 'security_key',
  displayName: 'Passkeys',
  methods: [{ type: 'webauthn', amr: ['hwk'] }],
  enrollmentPrefix: 'wae',
  factor: {
    kinds: [
      { factorType: 'webauthn', provider: 'FIDO', vendorName: 'FIDO', method: 'webauthn', idPrefix: 'fwf' },
    ],
    several: true,
    profile: (data) => ({ ...(data as object) }),
    enroll: async () => ({ data: {} }),
    async challenge(_, { now, random, codeLifetime }) {
      const challenge = randomDigits(random, 20)
      return {
        data: { challenge },
        expiresAt: now + codeLifetime,
        effects: [],
        embedded: { challenge, extensions: {} },
      }
    },
    activation: async ({ challenge }, { person, org }) => ({
      attestation: 'direct',
      authenticatorSelection: { userVerification: 'preferred', requireResidentKey: false },
      challenge: (challenge as { readonly challenge: string }).challenge,
      excludeCredentials: [],
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      rp: { name: org.name },
      user: { displayName: person.profile.firstName, name: person.profile.login, id: person.id },
    }),
    async activate({ attestation, clientData }, { challenge }) {
      if (typeof attestation !== 'string')
        return { verdict: 'unreadable', problems: ['attestation: The field cannot be left blank'] }
      return clientData === (challenge as { readonly challenge: string }).challenge
        ? {
            verdict: 'right',
            effects: [],
            enrollment: { data: { credentialId: attestation }, counter: 1, name: 'MacBook Touch ID' },
          }
        : { verdict: 'wrong', rule: 'wrong-signature' }
    },
    async verify({ clientData }, { challenge }) {
      if (challenge === undefined) return { verdict: 'timeout' }
      return clientData === (challenge as { readonly challenge: string }).challenge
        ? { verdict: 'right', effects: [] }
        : { verdict: 'wrong', rule: 'wrong-signature' }
    },
  },
}
