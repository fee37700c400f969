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

async function signedIn(
  client: RegisteredClient,
  browser = newBrowser(),
  changes: object = {},
  user: Pick<typeof ada, 'login' | 'password'> = ada,
) {
  const page = await browser.goes(authorizeUrl(idp.issuer, client, { ...asked, ...changes }))
  const { success } = await signsIn(idp.engineUrl, await stateTokenAt(page), user)
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

test('a sign-in that is over is no fault of its app, and its page has a way on', async () => {
  const { browser, href } = await signedIn(spa)
  expect((await browser.goes(href)).status).toBe(302)
  for (const other of [browser, newBrowser()]) {
    const again = await other.goes(href)
    const page = await again.text()
    expect([again.status, page]).toEqual([400, expect.stringContaining('This sign-in is over')])
    expect(page).toContain(`<a href="${idp.engineUrl}/signin">`)
    expect(page).not.toContain('The application sent')
    // Programs read the same as before.
    const body = await (await other.goes(href, { headers: { accept: 'application/json' } })).json()
    expect(body).toMatchObject({ error: 'invalid_request' })
  }
  const pushed = { request_uri: 'urn:okta:of-an-earlier-visit' }
  const visit = await browser.goes(authorizeUrl(idp.issuer, spa, pushed))
  expect([visit.status, await visit.text()]).toEqual([400, expect.stringContaining('This sign-in is over')])
  // What the app did send is still said of it.
  const wrong = await browser.goes(
    authorizeUrl(idp.issuer, spa, { redirect_uri: 'https://elsewhere.example' }),
  )
  expect(await wrong.text()).toContain('The application sent')
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

test('A73: a login_hint shows alike for every name', async () => {
  const pageOf = async (hint: string) => {
    const browser = newBrowser()
    const begun = await browser.goes(authorizeUrl(idp.issuer, spa, { ...asked, login_hint: hint }))
    const page = await browser.goes(String(begun.headers.get('location')))
    const text = (await page.text())
      .replaceAll(/name="page" value="[^"]+"|\?t=[\w-]{12}/g, '')
      .replaceAll(hint, 'hint')
    return [begun.status, page.status, text]
  }
  expect(await pageOf(ada.login)).toEqual(await pageOf('eve'))
  const none = async (hint: string) => silent(newBrowser(), { login_hint: hint })
  expect(await none(ada.login)).toEqual(await none('eve'))
})

test('A73: an app learns nothing of the session of a user whom its hint does not name', async () => {
  const grace = { ...ada, login: 'grace', email: 'grace@example.com' }
  await idp.people.add(grace)
  const hers = await signedIn(spa, newBrowser(), {}, grace)
  const { code = '' } = answerIn(await hers.browser.goes(hers.href))
  const form = { grant_type: 'authorization_code', client_id: spa.id, code, redirect_uri: redirectUri }
  const { body } = await post(`${idp.issuer}/v1/token`, { ...form, code_verifier: verifier })
  const hint = { id_token_hint: String(body.id_token) }
  expect(await silent(hers.browser, hint)).toHaveProperty('code')
  const { browser, href } = await signedIn(spa)
  await browser.goes(href)
  expect(await silent(browser, hint)).toEqual(await silent(newBrowser(), hint))
})

test('A73: a page of another site signs no user out, and learns nothing of the session', async () => {
  const { browser, href } = await signedIn(spa)
  await browser.goes(href)
  const foreign = { headers: { 'sec-fetch-site': 'cross-site' } }
  await browser.goes(`${idp.engineUrl}/login/signout`, foreign)
  const me = `${idp.engineUrl}/api/v1/sessions/me`
  const statuses = []
  for (const method of ['GET', 'DELETE']) {
    for (const one of [browser, newBrowser()]) {
      statuses.push((await one.goes(me, { ...foreign, method })).status)
    }
  }
  expect(statuses).toEqual([404, 404, 404, 404])
  expect(await silent(browser)).toHaveProperty('code')
})
