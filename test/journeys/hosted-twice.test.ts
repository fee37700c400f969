import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { axeFindings } from '../support/axe.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { hasClients } from '../support/clients.ts'
import { startPageApp } from '../support/redirect-apps.ts'
import { createRedirectingApp } from '../support/widget-app.ts'
import { register } from '../wire/oauth-app.ts'
import { codeAt, enrollmentPolicy } from '../wire/totp.ts'

// What a browser does by itself at the sign-in pages: two tabs with one jar of cookies, an answer that it drops at a second click, Back.

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
const obstacles = readFileSync(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
const { REKEY_SHOTS: shots } = process.env

describe.skipIf(executablePath === undefined)(`tabs and clicks at the sign-in pages${reason}`, () => {
  let idp: Kit
  let browser: Browser
  let app: Server
  let url: string

  beforeAll(async () => {
    browser = await launchChromium(executablePath ?? '')
    idp = await startEngine()
    app = createRedirectingApp({ issuer: idp.issuer, clientId: idp.publicClientId }).listen(0, 'localhost')
    await once(app, 'listening')
    url = `http://localhost:${(app.address() as AddressInfo).port}`
  })
  beforeEach(() => idp.reset())
  afterAll(async () => {
    await browser?.close()
    app?.close()
    await idp?.close()
  })

  async function open(): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 900, height: 860 } })
    context.setDefaultTimeout(30_000)
    return context.newPage()
  }
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
  const passcodeOn = (page: Page) => page.locator('input[name="credentials.passcode"]')
  /** Up to the code of a mail, where there are other ways as well. */
  async function choosesMail(page: Page): Promise<void> {
    const choice = page.getByRole('button', { name: /^Email/ })
    await page.getByRole('heading', { level: 1, name: /^(Check|Confirm|Enter|Choose)/ }).waitFor()
    if ((await choice.count()) > 0) await choice.click()
    await passcodeOn(page).waitFor()
  }
  const signedIn = (page: Page) => page.getByText('Signed in as Mary Major').waitFor()

  /** What is wrong with a page in each look of it, with pictures where they are wanted. */
  async function looks(page: Page, name: string): Promise<readonly string[]> {
    const found: string[] = []
    for (const [view, width, colorScheme] of [
      ['light', 900, 'light'],
      ['dark', 900, 'dark'],
      ['small', 320, 'light'],
    ] as const) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 860 })
      // Colours move over from those of the other mode.
      await page.evaluate('Promise.all(document.getAnimations().map((one) => one.finished))')
      const here = [...(await axeFindings(page)), ...(await page.evaluate<string[]>(obstacles))]
      found.push(...here.map((one) => `${name}, ${view}: ${one}`))
      if (shots) await page.screenshot({ path: join(shots, `${name}-${view}.png`), fullPage: true })
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 900, height: 860 })
    return found
  }

  test('the link of a mail in another tab goes on there; the first tab, Back and a reload find where it is', async () => {
    const first = await open()
    await first.goto(url)
    await first.getByRole('button', { name: 'Forgot your password?' }).click()
    await first.getByLabel('Username or email').fill(idp.person.login)
    await first.locator('button.primary').click()
    await choosesMail(first)
    const { link, code } = await idp.outbox.waitFor({ to: idp.person.login, template: 'ForgotPassword' })
    const second = await first.context().newPage()
    await second.goto(link ?? '')
    const here = second.getByRole('button', { name: 'Continue here' })
    await here.waitFor()
    expect(await looks(second, 'continue-here')).toEqual([])
    // By the keyboard alone.
    const focused = () => second.evaluate<string>('document.activeElement.textContent.trim()')
    for (let presses = 0; presses < 5 && (await focused()) !== 'Continue here'; presses++)
      await second.keyboard.press('Tab')
    await second.keyboard.press('Enter')
    await heading(second, 'Choose a new password')
    await second.reload()
    await heading(second, 'Choose a new password')
    // The page of the link is read anew, and leads to where the transaction is.
    await second.goBack()
    await second.reload()
    const on = second.getByRole('link', { name: 'Go on where you were' })
    await on.waitFor()
    expect(await looks(second, 'link-that-is-spent')).toEqual([])
    await on.click()
    await heading(second, 'Choose a new password')
    // The first tab stands at the code still: what is typed there is not taken for the new password.
    await first.locator('input[name="credentials.passcode"]').fill(code ?? '')
    await first.locator('button.primary').click()
    await first.getByText('You went on in another tab or window.').waitFor()
    await heading(first, 'Choose a new password')
    await second.getByLabel('New password').fill('Lighthouse-Biscuit-77')
    await second.locator('button.primary').click()
    await signedIn(second)
    // The transaction of both tabs is over.
    await first.reload()
    expect(await first.getByLabel('New password').count()).toBe(0)
    expect(await looks(first, 'tab-of-what-is-over')).toEqual([])
    await first.context().close()
  })

  test('a second click while the first answer is under way leads to the app; Back from there says that the user is signed in', async () => {
    const page = await open()
    await page.goto(url)
    await page.getByLabel('Username').fill(idp.person.login)
    await page.getByLabel('Password').fill(idp.person.password)
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    // Requests arrive at once, and their answers late.
    const throughput = { downloadThroughput: -1, uploadThroughput: -1 }
    await session.send('Network.emulateNetworkConditions', { offline: false, latency: 2000, ...throughput })
    const sent: string[] = []
    page.on('request', (one) => one.method() === 'POST' && sent.push(one.url()))
    const button = page.getByRole('button', { name: 'Sign in', exact: true })
    const { x = 0, y = 0 } = (await button.boundingBox()) ?? {}
    await page.mouse.click(x + 20, y + 10)
    await page.waitForTimeout(700)
    await page.mouse.click(x + 20, y + 10)
    await page.waitForTimeout(100)
    await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, ...throughput })
    await signedIn(page)
    expect(sent).toHaveLength(2)
    await page.goBack()
    await heading(page, 'You are signed in')
    expect(await looks(page, 'back-from-the-app')).toEqual([])
    await page.reload()
    await heading(page, 'You are signed in')
    await page.context().close()
  })

  test.runIf(hasClients)(
    'an app sends its user by okta-auth-js to enrol an authenticator, and gets the browser back',
    async () => {
      await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', security_question: 'OPTIONAL' })
      const spa = await startPageApp('pages/okta-auth-js-enroll.js', async (address) => {
        const { id } = await register(idp, {
          ...{ label: 'An app', applicationType: 'browser', grantTypes: ['authorization_code'] },
          redirectUris: [`${address}/callback`],
        })
        return { issuer: idp.issuer, clientId: id, clientSecret: '' }
      })
      const page = await open()
      try {
        await page.goto(spa.url)
        await page.getByText('Ready').waitFor()
        await page.evaluate("enrol('otp')")
        await page.getByLabel('Username').fill(idp.person.login)
        await page.getByLabel('Password').fill(idp.person.password)
        await page.getByRole('button', { name: 'Sign in', exact: true }).click()
        const choice = page.getByRole('button', { name: /^Email/ })
        const passcode = page.locator('input[name="credentials.passcode"]')
        await choice.or(passcode).first().waitFor()
        if ((await choice.count()) > 0) await choice.click()
        const mail = await idp.outbox.waitFor({ to: idp.person.login })
        await passcode.fill(mail.code ?? '')
        await page.locator('button.primary').click()
        const pick = page.getByRole('button', { name: /^Authenticator app/ })
        const title = page.getByRole('heading', { level: 1, name: 'Set up your authenticator app' })
        await pick.or(title).first().waitFor()
        if ((await pick.count()) > 0) {
          expect(await page.getByRole('button', { name: /^Security question/ }).count()).toBe(0)
          expect(await looks(page, 'enrol-choice')).toEqual([])
          await pick.click()
        }
        await title.waitFor()
        await page.reload()
        await title.waitFor()
        expect(await looks(page, 'enrol-app')).toEqual([])
        for (const more of await page.locator('details').all())
          await more.evaluate((one) => one.setAttribute('open', ''))
        const secret = (await page.locator('code[dir=ltr]').innerText()).replaceAll(/\s/g, '')
        await passcode.fill(codeAt(secret, idp.clock.now()))
        await page.locator('button.primary').click()
        await page.getByText(/Back with|Failed/).waitFor()
        expect(await page.locator('#app').innerText()).toBe('Back with iss and state')
      } finally {
        await page.context().close()
        await spa.close()
      }
    },
  )
})
