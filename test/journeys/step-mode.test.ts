import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { newBrowser, openLink, type SdkOptions, sdk } from '../support/sdk.ts'

const newPassword = 'Lighthouse-Biscuit-77'

// The mode that version 8 starts in: no aliases, the app names the step and speaks the protocol's own words.
const app = (idp: Kit, options: SdkOptions = {}) => sdk(idp, { major: 8, mode: 'step', ...options })
type App = ReturnType<typeof app>

const names = (steps: readonly { readonly name: string }[] | undefined) => steps?.map(({ name }) => name)
const keys = (messages: readonly { readonly i18n?: { readonly key: string } }[] | undefined) =>
  messages?.map(({ i18n }) => i18n?.key)

/** Goes to the page that takes the code, and waits for it. */
async function atTheCode(auth: App, idp: Kit) {
  await auth.idx.start()
  await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })
  await auth.idx.proceed({ step: 'identify-recovery', identifier: idp.person.login })
  await auth.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: 'okta_email' })
  return idp.outbox.waitFor({ to: idp.person.login })
}

describe('password first', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ settings: { signUp: { open: false } } })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  test('a person recovers her password, step by step', async () => {
    const auth = app(idp)

    const started = await auth.idx.start()
    expect(started.status).toBe('PENDING')
    expect(started.nextStep).toBeUndefined()
    expect(names(started.availableSteps)).toEqual(['identify', 'currentAuthenticator-recover', 'cancel'])
    expect(started.enabledFeatures).toEqual(['recover-password'])

    const asked = await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })
    expect(asked.nextStep).toMatchObject({
      name: 'identify-recovery',
      inputs: [{ name: 'identifier', label: 'Username', required: true }],
    })

    const named = await auth.idx.proceed({ step: 'identify-recovery', identifier: idp.person.login })
    expect(named.nextStep).toMatchObject({
      name: 'select-authenticator-authenticate',
      inputs: [
        {
          name: 'authenticator',
          type: 'object',
          options: [{ label: 'Email', value: [{ name: 'id' }, { name: 'methodType', value: 'email' }] }],
        },
      ],
    })

    const chosen = await auth.idx.proceed({
      step: 'select-authenticator-authenticate',
      authenticator: 'okta_email',
    })
    expect(chosen.nextStep).toMatchObject({
      name: 'challenge-authenticator',
      inputs: [{ name: 'credentials', type: 'object', value: [{ name: 'passcode', label: 'Enter code' }] }],
    })

    const { code } = await idp.outbox.waitFor({ to: idp.person.login })
    const proven = await auth.idx.proceed({
      step: 'challenge-authenticator',
      credentials: { passcode: code ?? '' },
    })
    expect(proven.nextStep).toMatchObject({ name: 'reset-authenticator' })

    const done = await auth.idx.proceed({
      step: 'reset-authenticator',
      credentials: { passcode: newPassword },
    })
    expect(done.status).toBe('SUCCESS')
    expect(done.tokens?.idToken?.claims).toMatchObject({ email: idp.person.login })
  })

  test('the authenticator may be named by id and method', async () => {
    const auth = app(idp)
    await auth.idx.start()
    await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })
    const named = await auth.idx.proceed({ step: 'identify-recovery', identifier: idp.person.login })
    const [option] = named.nextStep?.inputs?.[0]?.options ?? []
    const [id] = (option?.value ?? []) as unknown as readonly { readonly value: string }[]

    const chosen = await auth.idx.proceed({
      step: 'select-authenticator-authenticate',
      authenticator: { id: id?.value ?? '', methodType: 'email' },
    })

    expect(chosen.nextStep?.name).toBe('challenge-authenticator')
  })

  test('a step without its values is answered with the same step, and goes on with them', async () => {
    const auth = app(idp)
    await auth.idx.start()
    await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })

    // In this mode the SDK drops names that the form does not have: only the handle is sent.
    const unnamed = await auth.idx.proceed({ step: 'identify-recovery', username: idp.person.login })
    expect(unnamed).toMatchObject({ status: 'PENDING', requestDidSucceed: false })
    expect(keys(unnamed.messages)).toEqual(['model.validation.field.blank'])
    await auth.idx.proceed({ step: 'identify-recovery', identifier: idp.person.login })

    await auth.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: 'okta_email' })
    const { code } = await idp.outbox.waitFor({ to: idp.person.login })

    await auth.idx.proceed({ step: 'challenge-authenticator', credentials: { passcode: code ?? '' } })

    const unset = await auth.idx.proceed({ step: 'reset-authenticator', password: newPassword })
    expect(unset).toMatchObject({ status: 'PENDING', requestDidSucceed: false })
    expect(keys(unset.messages)).toEqual(['model.validation.field.blank'])
    const done = await auth.idx.proceed({
      step: 'reset-authenticator',
      credentials: { passcode: newPassword },
    })
    expect(done.status).toBe('SUCCESS')
  })

  test('recoverPassword() begins, and the app goes on by itself', async () => {
    const auth = app(idp)

    // A username given here is not sent: the SDK only runs the action.
    const begun = await auth.idx.recoverPassword({ username: idp.person.login })
    expect(begun.nextStep?.name).toBe('identify-recovery')

    const named = await auth.idx.proceed({ step: 'identify-recovery', identifier: idp.person.login })
    expect(named.nextStep?.name).toBe('select-authenticator-authenticate')
    await auth.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: 'okta_email' })
    const { code } = await idp.outbox.waitFor({ to: idp.person.login })
    await auth.idx.proceed({ step: 'challenge-authenticator', credentials: { passcode: code ?? '' } })
    const done = await auth.idx.proceed({
      step: 'reset-authenticator',
      credentials: { passcode: newPassword },
    })
    expect(done.status).toBe('SUCCESS')
  })

  test('a wrong code is refused, the right one counts', async () => {
    const auth = app(idp)
    const { code } = await atTheCode(auth, idp)
    const answer = (passcode: string) =>
      auth.idx.proceed({ step: 'challenge-authenticator', credentials: { passcode } })

    const refused = await answer(code === '000000' ? '111111' : '000000')
    expect(refused).toMatchObject({ status: 'PENDING', requestDidSucceed: false })
    expect(keys(refused.messages)).toEqual(['api.authn.error.PASSCODE_INVALID'])
    expect((await answer(code ?? '')).nextStep?.name).toBe('reset-authenticator')
  })

  test('another mail and a poll are actions', async () => {
    const auth = app(idp)
    const first = await atTheCode(auth, idp)

    await auth.idx.proceed({ actions: ['currentAuthenticatorEnrollment-resend'] })
    const second = await idp.outbox.waitFor({ to: idp.person.login, after: first.id })
    const waiting = await auth.idx.proceed({ actions: ['currentAuthenticatorEnrollment-poll'] })
    expect(waiting.nextStep?.name).toBe('challenge-authenticator')

    const passcode = second.code ?? ''
    const proven = await auth.idx.proceed({ step: 'challenge-authenticator', credentials: { passcode } })
    expect(proven.nextStep?.name).toBe('reset-authenticator')
  })

  test('the code of a magic link is answered as a step, in another tab of the same browser', async () => {
    const browser = newBrowser()
    const auth = app(idp, { browser })
    const { link } = await atTheCode(auth, idp)
    const { url } = await openLink(link ?? '')

    const tab = app(idp, { browser })
    const state = url.searchParams.get('state') ?? ''
    const passcode = url.searchParams.get('otp') ?? ''
    const proven = await tab.idx.proceed({
      step: 'challenge-authenticator',
      credentials: { passcode },
      state,
    })

    expect(proven.nextStep?.name).toBe('reset-authenticator')
    const done = await auth.idx.proceed({
      step: 'reset-authenticator',
      credentials: { passcode: newPassword },
    })
    expect(done.status).toBe('SUCCESS')
  })

  test('signing in takes identifier and credentials, or username and password', async () => {
    const { login, password } = idp.person
    for (const values of [
      { identifier: login, credentials: { passcode: password } },
      { username: login, password },
    ]) {
      const auth = app(idp)
      await auth.idx.start()
      expect((await auth.idx.proceed({ step: 'identify', ...values })).status).toBe('SUCCESS')
    }
  })

  test('cancelling ends it, and starting again works', async () => {
    const auth = app(idp)
    await atTheCode(auth, idp)

    expect((await auth.idx.cancel()).status).toBe('CANCELED')

    expect(names((await auth.idx.start()).availableSteps)).toContain('identify')
  })

  test.each([
    { server: 'the org authorization server', options: () => ({ issuer: idp.orgIssuer }) },
    { server: 'a public client', options: () => ({ client: 'public' as const }) },
  ])('the same steps work at $server', async ({ options }) => {
    const auth = app(idp, options())
    const { code } = await atTheCode(auth, idp)
    await auth.idx.proceed({ step: 'challenge-authenticator', credentials: { passcode: code ?? '' } })

    const done = await auth.idx.proceed({
      step: 'reset-authenticator',
      credentials: { passcode: newPassword },
    })

    expect(done.status).toBe('SUCCESS')
    expect(done.tokens?.idToken?.claims.iss).toBe(auth.options.issuer)
  })
})

