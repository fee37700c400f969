import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, beforeEach, test } from 'node:test'
import next from 'next'
import { chromium } from 'playwright-core'
import { startEngine } from 'rekey-engine/testing'

const client = { id: 'my-app', secret: 'my-app-secret-for-tests-only' }
let idp
let server
let url
let browser

before(async () => {
  server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  url = `http://localhost:${server.address().port}`
  idp = await startEngine({
    clients: [
      {
        ...client,
        label: 'My app',
        grantTypes: ['authorization_code', 'refresh_token'],
        redirectUris: [`${url}/api/auth/callback/okta`],
        postLogoutRedirectUris: [`${url}/`],
      },
    ],
  })
  Object.assign(process.env, {
    AUTH_URL: `${url}/api/auth`,
    AUTH_SECRET: 'only for tests: everybody knows this secret',
    AUTH_OKTA_ISSUER: idp.issuer,
    AUTH_OKTA_ID: client.id,
    AUTH_OKTA_SECRET: client.secret,
    NEXT_TELEMETRY_DISABLED: '1',
  })
  const app = next({
    dev: true,
    hostname: 'localhost',
    port: server.address().port,
    dir: import.meta.dirname,
  })
  await app.prepare()
  server.on('request', app.getRequestHandler())
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
})
beforeEach(() => idp.reset())
// Next's development server watches its files to the end of the process, which is that of the tests: `--test-force-exit`.
after(async () => {
  await browser?.close()
  server.close()
  await idp?.close()
})

test('a visitor signs in on the pages of the engine, and signs out of both', async () => {
  const page = await browser.newPage()
  page.setDefaultTimeout(120_000)
  await page.goto(url)
  await page.getByText('Sign in').click()
  await page.getByLabel('Username').fill(idp.person.login)
  await page.getByLabel('Password').fill(idp.person.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'Hello Mary Major' }).waitFor()

  await page.getByText('Sign out').click()
  await page.getByText('Sign in').click()
  await page.getByLabel('Password').waitFor()
  assert.equal(new URL(page.url()).origin, idp.engineUrl)
  await page.context().close()
})
