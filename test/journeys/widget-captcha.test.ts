import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { startCaptchaProvider } from '../support/captcha-provider.ts'
import {
  chooses,
  configures,
  describeWidget,
  field,
  pictured,
  presses,
  submit,
  typesCode,
  world,
} from '../support/sign-in-widget.ts'
import { codeMail, openSignUp } from '../support/sign-up.ts'

// The captcha in Okta's Sign-In Widget, unmodified: the script of the provider is that of the double.

const provider = await startCaptchaProvider()
afterAll(() => provider.close())
const { siteKey, secret, verifyUrl, scriptUrl } = provider
// The page of the engine names the script itself; embedded the widget has it from the provider's address.
const captcha = {
  type: 'HCAPTCHA',
  ...{ siteKey, secret, verifyUrl, scriptUrl, insecureAddresses: true },
} as const

/** Answers the provider's script by the double's, with where its tokens come from. */
async function withDouble(page: Page, address: RegExp): Promise<void> {
  const text = await (await fetch(scriptUrl)).text()
  const body = text.replaceAll('here.origin', JSON.stringify(new URL(scriptUrl).origin))
  await page.route(address, (route) => route.fulfill({ contentType: 'text/javascript', body }))
}

describeWidget('a captcha in the Sign-In Widget', openSignUp({ captcha }), (widget) => {
  test('a recovery goes on with the token of it', async () => {
    const page = await widget.newPage()
    await withDouble(page, /hcaptcha\.com\/1\/api\.js/)
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

  test.runIf(world)('a sign-up goes on with the token of it', async () => {
    const page = await widget.newPage()
    await withDouble(page, /hcaptcha\.com\/1\/api\.js/)
    const before = provider.verifications.length
    await configures(page, { flow: 'signup' })
    await page.goto(widget.url)
    await field(page, 'userProfile.email').waitFor()
    await page.waitForFunction('typeof hcaptcha === "object"')
    await page.waitForTimeout(700)
    await field(page, 'userProfile.email').fill('nina@example.com')
    await field(page, 'userProfile.firstName').fill('Nina')
    await field(page, 'userProfile.lastName').fill('Nowak')
    await pictured(page, `widget-${widget.generation}-captcha-sign-up`)
    await submit(page)
    const { code } = await widget.idp.outbox.waitFor({ to: 'nina@example.com', template: codeMail })
    expect(provider.verifications).toHaveLength(before + 1)
    expect(provider.verifications.at(-1)?.response).toContain('token-')
    await presses(page, 'Enter a verification code instead')
    await typesCode(page, code ?? '')
    await chooses(page, 'Password')
  })
})

// By the same fields and the widget's other way of loading it: `grecaptcha`, from the provider that is configured.
const recaptcha = { ...captcha, type: 'RECAPTCHA_V2', siteKey: 'site-key-of-the-double' } as const

describeWidget('reCAPTCHA in the Sign-In Widget', openSignUp({ captcha: recaptcha }), (widget) => {
  test.runIf(world)('a recovery goes on with the token of it', async () => {
    const page = await widget.newPage()
    await withDouble(page, /recaptcha\/api\.js/)
    const before = provider.verifications.length
    await page.goto(widget.url)
    await presses(page, 'Forgot password?')
    await field(page, 'credentials.passcode').waitFor({ state: 'detached' })
    await page.waitForFunction('typeof grecaptcha === "object"')
    await page.waitForTimeout(700)
    await field(page, 'identifier').fill(widget.idp.person.login)
    await pictured(page, `widget-${widget.generation}-recaptcha`)
    await submit(page)
    await expect.poll(() => provider.verifications.length).toBeGreaterThan(before)
    expect(provider.verifications.at(-1)).toMatchObject({ sitekey: undefined })
    expect(provider.verifications.at(-1)?.response).toContain('token-')
    await field(page, 'identifier').waitFor({ state: 'detached' })
  })
})
