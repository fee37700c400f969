import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { majors, type SdkMajor, sdk } from '../support/sdk.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

const newPassword = 'Lighthouse-Biscuit-77'
const key = 'security_question'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

type App = ReturnType<typeof sdk>
type Transaction = Awaited<ReturnType<App['idx']['authenticate']>>

const keysOf = ({ messages }: Transaction) => messages?.map(({ i18n }) => i18n?.key)
const namesOf = ({ nextStep }: Transaction) => nextStep?.inputs?.map(({ name }) => name)
const credentials = () => ({ username: idp.person.login, password: idp.person.password })

async function enrolled(major: SdkMajor, answer = 'Île-de-France'): Promise<void> {
  await enrollmentPolicy(idp, { [key]: 'REQUIRED' })
  const auth = sdk(idp, { major })
  await auth.idx.authenticate(credentials())
  await auth.idx.proceed({ authenticator: key })
  const done = await auth.idx.proceed({ questionKey: 'favorite_vacation_location', answer })
  expect(done.status).toBe('SUCCESS')
}

describe.each([...majors])('with okta-auth-js %i', (major) => {
  test('a user chooses a question at a sign-in that requires one', async () => {
    await enrollmentPolicy(idp, { [key]: 'REQUIRED' })
    const auth = sdk(idp, { major })
    const asked = await auth.idx.authenticate(credentials())
    expect(asked.nextStep?.inputs?.[0]?.options).toEqual([{ label: 'Security Question', value: key }])
    const shown = await auth.idx.proceed({ authenticator: key })
    expect(shown.nextStep?.name).toBe('enroll-authenticator')
    expect(namesOf(shown)).toEqual(['questionKey', 'question', 'answer'])
    const { contextualData } = (shown.nextStep?.authenticator ?? {}) as unknown as {
      readonly contextualData: {
        readonly questions: readonly object[]
        readonly questionKeys: readonly string[]
      }
    }
    expect([contextualData.questions.length, contextualData.questionKeys.at(-1)]).toEqual([19, 'custom'])

    const short = await auth.idx.proceed({ questionKey: 'disliked_food', answer: 'tea' })
    expect(keysOf(short)).toEqual(['securityQuestion.answer.tooShort.arg'])
    // As apps send it that show both forms at once.
    const done = await auth.idx.proceed({ questionKey: 'disliked_food', question: '', answer: 'Sprouts' })
    expect([done.status, done.tokens?.idToken?.claims.amr]).toEqual(['SUCCESS', ['pwd', 'kba']])
  })

  test('… or words one', async () => {
    await enrollmentPolicy(idp, { [key]: 'REQUIRED' })
    const auth = sdk(idp, { major })
    await auth.idx.authenticate(credentials())
    await auth.idx.proceed({ authenticator: key })
    const tagged = await auth.idx.proceed({ questionKey: 'custom', question: '<b>Cat?</b>', answer: 'Felix' })
    expect(keysOf(tagged)).toEqual(['tagsNotAllowed'])
    const done = await auth.idx.proceed({ questionKey: 'custom', question: 'Whose cat?', answer: 'Felix' })
    expect(done.status).toBe('SUCCESS')
  })

  test('a recovery by mail asks it, and takes the answer however it is written', async () => {
    await enrolled(major)
    const auth = sdk(idp, { major })
    await auth.idx.recoverPassword({ username: idp.person.login, authenticator: 'okta_email' })
    const { code } = await idp.outbox.waitFor({ to: idp.person.login, template: 'ForgotPassword' })
    const proven = await auth.idx.proceed({ verificationCode: code ?? '' })
    expect(proven.nextStep?.inputs?.[0]?.options).toEqual([{ label: 'Security Question', value: key }])
    const challenged = await auth.idx.proceed({ authenticator: key })
    expect(challenged.nextStep?.name).toBe('challenge-authenticator')
    expect(namesOf(challenged)).toEqual(['answer'])
    expect(challenged.nextStep?.authenticator).toMatchObject({
      contextualData: { enrolledQuestion: { question: 'Where did you go for your favorite vacation?' } },
    })

    const wrong = await auth.idx.proceed({ answer: 'Paris' })
    expect(keysOf(wrong)).toEqual(['errors.E0000087'])
    const reset = await auth.idx.proceed({ answer: ' ÎLE-DE-FRANCE' })
    expect(reset.nextStep?.name).toBe('reset-authenticator')
    expect((await auth.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
  })
})

test('in step mode, okta-auth-js 8 sends the answer alone', async () => {
  await enrollmentPolicy(idp, { [key]: 'REQUIRED' })
  const { login, password } = idp.person
  const auth = sdk(idp, { major: 8, mode: 'step' })
  await auth.idx.start()
  await auth.idx.proceed({ step: 'identify', identifier: login, credentials: { passcode: password } })
  await auth.idx.proceed({ step: 'select-authenticator-enroll', authenticator: key })
  const done = await auth.idx.proceed({
    step: 'enroll-authenticator',
    credentials: { questionKey: 'disliked_food', answer: 'Sprouts' },
  })
  expect(done.status).toBe('SUCCESS')

  const again = sdk(idp, { major: 8, mode: 'step' })
  await again.idx.start()
  await again.idx.proceed({ actions: ['currentAuthenticator-recover'] })
  await again.idx.proceed({ step: 'identify-recovery', identifier: login })
  await again.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: 'okta_email' })
  const { code } = await idp.outbox.waitFor({ to: login, template: 'ForgotPassword' })
  await again.idx.proceed({ step: 'challenge-authenticator', credentials: { passcode: code ?? '' } })
  await again.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: key })
  const reset = await again.idx.proceed({
    step: 'challenge-authenticator',
    credentials: { answer: 'sprouts' },
  })
  expect(reset.nextStep?.name).toBe('reset-authenticator')
})
