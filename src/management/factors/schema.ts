import { type Static, type TObject, Type } from 'typebox'
import { anything, closed, either, filled, links, named, optional, time } from '../schema.ts'

/** Which of `provider` belong to a type is in docs/management.md; `profile` depends on the type. */
export const newFactor = named('NewFactor', {
  factorType: filled(60),
  provider: optional(filled(60)),
  profile: optional(anything),
})
export type NewFactorBody = Static<typeof newFactor>

const factorStatus = either('ACTIVE', 'PENDING_ACTIVATION')

export const factor = named(
  'Factor',
  {
    id: Type.String(),
    factorType: Type.String(),
    provider: Type.String(),
    vendorName: Type.String(),
    status: factorStatus,
    created: time,
    lastUpdated: time,
    profile: anything,
    _links: links,
    _embedded: Type.Optional(anything),
  },
  closed,
)

export const supportedFactor = named(
  'SupportedFactor',
  {
    factorType: Type.String(),
    provider: Type.String(),
    vendorName: Type.String(),
    status: either('ACTIVE', 'PENDING_ACTIVATION', 'NOT_SETUP'),
    enrollment: either('REQUIRED', 'OPTIONAL'),
    _links: links,
    _embedded: Type.Optional(anything),
  },
  closed,
)

export const factorQuestion = named(
  'FactorQuestion',
  { question: Type.String(), questionText: Type.String() },
  closed,
)

/** `passCode`, `answer`, or what a passkey signed; an empty body issues a challenge. */
export const factorAnswer = named('FactorAnswer', {
  passCode: optional(Type.Union([Type.String({ maxLength: 200 }), Type.Integer()])),
  answer: optional(Type.String({ maxLength: 1000 })),
  clientData: optional(Type.String({ maxLength: 16_000 })),
  attestation: optional(Type.String({ maxLength: 64_000 })),
  authenticatorData: optional(Type.String({ maxLength: 16_000 })),
  signatureData: optional(Type.String({ maxLength: 16_000 })),
})
export type FactorAnswerBody = Static<typeof factorAnswer>

/** The factor object, of which nothing but its type is read. */
export const resentFactor = named('ResentFactor', {
  factorType: optional(Type.String()),
  provider: optional(Type.String()),
  profile: optional(anything),
})

export type ResentFactorBody = Static<typeof resentFactor>

export const factorResult = named(
  'FactorResult',
  {
    factorResult: either('SUCCESS', 'CHALLENGE', 'WAITING', 'TIMEOUT'),
    expiresAt: Type.Optional(time),
    profile: Type.Optional(anything),
    _links: Type.Optional(links),
    _embedded: Type.Optional(anything),
  },
  closed,
)

/** Of what is sent. */
const sending = {
  templateId: Type.Optional(
    Type.String({ maxLength: 100, description: 'The text that is sent, where there are several.' }),
  ),
}
export type Sending = Static<TObject<typeof sending>>

export const enrolling = {
  ...sending,
  activate: Type.Boolean({
    default: false,
    description: 'true: active at once, on the word of the caller; nothing is sent.',
  }),
  updatePhone: Type.Boolean({
    default: false,
    description: 'true: the number takes the place of the one that the user has.',
  }),
  tokenLifetimeSeconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 86_400, description: 'How long the code is good. Default: 300.' }),
  ),
}
export type Enrolling = Static<TObject<typeof enrolling>>

export const verifying = {
  ...sending,
  tokenLifetimeSeconds: enrolling.tokenLifetimeSeconds,
}
export type Verifying = Static<TObject<typeof verifying>>

export const resending = sending

/** What a user has of an authenticator has one row: what a sign-in asks for and what recovers goes together. */
export const removing = {
  removeRecoveryEnrollment: Type.Boolean({
    default: false,
    description: 'Without effect: a phone that is removed is removed for recoveries as well.',
  }),
}

export const authenticatorEnrollment = named(
  'AuthenticatorEnrollment',
  {
    id: Type.String(),
    key: Type.String(),
    type: Type.String(),
    name: Type.String(),
    status: either('ACTIVE'),
    created: time,
    lastUpdated: time,
    profile: Type.Optional(anything),
    nickname: Type.Union([Type.String(), Type.Null()]),
    _links: links,
    _embedded: Type.Optional(anything),
  },
  closed,
)

export const phoneEnrollment = named('PhoneEnrollment', {
  authenticatorId: filled(60),
  profile: Type.Object({ phoneNumber: filled(60) }),
})
export type PhoneEnrollmentBody = Static<typeof phoneEnrollment>

export const disclosing = {
  discloseIdentifiers: Type.Optional(Type.String({ description: '`phone`: numbers are shown whole.' })),
}
