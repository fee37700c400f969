import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { startCaptchaProvider } from '../support/captcha-provider.ts'
import { describeWidget, field, pictured, presses, submit } from '../support/sign-in-widget.ts'

// The captcha in Okta's Sign-In Widget, unmodified: the script of the provider is that of the double.

const provider = await startCaptchaProvider()
afterAll(() => provider.close())
const { siteKey, secret, verifyUrl, scriptUrl } = provider
const captcha = { type: 'HCAPTCHA', siteKey, secret, verifyUrl, insecureAddresses: true } as const

describeWidget('a captcha in the Sign-In Widget', { settings: { captcha } }, (widget) => {
  /** Answers the provider's script by the double's, with where its tokens come from. */
  async function withDouble(page: Page): Promise<void> {
    const body = (await (await fetch(scriptUrl)).text()).replaceAll(
      'here.origin',
      JSON.stringify(new URL(scriptUrl).origin),
    )
    await page.route(/hcaptcha\.com\/1\/api\.js/, (route) =>
      route.fulfill({ contentType: 'text/javascript', body }),
    )
  }

  test('a recovery goes on with the token of it', async () => {
    const page = await widget.newPage()
    await withDouble(page)
    const before = provider.verifications.length
    await page.goto(widget.url)
    await presses(page, 'Forgot password?')
    await field(page, 'credentials.passcode').waitFor({ state: 'detached' })
    // What is sent before the script is there has no token.
    await page.waitForFunction('typeof hcaptcha === "object"')
    await page.waitForTimeout(700)
    await field(page, 'identifier').fill(widget.idp.person.login)
    await pictured(page, `widget-${widget.generation}-captcha`)
    await submit(page)
    await expect.poll(() => provider.verifications.length).toBeGreaterThan(before)
    expect(provider.verifications.at(-1)).toMatchObject({ sitekey: siteKey })
    expect(provider.verifications.at(-1)?.response).toContain('token-')
    await field(page, 'identifier').waitFor({ state: 'detached' })
  })
})
