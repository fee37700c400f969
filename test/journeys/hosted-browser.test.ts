import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { enrollmentPolicy, twoFactors } from '../wire/totp.ts'

// The engine's own sign-in pages in a real browser: what needs one. The app is another origin, which sends the browser on.

const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''

describe.skipIf(executablePath === undefined)(`the sign-in pages in a browser${reason}`, () => {
  let idp: Kit
  let browser: Browser
  let app: Server
  let home: string

  beforeAll(async () => {
    app = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      if (pathname === '/callback') response.writeHead(302, { location: '/home' }).end()
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>The app</h1>')
    })
    await new Promise<void>((resolve) => app.listen(0, 'localhost', resolve))
    home = `http://localhost:${(app.address() as AddressInfo).port}`
    browser = await launchChromium(executablePath ?? '')
    idp = await startEngine({
      redirectUri: `${home}/callback`,
      settings: { webauthn: { rpId: 'localhost' } },
    })
  })
  beforeEach(() => idp.reset())
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
    await new Promise((resolve) => app.close(resolve))
  })

  const address = () => idp.engineUrl.replace('127.0.0.1', 'localhost')

  async function open(more: (page: Page) => Promise<unknown> = async () => {}): Promise<Page> {
    const context = await browser.newContext()
    context.setDefaultTimeout(15_000)
    const page = await context.newPage()
    await more(page)
    await begin(page)
    return page
  }

  async function begin(page: Page): Promise<Visitor> {
    const visitor = idp.visitor()
    await visitor.interacts()
    expect(visitor.interactionHandle).not.toBe('')
    await page.context().addCookies([{ name: 'rekey_tx', value: visitor.interactionHandle, url: address() }])
    await page.goto(`${address()}/signin`)
    return visitor
  }

  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

  // R-F6
  test('by the keyboard alone: the focus is in the first field, a wrong password is announced, and the form leads to the app and on', async () => {
    const page = await open()
    const focused = () => page.evaluate<string | null>("document.activeElement.getAttribute('name')")
    expect(await focused()).toBe('identifier')
    await page.keyboard.type(idp.person.login)
    await page.keyboard.press('Tab')
    await page.keyboard.type('not it')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('Check your username and password')
    await page.getByLabel('Password').fill(idp.person.password)
    await page.keyboard.press('Enter')
    await heading(page, 'The app')
    expect(page.url()).toBe(`${home}/home`)
    await page.context().close()
  })

  test('a passkey is set up, and signs in', async () => {
    await enrollmentPolicy(idp, { webauthn: 'REQUIRED' })
    const page = await open(async (one) => {
      const session = await one.context().newCDPSession(one)
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
    })
    const signIn = async () => {
      await page.getByLabel('Username').fill(idp.person.login)
      await page.getByLabel('Password').fill(idp.person.password)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    }
    await signIn()
    await page.getByRole('button', { name: /^Passkey/ }).click()
    await heading(page, 'Set up a passkey')
    await page.getByRole('button', { name: 'Create a passkey' }).click()
    await heading(page, 'The app')

    await twoFactors(idp)
    await begin(page)
    await signIn()
    await heading(page, 'Confirm that it is you')
    await page.getByRole('button', { name: /^Passkey/ }).click()
    await page.getByRole('button', { name: 'Use my passkey' }).click()
    await heading(page, 'The app')
    await page.context().close()
  })

  test('Back after a step, and a reload, send nothing once more', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'Forgot your password?' }).click()
    await heading(page, 'Reset your password')
    await page.reload()
    await heading(page, 'Reset your password')
    await page.goBack()
    await page
      .getByRole('button', { name: 'Forgot your password?' })
      .or(page.getByLabel('Username or email'))
      .first()
      .waitFor()
    await page.goto(`${address()}/signin`)
    await heading(page, 'Reset your password')
    await page.context().close()
  })
})
