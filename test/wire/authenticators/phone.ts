import { randomDigits } from '../../../src/base/index.ts'
import type { Enrollment } from '../../../src/directory/index.ts'
import {
  type Authenticator,
  accountSubject,
  type Challenge,
  type Choice,
  type Field,
  type Input,
  isMistyped,
  type Judgement,
  type Started,
  type StepContext,
  textAt,
  type View,
} from '../../../src/flow/index.ts'

/** A text message or a call, as a test reads it. */
export interface Told {
  readonly to: string
  readonly by: string
  readonly code: string
}

interface PhoneData {
  readonly number: string
  readonly nickname?: string
}

/** Of a challenge whose code is on its way; while data are missing, the method that was chosen before the number. */
interface PhoneChallenge {
  readonly method?: string
  readonly number?: string
  readonly codeHash?: string
}

const key = 'example_phone'
const field = 'credentials.passcode'
const labels: Readonly<Record<string, string>> = { sms: 'SMS', voice: 'Voice call' }
const dataOf = (challenge: Challenge | undefined) => (challenge?.data ?? {}) as PhoneChallenge

const methodField = (required: boolean, methods: readonly string[] = Object.keys(labels)): Field => ({
  name: 'methodType',
  type: 'string',
  required,
  values: methods.map((value) => ({ label: labels[value] ?? value, value })),
})
const passcode: readonly Field[] = [
  {
    name: 'credentials',
    type: 'object',
    required: true,
    fields: [{ name: 'passcode', label: 'Enter code' }],
  },
]
const enrollmentField = ({ id }: Pick<Enrollment, 'id'>): Field => ({
  name: 'enrollmentId',
  required: true,
  fixed: id,
})

/** Leaves the digits and the plus in front; undefined where that is no number. */
const numberIn = (input: Input): string | undefined => {
  const typed = textAt(input, 'phoneNumber')?.replace(/[\s().-]/g, '')
  return typed !== undefined && /^\+[1-9]\d{6,14}$/.test(typed) ? typed : undefined
}
const masked = (number: string) => `${number.slice(0, 2)} XXX-XXX-${number.slice(-4)}`

/** An authenticator of several enrollments whose choice takes two steps: which method, and at enrolment which number. */
export function phoneAuthenticator(tell: (message: Told) => void): Authenticator {
  const send = (
    context: StepContext,
    {
      purpose,
      method,
      number,
      enrollment,
    }: Pick<Challenge, 'purpose' | 'method'> & {
      readonly number: string
      readonly enrollment?: Enrollment | undefined
    },
  ): Started => {
    const { now, lifetimes, random, secrets, transaction } = context
    const code = randomDigits(random, 6)
    tell({ to: number, by: method, code })
    const data: PhoneChallenge = { number, codeHash: secrets.hash('code', `${transaction.id}:${code}`) }
    return {
      challenge: {
        authenticator: key,
        method,
        purpose,
        startedAt: now,
        expiresAt: now + lifetimes.code,
        ...(enrollment && { enrollmentId: enrollment.id }),
        data,
      },
      effects: [],
    }
  }

  return {
    key,
    type: 'phone',
    displayName: 'Phone',
    factors: ['possession'],
    traits: [],
    methods: [
      { type: 'sms', amr: ['sms'] },
      { type: 'voice', amr: ['tel'] },
    ],
    first: false,
    recovers: false,
    initialStatus: 'INACTIVE',
    implicit: false,
    enrollmentPrefix: 'pae',
    challenge: {
      optionPerEnrollment: true,
      resends: true,
      optionFields: (_, enrollment) => [
        methodField(false),
        ...(enrollment ? [enrollmentField(enrollment)] : []),
      ],
      dataFields: (view) => {
        const enrollment = enrollmentIn(view)
        return [methodField(true), ...(enrollment ? [enrollmentField(enrollment)] : [])]
      },
      isComplete: ({ isMethodChosen }) => isMethodChosen,
      async start(context, { method, enrollment }) {
        if (enrollment === undefined) throw new Error('the user has no phone')
        const { number } = enrollment.data as PhoneData
        return send(context, { purpose: 'verify', method, number, enrollment })
      },
      fields: () => passcode,
      judge: async (input, context, challenge) =>
        judged(input, context, challenge, ({ enrollmentId = '' }) => ({ enrollmentId, effects: [] })),
      profile: (_, enrollment) =>
        enrollment && { phoneNumber: masked((enrollment.data as PhoneData).number) },
      details: ({ data }) => {
        const { nickname } = data as PhoneData
        return nickname === undefined ? {} : { nickname }
      },
    },
    enroll: {
      several: true,
      resends: true,
      optionFields: () => [methodField(false), { name: 'phoneNumber', label: 'Phone number' }],
      dataFields: ({ progress: { challenge } }) => {
        const { method } = dataOf(challenge)
        return [
          methodField(true, method === undefined ? undefined : [method]),
          { name: 'phoneNumber', label: 'Phone number', required: true },
        ]
      },
      isComplete: ({ input, isMethodChosen }) =>
        isMethodChosen && (textAt(input, 'phoneNumber') ?? '') !== '',
      async start(context, choice) {
        const number = numberOf(choice, context)
        return number === undefined
          ? { refused: { status: 400, key: 'api.factors.error.sms.invalid_phone' } }
          : send(context, { purpose: 'enroll', method: choice.method, number })
      },
      fields: () => passcode,
      judge: async (input, context, challenge) =>
        judged(input, context, challenge, ({ method }, { number = '' }) => ({
          effects: [
            {
              type: 'enrollment.put',
              enrollment: {
                personId: context.person?.id ?? '',
                authenticator: key,
                prefix: 'pae',
                method,
                several: true,
                data: { number } satisfies PhoneData,
              },
            },
          ],
        })),
    },
    messages: {
      'api.factors.error.sms.invalid_phone': { class: 'ERROR', text: 'Invalid Phone Number.' },
    },
  }
}

/** The number that was sent, or where it is a resend the one of the open challenge. */
const numberOf = ({ input }: Choice, { progress }: StepContext): string | undefined =>
  Object.keys(input).length === 0 ? dataOf(progress.challenge).number : numberIn(input)

const enrollmentIn = ({ enrollments, progress: { challenge } }: View): Enrollment | undefined =>
  enrollments.find(({ id }) => id === challenge?.enrollmentId)

function judged(
  input: Input,
  context: StepContext,
  challenge: Challenge | undefined,
  right: (
    challenge: Challenge,
    data: PhoneChallenge,
  ) => Pick<Exclude<Judgement, { verdict: 'unreadable' }>, 'effects' | 'enrollmentId'>,
): Judgement {
  const code = textAt(input, field)
  if (challenge === undefined || code === undefined || code === '' || isMistyped(input, field)) {
    return { verdict: 'unreadable' }
  }
  const { budgets, now, person, progress, secrets, transaction } = context
  const data = dataOf(challenge)
  const isRight =
    secrets.matches('code', `${transaction.id}:${code}`, data.codeHash ?? '') && now < challenge.expiresAt
  const subject = accountSubject(secrets, progress.subject?.identifier ?? '', person)
  return {
    verdict: isRight ? 'right' : 'wrong',
    budgets: [{ budget: budgets.codesPerDay, subject: `phone ${subject}` }],
    ...(isRight ? right(challenge, data) : { effects: [] }),
    refusal: { status: 401, key: 'api.authn.error.PASSCODE_INVALID', field },
    rule: 'wrong-code',
  }
}
