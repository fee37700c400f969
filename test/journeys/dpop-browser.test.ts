import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { hasClients } from '../support/clients.ts'
import { startPageApp } from '../support/redirect-apps.ts'
import { register } from '../wire/oauth-app.ts'

// Okta's SDK with `dpop: true`, unmodified, in a real browser: its key stays there, and the tokens are worth nothing elsewhere (RFC 9449, A31).

const chromium = findChromium()
const reason = chromium === undefined ? ` (skipped: ${noChromium})` : ''
const latest = '@okta/okta-auth-js'
const packages = process.env.REKEY_TEST_WORLD === '1' ? [latest, 'okta-auth-js-7'] : [latest]

describe.skipIf(chromium === undefined || !hasClients)(`bound tokens in a browser${reason}`, () => {
  let idp: Kit
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '')
    idp = await startEngine()
  })
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
  })

  test.each(packages)('%s gets them, asks userinfo, and refreshes them by the same key', async (name) => {
    const alias = name === latest ? {} : { [latest]: name }
    const app = await startPageApp(
      'pages/okta-auth-js-dpop.js',
      async (url) => {
        const { id } = await register(idp, {
          ...{ label: 'An app', applicationType: 'browser' },
          grantTypes: ['authorization_code', 'refresh_token'],
          redirectUris: [`${url}/callback`],
          postLogoutRedirectUris: [`${url}/`],
          registration: { settings: { oauthClient: { dpop_bound_access_tokens: true } } },
        })
        return { issuer: idp.issuer, clientId: id, clientSecret: '' }
      },
      { alias },
    )
    const context = await browser.newContext()
    try {
      context.setDefaultTimeout(60_000)
      const page = await context.newPage()
      await page.goto(app.url)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByLabel('Username').fill(idp.person.login)
      await page.getByLabel('Password').fill(idp.person.password)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByText(/Hello|Failed/).waitFor()
      expect(await page.locator('body').innerText()).toContain('Hello Mary Major')

      const used = () => page.evaluate<{ readonly key?: string }>('useToken()')
      const first = await used()
      expect(first).toMatchObject({
        name: 'Mary Major',
        type: 'DPoP',
        key: expect.any(String),
        withoutKey: 401,
      })
      const renewed = page.waitForResponse(
        (answer) => answer.url().endsWith('/token') && answer.status() === 200,
      )
      await page.getByRole('button', { name: 'Refresh' }).click()
      expect(await (await renewed).json()).toMatchObject({ token_type: 'DPoP' })
      await page.getByText('Hello Mary Major').waitFor()
      expect(await used()).toEqual(first)

      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
      expect(await page.locator('body').innerText()).not.toContain('Failed')
    } finally {
      await context.close()
      await app.close()
    }
  })
})
