import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startEngine } from '../../src/testing/index.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { hasClients } from '../support/clients.ts'
import { widgetFolder, world } from '../support/sign-in-widget.ts'

// Okta's Sign-In Widget, unmodified, with `useClassicEngine`: on a page of the app, at the classic API.

const chromium = findChromium()
const reason = chromium ? '' : ` (skipped: ${noChromium})`

describe.skipIf(!chromium || !hasClients || !world)(`the widget at the classic API${reason}`, () => {
  test.each(['okta-sign-in.min.js', 'okta-sign-in.classic.min.js'])('%s signs in', async (file) => {
    let settings = {}
    const script = readFileSync(join(widgetFolder, 'dist/js', file))
    const app = createServer(({ url }, response) => {
      if (url === '/widget.js')
        return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
      return response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<!doctype html><div id="widget"></div>
<p role="status"></p><script src="/widget.js"></script><script>
new OktaSignIn(${JSON.stringify(settings)}).showSignInToGetTokens({ el: '#widget' }).then(
  ({ idToken }) => (document.querySelector('[role=status]').textContent = 'Hello ' + idToken.claims.name),
  (error) => (document.querySelector('[role=status]').textContent = 'Failed: ' + error))
</script>`)
    }).listen(0, 'localhost')
    onTestFinished(() => void app.close())
    await once(app, 'listening')
    const redirectUri = `http://localhost:${(app.address() as AddressInfo).port}/callback`
    const grantTypes = ['authorization_code', 'refresh_token'] as const
    const idp = await startEngine({
      settings: { classic: { enabled: true } },
      clients: [
        {
          ...{ id: 'app', label: 'An app', applicationType: 'browser', redirectUris: [redirectUri] },
          grantTypes: [...grantTypes],
        },
      ],
    })
    onTestFinished(() => idp.close())
    settings = {
      ...{ baseUrl: idp.engineUrl, issuer: idp.issuer, clientId: 'app', redirectUri, useClassicEngine: true },
      authParams: { scopes: ['openid', 'profile'] },
    }
    const browser = await launchChromium(chromium ?? '')
    onTestFinished(() => browser.close())
    const page = await browser.newPage()
    page.setDefaultTimeout(60_000)
    await page.goto(redirectUri)
    await page.locator('#okta-signin-username').fill(idp.person.login)
    await page.locator('#okta-signin-password').fill('wrong')
    await page.locator('#okta-signin-submit').click()
    await page.locator('.infobox-error').waitFor()
    await page.locator('#okta-signin-password').fill(idp.person.password)
    await page.locator('#okta-signin-submit').click()
    await page
      .getByRole('status')
      .filter({ hasText: /Hello|Failed/ })
      .waitFor()
    expect(await page.getByRole('status').filter({ hasText: /./ }).innerText()).toBe('Hello Mary Major')
  })
})
