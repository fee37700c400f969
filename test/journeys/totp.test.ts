import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { majors, type SdkMajor, sdk, walkingMajors } from '../support/sdk.ts'
import { codeAt, enrollmentPolicy, period, twoFactors, wrongCode } from '../wire/totp.ts'

const newPassword = 'Lighthouse-Biscuit-77'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

type App = ReturnType<typeof sdk>
type Transaction = Awaited<ReturnType<App['idx']['authenticate']>>

const optionsOf = ({ nextStep }: Transaction) => nextStep?.inputs?.[0]?.options
const keysOf = ({ messages }: Transaction) => messages?.map(({ i18n }) => i18n?.key)
/** What the page of an enrolment shows, where each mode of the SDK has it. */
const shownIn = ({ nextStep }: Transaction) => {
  const step = nextStep as unknown as {
    readonly authenticator?: { readonly contextualData?: Shown }
    readonly relatesTo?: { readonly value: { readonly contextualData?: Shown } }
  }
  const shown = step.authenticator?.contextualData ?? step.relatesTo?.value.contextualData
  if (shown === undefined) throw new Error(`nothing is shown at ${nextStep?.name}`)
  return shown
}
interface Shown {
  readonly sharedSecret: string
  readonly qrcode: { readonly href: string }
}
const credentials = () => ({ username: idp.person.login, password: idp.person.password })
const right = (secret: string, steps = 0) => codeAt(secret, idp.clock.now(), steps)

/** Enrols an app at a sign-in that requires it, and goes on until its code is unused again. */
async function enrolled(major: SdkMajor): Promise<string> {
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const auth = sdk(idp, { major })
  await auth.idx.authenticate(credentials())
  const secret = shownIn(await auth.idx.proceed({ authenticator: 'google_otp' })).sharedSecret
  expect((await auth.idx.proceed({ verificationCode: right(secret) })).status).toBe('SUCCESS')
  idp.clock.advance(10 * period)
  return secret
}

describe.each([...majors])('with okta-auth-js %i', (major) => {
  test('a user enrols an app at a sign-in that requires it, and signs in with it', async () => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const auth = sdk(idp, { major })
    const asked = await auth.idx.authenticate(credentials())
    expect(asked).toMatchObject({ status: 'PENDING', nextStep: { name: 'select-authenticator-enroll' } })
    expect(asked.nextStep?.canSkip).toBeFalsy()
    expect(optionsOf(asked)).toEqual([{ label: 'Google Authenticator', value: 'google_otp' }])

    const shown = await auth.idx.proceed({ authenticator: 'google_otp' })
    expect(shown.nextStep).toMatchObject({
      name: 'enroll-authenticator',
      inputs: [{ name: 'verificationCode', label: 'Enter code', type: 'string', required: true }],
      authenticator: { key: 'google_otp', displayName: 'Google Authenticator' },
    })
    const { sharedSecret: secret, qrcode } = shownIn(shown)
    expect(qrcode.href).toMatch(/^data:image\/png;base64,/)
    const refused = await auth.idx.proceed({ verificationCode: wrongCode(secret, idp.clock.now()) })
    expect(keysOf(refused)).toEqual(['api.authn.error.PASSCODE_INVALID'])
    const done = await auth.idx.proceed({ verificationCode: right(secret) })
    expect(done.status).toBe('SUCCESS')
    expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])

    await twoFactors(idp)
    idp.clock.advance(10 * period)
    const again = sdk(idp, { major })
    const chosen = await again.idx.authenticate(credentials())
    expect(chosen.nextStep?.name).toBe('select-authenticator-authenticate')
    expect(optionsOf(chosen)).toEqual([
      { label: 'Email', value: 'okta_email' },
      { label: 'Google Authenticator', value: 'google_otp' },
    ])
    expect((await again.idx.proceed({ authenticator: 'google_otp' })).nextStep).toMatchObject({
      name: 'challenge-authenticator',
      inputs: [{ name: 'verificationCode', label: 'Enter code' }],
      authenticator: { key: 'google_otp' },
    })
    const wrong = await again.idx.proceed({ verificationCode: wrongCode(secret, idp.clock.now()) })
    expect(keysOf(wrong)).toEqual(['authfactor.challenge.soft_token.invalid_passcode'])
    const signedIn = await again.idx.proceed({ verificationCode: right(secret) })
    expect(signedIn.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])
  })
})

