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

test('a visitor recovers a password and is signed in', async () => {
  const page = await browser.newPage()
  await page.goto(appUrl())
  await page.getByText('Forgot your password?').click()
  await page.getByLabel('Email').fill(idp.person.login)
  await page.getByRole('button').click()

  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  await page.getByLabel('Code').fill(mail.code)
  await page.getByRole('button').click()
  await page.getByLabel('New password').fill('Lighthouse-Biscuit-77')
  await page.getByRole('button').click()

  assert.equal(await page.getByRole('heading').textContent(), `Hello ${idp.person.login}`)
  await page.context().close()
})

test('a test that starts signed in needs no pages', async () => {
  const page = await browser.newPage()
  const { sdkTokens } = await idp.signInAs(idp.person, { client: idp.publicClientId })
  await page.addInitScript(
    (tokens) => localStorage.setItem('okta-token-storage', tokens),
    JSON.stringify(sdkTokens),
  )
  await page.goto(appUrl())

  assert.equal(await page.getByRole('heading').textContent(), `Hello ${idp.person.login}`)
  await page.context().close()
})
