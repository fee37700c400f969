import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { changeSignUp, openSignUp, passwordInForm } from '../support/sign-up.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

// How the engine's sign-in pages are shown: that all of them can be used by all, in each look of the system. The visitor goes to a
// state by the protocol, and the browser, which is bound to the same interaction, opens its page.

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
const obstacles = readFileSync(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
/** The folder that pictures of the pages are written to, for a developer who looks at them; absent: none are written. */
const { REKEY_SHOTS: shots } = process.env

const views: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: { width: 900, height: 860 }, colorScheme: 'light' },
  dark: { viewport: { width: 900, height: 860 }, colorScheme: 'dark' },
  small: { viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  arabic: { viewport: { width: 400, height: 800 }, locale: 'ar' },
}

/** The states that are shown in every view, without pictures too. */
const few: readonly string[] = ['sign in', 'new password', 'choose what to set up']

let idp: Kit
let browser: Browser

const states: Readonly<Record<string, (visitor: Visitor) => Promise<unknown>>> = {
  'sign in': (visitor) => visitor.begins(),
  recovery: async (visitor) => {
    await visitor.begins()
    await visitor.submits('recover')
  },
  'code of a mail': (visitor) => visitor.atTheCode(idp.person.login),
  'new password': (visitor) => visitor.atTheReset(idp.person.login),
  'sign up': async (visitor) => {
    await visitor.begins()
    await visitor.submits('enroll')
  },
  unlock: async (visitor) => {
    await visitor.begins()
    await visitor.submits('unlock-account')
  },
  'choose what to set up': (visitor) => visitor.signsIn(),
  'set up an app': async (visitor) => {
    await visitor.signsIn()
    await visitor.enrolls('google_otp')
  },
  'set up a question': async (visitor) => {
    await visitor.signsIn()
    await visitor.enrolls('security_question')
  },
  'set up a passkey': async (visitor) => {
    await visitor.signsIn()
    await visitor.enrolls('webauthn')
  },
  'set up recovery codes': async (visitor) => {
    await visitor.signsIn()
    await visitor.enrolls('recovery_codes')
  },
  'set up a phone': async (visitor) => {
    await visitor.signsIn()
    await visitor.enrolls('phone_number')
  },
  'code of a new phone': async (visitor) => {
    await visitor.signsIn()
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: '+15551234567' })
  },
}

describe.skipIf(executablePath === undefined)(`the sign-in pages${reason}`, () => {
  beforeAll(async () => {
    browser = await launchChromium(executablePath ?? '')
    idp = await startEngine(
      openSignUp({
        webauthn: { rpId: 'localhost' },
        policies: { password: { recovery: { unlock: true } } },
      }),
    )
    await enrollmentPolicy(idp, {
      google_otp: 'REQUIRED',
      phone_number: 'REQUIRED',
      security_question: 'REQUIRED',
      webauthn: 'REQUIRED',
      recovery_codes: 'REQUIRED',
    })
    await changeSignUp(idp, passwordInForm)
  })
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
  })

  const open = async (visitor: Visitor, view: BrowserContextOptions): Promise<Page> => {
    const context = await browser.newContext(view)
    await context.addCookies([{ name: 'rekey_tx', value: visitor.interactionHandle, url: idp.engineUrl }])
    const page = await context.newPage()
    await page.goto(`${idp.engineUrl}/signin`)
    return page
  }

  test.each(Object.entries(states))('%s', async (name, reach) => {
    const visitor = idp.visitor()
    await reach(visitor)
    const found: string[] = []
    for (const [view, options] of Object.entries(views)) {
      // Dark and right to left at some states: the stylesheet is one.
      if (!shots && !['light', 'small'].includes(view) && !few.includes(name)) continue
      const page = await open(visitor, options)
      for (const more of await page.locator('details').all())
        await more.evaluate((one) => one.setAttribute('open', ''))
      for (const one of await page.evaluate<string[]>(obstacles)) found.push(`${view}: ${one}`)
      if (shots)
        await page.screenshot({
          path: join(shots, `hosted-${name.replaceAll(' ', '-')}-${view}.png`),
          fullPage: true,
        })
      await page.context().close()
    }
    expect(found).toEqual([])
  })

  // Okta's page of that code leads back to the list of methods: the phone is chosen there once more.
  test('a mistyped number of a phone is changed from the page of its code', async () => {
    const visitor = idp.visitor()
    await visitor.signsIn()
    await visitor.enrolls('phone_number', { methodType: 'sms', phoneNumber: '+15551230000' })
    const page = await open(visitor, {})
    await page.getByRole('button', { name: 'Use another number' }).click()
    await page.getByRole('heading', { name: 'Set up your phone' }).waitFor()
    await idp.clock.advance('31s')
    await page.getByLabel('Phone number').fill('+1 555 123 4567')
    await page.locator('button.primary').click()
    await page.getByLabel('Code').waitFor()
    const code = (await idp.outbox.waitFor({ to: '+15551234567', channel: 'sms' })).code ?? ''
    const mistyped = (await idp.outbox.waitFor({ to: '+15551230000', channel: 'sms' })).code ?? ''
    if (mistyped !== code) {
      await page.getByLabel('Code').fill(mistyped)
      await page.locator('button.primary').click()
      await page.locator('[aria-invalid="true"]').waitFor()
    }
    await page.getByLabel('Code').fill(code)
    await page.locator('button.primary').click()
    await expect
      .poll(async () => (await idp.factors.list(idp.person)).map(({ authenticator }) => authenticator))
      .toContain('phone_number')
    await page.context().close()
  })
})
