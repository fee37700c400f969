import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { apiOf } from '../support/management.ts'
import { changeSignUp } from '../support/sign-up.ts'
import { enrollmentPolicy } from '../wire/totp.ts'
import { newPlainBrowser } from './plain-browser.ts'
import { startWebAppHere, type WebApp } from './web-app.ts'

// Sign-up in the sample app, in a real browser: by code, by link, with what may be skipped, and with what goes wrong.

const chromium = findChromium()
const obstacles = await readFile(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
/** A folder for pictures of the pages; absent: none are taken. */
const shots = process.env.REKEY_TEST_SHOTS
const password = 'Lighthouse-Biscuit-77'
const email = 'ada@example.com'

/** The page of the app for the sign-in methods of its user. */
const app = {
  label: 'Sample Web App',
  credentials: { oauthClient: { client_id: 'rekey-web' } },
  grants: ['okta.myAccount.authenticators.manage', 'okta.myAccount.phone.read'],
}
const terms = { version: '2026-01', url: 'https://example.com/terms' }

let web: WebApp
let idp: Kit

beforeAll(async () => {
  web = await startWebAppHere({
    managesMethods: true,
    settings: { signUp: { terms }, resources: { apps: [app] } },
  })
  idp = web.idp
})
beforeEach(() => idp.reset())
afterEach(() => void vi.useRealTimers())
afterAll(() => web?.close())

/** Custom attributes of each kind, asked for beside what Okta asks for. */
async function askForMore(): Promise<void> {
  const api = apiOf(idp)
  const custom = {
    color: { type: 'string', title: 'Favourite colour', enum: ['red', 'blue'] },
    pizza: { type: 'string', title: 'Favourite pizza', enum: ['lucali', 'razza'] },
    news: { type: 'boolean', title: 'Send me the news' },
    age: { type: 'integer', title: 'Age' },
  }
  await api('POST', '/meta/schemas/user/default', { definitions: { custom: { properties: custom } } })
  const [policy] = (await api('GET', '/policies?type=PROFILE_ENROLLMENT')).list
  const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
  const { profileEnrollment } = (rule?.actions ?? {}) as { readonly profileEnrollment?: object }
  const profileAttributes = [
    { name: 'email', label: 'Email', required: true },
    { name: 'firstName', label: 'First name', required: true },
    { name: 'color', label: 'Favourite colour', required: false },
    { name: 'pizza', label: 'Favourite pizza', required: true, inputType: 'radio' },
    { name: 'news', label: 'Send me the news', required: false },
    { name: 'age', label: 'Age', required: true },
    { name: 'countryCode', label: 'Country', required: true },
    { name: 'timezone', label: 'Time zone', required: false },
    { name: 'state', label: 'State', required: false },
  ]
  const actions = { profileEnrollment: { ...profileEnrollment, profileAttributes } }
  const { status, text } = await api('PUT', `/policies/${policy?.id}/rules/${rule?.id}`, { ...rule, actions })
  expect([status, text]).toEqual([200, text])
}

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
    await page.getByLabel('I agree to the terms').check()
    await press(page, 'Create account')
  }
  async function choosePassword(page: Page): Promise<void> {
    await at(page, 'Choose a password')
    await page.getByLabel('New password', { exact: true }).fill(password)
    await page.getByLabel('Re-enter new password').fill(password)
    await next(page)
  }
  /** What follows the proven mailbox: the password, which is asked for at once since nothing else is. */
  async function finish(page: Page): Promise<void> {
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
    await at(tab, 'Choose a password')
    await at(page, 'Choose a password', 'password')
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
    await page.getByLabel('I agree to the terms').check()
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
    const { code, link, template } = await mailTo(idp.person.login)
    expect([code, link, template]).toEqual([null, null, 'RegistrationTaken'])
    await page.getByLabel('Enter code').fill('123456')
    await next(page)
    await page.getByText('This code is not correct.').waitFor()
    await page.getByRole('link', { name: 'Use another address' }).click()
    await at(page, 'Sign up')
  })

  test('what may wait is skipped, and can be added later', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL' })
    const page = await newPage()
    await fillIn(page)
    await at(page, 'Check your mail')
    await page.getByLabel('Enter code').fill((await mailTo(email)).code ?? '')
    await next(page)
    await choosePassword(page)
    await at(page, 'Set up an authenticator', 'optional')
    await press(page, 'Not now')
    await at(page, 'Welcome, Ada')
    await page.getByRole('link', { name: 'Add another way to sign in' }).click()
    await at(page, 'Your sign-in methods')
  })

  test('with the attributes of one’s own server, as it wants them', async () => {
    await askForMore()
    const page = await newPage({ timezoneId: 'Europe/Vienna' })
    await page.goto(`${web.url}/register`)
    await at(page, 'Sign up', 'attributes')
    expect(await page.getByLabel('Country').inputValue()).toBe('AT')
    expect(await page.getByLabel('Time zone').inputValue()).toBe('Europe/Vienna')
    await page.getByLabel('First name').fill('Ada')
    await page.getByLabel('Email address').fill(email)
    await page.getByLabel('Favourite colour').selectOption('blue')
    await page.getByLabel('Age').fill('many')
    await page.getByLabel('State').fill('Tyrol')
    await page.getByLabel('I agree to the terms').check()
    await press(page, 'Create account')
    // The browser itself asks for what is required.
    expect(await page.locator('input[name=pizza]:invalid').count()).toBe(2)
    await page.getByRole('radio', { name: 'razza' }).check()
    await press(page, 'Create account')
    await page.locator('#age-error').waitFor()
    await at(page, 'Sign up', 'refused')
    expect(await page.getByRole('radio', { name: 'razza' }).isChecked()).toBe(true)
    expect(await page.getByLabel('I agree to the terms').isChecked()).toBe(true)
    await page.getByLabel('Age').fill('36')
    await press(page, 'Create account')
    await page.getByLabel('Enter code').fill((await mailTo(email)).code ?? '')
    await next(page)
    await finish(page)
    const [user] = await idp.people.list(email)
    const { body } = await apiOf(idp)('GET', `/users/${user?.id}`)
    expect(body).toMatchObject({
      status: 'ACTIVE',
      profile: {
        email,
        color: 'blue',
        pizza: 'razza',
        news: false,
        age: 36,
        countryCode: 'AT',
        timezone: 'Europe/Vienna',
        state: 'Tyrol',
      },
    })
  })

  test('a sign-in asks for what the profile lacks, and goes on with it', async () => {
    await changeSignUp(idp, {
      profileAttributes: [{ name: 'city', label: 'Town', required: true }],
      progressiveProfilingAction: 'ENABLED',
    })
    const page = await newPage()
    await page.goto(`${web.url}/login`)
    await page.getByLabel('Username').fill(idp.person.login)
    await page.getByLabel('Password').fill(idp.person.password)
    await next(page)
    await at(page, 'Complete your profile', 'completion')
    await page.getByLabel('Town').fill('Wien')
    await press(page, 'Continue')
    await at(page, 'Hello, Mary')
    const { body } = await apiOf(idp)('GET', `/users/${idp.person.login}`)
    expect(body.profile).toMatchObject({ city: 'Wien' })
  })

  test('by a mailed link that has expired: its page sends another, which leads on', async () => {
    const { id } = await idp.people.add({ login: email, status: 'STAGED' })
    await apiOf(idp)('POST', `/users/${id}/lifecycle/activate`)
    const mailed = async () =>
      /(?:welcome|activate)\/(\w{43})/.exec((await mailTo(email)).html ?? '')?.[1] ?? ''
    const late = await mailed()
    idp.clock.advance('8d')
    idp.outbox.clear()
    const page = await newPage()
    await page.goto(`${web.url}/activate/${late}`)
    await at(page, 'This link has expired', 'expired-link')
    await page.locator('main button').focus()
    await page.keyboard.press('Enter')
    await page.getByText('New activation link requested').waitFor()
    await at(page, await page.locator('h1').innerText(), 'expired-link-sent')
    await page.goto(`${web.url}/activate/${await mailed()}`)
    await at(page, 'Choose a password')
  })

  test('by keyboard alone', async () => {
    const page = await newPage()
    await page.goto(`${web.url}/register`)
    await at(page, 'Sign up')
    // The browser sets the focus a moment after the page is there.
    await page.locator('input:focus').waitFor()
    const names: string[] = []
    for (let field = 0; field < 3; field++) {
      names.push(await page.evaluate('document.activeElement.name'))
      await page.keyboard.type({ firstName: 'Ada', lastName: 'Lovelace', email }[names.at(-1) ?? ''] ?? '')
      await page.keyboard.press('Tab')
    }
    expect(names.toSorted()).toEqual(['email', 'firstName', 'lastName'])
    await page.keyboard.press('Space')
    await page.keyboard.press('Enter')
    await at(page, 'Check your mail')
    await page.locator('#verificationCode:focus').waitFor()
    await page.keyboard.type((await mailTo(email)).code ?? '')
    await page.keyboard.press('Enter')
    await finish(page)
  })
})

