import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { type HostedBrowser, newHostedBrowser } from '../support/hosted.ts'
import { authorizeUrl, verifier } from '../support/redirects.ts'
import { ada, type RegisteredClient, redirectUri, register, startShop } from '../wire/oauth-app.ts'

// A form of the pages that is sent twice: a double click, whose first answer the browser drops, or two posts at once.
let idp: Kit
let shop: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, {
    ...{ applicationType: 'browser', grantTypes: ['authorization_code', 'refresh_token'] },
  })
})
afterAll(() => idp.close())

const origin = new URL(redirectUri).origin
const typed = { identifier: ada.login, 'credentials.passcode': ada.password }

async function atThePassword(): Promise<HostedBrowser & { readonly fields: Record<string, string> }> {
  const browser = newHostedBrowser(idp, { accept: 'text/html' })
  await browser.opens(authorizeUrl(idp.issuer, shop))
  return Object.assign(Object.create(browser) as HostedBrowser, {
    fields: { ...browser.fieldsOf('identify'), ...typed },
  })
}

/** The tokens of the code in an address, or the error. */
async function redeemed(address: URL | undefined) {
  const body = {
    ...{ grant_type: 'authorization_code', code: address?.searchParams.get('code') ?? '' },
    ...{ redirect_uri: redirectUri, code_verifier: verifier, client_id: shop.id },
  }
  const answer = await fetch(`${idp.issuer}/v1/token`, { method: 'POST', body: new URLSearchParams(body) })
  return answer.status
}

test('a second click leads on to the end that the first one made', async () => {
  const browser = await atThePassword()
  const before = [...browser.jar]
  // The first answer is lost, with its cookies.
  expect((await browser.posts(browser.fields)).status).toBe(303)
  browser.jar.clear()
  for (const [name, value] of before) browser.jar.set(name, value)
  const again = await browser.posts(browser.fields)
  await browser.opens(again.headers.get('location') ?? '')
  expect(browser.arrived?.href.startsWith(redirectUri)).toBe(true)
  expect(await redeemed(browser.arrived)).toBe(200)
  // The cookie has gone with the end.
  expect([...browser.jar.keys()].filter((name) => name.startsWith('rekey_tx'))).toEqual([])
})

test('Back and a reload of its page lead on, too', async () => {
  const browser = await atThePassword()
  await browser.posts(browser.fields)
  await browser.opens()
  expect(await redeemed(browser.arrived)).toBe(200)
})

test('of two posts at once each leads to the end, and one code is made', async () => {
  const browser = await atThePassword()
  const both = await Promise.all([browser.posts(browser.fields), browser.posts(browser.fields)])
  const ends = both.map((answer) => answer.headers.get('location') ?? '')
  expect(both.map(({ status }) => status)).toEqual([303, 303])
  await browser.opens(ends[0])
  expect(await redeemed(browser.arrived)).toBe(200)
  const other = await browser.opens(ends[1])
  expect(other.text).not.toContain('There is no sign-in under way')
  const { db } = idp.engine.storage
  const codes = await db.selectFrom('interactions').select('id').where('code_hash', 'is not', null).execute()
  // One of each test so far.
  expect(codes).toHaveLength(3)
})

test('A72: a code that was handed out is not handed out again: the page leads to the app', async () => {
  const browser = await atThePassword()
  const before = [...browser.jar]
  const first = await browser.posts(browser.fields)
  await browser.opens(first.headers.get('location') ?? '')
  const code = browser.arrived?.searchParams.get('code')
  // The answer with the code was lost, with its cookies.
  browser.jar.clear()
  for (const [name, value] of before) browser.jar.set(name, value)
  for (const path of ['/signin', first.headers.get('location') ?? '']) {
    const page = await browser.opens(path)
    expect(page.text).toContain(`href="${origin}"`)
    expect(page.text).not.toContain(code)
    expect(browser.arrived?.searchParams.get('code')).toBe(code)
  }
  // The one that left stays good.
  expect(await redeemed(browser.arrived)).toBe(200)
})

test.each([
  ['the cookie of the transaction alone', ['rekey_tx'], []],
  ['the cookie of the browser alone', ['rekey_browser'], []],
  ['the cookie of the transaction, but another one of the browser', ['rekey_tx'], ['rekey_browser']],
])('A80: with %s another browser is led to no end', async (_, taken, own) => {
  const browser = await atThePassword()
  const another = await atThePassword()
  const other = newHostedBrowser(idp, { accept: 'text/html' })
  for (const [{ jar }, names] of [
    [browser, taken],
    [another, own],
  ] as const) {
    for (const [name, value] of jar) {
      if (names.some((one) => name === one || name.startsWith(`${one}-`))) other.jar.set(name, value)
    }
  }
  await browser.posts(browser.fields)
  const to = (await other.posts(browser.fields)).headers.get('location') ?? ''
  // The token of its end stands in no address there.
  expect(to).toContain('/signin')
  await other.opens(to)
  await other.opens()
  expect([other.arrived, other.jar.has('rekey_session')]).toEqual([undefined, false])
  await browser.opens()
  expect(await redeemed(browser.arrived)).toBe(200)
})

test('A71: what was sent twice at an earlier page is not taken for the present one', async () => {
  const browser = newHostedBrowser(idp)
  await browser.opens(authorizeUrl(idp.issuer, shop))
  await browser.submits('recover')
  const fields = { ...browser.fieldsOf('identify-recovery'), identifier: ada.login }
  const both = await Promise.all([browser.posts(fields), browser.posts(fields)])
  expect(both.map(({ status }) => status)).toEqual([303, 303])
  await browser.opens()
  expect(browser.page.status).toBe(200)
  expect(browser.page.forms[0]).toMatch(/^(challenge|select)-authenticator/)
})