describe.each([...walkingMajors])('with okta-auth-js %i', (major) => {
  test('a user declines an app that is optional', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const auth = sdk(idp, { major })
    const asked = await auth.idx.authenticate(credentials())
    expect(asked.nextStep).toMatchObject({ name: 'select-authenticator-enroll', canSkip: true })
    const shown = await auth.idx.proceed({ authenticator: 'google_otp' })
    expect(shown.nextStep).toMatchObject({ name: 'enroll-authenticator', canSkip: true })

    const done = await auth.idx.proceed({ skip: true })
    expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd'])
  })

  test('all of it is given in one call', async () => {
    const secret = await enrolled(major)
    await twoFactors(idp)
    const auth = sdk(idp, { major })
    const asked = await auth.idx.authenticate({ ...credentials(), authenticator: 'google_otp' })
    expect(asked.nextStep?.name).toBe('challenge-authenticator')
    const done = await auth.idx.proceed({ verificationCode: right(secret) })
    expect(done.status).toBe('SUCCESS')
  })
})

describe.each([...majors])('with okta-auth-js %i', (major) => {
  test('a recovery by mail asks for the app of a user who has one', async () => {
    const secret = await enrolled(major)
    const auth = sdk(idp, { major })
    await auth.idx.recoverPassword({ username: idp.person.login, authenticator: 'okta_email' })
    const { code } = await idp.outbox.waitFor({ to: idp.person.login, template: 'ForgotPassword' })
    const proven = await auth.idx.proceed({ verificationCode: code ?? '' })
    expect(proven.nextStep?.name).toBe('select-authenticator-authenticate')
    expect(optionsOf(proven)).toEqual([{ label: 'Google Authenticator', value: 'google_otp' }])

    await auth.idx.proceed({ authenticator: 'google_otp' })
    const reset = await auth.idx.proceed({ verificationCode: right(secret) })
    expect(reset.nextStep?.name).toBe('reset-authenticator')
    const done = await auth.idx.proceed({ password: newPassword })
    expect(done.status).toBe('SUCCESS')
  })
})

describe('in step mode, okta-auth-js 8', () => {
  const app = () => sdk(idp, { major: 8, mode: 'step' })

  test('enrols an app, and signs in with it', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const auth = app()
    const { login, password } = idp.person
    await auth.idx.start()
    const first = { step: 'identify', identifier: login, credentials: { passcode: password } }
    const asked = await auth.idx.proceed(first)
    expect(asked.nextStep?.name).toBe('select-authenticator-enroll')
    expect(asked.availableSteps?.map(({ name }) => name)).toContain('skip')

    const shown = await auth.idx.proceed({ step: 'select-authenticator-enroll', authenticator: 'google_otp' })
    expect(shown.nextStep?.name).toBe('enroll-authenticator')
    const secret = shownIn(shown).sharedSecret
    const done = await auth.idx.proceed({
      step: 'enroll-authenticator',
      credentials: { passcode: right(secret) },
    })
    expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])

    await twoFactors(idp)
    idp.clock.advance(10 * period)
    const again = app()
    await again.idx.start()
    await again.idx.proceed(first)
    const challenged = await again.idx.proceed({
      step: 'select-authenticator-authenticate',
      authenticator: 'google_otp',
    })
    expect(challenged.nextStep?.name).toBe('challenge-authenticator')
    const signedIn = await again.idx.proceed({
      step: 'challenge-authenticator',
      credentials: { passcode: right(secret) },
    })
    expect(signedIn.status).toBe('SUCCESS')
  })

  test('declines it', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const auth = app()
    await auth.idx.start()
    await auth.idx.proceed({
      step: 'identify',
      identifier: idp.person.login,
      credentials: { passcode: idp.person.password },
    })
    expect((await auth.idx.proceed({ step: 'skip' })).status).toBe('SUCCESS')
  })
})
