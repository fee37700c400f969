import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { sdk, walkingMajors } from '../support/sdk.ts'

const newPassword = 'Lighthouse-Biscuit-77'
const everyMajor = describe.each([...walkingMajors])

/** An engine with these settings for the tests of a `describe`. */
function engineWith(settings: NonNullable<KitOptions['settings']>): { readonly idp: Kit } {
  const engine: { idp?: Kit } = {}
  beforeAll(async () => {
    engine.idp = await startEngine({ settings })
  })
  beforeEach(() => engine.idp?.reset())
  afterAll(() => engine.idp?.close())
  return {
    get idp() {
      if (engine.idp === undefined) throw new Error('the engine has not been started')
      return engine.idp
    },
  }
}

const optionsOf = (
  step: { readonly inputs?: readonly { readonly options?: readonly unknown[] }[] } | undefined,
) => step?.inputs?.[0]?.options

describe('identifier first', () => {
  const engine = engineWith({ signOn: { start: 'identifier' } })

  everyMajor('with okta-auth-js %i', (major) => {
    test('a person chooses how to sign in', async () => {
      const { idp } = engine
      const auth = sdk(idp, { major })

      const named = await auth.idx.authenticate({ username: idp.person.login })
      expect(named.nextStep?.name).toBe('select-authenticator-authenticate')
      expect(optionsOf(named.nextStep)).toEqual([
        { label: 'Password', value: 'okta_password' },
        { label: 'Email', value: 'okta_email' },
      ])

      const challenged = await auth.idx.proceed({ authenticator: 'okta_password' })
      expect(challenged.nextStep).toMatchObject({
        name: 'challenge-authenticator',
        type: 'password',
        inputs: [{ name: 'password', label: 'Password', secret: true, type: 'string', required: true }],
      })
      const refused = await auth.idx.proceed({ password: 'not her password' })
      expect(refused).toMatchObject({ status: 'PENDING', messages: [{ i18n: { key: 'errors.E0000004' } }] })
      expect((await auth.idx.proceed({ password: idp.person.password })).status).toBe('SUCCESS')
    })

    test('username and password up front sign in, in one call', async () => {
      const { idp } = engine
      const { login, password } = idp.person

      const done = await sdk(idp, { major }).idx.authenticate({ username: login, password })

      expect(done.status).toBe('SUCCESS')
    })

    test('a mailed code signs in as well', async () => {
      const { idp } = engine
      const auth = sdk(idp, { major })
      await auth.idx.authenticate({ username: idp.person.login })
      await auth.idx.proceed({ authenticator: 'okta_email' })
      const mail = await idp.outbox.waitFor({ to: idp.person.login })

      expect(mail.template).toBe('EmailChallenge')
      expect((await auth.idx.proceed({ verificationCode: mail.code ?? '' })).status).toBe('SUCCESS')
    })

    test('a recovery goes by way of the password', async () => {
      const { idp } = engine
      const auth = sdk(idp, { major })

      const chosen = await auth.idx.recoverPassword({ username: idp.person.login })
      expect(chosen.nextStep?.name).toBe('select-authenticator-authenticate')
      expect(optionsOf(chosen.nextStep)).toEqual([{ label: 'Email', value: 'okta_email' }])

      await auth.idx.proceed({ authenticator: 'okta_email' })
      const mail = await idp.outbox.waitFor({ to: idp.person.login })
      expect(mail.template).toBe('ForgotPassword')
      await auth.idx.proceed({ verificationCode: mail.code ?? '' })
      expect((await auth.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
    })

    test('a recovery without a username asks for it first', async () => {
      const { idp } = engine
      const auth = sdk(idp, { major })

      const asked = await auth.idx.recoverPassword()
      expect(asked.nextStep?.name).toBe('identify')

      const named = await auth.idx.proceed({ username: idp.person.login })
      expect(optionsOf(named.nextStep)).toEqual([{ label: 'Email', value: 'okta_email' }])
    })

    test('a recovery with the method up front mails a sign-in code first, and still arrives', async () => {
      const { idp } = engine
      const auth = sdk(idp, { major })

      // The SDK answers the choice of a sign-in method with what the app wanted for the recovery.
      const chosen = await auth.idx.recoverPassword({
        username: idp.person.login,
        authenticators: ['okta_email'],
      })
      expect(chosen.nextStep?.name).toBe('select-authenticator-authenticate')
      await auth.idx.proceed({ authenticator: 'okta_email' })
      await idp.engine.delivery.idle()

      const [second, first] = idp.outbox.to(idp.person.login)
      expect([first?.template, second?.template]).toEqual(['EmailChallenge', 'ForgotPassword'])
      await auth.idx.proceed({ verificationCode: second?.code ?? '' })
      expect((await auth.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
    })
  })
})

describe('password and email', () => {
  const engine = engineWith({ signOn: { factors: '2FA' } })

  everyMajor('with okta-auth-js %i', (major) => {
    test('a person signs in with both', async () => {
      const { idp } = engine
      const { login, password } = idp.person
      const auth = sdk(idp, { major })

      const chosen = await auth.idx.authenticate({ username: login, password })
      expect(chosen.nextStep?.name).toBe('select-authenticator-authenticate')
      expect(optionsOf(chosen.nextStep)).toEqual([{ label: 'Email', value: 'okta_email' }])
      await auth.idx.proceed({ authenticator: 'okta_email' })
      const { code } = await idp.outbox.waitFor({ to: login })
      const done = await auth.idx.proceed({ verificationCode: code ?? '' })

      expect(done.status).toBe('SUCCESS')
      expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])
    })

    test('everything that is known up front arrives at the code in one call', async () => {
      const { idp } = engine
      const { login, password } = idp.person

      const challenged = await sdk(idp, { major }).idx.authenticate({
        username: login,
        password,
        authenticators: ['okta_email'],
      })

      expect(challenged.nextStep?.name).toBe('challenge-authenticator')
    })

    test('a recovery proves the mailbox alone: it ends in a message, and the new password signs in', async () => {
      const { idp } = engine
      const auth = sdk(idp, { major })
      await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
      const { code } = await idp.outbox.waitFor({ to: idp.person.login })

      const done = await auth.idx.proceed({ verificationCode: code ?? '', password: newPassword })

      expect(done).toMatchObject({
        status: 'TERMINAL',
        messages: [{ class: 'INFO', i18n: { key: 'idx.recovery.completed' } }],
      })
      expect(done.tokens).toBeUndefined()
      const again = await sdk(idp, { major }).idx.authenticate({
        username: idp.person.login,
        password: newPassword,
      })
      expect(optionsOf(again.nextStep)).toEqual([{ label: 'Email', value: 'okta_email' }])
    })
  })
})

describe('the org authorization server and a public client', () => {
  const engine = engineWith({})

  everyMajor('with okta-auth-js %i', (major) => {
    test.each([
      { of: 'the org authorization server', options: (idp: Kit) => ({ issuer: idp.orgIssuer }) },
      { of: 'a public client', options: () => ({ client: 'public' as const }) },
    ])('recovery and sign-in work the same at $of', async ({ options }) => {
      const { idp } = engine
      const auth = sdk(idp, { major, ...options(idp) })
      await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
      const { code } = await idp.outbox.waitFor({ to: idp.person.login })
      const recovered = await auth.idx.proceed({ verificationCode: code ?? '', password: newPassword })
      expect(recovered.status).toBe('SUCCESS')

      const again = sdk(idp, { major, ...options(idp) })
      const done = await again.idx.authenticate({ username: idp.person.login, password: newPassword })
      expect(done.status).toBe('SUCCESS')
      expect(done.tokens?.idToken?.claims.iss).toBe(again.options.issuer)
    })
  })
})

describe('where a recovery signs nobody in', () => {
  const engine = engineWith({ recovery: { signIn: false } })

  test.each([...walkingMajors])('with okta-auth-js %i it ends in a message', async (major) => {
    const { idp } = engine
    const auth = sdk(idp, { major })
    await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
    const { code } = await idp.outbox.waitFor({ to: idp.person.login })

    const done = await auth.idx.proceed({ verificationCode: code ?? '', password: newPassword })

    expect(done).toMatchObject({
      status: 'TERMINAL',
      messages: [{ class: 'INFO', i18n: { key: 'idx.recovery.completed' } }],
    })
    expect(done.tokens).toBeUndefined()
    const signedIn = await sdk(idp, { major }).idx.authenticate({
      username: idp.person.login,
      password: newPassword,
    })
    expect(signedIn.status).toBe('SUCCESS')
  })
})

describe('where nobody may recover', () => {
  const engine = engineWith({ policies: { password: { recovery: { authenticators: [] } } } })

  test.each([...walkingMajors])(
    'okta-auth-js %i finds no way into a recovery, and signs in as ever',
    async (major) => {
      const { idp } = engine
      const { login, password } = idp.person

      const asked = await sdk(idp, { major }).idx.recoverPassword({ username: login })
      // Without the action the SDK takes it for an identifier-first page, and asks for what a sign-in needs.
      expect(asked.nextStep?.name).toBe('identify')
      expect(asked.enabledFeatures ?? []).not.toContain('recover-password')
      await idp.engine.delivery.idle()
      expect(idp.outbox.all()).toEqual([])

      expect((await sdk(idp, { major }).idx.authenticate({ username: login, password })).status).toBe(
        'SUCCESS',
      )
    },
  )
})

describe('where it is told who is unknown', () => {
  const engine = engineWith({ recovery: { revealUnknown: true } })

  test.each([...walkingMajors])(
    'okta-auth-js %i shows the message, and the right name goes on',
    async (major) => {
      const { idp } = engine
      const auth = sdk(idp, { major })

      const asked = await auth.idx.recoverPassword({ username: 'nobody@example.com' })
      expect(asked).toMatchObject({
        status: 'PENDING',
        nextStep: { name: 'identify-recovery' },
        messages: [
          {
            class: 'INFO',
            i18n: { key: 'idx.unknown.user' },
            message: 'There is no account with the Username nobody@example.com.',
          },
        ],
      })

      const named = await auth.idx.proceed({ username: idp.person.login })
      expect(named.nextStep?.name).toBe('select-authenticator-authenticate')
    },
  )
})
