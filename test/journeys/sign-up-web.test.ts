import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { newPlainBrowser } from './plain-browser.ts'
import { startWebAppHere, type WebApp } from './web-app.ts'

// Sign-up in the sample app, in a real browser: by code, by link, with what may be skipped, and with what goes wrong.

const chromium = findChromium()
const obstacles = await readFile(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
/** A folder for pictures of the pages; absent: none are taken. */
const shots = process.env.REKEY_TEST_SHOTS
const password = 'Lighthouse-Biscuit-77'
const email = 'ada@example.com'

/** The form of the sample app: what Okta asks for, and one custom attribute of each kind. */
const resources = {
  user_schema: {
    color: { type: 'string', title: 'Favourite colour', enum: ['red', 'blue'] },
    pizza: { type: 'string', title: 'Favourite pizza', enum: ['lucali', 'razza'] },
    news: { type: 'boolean', title: 'Send me the news' },
  },
}

let web: WebApp
let idp: Kit

beforeAll(async () => {
  web = await startWebAppHere({ settings: { signUp: { open: true } } })
  idp = web.idp
})
beforeEach(() => idp.reset())
afterAll(() => web?.close())
void resources

describe.skipIf(!chromium)(`sign-up in a browser${chromium ? '' : ` (skipped: ${noChromium})`}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '')
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(() => browser?.close())

  async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ locale: 'de-AT', ...options })
    context.setDefaultTimeout(20_000)
    return context.newPage()
  }

  /** Waits for a page, and looks whether all can use it: in the light, in the dark, and on a small screen. */
  async function at(page: Page, title: string, name?: string): Promise<void> {
    await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor()
    if (name === undefined) return
    const size = page.viewportSize() ?? { width: 1280, height: 720 }
    for (const [view, colorScheme, width] of [
      ['light', 'light', 700],
      ['dark', 'dark', 700],
      ['small', 'light', 320],
    ] as const) {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme })
      // The colours change with the next frame.
      await expect.poll(() => page.evaluate(obstacles), { message: `${title}, ${view}` }).toEqual([])
      if (shots) await page.screenshot({ path: join(shots, `sign-up-${name}-${view}.png`), fullPage: true })
    }
    await page.setViewportSize(size)
  }
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const next = (page: Page) => press(page, 'Next')
  const mailTo = (to: string, after?: string) => idp.outbox.waitFor({ to, ...(after && { after }) })

  /** From the sign-in page to the mail page. */
  async function fillIn(page: Page, address = email): Promise<void> {
    await page.goto(`${web.url}/login`)
    await page.getByRole('link', { name: 'Sign up' }).click()
    await at(page, 'Sign up')
    await page.getByLabel('First name').fill('Ada')
    await page.getByLabel('Last name').fill('Lovelace')
    await page.getByLabel('Email address').fill(address)
    await press(page, 'Create account')
  }
  async function choosePassword(page: Page): Promise<void> {
    await at(page, 'Choose a password')
    await page.getByLabel('New password', { exact: true }).fill(password)
    await page.getByLabel('Re-enter new password').fill(password)
    await next(page)
  }
  /** What follows the proven mailbox, whatever the policies ask for: the password, and nothing else. */
  async function finish(page: Page): Promise<void> {
    await page.getByRole('heading', { level: 1, name: /^(Set up an|Choose a|Welcome)/ }).waitFor()
    if (await page.getByRole('heading', { name: 'Set up an authenticator' }).isVisible()) {
      await page.getByRole('radio', { name: 'Password' }).check()
      await next(page)
    }
    await choosePassword(page)
    await at(page, 'Welcome, Ada', 'welcome')
  }

  test('by the code of the mail, after a wrong one', async () => {
    const page = await newPage()
    await page.goto(`${web.url}/login`)
    await at(page, 'Sign In', 'sign-in')
    await page.getByRole('link', { name: 'Sign up' }).click()
    await at(page, 'Sign up', 'form')
    await fillIn(page)
    await at(page, 'Check your mail', 'mail')
    await page.getByText(`A mail was sent to ${email}.`).waitFor()
    const { code } = await mailTo(email)
    await page.getByLabel('Enter code').fill(code === '000000' ? '000001' : '000000')
    await next(page)
    await page.getByText('This code is not correct.').waitFor()
    await at(page, 'Check your mail', 'wrong-code')
    await page.getByLabel('Enter code').fill(code ?? '')
    await next(page)
    await finish(page)
    await page.getByRole('link', { name: 'Continue' }).click()
    await at(page, 'Hello, Ada')
    await page.getByText(email).first().waitFor()

    await press(page, 'Sign out')
    await page.getByText('You are signed out.').waitFor()
    await page.goto(`${web.url}/login`)
    await page.getByLabel('Username').fill(email)
    await page.getByLabel('Password').fill(password)
    await next(page)
    await at(page, 'Hello, Ada')
  })

  test('by the link, opened in another tab: the tab that waits goes on by itself', async () => {
    const page = await newPage()
    await fillIn(page)
    await at(page, 'Check your mail')
    const { link } = await mailTo(email)
    const tab = await page.context().newPage()
    await tab.goto(link ?? '')
    await tab.getByRole('heading', { level: 1, name: /^(Set up an|Choose a)/ }).waitFor()
    await page.getByRole('heading', { level: 1, name: /^(Set up an|Choose a)/ }).waitFor()
    await finish(page)
  })

  test('by the link, opened in another browser: it shows the code to enter in the first one', async () => {
    const page = await newPage()
    await fillIn(page)
    await at(page, 'Check your mail')
    const { link, code } = await mailTo(email)
    const phone = await newPage({ viewport: { width: 320, height: 640 } })
    await phone.goto(link ?? '')
    await phone.getByText(code ?? '', { exact: true }).waitFor()
    await phone.goto(`${web.url}/`)
    await phone.getByText('You are signed out.').waitFor()
    await page.getByLabel('Enter code').fill(code ?? '')
    await next(page)
    await finish(page)
  })

  test('back to the page that one came from', async () => {
    const page = await newPage()
    await page.goto(`${web.url}/login?return_to=/login/callback/code`)
    await page.goto(`${web.url}/register?return_to=/orders?page=2`)
    await page.getByLabel('First name').fill('Ada')
    await page.getByLabel('Last name').fill('Lovelace')
    await page.getByLabel('Email address').fill(email)
    await press(page, 'Create account')
    await page.getByLabel('Enter code').fill((await mailTo(email)).code ?? '')
    await next(page)
    await finish(page)
    await page.getByRole('link', { name: 'Continue where you left off' }).click()
    await at(page, 'There is no such page')
    expect(page.url()).toBe(`${web.url}/orders?page=2`)
  })

  test('with an address that has an account: the same page, and a mail that leads on', async () => {
    const page = await newPage()
    await fillIn(page, idp.person.login)
    await at(page, 'Check your mail')
    await page.getByText(`A mail was sent to ${idp.person.login}.`).waitFor()
    const { code, text } = await mailTo(idp.person.login)
    expect(code).toBeNull()
    expect(text).toContain('You already have')
    await page.getByLabel('Enter code').fill('123456')
    await next(page)
    await page.getByText('This code is not correct.').waitFor()
    await page.getByRole('link', { name: 'Use another address' }).click()
    await at(page, 'Sign up')
  })

  test('by keyboard alone', async () => {
    const page = await newPage()
    await page.goto(`${web.url}/register`)
    await at(page, 'Sign up')
    const names: string[] = []
    for (let field = 0; field < 3; field++) {
      names.push(await page.evaluate('document.activeElement.name'))
      await page.keyboard.type({ firstName: 'Ada', lastName: 'Lovelace', email }[names.at(-1) ?? ''] ?? '')
      await page.keyboard.press('Tab')
    }
    expect(names.toSorted()).toEqual(['email', 'firstName', 'lastName'])
    await page.keyboard.press('Enter')
    await at(page, 'Check your mail')
    await page.keyboard.type((await mailTo(email)).code ?? '')
    await page.keyboard.press('Enter')
    await finish(page)
  })
})

describe('without JavaScript', () => {
  const profile = { firstName: 'Ada', lastName: 'Lovelace', email }
  const begin = async () => {
    const visitor = newPlainBrowser(web.url)
    expect((await visitor.visit('/register')).headers.get('location')).toBe('/enroll-profile')
    return visitor
  }

  test('the way is the same; a link leads on once the mail’s link was used', async () => {
    const visitor = await begin()
    expect(await visitor.submit('/enroll-profile', profile)).toBe('/enroll-authenticator')
    const { text } = await visitor.visit('/enroll-authenticator')
    expect(text).toMatch(/<a href="\/challenge-authenticator\/poll"[^>]*>I opened the link: continue/)
    const poll = async () => (await visitor.visit('/challenge-authenticator/poll')).headers.get('location')
    expect(await poll()).toBe('/enroll-authenticator')
    expect((await visitor.visit('/enroll-authenticator')).text).toContain('The link has not been used')
  })

  test.each([
    ['ada', 'This is not an email address.'],
    ['ada@', 'This is not an email address.'],
    ['ada@example.com ada@evil.example', 'This is not an email address.'],
    [' ', 'Fill in “Email address”.'],
  ])('the address “%s” comes back with what is wrong beside it', async (address, message) => {
    const visitor = await begin()
    const page = await visitor.submit('/enroll-profile', { ...profile, email: address })
    expect(page).toMatch(new RegExp(`id="email-error">${message.replaceAll('.', '\\.')}`))
    expect(page).toMatch(/id="email"[^>]* aria-invalid="true" aria-describedby="email-error"/)
    expect(page).toContain('value="Lovelace"')
    expect(await visitor.submit('/enroll-profile', profile)).toBe('/enroll-authenticator')
  })
})
