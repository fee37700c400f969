import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { codeAt, period } from '../wire/totp.ts'
import { startWebAppHere, type WebApp } from './web-app.ts'

// The sample app's page for the sign-in methods of its user, and every page on the way, in a real browser with an authenticator
// that the browser simulates.

const chromium = findChromium()
const obstacles = await readFile(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
/** A folder for pictures of the pages; absent: none are taken. */
const shots = process.env.REKEY_TEST_SHOTS
const optional = ['phone_number', 'webauthn', 'security_question', 'google_otp', 'recovery_codes']

/** What `rekey dev` has users add. */
const resources = {
  authenticators: optional.map((key) => ({ key, status: 'ACTIVE' })),
  policies: [
    {
      type: 'MFA_ENROLL',
      name: 'Methods to try',
      settings: {
        type: 'AUTHENTICATORS',
        authenticators: ['okta_password', 'okta_email', ...optional].map((key) => ({
          key,
          enroll: { self: key === 'okta_password' ? 'REQUIRED' : 'OPTIONAL' },
        })),
      },
      rules: [{ name: 'At a challenge', actions: { enroll: { self: 'CHALLENGE' } } }],
    },
  ],
  apps: [
    {
      label: 'Sample Web App',
      credentials: { oauthClient: { client_id: 'rekey-web' } },
      grants: ['okta.myAccount.authenticators.manage', 'okta.myAccount.phone.read'],
    },
  ],
}

describe.skipIf(!chromium)(
  `the sign-in methods in a browser${chromium ? '' : ` (skipped: ${noChromium})`}`,
  () => {
    let web: WebApp
    let idp: Kit
    let browser: Browser
    beforeAll(async () => {
      web = await startWebAppHere({
        managesMethods: true,
        settings: {
          resources,
          webauthn: { rpId: 'localhost' },
          policies: { password: { recovery: { unlock: true }, lockout: { maxAttempts: 3 } } },
        },
      })
      idp = web.idp
      browser = await launchChromium(chromium ?? '')
    })
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close()
    })
    afterAll(async () => {
      await browser?.close()
      await web?.close()
    })

    async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext({ locale: 'de-AT', ...options })
      context.setDefaultTimeout(15_000)
      return context.newPage()
    }
    async function withPasskeys(page: Page): Promise<void> {
      const session = await page.context().newCDPSession(page)
      await session.send('WebAuthn.enable')
      await session.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          protocol: 'ctap2',
          transport: 'internal',
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      })
    }

    /** Waits for a page, and looks whether all can use it: in the light, in the dark, and on a small screen. */
    async function at(page: Page, title: string, name?: string): Promise<void> {
      await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor()
      const size = page.viewportSize() ?? { width: 1280, height: 720 }
      for (const [view, colorScheme, width] of [
        ['light', 'light', 700],
        ['dark', 'dark', 700],
        ['small', 'light', 320],
      ] as const) {
        if (name === undefined) continue
        await page.setViewportSize({ width, height: 800 })
        await page.emulateMedia({ colorScheme })
        // The colours change with the next frame.
        await expect.poll(() => page.evaluate(obstacles), { message: `${title}, ${view}` }).toEqual([])
        if (shots) await page.screenshot({ path: join(shots, `methods-${name}-${view}.png`), fullPage: true })
      }
      await page.setViewportSize(size)
    }
    const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
    const next = (page: Page) => press(page, 'Next')
    const code = (page: Page) => page.getByLabel('Enter code')

    let number = 0
    /** Time goes on, so that a code of an authenticator app is new, and another text may be sent. */
    const wait = () => idp.clock.advance(4 * period)
    let secret = ''
    const appCode = () => codeAt(secret, idp.clock.now())
    const textTo = async (what: () => Promise<unknown>): Promise<string> => {
      const after = idp.outbox.latest({ channel: 'sms' })?.id
      await what()
      return (await idp.outbox.waitFor({ channel: 'sms', ...(after && { after }) })).code ?? ''
    }

    async function signIn(page: Page): Promise<void> {
      await page.goto(`${web.url}/login`)
      await page.getByLabel('Username').fill(idp.person.login)
      await page.getByLabel('Password').fill(idp.person.password)
      await next(page)
    }
    const signedIn = (page: Page) => at(page, 'Hello, Mary')

    /** Begins to add a method, and signs in afresh, up to where a second factor may be asked for. */
    async function add(page: Page, name: string): Promise<void> {
      await page.goto(`${web.url}/methods`)
      await at(page, 'Your sign-in methods')
      await page
        .getByRole('listitem')
        .filter({ has: page.getByText(name, { exact: true }) })
        .getByRole('button', { name: 'Add' })
        .click()
      await at(page, 'Confirm that it is you', number++ === 0 ? 'confirm' : undefined)
      await page.getByLabel('Password').fill(idp.person.password)
      await next(page)
    }
    /** The second factor by the authenticator app. */
    async function proveApp(page: Page): Promise<void> {
      const title = page.getByRole('heading', { level: 1, name: /^(Choose an|Enter the code)/ })
      await title.waitFor()
      if ((await title.innerText()) === 'Choose an authenticator') {
        await page.getByRole('radio', { name: 'Google Authenticator' }).check()
        await next(page)
      }
      await at(page, 'Enter the code from your app')
      wait()
      await code(page).fill(appCode())
      await next(page)
    }
    const added = async (page: Page) => {
      await at(page, 'Your sign-in methods')
      await page.getByText('The method was added.').waitFor()
    }

    test('are added, used, named and removed', { timeout: 240_000 }, async () => {
      const page = await newPage()
      await withPasskeys(page)
      await signIn(page)
      await signedIn(page)
      await page.getByRole('link', { name: 'Your sign-in methods' }).click()
      await at(page, 'Your sign-in methods', 'none')

      await add(page, 'Google Authenticator')
      await at(page, 'Set up Google Authenticator', 'app')
      secret = (await page.locator('.key code').innerText()).replace(/\s/g, '')
      await code(page).fill(appCode())
      await next(page)
      await added(page)

      await add(page, 'Phone')
      await proveApp(page)
      await at(page, 'Set up your phone', 'phone')
      expect(await page.getByLabel('Country').inputValue()).toBe('AT')
      await page.getByLabel('Phone number').fill('12')
      await press(page, 'Send the code')
      await page.getByText('This is not a valid number for this country.').waitFor()
      await page.getByLabel('Phone number').fill('0664 7654321')
      const mistyped = await textTo(() => press(page, 'Send the code'))
      await at(page, 'Check your text messages', 'phone-code-mistyped')
      await press(page, 'Use another number')
      await at(page, 'Set up your phone')
      wait()
      await page.getByLabel('Phone number').fill('0664 1234567')
      const first = await textTo(() => press(page, 'Send the code'))
      await at(page, 'Check your text messages', 'phone-code')
      // The code that went to the other phone is worth nothing any more.
      await code(page).fill(
        mistyped === first ? String((Number(first) + 1) % 1_000_000).padStart(6, '0') : mistyped,
      )
      await next(page)
      await page.getByText('This code is not correct.').waitFor()
      await code(page).fill(first)
      await next(page)
      await added(page)

      await add(page, 'Security Question')
      await proveApp(page)
      await at(page, 'Set up a security question', 'question')
      await page.getByRole('radio', { name: 'A question of your own' }).check()
      await page.getByLabel('Your question').fill('Who painted the boat?')
      await page.getByLabel('Answer', { exact: true }).fill('abc')
      await next(page)
      await page.locator('#answer-error').waitFor()
      await page.getByLabel('Answer', { exact: true }).fill('Aunt Gudrun')
      await next(page)
      await added(page)

      await add(page, 'Passkey')
      await proveApp(page)
      await at(page, 'Set up a passkey', 'passkey')
      await page.keyboard.press('Enter')
      await added(page)

      await add(page, 'Recovery Codes')
      await proveApp(page)
      await at(page, 'Save your recovery codes', 'codes')
      const codes = await page.locator('.codes code').allInnerTexts()
      expect(codes).toHaveLength(10)
      await page.getByLabel('Enter one of the codes').fill(codes[0] ?? '')
      await next(page)
      await added(page)
      await at(page, 'Your sign-in methods', 'all')

      // Each of them as the second factor of a fresh sign-in: that a change asks for.
      const row = (name: string) => page.getByRole('listitem').filter({ hasText: name })
      const factors: readonly (readonly [string, () => Promise<void>])[] = [
        [
          'Security Key or Biometric',
          async () => {
            await at(page, 'Use your passkey', 'verify-passkey')
            await page.getByRole('link', { name: 'Choose another method' }).click()
            await at(page, 'Choose an authenticator', 'other')
            await page.getByRole('radio', { name: 'Security Key or Biometric' }).check()
            await next(page)
            await press(page, 'Use my passkey')
          },
        ],
        [
          'Security Question',
          async () => {
            await at(page, 'Answer your question', 'verify-question')
            await page.getByLabel('Who painted the boat?').fill('  aunt gudrun ')
            await next(page)
            // Beside the password it is knowledge once more: one thing that the user has is asked for, too.
            await at(page, 'Choose an authenticator')
            await proveApp(page)
          },
        ],
        [
          'Recovery Codes',
          async () => {
            await at(page, 'Enter a recovery code', 'verify-codes')
            await page.getByLabel('Recovery code').fill(codes[0] ?? '')
            await next(page)
            await page.getByText('This is none of your unused codes.').waitFor()
            await page.getByLabel('Recovery code').fill((codes[1] ?? '').toLowerCase())
            await next(page)
          },
        ],
        [
          'Phone',
          async () => {
            await at(page, 'Get a code', 'phone-ways')
            const sent = await textTo(() => press(page, 'Send the code'))
            await at(page, 'Check your text messages', 'verify-phone')
            expect(sent).toMatch(/^\d{6}$/)
            wait()
            await press(page, 'Call me instead')
            await at(page, 'Answer the call', 'verify-call')
            const call = await idp.outbox.waitFor({ channel: 'voice' })
            await code(page).fill(call.code ?? '')
            await next(page)
          },
        ],
      ]
      for (const [name, prove] of factors) {
        wait()
        await add(page, 'Passkey')
        await at(page, 'Choose an authenticator')
        await page.getByRole('radio', { name }).check()
        await next(page)
        await prove()
        await at(page, 'Set up a passkey')
        await press(page, 'Not now')
        await at(page, 'Your sign-in methods')
      }

      // A name, and a removal: after the sign-in has become too old the app asks for another, and comes back.
      await row('Passkey').getByRole('link', { name: 'Rename' }).click()
      await at(page, 'Name this method', 'name')
      await idp.clock.advance('16m')
      await page.getByLabel('Name').fill('Laptop at work')
      await press(page, 'Save')
      await at(page, 'Confirm that it is you')
      await page.getByLabel('Password').fill(idp.person.password)
      await next(page)
      await proveApp(page)
      // A recovery code was used above: each sign-in offers a new set, until there is one.
      await press(page, 'Not now')
      await at(page, 'Name this method')
      expect(await page.getByLabel('Name').inputValue()).toBe('Laptop at work')
      await press(page, 'Save')
      await row('Laptop at work').getByRole('link', { name: 'Remove' }).click()
      await at(page, 'Remove Laptop at work?', 'remove')
      await idp.clock.advance('16m')
      await press(page, 'Remove')
      await at(page, 'Confirm that it is you')
      await page.getByLabel('Password').fill(idp.person.password)
      await next(page)
      await proveApp(page)
      await press(page, 'Not now')
      await page.getByText('You can go on now.').waitFor()
      await press(page, 'Remove')
      await page.getByText('Laptop at work is removed.').waitFor()
      expect(await row('Laptop at work').count()).toBe(0)

      // Who has lost it proves the password alone, and the removal waits.
      await row('Phone').getByRole('link', { name: 'Remove' }).click()
      await idp.clock.advance('16m')
      await page.getByRole('link', { name: 'I have lost it' }).click()
      await at(page, 'Remove Phone?', 'lost')
      await press(page, 'Remove it after the waiting time')
      await at(page, 'Confirm that it is you')
      await page.getByLabel('Password').fill(idp.person.password)
      await next(page)
      await press(page, 'Remove it after the waiting time')
      await page.getByText(/Phone will be removed on .* You got a mail/).waitFor()
      await at(page, 'Your sign-in methods', 'waits')
      // The row says so as long as it waits, and asks for nothing that was asked for already.
      await page.getByRole('link', { name: 'Back to the home page' }).click()
      await page.goto(`${web.url}/methods`)
      await row('Phone')
        .getByText(/^Will be removed on .* UTC\. The link in your mail stops it\.$/)
        .waitFor()
      expect(await row('Phone').getByRole('link', { name: 'Remove' }).count()).toBe(0)
    })

    test('a locked account is opened from the sign-in page, without JavaScript', {
      timeout: 60_000,
    }, async () => {
      await idp.reset()
      const page = await newPage({ javaScriptEnabled: false })
      for (let guess = 0; guess < 3; guess++) {
        await page.goto(`${web.url}/login`)
        await page.getByLabel('Username').fill(idp.person.login)
        await page.getByLabel('Password').fill('not it')
        await next(page)
        await page.getByText('Unable to sign in.').waitFor()
      }
      await page.getByRole('link', { name: 'Unlock account' }).click()
      await page.getByRole('heading', { name: 'Unlock your account' }).waitFor()
      if (shots) await page.screenshot({ path: join(shots, 'methods-unlock-light.png') })
      await page.getByLabel('Username or email').fill(idp.person.login)
      await page.getByRole('radio', { name: 'Email' }).check()
      await next(page)
      const mail = await idp.outbox
        .waitFor({ to: idp.person.login, template: ['SelfServiceUnlock'] })
        .catch(() => idp.outbox.waitFor({ to: idp.person.login }))
      await code(page).fill(mail.code ?? '')
      await next(page)
      await page.getByRole('heading', { name: 'Done' }).waitFor()
      await page.getByRole('link', { name: 'Sign in' }).click()
      await page.getByLabel('Username').fill(idp.person.login)
      await page.getByLabel('Password').fill(idp.person.password)
      await next(page)
      await page.getByRole('heading', { name: 'Hello, Mary' }).waitFor()
    })
  },
)
