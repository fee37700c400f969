import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CaptchaProviderDouble, startCaptchaProvider } from '../support/captcha-provider.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { startWebAppHere, type WebApp } from './web-app.ts'

// The captcha in the sample app, in a real browser, with a provider on loopback.

const chromium = findChromium()
const obstacles = await readFile(join(import.meta.dirname, 'page-obstacles.js'), 'utf8')
/** A folder for pictures of the pages; absent: none are taken. */
const shots = process.env.REKEY_TEST_SHOTS
const locked = 'lee@example.com'

describe.skipIf(!chromium)(`a captcha in a browser${chromium ? '' : ` (skipped: ${noChromium})`}`, () => {
  let provider: CaptchaProviderDouble
  let web: WebApp
  let browser: Browser
  beforeAll(async () => {
    provider = await startCaptchaProvider()
    const { siteKey, secret, verifyUrl, scriptUrl } = provider
    web = await startWebAppHere({
      captchaScript: scriptUrl,
      settings: {
        policies: { password: { recovery: { unlock: true } } },
        captcha: { type: 'HCAPTCHA', siteKey, secret, verifyUrl, insecureAddresses: true },
      },
    })
    browser = await launchChromium(chromium ?? '')
  })
  beforeEach(async () => {
    await web.idp.reset()
    await web.idp.people.add({ login: locked, password: 'Tangerine-Kettle-42', status: 'LOCKED_OUT' })
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(async () => {
    await browser?.close()
    await web?.close()
    await provider?.close()
  })

  /** A page on which nothing that the policy forbids was tried. */
  async function newPage(options: BrowserContextOptions = {}) {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(15_000)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    return { page, refusedByPolicy: () => errors.filter((text) => /Content.Security.Policy/i.test(text)) }
  }
  const next = (page: Page) => page.getByRole('button', { name: 'Next' }).click()
  async function tick(page: Page) {
    await page.getByRole('checkbox', { name: 'I am human' }).check()
    await page.locator('label[data-solved]').waitFor()
  }
  async function shoot(page: Page, name: string) {
    if (shots === undefined) return
    for (const [look, width] of [
      ['light', 1000],
      ['dark', 320],
    ] as const) {
      await page.emulateMedia({ colorScheme: look })
      await page.setViewportSize({ width, height: 800 })
      await page.screenshot({ path: join(shots, `captcha-${name}-${look}-${width}.png`), fullPage: true })
    }
  }

  test('a recovery asks for it, and goes on with it', async () => {
    const { page, refusedByPolicy } = await newPage()
    await page.goto(`${web.url}/recover-password`)
    await page.getByLabel('Username or email').fill('mary@example.com')
    await next(page)
    await page.getByText('Show that you are human, then try again.').waitFor()
    expect(await page.getByLabel('Username or email').inputValue()).toBe('mary@example.com')
    await shoot(page, 'recovery-asked')
    expect(await page.evaluate(obstacles)).toEqual([])
    await tick(page)
    await shoot(page, 'recovery')
    await next(page)
    await page.getByText('Choose how to verify your identity.').waitFor()
    expect(provider.verifications.at(-1)?.response).toContain('token-')

    // From then on the page has it from the start; by keyboard alone.
    await page.goto(`${web.url}/recover-password`)
    await page.keyboard.type('mary@example.com')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    await page.locator('label[data-solved]').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('Choose how to verify your identity.').waitFor()
    expect(refusedByPolicy()).toEqual([])
  })

  test('an unlock shows it at once', async () => {
    const { page, refusedByPolicy } = await newPage()
    await page.goto(`${web.url}/unlock-account`)
    await page.getByLabel('Username or email').fill(locked)
    await tick(page)
    await shoot(page, 'unlock')
    await next(page)
    await page.getByText('Check your mail').first().waitFor()
    expect(refusedByPolicy()).toEqual([])
  })

  test('a sign-up has it in its form, and goes on with it, by keyboard alone', async () => {
    const { page, refusedByPolicy } = await newPage()
    await page.goto(`${web.url}/register`)
    await page.getByLabel('First name').fill('Ada')
    await page.getByLabel('Last name').fill('Lovelace')
    await page.getByLabel('Email address').fill('ada@example.com')
    await shoot(page, 'sign-up')
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByText('Show that you are human, then try again.').waitFor()
    expect(await page.getByLabel('Email address').inputValue()).toBe('ada@example.com')
    expect(await page.evaluate(obstacles)).toEqual([])
    await page.getByRole('checkbox', { name: 'I am human' }).focus()
    await page.keyboard.press('Space')
    await page.locator('label[data-solved]').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('A mail was sent to ada@example.com.').waitFor()
    expect(await page.locator('script[src^="http"]').count()).toBe(0)
    expect(refusedByPolicy()).toEqual([])
  })

  test('only pages that have it may load it', async () => {
    const { page } = await newPage()
    const origin = new URL(provider.scriptUrl).origin
    await page.goto(`${web.url}/unlock-account`)
    for (const [path, has] of [
      ['/login', false],
      ['/', false],
      ['/select-authenticator-unlock-account', true],
    ] as const) {
      const answer = await page.goto(web.url + path)
      expect(answer?.headers()['content-security-policy']?.includes(origin), path).toBe(has)
      expect(await page.locator(`script[src^="${origin}"]`).count(), path).toBe(has ? 1 : 0)
      expect(answer?.headers()['content-security-policy']).not.toContain('unsafe')
    }
  })

  test('without JavaScript the page says what is missing', async () => {
    const { page } = await newPage({ javaScriptEnabled: false })
    await page.goto(`${web.url}/unlock-account`)
    // Chromium does not show it where scripts are switched off by its debugger alone.
    expect(await page.locator('noscript').innerHTML()).toContain('Your browser must run JavaScript')
  })
})
