import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { majors, newBrowser, openLink, sdk, walkingMajors } from '../support/sdk.ts'

const newPassword = 'Lighthouse-Biscuit-77'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const claims = (token: string | undefined) =>
  JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString())

describe.each([...majors])('with okta-auth-js %i', (major) => {
  /** A visitor who has asked for the mail and has it. */
  async function atTheCode() {
    const browser = newBrowser()
    const auth = sdk(idp, { major, browser })
    await auth.idx.recoverPassword({ username: idp.person.login })
    await auth.idx.proceed({ authenticator: 'okta_email' })
    const mail = await idp.outbox.waitFor({ to: idp.person.login })
    return { auth, browser, mail }
  }

  test('a person recovers her password by code and is signed in', async () => {
    const auth = sdk(idp, { major })

    const chosen = await auth.idx.recoverPassword({ username: idp.person.login })
    expect(chosen).toMatchObject({
      status: 'PENDING',
      nextStep: {
        name: 'select-authenticator-authenticate',
        inputs: [
          { name: 'authenticator', type: 'string', options: [{ label: 'Email', value: 'okta_email' }] },
        ],
      },
    })

    const challenged = await auth.idx.proceed({ authenticator: 'okta_email' })
    expect(challenged).toMatchObject({
      status: 'PENDING',
      nextStep: {
        name: 'challenge-authenticator',
        canResend: true,
        inputs: [{ name: 'verificationCode', label: 'Enter code', type: 'string', required: true }],
      },
    })

    const mail = await idp.outbox.waitFor({ to: idp.person.login })
    expect(mail.code).toMatch(/^\d{6}$/)
    const proven = await auth.idx.proceed({ verificationCode: mail.code ?? '' })
    expect(proven).toMatchObject({
      status: 'PENDING',
      nextStep: {
        name: 'reset-authenticator',
        inputs: [{ name: 'password', label: 'New password', secret: true, type: 'string', required: true }],
      },
    })
    expect(proven.nextStep?.inputs).toHaveLength(1)

    const done = await auth.idx.recoverPassword({ password: newPassword })
    expect(done.status).toBe('SUCCESS')
    expect(claims(done.tokens?.accessToken?.accessToken)).toMatchObject({
      sub: idp.person.login,
      cid: idp.clientId,
      aud: 'api://default',
    })
    const notice = await idp.outbox.waitFor({ to: idp.person.login, after: mail.id })
    expect(notice.template).toBe('PasswordChanged')

    const again = await sdk(idp, { major }).idx.authenticate({
      username: idp.person.login,
      password: newPassword,
    })
    expect(again.status).toBe('SUCCESS')
  })

  test('signing in takes the right password', async () => {
    const auth = sdk(idp, { major })

    const refused = await auth.idx.authenticate({ username: idp.person.login, password: 'not her password' })
    expect(refused).toMatchObject({
      status: 'PENDING',
      nextStep: { name: 'identify' },
      messages: [{ i18n: { key: 'errors.E0000004' } }],
    })
    const done = await auth.idx.authenticate({ username: idp.person.login, password: idp.person.password })
    expect(done.status).toBe('SUCCESS')
    expect(claims(done.tokens?.idToken?.idToken)).toMatchObject({
      email: idp.person.login,
      aud: idp.clientId,
    })
  })

  // The older majors walk the first and the last journey; `npm run test:world` walks all with each.
  if (!walkingMajors.includes(major)) return

  test('everything known up front arrives at the code in one call', async () => {
    const auth = sdk(idp, { major })

    const challenged = await auth.idx.recoverPassword({
      username: idp.person.login,
      authenticators: ['okta_email'],
    })
    expect(challenged.nextStep?.name).toBe('challenge-authenticator')

    const mail = await idp.outbox.waitFor({ to: idp.person.login })
    const done = await auth.idx.proceed({ verificationCode: mail.code ?? '', password: newPassword })
    expect(done.status).toBe('SUCCESS')
  })

  test('the magic link goes on in the same browser', async () => {
    const { auth, browser, mail } = await atTheCode()
    const { search, url } = await openLink(mail.link ?? '')
    expect(url.href.startsWith(idp.redirectUri)).toBe(true)

    const tab = sdk(idp, { major, browser })
    expect(tab.idx.isEmailVerifyCallback(search)).toBe(true)
    const proven = await tab.idx.handleEmailVerifyCallback(search)
    expect(proven?.nextStep?.name).toBe('reset-authenticator')

    const polled = await auth.idx.proceed({ actions: ['currentAuthenticatorEnrollment-poll'] })
    expect(polled.nextStep?.name).toBe('reset-authenticator')
    expect((await tab.idx.recoverPassword({ password: newPassword })).status).toBe('SUCCESS')
  })

  test('the magic link shows the code in another browser and signs nobody in', async () => {
    const { auth, mail } = await atTheCode()
    const { search } = await openLink(mail.link ?? '')

    const stranger = sdk(idp, { major })
    const error = await stranger.idx.handleEmailVerifyCallback(search).catch((thrown: unknown) => thrown)
    expect(stranger.idx.isEmailVerifyCallbackError(error as Error)).toBe(true)
    expect(error).toMatchObject({ otp: mail.code })

    expect((await auth.idx.proceed({ verificationCode: mail.code ?? '' })).nextStep?.name).toBe(
      'reset-authenticator',
    )
  })

  test('a wrong code is refused and the right one still works', async () => {
    const { auth, mail } = await atTheCode()

    const refused = await auth.idx.proceed({ verificationCode: mail.code === '000000' ? '111111' : '000000' })
    expect(refused).toMatchObject({
      status: 'PENDING',
      nextStep: { name: 'challenge-authenticator' },
      messages: [{ class: 'ERROR', i18n: { key: 'api.authn.error.PASSCODE_INVALID' } }],
    })
    expect((await auth.idx.proceed({ verificationCode: mail.code ?? '' })).nextStep?.name).toBe(
      'reset-authenticator',
    )
  })

  test('another mail ends the code and the link of the one before', async () => {
    const { auth, mail } = await atTheCode()

    const resent = await auth.idx.proceed({ resend: true })
    expect(resent.nextStep?.name).toBe('challenge-authenticator')
    const second = await idp.outbox.waitFor({ to: idp.person.login, after: mail.id })

    expect((await fetch(mail.link ?? '', { redirect: 'manual' })).status).toBe(200)
    if (mail.code !== second.code) {
      const refused = await auth.idx.proceed({ verificationCode: mail.code ?? '' })
      expect(refused.messages?.[0]?.i18n?.key).toBe('api.authn.error.PASSCODE_INVALID')
    }
    expect((await auth.idx.proceed({ verificationCode: second.code ?? '' })).nextStep?.name).toBe(
      'reset-authenticator',
    )
  })

  test('a code is worth nothing once its time is over', async () => {
    const { auth, mail } = await atTheCode()

    idp.clock.advance('5m')
    const refused = await auth.idx.proceed({ verificationCode: mail.code ?? '' })

    expect(refused.messages?.[0]?.i18n?.key).toBe('api.authn.error.PASSCODE_INVALID')
    expect((await fetch(mail.link ?? '', { redirect: 'manual' })).status).toBe(200)
  })

  test('a transaction is over after half an hour', async () => {
    const { auth, mail } = await atTheCode()

    idp.clock.advance('30m')
    const expired = await auth.idx.proceed({ verificationCode: mail.code ?? '' })

    expect(expired).toMatchObject({
      status: 'TERMINAL',
      messages: [{ i18n: { key: 'idx.session.expired' } }],
    })
  })

  test('cancelling ends the code, and starting again works', async () => {
    const { auth, mail } = await atTheCode()

    expect((await auth.idx.cancel()).status).toBe('CANCELED')
    expect((await fetch(mail.link ?? '', { redirect: 'manual' })).status).toBe(200)

    await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
    const second = await idp.outbox.waitFor({ to: idp.person.login, after: mail.id })
    const done = await auth.idx.proceed({ verificationCode: second.code ?? '', password: newPassword })
    expect(done.status).toBe('SUCCESS')
  })

  test('a password that breaks the rules comes back with what was not met', async () => {
    const { auth, mail } = await atTheCode()
    await auth.idx.proceed({ verificationCode: mail.code ?? '' })

    const short = await auth.idx.recoverPassword({ password: 'short' })
    expect(short).toMatchObject({
      status: 'PENDING',
      nextStep: { name: 'reset-authenticator' },
      messages: [{ i18n: { key: 'password.passwordRequirementsNotMet' } }],
    })
    const same = await auth.idx.recoverPassword({ password: idp.person.password })
    expect(same.messages?.[0]?.i18n?.key).toBe('password.passwordRequirementsNotMet')
    expect((await auth.idx.recoverPassword({ password: newPassword })).status).toBe('SUCCESS')
  })

  test('nobody registers where sign-up is closed', async () => {
    await using closed = await startEngine({ settings: { signUp: { open: false } } })
    await expect(sdk(closed, { major }).idx.register()).rejects.toThrow(/not supported/)
  })
})
