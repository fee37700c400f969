import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import {
  ada,
  basic,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'

// Redirects, and the session of a browser: what is worth nothing in another browser, at another app, or for more than it proved.
let idp: Kit
let spa: RegisteredClient
let web: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  spa = await register(idp, { applicationType: 'browser', grantTypes: ['authorization_code'] })
  web = await register(idp, { grantTypes: ['authorization_code'] })
})
afterAll(() => idp.close())

const asked = { scope: 'openid' }

async function signedIn(client: RegisteredClient, browser = newBrowser(), changes: object = {}) {
  const page = await browser.goes(authorizeUrl(idp.issuer, client, { ...asked, ...changes }))
  const { success } = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
  return { browser, href: String(success?.href) }
}

const silent = async (browser: ReturnType<typeof newBrowser>, changes: object = {}) =>
  answerIn(await browser.goes(authorizeUrl(idp.issuer, web, { ...asked, prompt: 'none', ...changes })))

test('A80: the end of a transaction is worth nothing in another browser', async () => {
  const { href } = await signedIn(spa)
  const victim = newBrowser()
  await victim.goes(authorizeUrl(idp.issuer, spa, asked))
  const at = await victim.goes(href)
  expect([at.status, victim.cookies.has('rekey_session')]).toEqual([400, false])
})

test('A71: a cookie from before a sign-in is worth nothing after it', async () => {
  const { browser, href } = await signedIn(spa)
  await browser.goes(href)
  const before = newBrowser()
  for (const [name, value] of browser.cookies) before.cookies.set(name, value)
  const again = await signedIn(spa, browser, { prompt: 'login' })
  await browser.goes(again.href)
  expect(await silent(before)).toMatchObject({ error: 'login_required' })
  expect(await silent(browser)).toHaveProperty('code')
})

test('A72: a code of a request without a challenge takes no verifier, and one with it needs it', async () => {
  const without = { code_challenge: undefined, code_challenge_method: undefined }
  const exchange = async (changes: object, codeVerifier: object) => {
    const { browser, href } = await signedIn(web, newBrowser(), changes)
    const { code = '' } = answerIn(await browser.goes(href))
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...codeVerifier }
    return (await post(`${idp.issuer}/v1/token`, form, { authorization: basic(web) })).status
  }
  expect(await exchange(without, { code_verifier: verifier })).toBe(400)
  expect(await exchange(without, {})).toBe(200)
  expect(await exchange({}, {})).toBe(400)
  expect(await exchange({}, { code_verifier: verifier })).toBe(200)
})

test('A74: what was proven too long ago is asked for again', async () => {
  const { browser, href } = await signedIn(spa)
  await browser.goes(href)
  idp.clock.advance(60_000)
  expect(await silent(browser, { max_age: '30' })).toMatchObject({ error: 'login_required' })
  expect(await silent(browser, { max_age: '90' })).toHaveProperty('code')
})
