import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type CaptchaProviderDouble, startCaptchaProvider } from '../support/captcha-provider.ts'
import { majors, type SdkMajor, sdk } from '../support/sdk.ts'

// How the published SDK passes a captcha on: it knows nothing of it, and sends what the form names.

const mary = 'mary@example.com'
const locked = 'lee@example.com'
let provider: CaptchaProviderDouble
let idp: Kit
beforeAll(async () => {
  provider = await startCaptchaProvider()
  const { siteKey, secret, verifyUrl } = provider
  idp = await startEngine({
    settings: {
      policies: { password: { recovery: { unlock: true } } },
      captcha: { type: 'RECAPTCHA_V2', siteKey, secret, verifyUrl, insecureAddresses: true },
    },
  })
})
beforeEach(async () => {
  await idp.reset()
  await idp.people.add({ login: locked, password: 'Tangerine-Kettle-42', status: 'LOCKED_OUT' })
})
afterAll(async () => {
  await idp?.close()
  await provider?.close()
})

interface Shown {
  readonly messages?: readonly { readonly i18n?: { readonly key: string } }[]
  readonly context?: unknown
}
const keys = ({ messages }: Shown) => messages?.map(({ i18n }) => i18n?.key)
const site = ({ context }: Shown) =>
  (context as { readonly captcha: { readonly value: { readonly id: string; readonly siteKey: string } } })
    .captcha.value
const solved = (shown: Shown) => ({
  captchaVerify: { captchaId: site(shown).id, captchaToken: provider.token() },
})
const codeOf = async (to: string) => (await idp.outbox.waitFor({ to })).code ?? ''

describe.each<[SdkMajor]>(majors.map((major) => [major]))('okta-auth-js %i, legacy mode', (major) => {
  const app = () => sdk(idp, { major, mode: 'legacy' })

  test('a recovery shows the captcha and goes on with its token', async () => {
    const auth = app()
    const asked = await auth.idx.recoverPassword()
    expect(asked.nextStep?.name).toBe('identify-recovery')
    expect(asked.nextStep?.inputs?.map(({ name }) => name)).toEqual(['username', 'captchaVerify'])
    expect(site(asked).siteKey).toBe(provider.siteKey)
    const sent = await auth.idx.proceed({ username: mary, authenticator: 'okta_email', ...solved(asked) })
    expect([sent.status, sent.nextStep?.name]).toEqual(['PENDING', 'challenge-authenticator'])
    const reset = await auth.idx.proceed({ verificationCode: await codeOf(mary) })
    expect(reset.nextStep?.name).toBe('reset-authenticator')
  })

  test('without a token the same form comes back, and takes one', async () => {
    const auth = app()
    const refused = await auth.idx.recoverPassword({ username: mary })
    expect([refused.nextStep?.name, keys(refused)]).toEqual(['identify-recovery', ['captcha.required']])
    const wrong = await auth.idx.proceed({
      username: mary,
      captchaVerify: { captchaId: site(refused).id, captchaToken: 'made up' },
    } as Parameters<typeof auth.idx.proceed>[0])
    expect([wrong.nextStep?.name, keys(wrong)]).toEqual(['identify-recovery', ['captcha.invalid']])
    const taken = await auth.idx.proceed({ username: mary, ...solved(wrong) })
    expect(taken.nextStep?.name).toBe('select-authenticator-authenticate')
  })

  test('a locked account is opened with it', async () => {
    const auth = app()
    const asked = await auth.idx.unlockAccount()
    const sent = await auth.idx.proceed({ username: locked, authenticator: 'okta_email', ...solved(asked) })
    expect([sent.status, sent.nextStep?.name]).toEqual(['PENDING', 'challenge-authenticator'])
  })
})

test('okta-auth-js 8, step mode: the captcha is a value of the step', async () => {
  const auth = sdk(idp, { mode: 'step' })
  await auth.idx.start()
  const asked = await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })
  expect(asked.nextStep?.name).toBe('identify-recovery')
  const refused = await auth.idx.proceed({ step: 'identify-recovery', identifier: mary } as object)
  expect(keys(refused)).toEqual(['captcha.required'])
  const taken = await auth.idx.proceed({
    step: 'identify-recovery',
    identifier: mary,
    ...solved(asked),
  } as object)
  expect(taken.nextStep?.name).toBe('select-authenticator-authenticate')
})
