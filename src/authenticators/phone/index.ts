import type { TextChannel } from '../../delivery/index.ts'
import type { Enrollment } from '../../directory/index.ts'
import {
  type Authenticator,
  type Challenge,
  type Choice,
  type Field,
  type Input,
  isMistyped,
  type Judgement,
  type Refusal,
  type Started,
  type StepContext,
  textAt,
  type View,
} from '../../flow/index.ts'
import { judgeCode } from './code.ts'
import { dialled, maskedPhone, methodsIn, type PhoneData, phoneEnrollment, phoneKey } from './data.ts'
import { phoneFactor } from './factor.ts'
import { isServed, noNumber, type ReadNumber, readNumber } from './numbers.ts'
import { challengeData, mayGetText, send, sentTo } from './send.ts'

export { dataOfNumber, dialled, maskedPhone, type PhoneData, phoneEnrollment, phoneKey } from './data.ts'
export { isServed, type ReadNumber, readNumber } from './numbers.ts'

export interface PhoneOptions {
  /** The countries whose numbers are served (ISO 3166-1); empty: all. */
  readonly countries: readonly string[]
}

const labels: Readonly<Record<string, string>> = { sms: 'SMS', voice: 'Voice call' }
const invalidNumber: Refusal = { status: 400, key: 'api.factors.error.sms.invalid_phone' }
const notServed: Refusal = { status: 400, key: 'phone.number.notServed' }
const badRequest: Refusal = { status: 400, key: 'E0000020' }

const methodField = (required: boolean, methods: readonly string[]): Field => ({
  name: 'methodType',
  type: 'string',
  required,
  values: methods.map((value) => ({ label: labels[value] ?? value, value })),
})

const codeForm = (challenge: Challenge | undefined): readonly Field[] => [
  {
    name: 'credentials',
    type: 'object',
    required: true,
    fields: [
      {
        name: 'passcode',
        label: 'Enter code',
        ...(challengeData(challenge).sent?.long
          ? { minLength: 10, maxLength: 10, format: 'alphanumeric' as const }
          : {}),
      },
    ],
  },
]

const dataIn = ({ data }: Enrollment): PhoneData => data as PhoneData
const idField = ({ id }: Pick<Enrollment, 'id'>): Field => ({
  name: 'enrollmentId',
  required: true,
  fixed: id,
})

/**
 * The phone: a code by text message or call, as Okta's `phone_number`. A user may have several; each is an option of its own.
 * Owns how numbers are read, what may be sent to them and what that is charged to; the words stand in the catalogue, and the
 * service that sends in `delivery`. Before a proof a user without a phone, and an unknown one, are answered like all others.
 */
