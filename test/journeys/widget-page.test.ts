import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { clientsFolder, hasClients } from '../support/clients.ts'
import { chooses, field, presses, reads, submit, typesCode } from '../support/sign-in-widget.ts'
import { createRedirectingApp } from '../support/widget-app.ts'
import { twoFactors } from '../wire/totp.ts'

// The widget as the page of `authorize`, generation 2: the walks of both generations are in the files beside this one.

const chromium = findChromium()
const folder = join(clientsFolder, 'node_modules/@okta/okta-signin-widget')
const reason = chromium ? '' : ` (skipped: ${noChromium})`

describe.skipIf(!chromium || !hasClients)(`the widget as the page${reason}`, () => {
  let idp: Kit
  let app: Server
  let url: string
  let browser: Browser
  let context: BrowserContext
  const blocked: string[] = []
  beforeAll(async () => {
    idp = await startEngine({ settings: { pages: 'widget', widget: { package: folder } } })
    app = createRedirectingApp({ issuer: idp.issuer, clientId: idp.publicClientId }).listen(0, 'localhost')
    await once(app, 'listening')
    url = `http://localhost:${(app.address() as AddressInfo).port}`
    browser = await launchChromium(chromium ?? '')
  })
  beforeEach(async () => {
    blocked.length = 0
    await idp.reset()
    context = await browser.newContext()
    context.setDefaultTimeout(6_000)
    await context.exposeFunction('isBlocked', (what: string) => blocked.push(what))
    await context.addInitScript(
      "document.addEventListener('securitypolicyviolation', (one) => isBlocked(one.violatedDirective + ' ' + one.blockedURI + ' ' + one.sample))",
    )
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') {
      for (const page of context.pages()) console.error(page.url(), await page.locator('body').innerText())
    }
    await context.close()
    expect(blocked).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    app?.close()
    await idp?.close()
  })

  async function signIn(page: Page): Promise<void> {
    await field(page, 'identifier').fill(idp.person.login)
    await field(page, 'credentials.passcode').fill(idp.person.password)
    await submit(page)
  }

  test('a user signs in, with a second factor where it is asked for, also after a reload', async () => {
    await twoFactors(idp)
    const page = await context.newPage()
    await page.goto(`${url}?login_hint=${encodeURIComponent(idp.person.login)}`)
    expect(new URL(page.url()).pathname).toBe('/oauth2/default/v1/authorize')
    await field(page, 'credentials.passcode').waitFor()
    expect(await field(page, 'identifier').inputValue()).toBe(idp.person.login)
    await signIn(page)
    await chooses(page, 'Email')
    // The widget remembers the transaction that it is in.
    await page.reload()
    await presses(page, 'Enter a verification code instead')
    const { code } = await idp.outbox.waitFor({ to: idp.person.login })
    await typesCode(page, code ?? '')
    await reads(page, 'Signed in as Mary Major (pwd,otp,mfa)')
    // The session of the browser is enough now.
    await page.goto(url)
    await reads(page, 'Signed in as Mary Major')
  })
})