describe('identifier first', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({
      settings: { signUp: { open: false }, signOn: { start: 'identifier', factors: '2FA' } },
    })
  })
  beforeEach(() => idp.reset())
  afterAll(() => idp.close())

  test('a person signs in with password and mail', async () => {
    const auth = app(idp)
    const started = await auth.idx.start()
    expect(names(started.availableSteps)).toEqual(['identify', 'cancel'])
    expect(started.enabledFeatures).toEqual([])

    await auth.idx.proceed({ step: 'identify', identifier: idp.person.login })
    const challenged = await auth.idx.proceed({
      step: 'select-authenticator-authenticate',
      authenticator: 'okta_password',
    })
    expect(names(challenged.availableSteps)).toContain('currentAuthenticatorEnrollment-recover')
    const next = await auth.idx.proceed({
      step: 'challenge-authenticator',
      credentials: { passcode: idp.person.password },
    })
    expect(next.nextStep?.inputs?.[0]?.options?.map(({ label }) => label)).toEqual(['Email'])
    await auth.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: 'okta_email' })
    const { code } = await idp.outbox.waitFor({ to: idp.person.login })

    const done = await auth.idx.proceed({
      step: 'challenge-authenticator',
      credentials: { passcode: code ?? '' },
    })

    expect(done.status).toBe('SUCCESS')
    expect(done.tokens?.idToken?.claims.amr).toEqual(['pwd', 'otp', 'mfa'])
  })

  test('a forgotten password is an action at the password', async () => {
    const auth = app(idp)
    await auth.idx.start()
    await auth.idx.proceed({ step: 'identify', identifier: idp.person.login })
    await auth.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: 'okta_password' })

    const chosen = await auth.idx.proceed({ actions: ['currentAuthenticatorEnrollment-recover'] })

    expect(chosen.nextStep?.name).toBe('select-authenticator-authenticate')
    expect(chosen.nextStep?.inputs?.[0]?.options?.map(({ label }) => label)).toEqual(['Email'])
    expect(names(chosen.availableSteps)?.filter((name) => name.endsWith('-recover'))).toEqual([])
  })
})