export function phoneAuthenticator({ countries }: PhoneOptions): Authenticator {
  const phone: Authenticator = {
    key: phoneKey,
    type: 'phone',
    displayName: 'Phone',
    factors: ['possession'],
    traits: [],
    methods: [
      // In this order: apps preselect the first one.
      { type: 'sms', amr: ['sms', 'otp'] },
      { type: 'voice', amr: ['tel', 'otp'] },
    ],
    first: true,
    recovers: true,
    initialStatus: 'INACTIVE',
    implicit: false,
    enrollmentPrefix: 'pae',
    challenge: {
      optionPerEnrollment: true,
      // As Okta does: the only phone of a user is not chosen once more, only how its code comes. Before a proof it is the selection, for
      // every name alike.
      asksFirst: (_, enrollments) => enrollments.length === 1,
      resends: true,
      optionFields: (view, enrollment) => [
        methodField(false, methodsFor(view, enrollment)),
        ...(enrollment ? [idField(enrollment)] : []),
      ],
      dataFields(view) {
        const enrollment = enrollmentIn(view)
        return [methodField(true, methodsFor(view, enrollment)), ...(enrollment ? [idField(enrollment)] : [])]
      },
      isComplete: ({ isMethodChosen }) => isMethodChosen,
      start: startChallenge,
      judge: judgeChallenge,
      fields: codeForm,
      profile: (_, enrollment) => enrollment && { phoneNumber: maskedPhone(dataIn(enrollment)) },
      details({ name, data }) {
        const [only, ...others] = methodsIn(data as PhoneData)
        return {
          ...(name !== null && { displayName: 'Phone', nickname: name }),
          ...(others.length === 0 && { methods: [{ type: only }] }),
        }
      },
    },
    enroll: {
      several: true,
      resends: true,
      optionFields: (view) => [
        methodField(false, methodsFor(view)),
        { name: 'phoneNumber', label: 'Phone number' },
      ],
      dataFields(view) {
        const { method } = challengeData(view.progress.challenge)
        return [
          methodField(true, method === undefined ? methodsFor(view) : [method]),
          { name: 'phoneNumber', label: 'Phone number', required: true },
        ]
      },
      isComplete: ({ input, isMethodChosen }) =>
        isMethodChosen &&
        ((textAt(input, 'phoneNumber') ?? '').trim() !== '' || isMistyped(input, 'phoneNumber')),
      start: startEnrolment,
      judge: judgeEnrolment,
      fields: codeForm,
    },
    factor: phoneFactor(countries),
    settings: {
      allowedFor: (value) =>
        ['any', 'recovery', 'sso', 'none'].includes(value as string)
          ? undefined
          : 'must be one of any, recovery, sso, none',
    },
    messages: {
      'api.authn.error.PASSCODE_INVALID': { class: 'ERROR', text: 'Invalid code. Try again.' },
      'api.factors.error.sms.invalid_phone': { class: 'ERROR', text: 'Invalid Phone Number.' },
      'phone.number.notServed': {
        class: 'ERROR',
        text: 'Codes cannot be sent to this phone number. Use a different one.',
      },
      'errors.E0000150': {
        class: 'ERROR',
        text: 'You have reached the limit of sms requests, please try again later.',
      },
      'errors.E0000151': {
        class: 'ERROR',
        text: 'You have reached the limit of call requests, please try again later.',
      },
      'errors.E0000109': {
        class: 'ERROR',
        text: 'An SMS message was recently sent. Please wait 30 seconds before trying again.',
      },
      'errors.E0000133': {
        class: 'ERROR',
        text: 'A phone call was recently made. Please wait 30 seconds before trying again.',
      },
    },
  }

  /** The methods to choose from: those that reach the phone. */
  const methodsFor = (view: View, enrollment?: Enrollment): readonly string[] =>
    view
      .methodsOf(phone)
      .map(({ type }) => type)
      .filter((type) => enrollment === undefined || methodsIn(dataIn(enrollment)).includes(type))

  /** Sends to the phone that was chosen, or the oldest. The same statements and work where there is none (A02). */
  async function startChallenge(context: StepContext, choice: Choice) {
    const { person, progress } = context
    const channel = channelOf(context, choice)
    if (channel === undefined) return { refused: badRequest }
    const own = await context.directory.enrollments<PhoneData>(person?.id ?? '', phoneKey)
    const open = progress.challenge?.authenticator === phoneKey ? progress.challenge.enrollmentId : undefined
    const wanted = choice.enrollment?.id ?? open
    const enrollment = own.find(({ id }) => id === wanted) ?? own[0]
    const read = await readNumber(enrollment === undefined ? noNumber : dialled(enrollment.data))
    const isSendable =
      read !== undefined &&
      isServed(read, countries) &&
      (enrollment === undefined || methodsIn(enrollment.data).includes(channel))
    if (progress.proofs.length > 0 && (enrollment === undefined || !isSendable)) return { refused: notServed }
    const to = enrollment && person && mayGetText(person) && isSendable ? read : undefined
    return send(context, { purpose: 'verify', channel, to, enrollmentId: enrollment?.id })
  }

  async function judgeChallenge(
    input: Input,
    context: StepContext,
    challenge: Challenge | undefined,
  ): Promise<Judgement> {
    const { person } = context
    // As of now: a phone that was removed since proves nothing.
    const own = await context.directory.enrollments<PhoneData>(person?.id ?? '', phoneKey)
    const enrollment = own.find(({ id }) => id === challenge?.enrollmentId)
    const { sent, to = '' } = challengeData(challenge)
    const number = enrollment === undefined ? noNumber : dialled(enrollment.data)
    const isSentThere = context.secrets.matches(sentTo, number, to)
    return judgeCode(input, context, challenge && { ...challenge, sent }, {
      isAlive: person !== undefined && enrollment !== undefined && isSentThere,
      right: () =>
        enrollment === undefined
          ? { effects: [] }
          : { effects: [{ type: 'enrollment.use', id: enrollment.id }], enrollmentId: enrollment.id },
    })
  }

  async function startEnrolment(
    context: StepContext,
    choice: Choice,
  ): Promise<Started | { readonly refused: Refusal; readonly challenge?: Challenge }> {
    const channel = channelOf(context, choice)
    if (channel === undefined) return { refused: badRequest }
    // Read before anything is counted: each spelling of a number would have a budget of its own.
    const to = await numberOf(choice, context)
    const again = askingAgain(context)
    if (to === undefined || (to.extension !== undefined && channel === 'sms')) {
      return { refused: invalidNumber, challenge: again }
    }
    if (!isServed(to, countries)) return { refused: notServed, challenge: again }
    return send(context, { purpose: 'enroll', channel, to })
  }

  /** The form that asks for the number, wherever the number was sent from. */
  const askingAgain = ({ now, lifetimes }: StepContext): Challenge => ({
    authenticator: phoneKey,
    method: 'sms',
    purpose: 'enroll',
    pending: true,
    startedAt: now,
    expiresAt: now + lifetimes.code,
    data: null,
  })

  async function judgeEnrolment(
    input: Input,
    context: StepContext,
    challenge: Challenge | undefined,
  ): Promise<Judgement> {
    const { person } = context
    const { sent, phone: data } = challengeData(challenge)
    return judgeCode(input, context, challenge && { ...challenge, sent }, {
      isAlive: person !== undefined && data !== undefined,
      right: () => ({
        effects:
          person && data && challenge
            ? [{ type: 'enrollment.put', enrollment: phoneEnrollment(person.id, challenge.method, data) }]
            : [],
      }),
    })
  }

  /** The chosen method as a channel; undefined where it may not be used. */
  const channelOf = (context: StepContext, { method }: Choice): TextChannel | undefined =>
    context.methodsOf(phone).some(({ type }) => type === method) ? (method as TextChannel) : undefined

  return phone
}

/** The number that was sent, or, where it is sent again, that of the open challenge. */
async function numberOf({ input }: Choice, { progress }: StepContext): Promise<ReadNumber | undefined> {
  if (Object.keys(input).length > 0) return readNumber(textAt(input, 'phoneNumber') ?? '')
  const { phone } = challengeData(progress.challenge)
  return phone && readNumber(dialled(phone))
}

const enrollmentIn = ({ enrollments, progress: { challenge } }: View): Enrollment | undefined =>
  enrollments.find(({ authenticator, id }) =>
    // Without a challenge it is asked of the only phone there is.
    challenge === undefined ? authenticator === phoneKey : id === challenge.enrollmentId,
  )
