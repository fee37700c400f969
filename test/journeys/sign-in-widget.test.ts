import { once } from 'node:events'
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createWidgetServer } from '../../examples/sign-in-widget/server.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { clientsFolder, hasClients } from '../support/clients.ts'

// Okta's Sign-In Widget, unmodified, on the page of examples/sign-in-widget, in a real browser.

const chromium = findChromium()
const files = join(clientsFolder, 'node_modules/@okta/okta-signin-widget/dist')
const world = process.env.REKEY_TEST_WORLD === '1'
const newPassword = 'Lighthouse-Biscuit-77'
const reason = chromium ? '' : ` (skipped: ${noChromium})`

describe.skipIf(!chromium || !hasClients).each(['2', '3'] as const)(
  `the Sign-In Widget, generation %s${reason}`,
  (generation) => {
    let idp: Kit
    let server: Server
    let url: string
    let browser: Browser
    beforeAll(async () => {
      idp = await startEngine()
      const { issuer, publicClientId: clientId } = idp
      server = createWidgetServer({ issuer, clientId, generation, files }).listen(0, 'localhost')
      await once(server, 'listening')
      const address = server.address()
      url = `http://localhost:${typeof address === 'object' ? address?.port : ''}`
      browser = await launchChromium(chromium ?? '')
    })
    beforeEach(() => idp.reset())
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close()
    })
    afterAll(async () => {
      await browser?.close()
      server?.close()
      await idp?.close()
    })

    async function newBrowser(): Promise<BrowserContext> {
      const context = await browser.newContext()
      context.setDefaultTimeout(60_000)
      return context
    }

    const field = (page: Page, name: string) => page.locator(`input[name="${name}"]`)
    const submit = (page: Page) => page.locator('input[type=submit], button[type=submit]').first().click()
    const signedIn = (page: Page) => page.getByText('Signed in as Mary Major').waitFor()
    const mail = () => idp.outbox.waitFor({ to: idp.person.login })

    async function signIn(page: Page, password: string) {
      await field(page, 'identifier').fill(idp.person.login)
      await field(page, 'credentials.passcode').fill(password)
      await submit(page)
    }

    /** From the first page to the one that waits for the mail, which is there. */
    async function goToTheCode(page: Page) {
      await page.getByText('Forgot password?').click()
      // The sign-in page has a field of this name, too: only the page for the recovery lacks the one for the password.
      await field(page, 'credentials.passcode').waitFor({ state: 'detached' })
      await field(page, 'identifier').fill(idp.person.login)
      await submit(page)
      if (generation === '2') await page.locator('[data-se=okta_email] a').click()
      else await page.getByRole('button', { name: /Email/ }).click()
      await page.getByText('Enter a verification code instead').waitFor()
      return mail()
    }

    async function typeCode(page: Page, code: string | null) {
      await page.getByText('Enter a verification code instead').click()
      await field(page, 'credentials.passcode').fill(code ?? '')
      await submit(page)
    }

    async function choosePassword(page: Page) {
      await field(page, 'confirmPassword').fill(newPassword)
      await field(page, 'credentials.passcode').fill(newPassword)
      await submit(page)
    }

    /** Where the link of the mail leads: the callback of the app. */
    async function target(link: string | null): Promise<string> {
      const { headers } = await fetch(link ?? '', { redirect: 'manual' })
      return `${url}/login/callback${new URL(headers.get('location') ?? '').search}`
    }

    test('recovers a password by the code of the mail, and signs in with it', async () => {
      const page = await (await newBrowser()).newPage()
      await page.goto(url)
      await typeCode(page, (await goToTheCode(page)).code)
      await choosePassword(page)
      await signedIn(page)

      await page.goto(url)
      await signIn(page, newPassword)
      await signedIn(page)
    })

    test.runIf(world)('C10: recovers a password by the link of the mail in the same browser', async () => {
      const context = await newBrowser()
      const page = await context.newPage()
      await page.goto(url)
      const { link } = await goToTheCode(page)
      const tab = await context.newPage()
      await tab.goto(await target(link))
      await choosePassword(tab)
      await signedIn(tab)
    })

    test.runIf(world)('shows the code of the link in another browser, for the first one', async () => {
      const page = await (await newBrowser()).newPage()
      await page.goto(url)
      const { code, link } = await goToTheCode(page)
      const other = await (await newBrowser()).newPage()
      await other.goto(await target(link))
      await other.getByText(code ?? '').waitFor()
      await typeCode(page, code)
      await choosePassword(page)
      await signedIn(page)
    })

    test.runIf(world)('C11: without authScheme the third generation stops before the tokens', async () => {
      const page = await (await newBrowser()).newPage()
      // The page's widget, without that setting.
      await page.addInitScript(() => {
        type Widget = new (settings: { authScheme?: string }) => object
        let original: Widget | undefined
        Object.defineProperty(globalThis, 'OktaSignIn', {
          set: (widget: Widget) => {
            original = widget
          },
          get: () =>
            original &&
            function without({ authScheme: _, ...settings }: { authScheme?: string }) {
              return original && new original(settings)
            },
        })
      })
      const exchanges: string[] = []
      page.on('request', (request) => {
        if (request.url().endsWith('/v1/token')) exchanges.push(request.url())
      })
      await page.goto(url)
      await signIn(page, idp.person.password)
      if (generation === '2') return signedIn(page)
      // Signed in, it has no form to show and does not redeem the code: a page without a way on.
      await field(page, 'credentials.passcode').waitFor({ state: 'detached' })
      await page.waitForTimeout(2000)
      expect([exchanges, await page.locator('#result').innerText()]).toEqual([[], ''])
    })

    test.runIf(world)('R-F7: works again after a night', async () => {
      const page = await (await newBrowser()).newPage()
      const isOver = () => page.getByText('You have been logged out due to inactivity').waitFor()
      const isBack = async () => {
        await signIn(page, idp.person.password)
        await signedIn(page)
      }
      // The page asks by itself while it waits for the link, and so learns that the transaction is over.
      await page.goto(url)
      await goToTheCode(page)
      idp.clock.advance('9h')
      await isOver()
      await page.getByText('Back to sign in').click()
      await isBack()

      // Reloaded, it asks for the transaction that it remembers, and forgets it.
      await page.goto(url)
      await goToTheCode(page)
      idp.clock.advance('9h')
      await page.reload()
      await isOver()
      await page.reload()
      await isBack()
    })
  },
)
