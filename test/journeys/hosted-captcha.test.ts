import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type CaptchaProviderDouble, startCaptchaProvider } from '../support/captcha-provider.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { newHostedBrowser } from '../support/hosted.ts'

// Captchas on the engine's own pages, with a provider on loopback.

let idp: Kit
let provider: CaptchaProviderDouble
const chromium = findChromium()

beforeAll(async () => {
  provider = await startCaptchaProvider()
  const { siteKey, secret, verifyUrl, scriptUrl } = provider
  idp = await startEngine({
    settings: {
      captcha: { type: 'HCAPTCHA', siteKey, secret, verifyUrl, scriptUrl, insecureAddresses: true },
    },
  })
})
beforeEach(() => idp.reset())
afterAll(async () => {
  await idp?.close()
  await provider?.close()
})

test('a form that asks for a captcha takes the token of its provider; no other page loads its script', async () => {
  const browser = newHostedBrowser(idp)
  const page = await browser.opens('/signin/forgot-password')
  const from = new URL(provider.scriptUrl).origin
  expect(page.text).toContain(`<script src="${provider.scriptUrl}" async defer></script>`)
  expect(page.text).toContain(`<div class="h-captcha" data-sitekey="${provider.siteKey}"></div>`)
  expect(page.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'self' ${from}; img-src data:; script-src 'self' ${from}; connect-src ${from}; frame-src ${from}; base-uri 'none'; frame-ancestors 'none'`,
  )
  const { login: identifier } = idp.person
  const without = await browser.submits('identify-recovery', { identifier })
  expect(without.title).toBe('Reset your password')
  expect(without.errors).toHaveLength(1)
  const next = await browser.submits('identify-recovery', {
    identifier,
    'h-captcha-response': provider.token(),
  })
  expect(next.title).not.toBe('Reset your password')
  expect(next.text).not.toContain('<script')
  expect(next.headers.get('content-security-policy')).not.toContain(from)
})

test.skipIf(!chromium)(
  `it is solved in a browser, and the policy of the page lets it load${chromium ? '' : ` (skipped: ${noChromium})`}`,
  async () => {
    const browser = await launchChromium(chromium ?? '')
    try {
      const page = await browser.newPage()
      const refused: string[] = []
      page.on('console', (message) => message.type() === 'error' && refused.push(message.text()))
      await page.goto(`${idp.engineUrl}/signin/forgot-password`)
      await page.getByRole('textbox').fill(idp.person.login)
      await page.getByRole('checkbox', { name: 'I am human' }).check()
      await page.locator('label[data-solved]').waitFor()
      const { REKEY_SHOTS: shots } = process.env
      if (shots) await page.screenshot({ path: `${shots}/hosted-captcha.png`, fullPage: true })
      await page.getByRole('button', { name: 'Next' }).click()
      await page.getByRole('heading', { name: 'Reset your password' }).waitFor({ state: 'detached' })
      expect(refused.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([])
    } finally {
      await browser.close()
    }
  },
)