describe('without JavaScript', () => {
  const profile = { firstName: 'Ada', lastName: 'Lovelace', email, termsAccepted: 'true' }
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

    const link = new URL((await idp.outbox.waitFor({ to: email })).link ?? '')
    const opened = await fetch(link, { redirect: 'manual' })
    const back = new URL(opened.headers.get('location') ?? link)
    expect(await visitor.visit(`${back.pathname}${back.search}`)).toMatchObject({ status: 303 })
    expect(await poll()).toBe('/enroll-authenticator')
    const page = await visitor.submit('/enroll-authenticator', { password, confirmPassword: password })
    expect(page).toBe('/welcome')
    expect((await visitor.visit('/welcome')).text).toContain('Welcome, Ada')
  })

  test('another mail is sent after half a minute, and ends the first code', async () => {
    const visitor = await begin()
    await visitor.submit('/enroll-profile', profile)
    const first = await idp.outbox.waitFor({ to: email })
    const again = () => visitor.submit('/enroll-authenticator', {}, '/challenge-authenticator/resend')
    expect(await again()).toBe('/enroll-authenticator')
    expect((await visitor.visit('/enroll-authenticator')).text).toContain('You can request another mail in')
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 31_000)
    expect(await again()).toBe('/enroll-authenticator')
    expect((await visitor.visit('/enroll-authenticator')).text).toContain('A new mail was sent.')
    const second = await idp.outbox.waitFor({ to: email, after: first.id })
    const enter = (code: string | null) =>
      visitor.submit('/enroll-authenticator', { verificationCode: code ?? '' })
    expect(await enter(first.code)).toContain('not correct')
    expect(await enter(second.code)).toBe('/enroll-authenticator')
    expect((await visitor.visit('/enroll-authenticator')).text).toContain('Choose a password')
  })

  test('the terms are asked for, and every address is answered in the same way, taken or not', async () => {
    const visitor = await begin()
    const refused = await visitor.submit('/enroll-profile', { ...profile, termsAccepted: '' })
    expect(refused).toContain('id="termsAccepted-error">Tick this box to go on.')
    const pages = []
    for (const address of [email, idp.person.login]) {
      const one = await begin()
      expect(await one.submit('/enroll-profile', { ...profile, email: address })).toBe(
        '/enroll-authenticator',
      )
      const { text } = await one.visit('/enroll-authenticator')
      pages.push(text.replaceAll(address, '…').replaceAll(/name="csrf" value="[^"]*"/g, ''))
    }
    expect(pages[0]).toBe(pages[1])
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
