import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { hasClients } from '../support/clients.ts'
import { apiOf } from '../support/management.ts'
import {
  asPage,
  chooses,
  field,
  noteBlocked,
  pictured,
  presses,
  reads,
  submit,
  typesCode,
  world,
} from '../support/sign-in-widget.ts'
import { openSignUp } from '../support/sign-up.ts'
import { createRedirectingApp } from '../support/widget-app.ts'
import { appWith } from '../wire/email.ts'
import { twoFactors } from '../wire/totp.ts'

// The widget as the page of `authorize`: what is not so where it is embedded. Its other walks are in the files beside this one.

const chromium = findChromium()
const reason = chromium ? '' : ` (skipped: ${noChromium})`

describe.skipIf(!chromium || !hasClients).each(world ? (['2', '3'] as const) : (['2'] as const))(
  `the widget as the page, generation %s${reason}`,
  (generation) => {
    let idp: Kit
    let app: Server
    let url: string
    let browser: Browser
    let context: BrowserContext
    const blocked: string[] = []
    /** What a page asks for that is not there. */
    const missing: string[] = []
    beforeAll(async () => {
      idp = await startEngine(asPage(openSignUp({}), generation))
      app = createRedirectingApp({ issuer: idp.issuer, clientId: idp.publicClientId }).listen(0, 'localhost')
      await once(app, 'listening')
      url = `http://localhost:${(app.address() as AddressInfo).port}`
      browser = await launchChromium(chromium ?? '')
    })
    beforeEach(async () => {
      blocked.length = 0
      missing.length = 0
      await idp.reset()
      context = await newContext()
    })
    afterEach(async ({ task }) => {
      for (const one of browser.contexts()) {
        if (task.result?.state === 'fail') {
          for (const page of one.pages()) console.error(page.url(), await page.locator('body').innerText())
        }
        await one.close()
      }
      expect([blocked, missing]).toEqual([[], []])
    })
    afterAll(async () => {
      await browser?.close()
      app?.close()
      await idp?.close()
    })

    async function newContext(options: object = {}): Promise<BrowserContext> {
      const made = await browser.newContext(options)
      made.setDefaultTimeout(40_000)
      await noteBlocked(made, blocked)
      made.on('response', (one) => {
        if (one.status() === 404) missing.push(one.url())
      })
      return made
    }
    async function signIn(page: Page): Promise<void> {
      await field(page, 'identifier').fill(idp.person.login)
      await field(page, 'credentials.passcode').fill(idp.person.password)
      await submit(page)
    }
    const signedIn = (page: Page) => reads(page, 'Signed in as Mary Major')
    /** A button of the question for consent: an input in one generation. */
    const answers = (page: Page, words: RegExp) => page.getByRole('button', { name: words }).first().click()
    const look = (page: Page, name: string) => pictured(page, `widget-page-${generation}-${name}`)
    async function typesMailed(page: Page): Promise<void> {
      await presses(page, 'Enter a verification code instead')
      await typesCode(page, (await idp.outbox.waitFor({ to: idp.person.login })).code ?? '')
    }

    test('a user signs in, with a second factor where it is asked for, also after a reload; then the session is enough', async () => {
      await twoFactors(idp)
      const page = await context.newPage()
      await page.goto(`${url}?login_hint=${encodeURIComponent(idp.person.login)}`)
      expect(new URL(page.url()).pathname).toBe('/oauth2/default/v1/authorize')
      await field(page, 'credentials.passcode').waitFor()
      expect(await field(page, 'identifier').inputValue()).toBe(idp.person.login)
      await look(page, 'sign-in')
      await signIn(page)
      await chooses(page, 'Email')
      await presses(page, 'Enter a verification code instead')
      // The widget remembers the transaction that it is in.
      await page.reload()
      await typesMailed(page)
      await reads(page, 'Signed in as Mary Major (pwd,otp,mfa)')
      await page.goto(url)
      await signedIn(page)
    })

    describe.runIf(world)('at length', () => {
      test('a session is asked for what is missing alone; "Back to sign in" begins anew', async () => {
        const page = await context.newPage()
        await page.goto(url)
        await signIn(page)
        await signedIn(page)
        await twoFactors(idp)
        await page.goto(url)
        await reads(page, idp.person.login)
        await chooses(page, 'Email')
        await look(page, 'step-up')
        await typesMailed(page)
        await reads(page, 'Signed in as Mary Major (pwd,otp,mfa)')
        await page.goto(`${url}?prompt=login`)
        await signIn(page)
        await reads(page, 'Email')
        await presses(page, /Back to sign in/)
        await field(page, 'identifier').waitFor()
        await signIn(page)
        await chooses(page, 'Email')
        await typesMailed(page)
        await signedIn(page)
      })

      test('Back from the app leads to it again, and two tabs each to their own end', async () => {
        const page = await context.newPage()
        await page.goto(url)
        const other = await context.newPage()
        await other.goto(url)
        await field(page, 'credentials.passcode').waitFor()
        await signIn(page)
        await signedIn(page)
        await signIn(other)
        await signedIn(other)
        await page.goBack()
        await signedIn(page)
      })

      test('an expired transaction says so, and begins anew', async () => {
        const page = await context.newPage()
        await page.goto(url)
        await field(page, 'credentials.passcode').waitFor()
        await idp.clock.advance('9h')
        await signIn(page)
        await reads(page, 'You have been logged out due to inactivity')
        await look(page, 'expired')
        await presses(page, 'Back to sign in')
        await field(page, 'credentials.passcode').waitFor()
        await signIn(page)
        await signedIn(page)
      })

      test('consent is asked for: what is refused is an error at the app, what is given leads on', async () => {
        await appWith({ ...idp, clientId: idp.publicClientId }, { consent_method: 'REQUIRED' })
        const api = apiOf(idp)
        const { list } = await api('GET', '/authorizationServers/default/scopes')
        const { id } = list.find((one) => one.name === 'phone') ?? {}
        await api('PUT', `/authorizationServers/default/scopes/${id}`, { name: 'phone', consent: 'REQUIRED' })
        const page = await context.newPage()
        await page.goto(`${url}?scope=openid+phone+profile`)
        await signIn(page)
        await reads(page, /would like to/i)
        await look(page, 'consent')
        await answers(page, /Don.t Allow|^Cancel$/i)
        await reads(page, 'Refused: access_denied')
        await page.goto(`${url}?scope=openid+phone+profile`)
        await signIn(page)
        await answers(page, /^Allow Access/i)
        await signedIn(page)
      })

      test('a request that asks for a new account begins with its form', async () => {
        const page = await context.newPage()
        await page.goto(`${url}?prompt=create`)
        await field(page, 'userProfile.email').waitFor()
        await look(page, 'create')
      })

      test('the state token is of no use in another browser', async () => {
        const page = await context.newPage()
        await page.goto(url)
        await field(page, 'credentials.passcode').waitFor()
        const ends: string[] = []
        await page.route('**/login/token/redirect**', (route) => {
          ends.push(route.request().url())
          return route.fulfill({ body: 'held' })
        })
        await signIn(page)
        await reads(page, 'held')
        const other = await (await newContext()).newPage()
        await other.goto(ends[0] ?? '')
        await reads(other, 'This sign-in is over')
      })

      test('a pushed request has a page that can be loaded again', async () => {
        const page = await context.newPage()
        await page.goto(`${url}?pushed=1`)
        await field(page, 'credentials.passcode').waitFor()
        expect(new URL(page.url()).pathname).toBe('/signin/widget')
        await page.reload()
        await signIn(page)
        await signedIn(page)
      })

      test('without JavaScript, and without its script, the page of the engine goes on', async () => {
        const plain = await (await newContext({ javaScriptEnabled: false })).newPage()
        await plain.goto(url)
        await plain.waitForURL(/\/signin$/)
        await plain.getByLabel('Username').fill(idp.person.login)
        await plain.getByLabel('Password').fill(idp.person.password)
        await plain.getByRole('button', { name: 'Sign in', exact: true }).click()
        await signedIn(plain)
        const page = await (await newContext()).newPage()
        await page.route('**/assets/widget/**/*.js', (route) => route.abort())
        await page.goto(url)
        await page.waitForURL(/\/signin$/)
        await page.getByLabel('Username').waitFor()
      })

      test('it speaks the language of the browser', async () => {
        const page = await (await newContext({ locale: 'pt-PT' })).newPage()
        await page.goto(url)
        await reads(page, 'Fazer login')
        expect(await page.locator('html').getAttribute('lang')).toBe('pt-BR')
      })
    })
  },
)
