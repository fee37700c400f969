import type { OktaAuth } from '@okta/okta-auth-js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authenticatorId } from '../../src/flow/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { appRule, enrolmentPolicy, namingApp } from '../support/policy-rules.ts'
import { majors, openLink, type SdkMajor, sdk } from '../support/sdk.ts'
import { warnsOfExpiry } from '../wire/email.ts'
import { newPasskey } from '../wire/passkeys.ts'
import { hasPhone, lastCode, latestText, number } from '../wire/phone.ts'
import { changeRule } from '../wire/recovery-rules.ts'
import { codeAt, enrollmentPolicy, period, twoFactors, wrongCode } from '../wire/totp.ts'
import { wrong } from '../wire/visitor.ts'

type Transaction = Awaited<ReturnType<OktaAuth['idx']['proceed']>>
type Values = Readonly<Record<string, unknown>>
interface Style {
  readonly major: SdkMajor
  readonly mode: 'legacy' | 'step'
}

const newPassword = 'Lighthouse-Biscuit-77'
const locked = 'lee@example.com'
const lockedPassword = 'Tangerine-Kettle-42'
const success = 'oie.selfservice.unlock_user.success.message'
const styles: readonly Style[] = [
  ...majors.map((major) => ({ major, mode: 'legacy' }) as const),
  { major: 8, mode: 'step' },
]

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({
    settings: {
      webauthn: { rpId: 'localhost' },
      policies: { password: { recovery: { unlock: true } } },
    },
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const at = ({ status, nextStep }: Transaction) => (status === 'PENDING' ? nextStep?.name : status)
const keysOf = ({ messages }: Transaction) => messages?.map(({ i18n }) => i18n?.key)
const amrOf = ({ tokens }: Transaction) => tokens?.idToken?.claims.amr
const claimsOf = ({ tokens }: Transaction) => tokens?.idToken?.claims

interface Shown {
  readonly sharedSecret: string
  readonly activationData: { readonly challenge: string }
  readonly challengeData: { readonly challenge: string }
  readonly qrcode: { readonly href: string }
  readonly selectedChannel: string
  readonly enrolledQuestion: { readonly questionKey: string; readonly question: string }
}
interface Related {
  readonly id: string
  readonly key: string
  readonly methods: readonly { readonly type: string }[]
  readonly contextualData: Shown
}
/** What a page is about, where each mode of the SDK has it. */
function related({ nextStep, context }: Transaction): Related {
  const step = nextStep as unknown as {
    readonly authenticator?: Related
    readonly relatesTo?: { readonly value: Related }
  }
  const current = context.currentAuthenticator as unknown as { readonly value: Related } | undefined
  const found = step.authenticator ?? step.relatesTo?.value ?? current?.value
  if (found === undefined) throw new Error(`nothing is shown at ${nextStep?.name}`)
  return found
}
const shown = (transaction: Transaction) => related(transaction).contextualData

/** The keys among which a page lets choose, where each mode has them. */
function choices({ nextStep }: Transaction): readonly unknown[] {
  const options = nextStep?.inputs?.find(({ name }) => name === 'authenticator')?.options ?? []
  return options.map((option) => {
    const { value, relatesTo } = option as { value: unknown; relatesTo?: { key: string } }
    return relatesTo?.key ?? value
  })
}

/** An app of one style: one word for each act of a user, said as that style says it. */
function appOf({ major, mode }: Style) {
  const auth = sdk(idp, { major, mode })
  const isStep = mode === 'step'
  const proceed = (values: Values): Promise<Transaction> => auth.idx.proceed(values as never)
  const does = (step: string, stepValues: Values, legacyValues: Values) =>
    isStep ? proceed({ step, ...stepValues }) : proceed(legacyValues)
  return {
    auth,
    proceed,
    async signsIn(more: Values = {}): Promise<Transaction> {
      const { login, password } = idp.person
      const { password: passcode = password, ...others } = more
      if (!isStep) return auth.idx.authenticate({ username: login, password: passcode, ...others } as never)
      await auth.idx.start(others as never)
      return proceed({ step: 'identify', identifier: login, credentials: { passcode } })
    },
    async recovers(login = idp.person.login): Promise<Transaction> {
      if (!isStep) return auth.idx.recoverPassword({ username: login })
      await auth.idx.start()
      await proceed({ actions: ['currentAuthenticator-recover'] })
      return proceed({ step: 'identify-recovery', identifier: login })
    },
    async unlocks(username: string, key: string, methodType: string): Promise<Transaction> {
      const step = 'select-authenticator-unlock-account'
      if (!isStep) return auth.idx.unlockAccount({ username, authenticator: key, methodType } as never)
      await auth.idx.start()
      await proceed({ step: 'unlock-account' })
      return proceed({ step, identifier: username, authenticator: { id: authenticatorId(key), methodType } })
    },
    enrols: (authenticator: unknown) =>
      does('select-authenticator-enroll', { authenticator }, { authenticator }),
    chooses: (authenticator: unknown) =>
      does('select-authenticator-authenticate', { authenticator }, { authenticator }),
    number: (values: Values) => does('authenticator-enrollment-data', values, values),
    method: (methodType: string) => does('authenticator-verification-data', { methodType }, { methodType }),
    confirms: (credentials: Values, legacy: Values = credentials) =>
      does('enroll-authenticator', { credentials }, legacy),
    answers: (credentials: Values, legacy: Values = credentials) =>
      does('challenge-authenticator', { credentials }, legacy),
    confirmsCode: (code: string) =>
      does('enroll-authenticator', { credentials: { passcode: code } }, { verificationCode: code }),
    answersCode: (code: string) =>
      does('challenge-authenticator', { credentials: { passcode: code } }, { verificationCode: code }),
    setsPassword: (password: string) =>
      does('reset-authenticator', { credentials: { passcode: password } }, { password }),
    resends: (action: string) => (isStep ? proceed({ actions: [action] }) : proceed({ resend: true })),
    skips: () => does('skip', {}, { skip: true }),
  }
}
type App = ReturnType<typeof appOf>

const enrolling = 'currentAuthenticator-resend'
const verifying = 'currentAuthenticatorEnrollment-resend'
const rightCode = (secret: string, steps = 0) => codeAt(secret, idp.clock.now(), steps)
async function mailedCode(template: string, to = idp.person.login): Promise<string> {
  await idp.engine.delivery.idle()
  return (await idp.outbox.waitFor({ to, template })).code ?? ''
}
/** What a response lists of the user's enrollments. */
function listedIn({ context }: Transaction): readonly Values[] {
  const { value } = (context.authenticatorEnrollments ?? { value: [] }) as unknown as {
    readonly value: readonly Values[]
  }
  return value
}
const texts = async () => {
  await idp.engine.delivery.idle()
  return idp.outbox
    .all()
    .filter(({ channel }) => channel !== 'email')
    .map(({ channel, to }) => `${channel} ${to}`)
    .toReversed()
}
/** What users have besides their passwords. */
const enrollments = () =>
  idp.engine.storage.db
    .selectFrom('enrollments')
    .select('authenticator')
    .where('authenticator', '!=', 'okta_password')
    .execute()

/** Enrols what its policy asks for, one after the other; answers the secrets. */
async function hasAll(style: Style) {
  await enrollmentPolicy(idp, {
    google_otp: 'REQUIRED',
    security_question: 'REQUIRED',
    webauthn: 'REQUIRED',
    phone_number: 'OPTIONAL',
  })
  const app = appOf(style)
  await app.signsIn()
  const secret = shown(await app.enrols('google_otp')).sharedSecret
  await app.confirmsCode(rightCode(secret))
  await app.enrols('security_question')
  await app.confirms({ questionKey: 'disliked_food', answer: 'Sprouts' })
  const passkey = newPasskey()
  const made = await app.enrols('webauthn')
  const offered = await app.confirms(passkey.create(shown(made).activationData.challenge))
  expect(at(offered)).toBe('select-authenticator-enroll')
  expect(offered.nextStep?.canSkip ?? offered.availableSteps?.some(({ name }) => name === 'skip')).toBe(true)
  const done = await app.skips()
  expect([at(done), amrOf(done)]).toEqual(['SUCCESS', expect.arrayContaining(['pwd', 'otp', 'kba', 'mfa'])])
  await hasPhone(idp)
  await twoFactors(idp)
  idp.clock.advance(10 * period)
  return { secret, passkey }
}

describe.each(styles)('okta-auth-js $major, $mode mode', (style) => {
  const isStep = style.mode === 'step'
  let app: App
  beforeEach(() => {
    app = appOf(style)
  })

  describe('a phone', () => {
    test.each(['sms', 'voice'])(
      'is enrolled by %s, with a change of mind and a resend',
      async (methodType) => {
        const other = methodType === 'sms' ? 'voice' : 'sms'
        await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
        const asked = await app.signsIn()
        expect([at(asked), choices(asked)]).toEqual(['select-authenticator-enroll', ['phone_number']])
        expect(asked.nextStep?.canSkip).toBeFalsy()
        const data = await app.enrols('phone_number')
        expect(at(data)).toBe('authenticator-enrollment-data')
        if (!isStep) {
          expect(data.nextStep?.inputs?.map(({ name }) => name)).toEqual(['methodType', 'phoneNumber'])
          expect(data.nextStep?.inputs?.[0]?.options?.map(({ value }) => value)).toEqual(['sms', 'voice'])
        }
        // There is nothing to send again yet; apps show the button all the same.
        expect(at(await app.resends(enrolling))).toBe('authenticator-enrollment-data')
        expect(await texts()).toEqual([])

        const refused = await app.number({ methodType, phoneNumber: '12' })
        expect([at(refused), keysOf(refused)]).toEqual([
          'authenticator-enrollment-data',
          ['api.factors.error.sms.invalid_phone'],
        ])
        const first = await app.number({ methodType, phoneNumber: '+1 (555) 123-4567' })
        expect([at(first), related(first).methods]).toEqual(['enroll-authenticator', [{ type: methodType }]])
        const { code: abandoned } = await latestText(idp)

        // The same authenticator again, by its id: the SDK takes the key for the one that it has.
        const id = authenticatorId('phone_number')
        const again = await app.enrols({ id, methodType: other, phoneNumber: number })
        expect([at(again), related(again).methods]).toEqual(['enroll-authenticator', [{ type: other }]])
        expect(keysOf(await app.resends(enrolling))).toEqual([
          other === 'sms' ? 'errors.E0000109' : 'errors.E0000133',
        ])
        idp.clock.advance(31_000)
        expect(at(await app.resends(enrolling))).toBe('enroll-authenticator')
        expect(await texts()).toEqual([`${methodType} ${number}`, `${other} ${number}`, `${other} ${number}`])
        const code = await lastCode(idp)
        const stale = abandoned === code ? wrong(code) : (abandoned ?? '')
        const failed = await app.confirmsCode(stale)
        expect([at(failed), keysOf(failed)]).toEqual([
          'enroll-authenticator',
          ['api.authn.error.PASSCODE_INVALID'],
        ])
        const done = await app.confirmsCode(code)
        expect([at(done), amrOf(done)]).toEqual([
          'SUCCESS',
          ['pwd', other === 'sms' ? 'sms' : 'tel', 'otp', 'mfa'],
        ])
        expect(await enrollments()).toEqual([{ authenticator: 'phone_number' }])
      },
    )

    test('is a second factor, by text, by call, and by the other of them', async () => {
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', okta_email: 'NOT_ALLOWED' })
      await hasPhone(idp)
      await twoFactors(idp)
      const direct = await app.signsIn()
      // Okta goes on by itself where there is one factor, and sends nothing before the method is known.
      expect(at(direct)).toBe('authenticator-verification-data')
      expect(await texts()).toEqual([])
      const sent = await app.method('sms')
      expect([at(sent), related(sent).methods]).toEqual(['challenge-authenticator', [{ type: 'sms' }]])
      const { code: text } = await latestText(idp)
      const id = authenticatorId('phone_number')
      const { id: enrollmentId } = related(sent)
      const called = await app.chooses({ id, enrollmentId, methodType: 'voice' })
      expect([at(called), related(called).methods]).toEqual(['challenge-authenticator', [{ type: 'voice' }]])
      idp.clock.advance(31_000)
      expect(at(await app.resends(verifying))).toBe('challenge-authenticator')
      expect(await texts()).toEqual([`sms ${number}`, `voice ${number}`, `voice ${number}`])
      const code = await lastCode(idp)
      if (text !== code) {
        expect(keysOf(await app.answersCode(text ?? ''))).toEqual(['api.authn.error.PASSCODE_INVALID'])
      }
      expect(amrOf(await app.answersCode(code))).toEqual(['pwd', 'tel', 'otp', 'mfa'])
    })

    test('of two phones the SDK takes the first by its key, and either by its enrollment', async () => {
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', okta_email: 'NOT_ALLOWED' })
      await hasPhone(idp)
      await hasPhone(idp, { to: '+15557654321', name: 'work' })
      await twoFactors(idp)
      const asked = await app.signsIn()
      expect([at(asked), choices(asked)]).toEqual([
        'select-authenticator-authenticate',
        ['phone_number', 'phone_number'],
      ])
      await app.chooses('phone_number')
      const first = await app.method('sms')
      expect(await texts()).toEqual([`sms ${number}`])
      const others = listedIn(first).filter(
        ({ key, id }) => key === 'phone_number' && id !== related(first).id,
      )
      const id = authenticatorId('phone_number')
      await app.chooses({ id, enrollmentId: others[0]?.id, methodType: 'sms' })
      expect(await texts()).toEqual([`sms ${number}`, 'sms +15557654321'])
      expect(at(await app.answersCode(await lastCode(idp, '+15557654321')))).toBe('SUCCESS')
    })

    test('and what is asked for by key while a code is awaited is another authenticator', async () => {
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
      await hasPhone(idp)
      await twoFactors(idp)
      await app.signsIn()
      await app.chooses('phone_number')
      await app.method('sms')
      expect(related(await app.chooses('okta_email')).key).toBe('okta_email')
      expect(at(await app.chooses('phone_number'))).toBe('authenticator-verification-data')
      expect(related(await app.method('voice')).key).toBe('phone_number')
      expect(amrOf(await app.answersCode(await lastCode(idp)))).toEqual(['pwd', 'tel', 'otp', 'mfa'])
    })
  })

  test('every authenticator is enrolled in one sign-in, and each is then a second factor', async () => {
    const { secret, passkey } = await hasAll(style)
    const begins = async () => {
      app = appOf(style)
      const asked = await app.signsIn()
      expect([at(asked), [...choices(asked)].toSorted()]).toEqual([
        'select-authenticator-authenticate',
        ['google_otp', 'okta_email', 'phone_number', 'webauthn'],
      ])
    }

    await begins()
    await app.chooses('google_otp')
    expect(keysOf(await app.answersCode(wrongCode(secret, idp.clock.now())))).toEqual([
      'authfactor.challenge.soft_token.invalid_passcode',
    ])
    expect(amrOf(await app.answersCode(rightCode(secret)))).toEqual(['pwd', 'otp', 'mfa'])

    await begins()
    await app.chooses('okta_email')
    expect(at(await app.answersCode(await mailedCode('EmailChallenge')))).toBe('SUCCESS')

    await begins()
    await app.chooses('phone_number')
    await app.method('sms')
    expect(amrOf(await app.answersCode(await lastCode(idp)))).toEqual(['pwd', 'sms', 'otp', 'mfa'])

    await begins()
    const asked = await app.chooses('webauthn')
    const listed = listedIn(asked)
    expect(listed.map(({ credentialId }) => credentialId).filter(Boolean)).toEqual([
      passkey.credentialId.toString('base64url'),
    ])
    const { challenge } = shown(asked).challengeData
    const failed = await app.answers(passkey.get(`${challenge.slice(1)}A`))
    expect(keysOf(failed)).toEqual(['authfactor.webauthn.error.assertion_validation_failure'])
    const next = shown(failed).challengeData.challenge
    expect(next).not.toBe(challenge)
    const done = await app.answers(passkey.get(next))
    expect([at(done), amrOf(done)]).toEqual(['SUCCESS', expect.arrayContaining(['pwd', 'hwk', 'mfa'])])
  })

  test('another is chosen while the first one waits: codes, apps, passkeys, in any order', async () => {
    const { passkey } = await hasAll(style)
    await app.signsIn()
    for (const key of ['google_otp', 'webauthn', 'okta_email', 'google_otp', 'webauthn']) {
      const chosen = await app.chooses(key)
      expect([at(chosen), related(chosen).key]).toEqual(['challenge-authenticator', key])
    }
    // What belongs to another method is a wrong answer, or one that the form does not know; it proves nothing.
    expect(at(await app.chooses('google_otp'))).toBe('challenge-authenticator')
    const other = await app.answersCode(await mailedCode('EmailChallenge'))
    expect(at(other)).toBe('challenge-authenticator')
    const asked = await app.chooses('webauthn')
    expect(at(await app.answers(passkey.get(shown(asked).challengeData.challenge)))).toBe('SUCCESS')
  })

  describe('a security question', () => {
    test.each([
      ['that is listed', { questionKey: 'disliked_food', answer: 'Sprouts' }],
      [
        'that is listed, beside an empty one',
        { questionKey: 'disliked_food', question: '', answer: 'Sprouts' },
      ],
      ['of the user', { questionKey: 'custom', question: 'Whose cat?', answer: 'Sprouts' }],
    ])('%s is enrolled, and asked in a recovery', async (_, chosen) => {
      await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
      await app.signsIn()
      await app.enrols('security_question')
      const short = await app.confirms({ ...chosen, answer: 'no' })
      expect([at(short), keysOf(short)?.[0]]).toEqual([
        'enroll-authenticator',
        'securityQuestion.answer.tooShort.arg',
      ])
      expect(amrOf(await app.confirms(chosen))).toEqual(['pwd', 'kba'])

      app = appOf(style)
      await app.recovers()
      await app.chooses('okta_email')
      const asked = await app.answersCode(await mailedCode('ForgotPassword'))
      expect(at(asked)).toBe('select-authenticator-authenticate')
      const question = await app.chooses('security_question')
      expect(shown(question).enrolledQuestion.questionKey).toBe(chosen.questionKey)
      expect(keysOf(await app.answers({ answer: 'Broccoli' }))).toEqual(['errors.E0000087'])
      expect(at(await app.answers({ answer: ' SPROUTS ' }))).toBe('reset-authenticator')
      expect(at(await app.setsPassword(newPassword))).toBe('SUCCESS')
    })
  })

  test('a passkey is enrolled in both forms of base64, after one that was made for another page', async () => {
    await enrollmentPolicy(idp, { webauthn: 'REQUIRED' })
    await app.signsIn()
    const first = shown(await app.enrols('webauthn')).activationData
    // The SDK decodes the challenge as base64url: it must survive that unchanged.
    expect(Buffer.from(first.challenge, 'base64url').toString('base64url')).toBe(first.challenge)
    const foreign = newPasskey({ origin: 'https://evil.example' }).create(first.challenge)
    const refused = await app.confirms(foreign)
    expect([at(refused), keysOf(refused)]).toEqual([
      'enroll-authenticator',
      ['authfactor.webauthn.error.attestation_validation_failure'],
    ])
    const passkey = newPasskey()
    const { challenge } = shown(refused).activationData
    expect(challenge).not.toBe(first.challenge)
    const { attestation, clientData } = passkey.create(challenge)
    const url = (text: string) => Buffer.from(text, 'base64').toString('base64url')
    // Majors 7 and 8 send the transports as text, though the form lists them as optional.
    const transports = JSON.stringify(['internal'])
    const done = await app.confirms({ attestation: url(attestation), clientData, transports })
    expect([at(done), amrOf(done)]).toEqual(['SUCCESS', expect.arrayContaining(['pwd', 'hwk', 'mfa'])])
  })

  test('recovery codes: one is typed to show that they are saved, and each is good once', async () => {
    await enrollmentPolicy(idp, { recovery_codes: 'REQUIRED' })
    await app.signsIn()
    const codesShown = shown(await app.enrols('recovery_codes')) as unknown as {
      readonly recoveryCodes?: readonly string[]
    }
    const [first = '', second = ''] = codesShown.recoveryCodes ?? []
    expect(at(await app.confirmsCode(first))).toBe('SUCCESS')
    await twoFactors(idp)
    app = appOf(style)
    await app.signsIn()
    await app.chooses('recovery_codes')
    expect(keysOf(await app.answersCode(first))).toEqual(['recoveryCode.invalid'])
    await app.answersCode(second)
    // The code that was used is replaced, by a new set.
    const anew = shown(await app.enrols('recovery_codes')) as unknown as typeof codesShown
    expect(at(await app.confirmsCode(anew.recoveryCodes?.[0] ?? ''))).toBe('SUCCESS')
  })

  test('a mailbox is enrolled; a started one is left for another, and taken up again', async () => {
    await enrollmentPolicy(idp, {
      security_question: 'REQUIRED',
      okta_email: 'REQUIRED',
      phone_number: 'REQUIRED',
    })
    await app.signsIn()
    expect(at(await app.enrols('phone_number'))).toBe('authenticator-enrollment-data')
    expect(at(await app.enrols('security_question'))).toBe('enroll-authenticator')
    await app.enrols('phone_number')
    await app.number({ methodType: 'sms', phoneNumber: number })
    const early = await lastCode(idp)
    await app.enrols('security_question')
    // A code of an enrolment that was left confirms nothing.
    await app.confirmsCode(early)
    expect(await enrollments()).not.toContainEqual({ authenticator: 'phone_number' })
    await app.confirms({ questionKey: 'disliked_food', answer: 'Sprouts' })
    await app.enrols('phone_number')
    await app.number({ methodType: 'sms', phoneNumber: number })
    expect(at(await app.confirmsCode(await lastCode(idp)))).toBe('SUCCESS')
  })

  test('what is optional is skipped before it was begun', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', google_otp: 'OPTIONAL' })
    await app.signsIn()
    expect(amrOf(await app.skips())).toEqual(['pwd'])
    expect(await enrollments()).toEqual([])
  })

  test('… and after it was begun', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', google_otp: 'OPTIONAL' })
    await app.signsIn()
    await app.enrols('phone_number')
    await app.number({ methodType: 'sms', phoneNumber: number })
    expect(amrOf(await app.skips())).toEqual(['pwd'])
    expect(await enrollments()).toEqual([])
  })

  test('a grace period is skipped as often as it allows, and no more', async () => {
    const gracePeriod = { type: 'BY_SKIP_COUNT', skipCount: 1 }
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod }))
    await app.signsIn()
    expect(at(await app.skips())).toBe('SUCCESS')
    app = appOf(style)
    const due = await app.signsIn()
    expect(due.availableSteps?.map(({ name }) => name)).not.toContain('skip')
    const secret = shown(await app.enrols('google_otp')).sharedSecret
    expect(at(await app.confirmsCode(rightCode(secret)))).toBe('SUCCESS')
  })

  describe('recovery', () => {
    const recoveryBy = (methods: readonly string[], stepUp: object = { required: false }) =>
      changeRule(idp, (actions) => ({
        ...actions,
        selfServicePasswordReset: { access: 'ALLOW', requirement: { primary: { methods }, stepUp } },
      }))

    test.each(['sms', 'voice'])('by %s', async (methodType) => {
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
      await hasPhone(idp)
      await recoveryBy(['email', 'sms', 'voice'])
      expect(choices(await app.recovers())).toEqual(['okta_email', 'phone_number'])
      expect(at(await app.chooses('phone_number'))).toBe('authenticator-verification-data')
      expect(at(await app.method(methodType))).toBe('challenge-authenticator')
      expect(await texts()).toEqual([`${methodType} ${number}`])
      const proven = await app.answersCode(await lastCode(idp))
      // The mailbox that every user has is not asked for: it recovers by itself.
      expect(at(proven)).toBe('reset-authenticator')
      expect(at(await app.setsPassword(newPassword))).toBe('SUCCESS')
    })

    test('steps up by each factor of the user, and enrols nothing', async () => {
      const { secret, passkey } = await hasAll(style)
      const stepsUp = async () => {
        app = appOf(style)
        await app.recovers()
        await app.chooses('okta_email')
        const asked = await app.answersCode(await mailedCode('ForgotPassword'))
        expect([...choices(asked)].toSorted()).toEqual([
          'google_otp',
          'phone_number',
          'security_question',
          'webauthn',
        ])
        idp.clock.advance(10 * period)
      }
      await stepsUp()
      await app.chooses('google_otp')
      expect(at(await app.answersCode(rightCode(secret)))).toBe('reset-authenticator')
      await stepsUp()
      await app.chooses('security_question')
      expect(at(await app.answers({ answer: 'Sprouts' }))).toBe('reset-authenticator')
      await stepsUp()
      await app.chooses('phone_number')
      await app.method('sms')
      expect(at(await app.answersCode(await lastCode(idp)))).toBe('reset-authenticator')
      await stepsUp()
      const { challenge } = shown(await app.chooses('webauthn')).challengeData
      expect(at(await app.answers(passkey.get(challenge)))).toBe('reset-authenticator')
      const done = await app.setsPassword(newPassword)
      expect(at(done)).toBe('SUCCESS')
    })

    test('where an enrolment is due it ends without a sign-in: the SDK knows no enrolment there', async () => {
      await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
      await app.recovers()
      await app.chooses('okta_email')
      await app.answersCode(await mailedCode('ForgotPassword'))
      const done = app.setsPassword(newPassword)
      // Step mode cannot read an end without a form: it throws once the answer has arrived.
      if (isStep) await expect(done).rejects.toThrow("reading 'name'")
      else expect([at(await done), keysOf(await done)]).toEqual(['TERMINAL', ['idx.recovery.completed']])
      expect(await enrollments()).toEqual([])
      app = appOf(style)
      expect(at(await app.signsIn({ password: newPassword }))).toBe('select-authenticator-enroll')
    })
  })

  describe('unlock', () => {
    beforeEach(async () => {
      await idp.people.add({ login: locked, password: lockedPassword, status: 'LOCKED_OUT' })
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
      await hasPhone(idp, { login: locked })
      await changeRule(idp, (actions) => ({
        ...actions,
        selfServiceUnlock: { access: 'ALLOW' },
        selfServicePasswordReset: {
          access: 'ALLOW',
          requirement: { primary: { methods: ['email', 'sms'] }, stepUp: { required: false } },
        },
      }))
    })

    test('by a text message', async () => {
      const sent = await app.unlocks(locked, 'phone_number', 'sms')
      expect(at(sent)).toBe('challenge-authenticator')
      expect(await texts()).toEqual([`sms ${number}`])
      const done = await app.answersCode(await lastCode(idp))
      expect([at(done), keysOf(done)]).toEqual(['TERMINAL', [success]])
      const auth = sdk(idp)
      expect(at(await auth.idx.authenticate({ username: locked, password: lockedPassword }))).toBe('SUCCESS')
    })

    test('by another method, asked for by its key: every enrollment that is listed has an id', async () => {
      const sent = await app.unlocks(locked, 'okta_email', 'email')
      expect(at(sent)).toBe('challenge-authenticator')
      expect(listedIn(sent).map(({ id }) => typeof id)).toEqual(['string', 'string'])
      const chosen = await app.chooses(
        isStep ? { id: authenticatorId('phone_number'), methodType: 'sms' } : 'phone_number',
      )
      const other = at(chosen) === 'authenticator-verification-data' ? await app.method('sms') : chosen
      expect([at(other), related(other).key]).toEqual(['challenge-authenticator', 'phone_number'])
      const done = await app.answersCode(await lastCode(idp))
      expect([at(done), keysOf(done)]).toEqual(['TERMINAL', [success]])
    })

    test.runIf(!isStep)('by the link of the mail', async () => {
      await app.unlocks(locked, 'okta_email', 'email')
      const { link } = await idp.outbox.waitFor({ to: locked, template: 'SelfServiceUnlock' })
      const { search } = await openLink(link ?? '')
      const done = await app.auth.idx.handleEmailVerifyCallback(search)
      expect([done?.status, done?.messages?.[0]?.i18n?.key]).toEqual(['TERMINAL', success])
    })

    test('a name that no user has is answered with the same pages', async () => {
      const known = await app.unlocks(locked, 'phone_number', 'sms')
      const unknown = await appOf(style).unlocks('nobody@example.com', 'phone_number', 'sms')
      const shape = (transaction: Transaction) => [
        at(transaction),
        related(transaction).key,
        related(transaction).methods,
        transaction.nextStep?.canResend,
        Object.keys(related(transaction)).toSorted(),
      ]
      expect(shape(unknown)).toEqual(shape(known))
      expect(await texts()).toEqual([`sms ${number}`])
    })
  })

  test('a password that expires soon: the warning comes before an enrolment, and is skipped', async () => {
    await warnsOfExpiry(idp)
    await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
    idp.clock.advance(8 * 86_400_000)
    let seen = await app.signsIn()
    const names: unknown[] = []
    for (let page = 0; page < 4 && seen.status === 'PENDING'; page++) {
      names.push(at(seen))
      if (at(seen) === 'select-authenticator-enroll') {
        await app.enrols('phone_number')
        await app.number({ methodType: 'sms', phoneNumber: number })
        seen = await app.confirmsCode(await lastCode(idp))
      } else seen = await app.skips()
    }
    expect(at(seen)).toBe('SUCCESS')
    expect(names).toContain(style.major === 6 ? 'skip' : 'reenroll-authenticator-warning')
  })

  test('Okta Verify: its page, its channels, a poll that goes nowhere, and the way back', async () => {
    await enrollmentPolicy(idp, { okta_verify: 'OPTIONAL', google_otp: 'OPTIONAL' })
    await app.signsIn()
    const page = await app.enrols('okta_verify')
    expect([at(page), shown(page).selectedChannel]).toEqual(['enroll-poll', 'qrcode'])
    expect(shown(page).qrcode.href).toMatch(/^data:image\/png;base64,/)
    const polled = isStep ? await app.proceed({ step: 'enroll-poll' }) : await app.auth.idx.poll()
    expect(at(polled)).toBe('enroll-poll')
    const chosen = await app.proceed({ step: 'select-enrollment-channel', channel: 'email' })
    expect(at(chosen)).toBe('enrollment-channel-data')
    const login = idp.person.login
    const sent = await app.proceed(
      isStep ? { step: 'enrollment-channel-data', email: login } : { email: login },
    )
    // Nothing here could finish the enrolment: no link is sent, and none is said to be.
    expect([at(sent), keysOf(sent)]).toEqual(['enrollment-channel-data', ['oktaVerify.notSent']])
    expect(idp.outbox.all()).toEqual([])
    expect(at(await app.enrols('google_otp'))).toBe('enroll-authenticator')
    expect(at(await app.skips())).toBe('SUCCESS')
  })

  test.runIf(style.major > 6)(
    'acr_values: two factors for one sign-in, which the ID token names',
    async () => {
      const acrValues = 'urn:okta:loa:2fa:any'
      const asked = await app.signsIn({ acrValues })
      expect(at(asked)).toBe('select-authenticator-authenticate')
      await app.chooses('okta_email')
      const done = await app.answersCode(await mailedCode('EmailChallenge'))
      expect([at(done), claimsOf(done)?.acr]).toEqual(['SUCCESS', acrValues])
    },
  )

  test('max_age: how old a proof may be', async () => {
    const done = await app.signsIn({ maxAge: 60 })
    expect(at(done)).toBe('SUCCESS')
    expect(claimsOf(done)?.auth_time).toBeTypeOf('number')
  })

  test('a name without a password, where any factor will do', async () => {
    await appRule(idp, { factorMode: '1FA' })
    expect(at(await app.signsIn())).toBe('SUCCESS')
  })
})

