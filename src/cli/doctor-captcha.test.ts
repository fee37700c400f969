import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CaptchaProviderDouble, startCaptchaProvider } from '../../test/support/captcha-provider.ts'
import { checkConfig } from '../config/index.ts'
import { captchaOf } from './doctor-captcha.ts'

let provider: CaptchaProviderDouble
beforeAll(async () => {
  provider = await startCaptchaProvider()
})
afterAll(() => provider.close())

const asked = async (captcha: object) => {
  const secrets = ['only for tests: everybody knows this secret']
  const [finding] = await captchaOf(checkConfig({ mode: 'test', secrets, captcha }))
  return [finding?.result, finding?.why]
}

test('the doctor finds a provider that answers, one that does not know the secret, and one that is away', async () => {
  const { siteKey, secret, verifyUrl } = provider
  const captcha = { type: 'TURNSTILE', siteKey, secret, verifyUrl, insecureAddresses: true }
  expect((await asked({}))[0]).toBe('not applicable')
  expect((await asked({ ...captcha, forms: [] }))[0]).toBe('not applicable')
  expect(await asked(captcha)).toEqual(['met', expect.stringContaining('recovery, unlock, signUp')])
  const unknown = await asked({ ...captcha, secret: 'another' })
  expect(unknown).toEqual(['deviates', expect.stringContaining('invalid-input-secret')])
  expect(unknown[1]).not.toContain('another')
  await provider.stop()
  expect((await asked(captcha))[0]).toBe('deviates')
})
