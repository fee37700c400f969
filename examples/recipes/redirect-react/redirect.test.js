import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { chromium } from 'playwright-core'
import { startEngine } from 'rekey-engine/testing'
import { build, preview } from 'vite'

let idp
let app
let browser

before(async () => {
  idp = await startEngine()
  process.env.VITE_ISSUER = idp.issuer
  process.env.VITE_CLIENT_ID = idp.publicClientId
  await build({ logLevel: 'warn' })
  app = await preview({ preview: { port: 0 }, logLevel: 'warn' })
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
})
beforeEach(() => idp.reset())
after(async () => {
  await browser?.close()
  await app?.close()
  await idp?.close()
})

const appUrl = () => `http://localhost:${app.httpServer.address().port}`

test('a visitor signs in on the pages of the engine, renews the tokens, and signs out of both', async () => {
  const page = await browser.newPage()
  await page.goto(appUrl())
  await page.getByText('Sign in').click()
  await page.getByLabel('Username').fill(idp.person.login)
  await page.getByLabel('Password').fill(idp.person.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'Hello Mary Major' }).waitFor()

  const tokens = () => page.evaluate(() => localStorage.getItem('okta-token-storage'))
  const before = JSON.parse(await tokens()).refreshToken.refreshToken
  const renewed = page.waitForResponse((response) => response.url().endsWith('/v1/token'))
  await page.getByText('Renew the tokens').click()
  assert.equal((await renewed).status(), 200)
  assert.notEqual((await (await renewed).json()).refresh_token, before)

  await page.getByText('Sign out').click()
  await page.getByText('Sign in').click()
  await page.getByLabel('Password').waitFor()
  assert.equal(new URL(page.url()).origin, idp.engineUrl)
  await page.context().close()
})
