import type { OktaAuth } from '@okta/okta-auth-js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { majors, sdk } from '../support/sdk.ts'
import { appWith, emailWith, enrolsEmail, verifiesSecond, warnsOfExpiry } from '../wire/email.ts'
import { twoFactors } from '../wire/totp.ts'

type Transaction = Awaited<ReturnType<OktaAuth['idx']['authenticate']>>

const newPassword = 'Lighthouse-Biscuit-77'
const day = 86_400_000

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

async function mails(): Promise<number> {
  await idp.engine.delivery.idle()
  return idp.outbox.to(idp.person.login).length
}
const codeOf = async (to = idp.person.login) => {
  const template = ['ForgotPassword', 'EmailChallenge']
  return (await idp.outbox.waitFor({ to, template })).code ?? ''
}
const signsIn = (auth: OktaAuth) =>
  auth.idx.authenticate({ username: idp.person.login, password: idp.person.password })

describe.each(majors)('okta-auth-js %s, legacy mode', (major) => {
  const app = () => sdk(idp, { major })

  /** Answers the page of the method. Major 6 does so by itself where there is one method: its app sees the page of the code. */
  async function choosesMethod(auth: OktaAuth, asked: Transaction): Promise<void> {
    if (major > 6) {
      expect(asked.nextStep).toMatchObject({
        name: 'authenticator-verification-data',
        inputs: [{ name: 'methodType', options: [{ label: 'Email', value: 'email' }] }],
      })
      expect(await mails()).toBe(0)
    }
    const sent = major > 6 ? await auth.idx.proceed({ methodType: 'email' }) : asked
    expect(sent.nextStep?.name).toBe('challenge-authenticator')
  }

  test('the method choice: a recovery on demand', async () => {
    await appWith(idp, { email_method_choice: true })
    const auth = app()
    await choosesMethod(auth, await auth.idx.recoverPassword({ username: idp.person.login }))
    const proven = await auth.idx.proceed({ verificationCode: await codeOf() })
    expect(proven.nextStep?.name).toBe('reset-authenticator')
    expect((await auth.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
  })

  test('the method choice: after a password, where email is the only second factor', async () => {
    await appWith(idp, { email_method_choice: true })
    await twoFactors(idp)
    const auth = app()
    await choosesMethod(auth, await signsIn(auth))
    const done = await auth.idx.proceed({ verificationCode: await codeOf() })
    expect(done.status).toBe('SUCCESS')
    expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])
  })

  test('without it: a recovery, and email beside the password, two addresses, mails without a link', async () => {
    await verifiesSecond(idp, idp.person.login, 'mary.second@example.net')
    await emailWith(idp, { useEmailMagicLink: false })
    await twoFactors(idp)
    const auth = app()
    expect((await signsIn(auth)).nextStep?.name).toBe('select-authenticator-authenticate')
    const sent = await auth.idx.proceed({ authenticator: 'okta_email' })
    expect(sent.nextStep).toMatchObject({ name: 'challenge-authenticator', canResend: true })
    expect(sent.nextStep?.poll).toBeUndefined()
    expect(sent.nextStep?.authenticatorEnrollments ?? sent.nextStep?.authenticator).toBeDefined()
    const done = await auth.idx.proceed({ verificationCode: await codeOf('mary.second@example.net') })
    expect(done.status).toBe('SUCCESS')
  })

  test('a mailbox is enrolled at sign-in', async () => {
    await enrolsEmail(idp)
    const auth = app()
    expect((await signsIn(auth)).nextStep?.name).toBe('select-authenticator-enroll')
    const sent = await auth.idx.proceed({ authenticator: 'okta_email' })
    expect(sent.nextStep).toMatchObject({ name: 'enroll-authenticator', canResend: true })
    const done = await auth.idx.proceed({ verificationCode: await codeOf() })
    expect(done.status).toBe('SUCCESS')
    expect(done.tokens?.idToken?.claims.email_verified).toBe(true)
  })

  test('a password that expires soon is kept', async () => {
    await warnsOfExpiry(idp)
    idp.clock.advance(8 * day)
    const auth = app()
    const warned = await signsIn(auth)
    expect(warned.status).toBe('PENDING')
    expect(warned.messages).toMatchObject([{ i18n: { key: 'idx.password.expiring.message' } }])
    expect(warned.availableSteps?.map(({ name }) => name)).toContain('skip')
    expect((await auth.idx.proceed({ skip: true })).status).toBe('SUCCESS')
  })

  test.runIf(major > 6)('a password that expires soon is replaced', async () => {
    await warnsOfExpiry(idp)
    idp.clock.advance(8 * day)
    const auth = app()
    const warned = await signsIn(auth)
    expect(warned.nextStep).toMatchObject({ name: 'reenroll-authenticator-warning', canSkip: true })
    expect((await auth.idx.proceed({ newPassword })).status).toBe('SUCCESS')
    const again = app()
    idp.clock.advance(1000)
    const done = await again.idx.authenticate({ username: idp.person.login, password: newPassword })
    expect(done.status).toBe('SUCCESS')
  })
})

describe('okta-auth-js 8, step mode', () => {
  const app = () => sdk(idp, { major: 8, mode: 'step' })
  const first = () => ({
    step: 'identify',
    identifier: idp.person.login,
    credentials: { passcode: idp.person.password },
  })
  const choosesMethod = (auth: OktaAuth) =>
    auth.idx.proceed({
      step: 'authenticator-verification-data',
      authenticator: { key: 'okta_email', methodType: 'email' },
    })
  const challenged = async (auth: OktaAuth, step = 'challenge-authenticator') =>
    auth.idx.proceed({ step, credentials: { passcode: await codeOf() } })

  test('the method choice in a recovery', async () => {
    await appWith(idp, { email_method_choice: true })
    const auth = app()
    await auth.idx.start()
    await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })
    const named = await auth.idx.proceed({ step: 'identify-recovery', identifier: idp.person.login })
    expect(named.nextStep?.name).toBe('authenticator-verification-data')
    expect(await mails()).toBe(0)
    const sent = await choosesMethod(auth)
    expect(sent.nextStep?.name).toBe('challenge-authenticator')
    expect((await challenged(auth)).nextStep?.name).toBe('reset-authenticator')
    const done = await auth.idx.proceed({
      step: 'reset-authenticator',
      credentials: { passcode: newPassword },
    })
    expect(done.status).toBe('SUCCESS')
  })

  test('the method choice after a password', async () => {
    await appWith(idp, { email_method_choice: true })
    await twoFactors(idp)
    const auth = app()
    await auth.idx.start()
    expect((await auth.idx.proceed(first())).nextStep?.name).toBe('authenticator-verification-data')
    await choosesMethod(auth)
    expect((await challenged(auth)).status).toBe('SUCCESS')
  })

  test('a mailbox that is enrolled, and a warning that is skipped', async () => {
    await enrolsEmail(idp)
    await warnsOfExpiry(idp)
    idp.clock.advance(8 * day)
    const auth = app()
    await auth.idx.start()
    expect((await auth.idx.proceed(first())).nextStep?.name).toBe('select-authenticator-enroll')
    await auth.idx.proceed({ step: 'select-authenticator-enroll', authenticator: 'okta_email' })
    const warned = await challenged(auth, 'enroll-authenticator')
    expect(warned.nextStep?.name).toBe('reenroll-authenticator-warning')
    expect((await auth.idx.proceed({ step: 'skip' })).status).toBe('SUCCESS')
  })
})