describe.each(styles.filter(({ mode }) => mode === 'legacy'))('okta-auth-js $major, in one call', (style) => {
  const signsIn = (values: Values) => {
    const { login, password } = idp.person
    const auth = sdk(idp, style)
    const done = auth.idx.authenticate({ username: login, password, ...values } as never)
    return done.then((transaction) => ({ auth, transaction }))
  }

  test.each<[string, Values]>([
    ['flat', { authenticators: ['phone_number'], methodType: 'voice', phoneNumber: number }],
    [
      'in the authenticator',
      { authenticators: [{ key: 'phone_number', methodType: 'voice', phoneNumber: number }] },
    ],
    ['one, flat', { authenticator: 'phone_number', methodType: 'voice', phoneNumber: number }],
  ])('a phone is enrolled up to its code, %s', async (_, values) => {
    await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
    const { auth, transaction } = await signsIn(values)
    expect(at(transaction)).toBe('enroll-authenticator')
    expect(await texts()).toEqual([`voice ${number}`])
    expect(at(await auth.idx.proceed({ verificationCode: await lastCode(idp) }))).toBe('SUCCESS')
  })

  test('a phone is challenged up to its code', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    await hasPhone(idp)
    await twoFactors(idp)
    const { auth, transaction } = await signsIn({ authenticator: 'phone_number', methodType: 'sms' })
    expect(at(transaction)).toBe('challenge-authenticator')
    expect(await texts()).toEqual([`sms ${number}`])
    expect(at(await auth.idx.proceed({ verificationCode: await lastCode(idp) }))).toBe('SUCCESS')
  })

  test('a question is enrolled, and the sign-in ends', async () => {
    await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
    const { transaction } = await signsIn({
      authenticators: ['security_question'],
      questionKey: 'disliked_food',
      answer: 'Sprouts',
    })
    expect([at(transaction), amrOf(transaction)]).toEqual(['SUCCESS', ['pwd', 'kba']])
  })

  test('several, of which each code is asked for in its time', async () => {
    await enrollmentPolicy(idp, { security_question: 'REQUIRED', phone_number: 'REQUIRED' })
    const { auth, transaction } = await signsIn({
      authenticators: ['security_question', 'phone_number'],
      questionKey: 'disliked_food',
      answer: 'Sprouts',
      methodType: 'sms',
      phoneNumber: number,
    })
    expect(at(transaction)).toBe('enroll-authenticator')
    expect(await texts()).toEqual([`sms ${number}`])
    expect(at(await auth.idx.proceed({ verificationCode: await lastCode(idp) }))).toBe('SUCCESS')
  })

  test('an email and a list of factors, of which the user has one', async () => {
    await twoFactors(idp)
    const { auth, transaction } = await signsIn({ authenticators: ['google_otp', 'okta_email'] })
    expect(at(transaction)).toBe('challenge-authenticator')
    const code = await mailedCode('EmailChallenge')
    expect(at(await auth.idx.proceed({ verificationCode: code }))).toBe('SUCCESS')
  })

  test('a recovery by text message, up to its code, and then to its end', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    await hasPhone(idp)
    await changeRule(idp, (actions) => ({
      ...actions,
      selfServicePasswordReset: {
        access: 'ALLOW',
        requirement: { primary: { methods: ['email', 'sms'] }, stepUp: { required: false } },
      },
    }))
    const auth = sdk(idp, style)
    const sent = await auth.idx.recoverPassword({
      username: idp.person.login,
      authenticators: ['phone_number'],
      methodType: 'sms',
    } as never)
    expect(at(sent)).toBe('challenge-authenticator')
    const code = await lastCode(idp)
    const done = await auth.idx.proceed({ verificationCode: code, password: newPassword })
    expect(at(done)).toBe('SUCCESS')
  })

  test('skip: what is optional is declined at once', async () => {
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    expect(at((await signsIn({ skip: true })).transaction)).toBe('SUCCESS')
  })
})
