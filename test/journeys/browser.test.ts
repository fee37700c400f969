import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { codeAt, enrollmentPolicy } from '../wire/totp.ts'
import { startWebApp, type WebApp } from './web-app.ts'

// What a person does in a real browser, in the sample app, clicking what a person clicks.

const chromium = findChromium()
const newPassword = 'Lighthouse-Biscuit-77'
const pageFaults = await readFile(join(import.meta.dirname, 'page-faults.js'), 'utf8')

describe.skipIf(!chromium)(`in a browser${chromium ? '' : ` (skipped: ${noChromium})`}`, () => {
  let web: WebApp
  let browser: Browser
  beforeAll(async () => {
    web = await startWebApp({ settings: { signUp: { open: false } } })
    browser = await launchChromium(chromium ?? '')
  })
  beforeEach(() => web.idp.reset())
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(async () => {
    await browser?.close()
    await web?.close()
  })

  /** A tab in a browser that knows nothing yet. */
  async function newPerson(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(60_000)
    return await context.newPage()
  }

  const heading = (page: Page, name: string) =>
    page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
  const next = (page: Page) => page.getByRole('button', { name: 'Next' }).click()
  const isSignedIn = (page: Page) => heading(page, 'Hello, Mary')

  async function signIn(page: Page, password: string) {
    await page.goto(`${web.url}/login`)
    await page.getByLabel('Username').fill(web.idp.person.login)
    await page.getByLabel('Password').fill(password)
    await next(page)
  }

  /** Asks for a new password and chooses the mail; the mail is there. */
  async function goToTheCode(page: Page) {
    await page.goto(`${web.url}/login`)
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await heading(page, 'Reset password')
    await page.getByLabel('Username or email').fill(web.idp.person.login)
    await next(page)
    await heading(page, 'Choose an authenticator')
    await page.getByRole('radio', { name: 'Email' }).check()
    await next(page)
    await heading(page, 'Check your mail')
    const { code, link } = await web.idp.outbox.waitFor({ to: web.idp.person.login })
    return { code: code ?? '', link: link ?? '' }
  }

  async function typeCode(page: Page, code: string) {
    await page.getByLabel('Enter code').fill(code)
    await next(page)
  }

  async function choosePassword(page: Page, password: string, again = password) {
    await heading(page, 'Reset password')
    await page.getByLabel('New password', { exact: true }).fill(password)
    await page.getByLabel('Re-enter new password').fill(again)
    await next(page)
  }

  test('a person signs in, after a mistake, and signs out', async () => {
    const page = await newPerson()
    await page.goto(web.url)
    await page.getByRole('link', { name: 'Sign in' }).click()
    await heading(page, 'Sign In')
    await signIn(page, 'not her password')
    await page.getByRole('alert').getByText('Unable to sign in.').waitFor()
    expect(await page.getByLabel('Username').inputValue()).toBe(web.idp.person.login)

    await signIn(page, web.idp.person.password)
    await isSignedIn(page)
    await page.getByText(web.idp.person.login).first().waitFor()

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
    expect(page.url()).toBe(`${web.url}/`)
    await page.reload()
    await page.getByText('You are signed out.').waitFor()
  })

  test('the session gets a new id at sign-in', async () => {
    const page = await newPerson()
    const idOf = async () => (await page.context().cookies()).find(({ name }) => name === 'session')?.value
    await page.goto(`${web.url}/login`)
    const before = await idOf()
    await signIn(page, web.idp.person.password)
    await isSignedIn(page)
    expect(before).toBeDefined()
    expect(await idOf()).not.toBe(before)
  })

  test('a person recovers her password by code', async () => {
    const page = await newPerson()
    const { code } = await goToTheCode(page)
    await typeCode(page, code === '000000' ? '000001' : '000000')
    await page.getByText('This code is not correct.').waitFor()
    expect(await page.getByLabel('Enter code').getAttribute('aria-invalid')).toBe('true')

    await typeCode(page, `${code.slice(0, 3)} ${code.slice(3)}`)
    await page.getByText('At least 12 characters').waitFor()
    await choosePassword(page, newPassword)
    await isSignedIn(page)
    await page.getByText('Your password is changed.').waitFor()

    const elsewhere = await newPerson()
    await signIn(elsewhere, web.idp.person.password)
    await elsewhere.getByRole('alert').waitFor()
    await signIn(elsewhere, newPassword)
    await isSignedIn(elsewhere)
  })

  test('two different passwords, and one that the policy refuses, come back with the reason', async () => {
    const page = await newPerson()
    await typeCode(page, (await goToTheCode(page)).code)
    await heading(page, 'Reset password')
    const before = (await web.idp.events()).length
    await choosePassword(page, newPassword, `${newPassword}8`)
    await page.getByText('Passwords do not match').waitFor()
    expect(await web.idp.events()).toHaveLength(before)

    await choosePassword(page, 'short')
    await page.locator('#password-error').waitFor()
    await page.locator('#rules').getByText('Not met: At least 12 characters').waitFor()
    expect(await page.locator('#password-error').innerText()).toBe('Not met: At least 12 characters')
    expect(await page.getByLabel('New password', { exact: true }).inputValue()).toBe('')

    await choosePassword(page, newPassword)
    await isSignedIn(page)
  })

  test('the link in a second tab goes on, and the first tab follows by itself', async () => {
    const first = await newPerson()
    const { link } = await goToTheCode(first)
    const second = await first.context().newPage()
    await second.goto(link)
    await heading(second, 'Reset password')
    expect(second.url()).not.toContain('otp')

    await heading(first, 'Reset password')
    await choosePassword(first, newPassword)
    await isSignedIn(first)
    await second.goto(web.url)
    await isSignedIn(second)
  })

  test('a password can be shown, and after a wrong one the focus is on it (N-m36)', async () => {
    const page = await newPerson()
    await signIn(page, 'not the password')
    await page.getByRole('alert').waitFor()
    const password = page.getByLabel('Password')
    await page.locator('#password:focus').waitFor()
    await password.fill(web.idp.person.password)
    await page.getByRole('button', { name: 'Show' }).click()
    expect(await password.getAttribute('type')).toBe('text')
    await page.getByRole('button', { name: 'Hide' }).click()
    expect(await password.getAttribute('type')).toBe('password')
    await page.getByRole('button', { name: 'Show' }).click()
    await next(page)
    await isSignedIn(page)
  })

  test('a tab that waits on the password page goes on once another has set it (N-p40)', async () => {
    const first = await newPerson()
    await typeCode(first, (await goToTheCode(first)).code)
    await heading(first, 'Reset password')
    const second = await first.context().newPage()
    await second.goto(`${web.url}/reset-authenticator`)
    await choosePassword(second, newPassword)
    await isSignedIn(second)
    await first.evaluate("document.dispatchEvent(new Event('visibilitychange')), undefined")
    await isSignedIn(first)
  })

  test('the link in another browser shows the code and who asked, and signs nobody in', async () => {
    const first = await newPerson()
    const { code, link } = await goToTheCode(first)
    const other = await newPerson({
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0',
    })
    await other.goto(link)
    await heading(other, 'Your code')
    await other.getByText(code, { exact: true }).waitFor()
    await other.getByText('Never tell anyone this code.').waitFor()
    // The facts are those of the browser that asked, not of the one that looks.
    expect(await other.locator('dl').textContent()).toMatch(/Chrome[\s\S]*127\.0\.0\.1/)
    expect(other.url()).not.toMatch(/otp|\d{6}/)
    await other.reload()
    await heading(other, 'The code was shown once')
    await other.goto(web.url)
    await other.getByText('You are signed out.').waitFor()

    await typeCode(first, code)
    await choosePassword(first, newPassword)
    await isSignedIn(first)
    await other.reload()
    await other.getByText('You are signed out.').waitFor()
  })

  test('the link of an earlier attempt still works in the same browser', async () => {
    const page = await newPerson()
    const { link } = await goToTheCode(page)
    await goToTheCode(page)
    await page.goto(link)
    await choosePassword(page, newPassword)
    await isSignedIn(page)
  })

  test('everything works without JavaScript', async () => {
    const page = await newPerson({ javaScriptEnabled: false })
    const { link } = await goToTheCode(page)
    await page.getByRole('button', { name: 'Send again' }).click()
    await page.getByText('You can request another mail in').waitFor()
    await page.getByRole('link', { name: 'I used the link in the mail' }).click()
    await page.getByText('The link has not been used in this browser yet.').waitFor()

    const second = await page.context().newPage()
    await second.goto(link)
    await heading(second, 'Reset password')
    await page.getByRole('link', { name: 'I used the link in the mail' }).click()
    await choosePassword(page, newPassword)
    await isSignedIn(page)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
  })

  test('another mail can be asked for when the countdown is over', async () => {
    const page = await newPerson()
    await page.clock.install()
    await goToTheCode(page)
    const again = page.getByRole('button', { name: 'Send again' })
    await expect.poll(() => again.isDisabled()).toBe(true)
    expect(await again.textContent()).toMatch(/^Send again \(\d+\)$/)
    await page.clock.fastForward(31_000)
    await expect.poll(() => again.isEnabled()).toBe(true)
    await expect.poll(() => again.textContent()).toBe('Send again')
  })

  test('an attempt that is too old ends at a page to start again', async () => {
    const page = await newPerson()
    const { code } = await goToTheCode(page)
    web.idp.clock.advance('31m')
    await typeCode(page, code).catch(() => {})
    await heading(page, 'This attempt has ended')
    await page.getByRole('link', { name: 'Start again' }).click()
    await heading(page, 'Reset password')
  })

  test('a recovery ends the sessions elsewhere', async () => {
    const elsewhere = await newPerson()
    await signIn(elsewhere, web.idp.person.password)
    await isSignedIn(elsewhere)
    const page = await newPerson()
    await typeCode(page, (await goToTheCode(page)).code)
    await choosePassword(page, newPassword)
    await isSignedIn(page)

    await elsewhere.reload()
    await elsewhere.getByText('Your session has ended.').waitFor()
  })

  test('where sign-up is closed no link leads there, and its page says whom to ask', async () => {
    const page = await newPerson()
    await page.goto(`${web.url}/login`)
    await page.getByRole('link', { name: 'Forgot your password?' }).waitFor()
    expect(await page.getByRole('link', { name: 'Sign up' }).count()).toBe(0)
    await page.goto(`${web.url}/register`)
    await heading(page, 'Sign up')
    await page.getByText('Sign-up is closed.').waitFor()
    await page.getByText('Ask the people who run this app for an account.').waitFor()
    expect(await page.content()).not.toContain('npx')
  })

  test('somebody who does not exist sees what everybody sees', async () => {
    const page = await newPerson()
    await page.goto(`${web.url}/recover-password`)
    await page.getByLabel('Username or email').fill('nobody@example.com')
    await next(page)
    await heading(page, 'Choose an authenticator')
    await next(page)
    await heading(page, 'Check your mail')
    await typeCode(page, '123456')
    await page.getByText('This code is not correct.').waitFor()
    expect(web.idp.outbox.to('nobody@example.com')).toEqual([])
  })

  test.each(['light', 'dark'] as const)(
    'an authenticator app is enrolled on a small screen, %s',
    async (colorScheme) => {
      await enrollmentPolicy(web.idp, { google_otp: 'OPTIONAL' })
      const page = await newPerson({ viewport: { width: 320, height: 640 }, colorScheme })
      const complaints: string[] = []
      page.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) complaints.push(message.text())
      })
      const lookOver = async () => complaints.push(...(await page.evaluate<string[]>(pageFaults)))

      await signIn(page, web.idp.person.password)
      await heading(page, 'Set up an authenticator')
      await lookOver()
      await next(page)
      await heading(page, 'Set up Google Authenticator')
      await lookOver()
      await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor()
      await expect
        .poll(() => page.evaluate<number>("document.querySelector('.qr').naturalWidth"))
        .toBeGreaterThan(0)
      const secret = (await page.locator('.key code').textContent()) ?? ''
      await typeCode(page, codeAt(secret, web.idp.clock.now()))
      await isSignedIn(page)
      expect(complaints).toEqual([])
    },
  )

  test('every page is labelled, loads nothing foreign, and fits a small screen', async () => {
    const page = await newPerson({ viewport: { width: 320, height: 640 } })
    const complaints: string[] = []
    page.on('console', (message) => {
      if (/Content Security Policy|DOM\]/.test(message.text())) complaints.push(message.text())
    })
    page.on('pageerror', (failure) => complaints.push(failure.message))
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== web.url) complaints.push(request.url())
    })
    const lookOver = async () => complaints.push(...(await page.evaluate<string[]>(pageFaults)))

    await page.goto(web.url)
    await lookOver()
    for (const path of [
      '/login',
      '/recover-password',
      '/register',
      '/nowhere',
      '/login/callback?otp=123456&state=x',
    ]) {
      await page.goto(web.url + path)
      await lookOver()
    }
    await page.goto(`${web.url}/recover-password`)
    await page.getByLabel('Username or email').fill(web.idp.person.login)
    await next(page)
    await lookOver()
    await next(page)
    await heading(page, 'Check your mail')
    await lookOver()
    await typeCode(page, (await web.idp.outbox.waitFor({ to: web.idp.person.login })).code ?? '')
    await heading(page, 'Reset password')
    await lookOver()
    await choosePassword(page, 'short')
    await page.locator('#password-error').waitFor()
    await lookOver()
    await choosePassword(page, newPassword)
    await isSignedIn(page)
    await lookOver()
    expect(complaints).toEqual([])
  })
})
