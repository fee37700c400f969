import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
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

// What the end of a redirect gives, and to whom: the user whom the app expects, an app that is still registered, a program of the device.
let idp: Kit
let shop: RegisteredClient
let native: RegisteredClient
const grace = { ...ada, login: 'grace', email: 'grace@example.com' }
const scheme = 'com.example.app:/callback'
const asked = { scope: 'openid' }

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, { grantTypes: ['authorization_code'] })
  native = await register(idp, {
    ...{ applicationType: 'native', grantTypes: ['authorization_code'], redirectUris: [scheme] },
  })
  await idp.people.add(grace)
})
beforeEach(() => idp.clock.advance(120_000))
afterAll(() => idp.close())

type Browser = ReturnType<typeof newBrowser>

async function ending(
  browser: Browser,
  user: Pick<typeof ada, 'login' | 'password'>,
  changes: Readonly<Record<string, string>> = {},
  client = shop,
) {
  const page = await browser.goes(authorizeUrl(idp.issuer, client, { ...asked, ...changes }))
  const end = await signsIn(idp.engineUrl, await stateTokenAt(page), user)
  return String(end.success?.href)
}

const signsInAt = async (
  browser: Browser,
  ...rest: Parameters<typeof ending> extends [unknown, ...infer R] ? R : never
) => answerIn(await browser.goes(await ending(browser, ...rest)))

describe('an app that expects a user', () => {
  test('A73: gets no code of another one who signs in on the page, and that sign-in is worth nothing', async () => {
    const { code = '' } = await signsInAt(newBrowser(), grace)
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }
    const { body } = await post(`${idp.issuer}/v1/token`, form, { authorization: basic(shop) })
    const hint = { id_token_hint: String(body.id_token) }
    const browser = newBrowser()
    const answer = await signsInAt(browser, ada, hint)
    expect(answer).toMatchObject({ error: 'login_required', state: 'a state', iss: idp.issuer })
    expect(answer).not.toHaveProperty('code')
    expect(browser.cookies.has('rekey_session')).toBe(false)
    expect((await apiOf(idp)('GET', '/users/ada/sessions')).list).toEqual([])
    expect(await signsInAt(browser, grace, hint)).toHaveProperty('code')
  })
})

describe('an app that has changed while its user was asked', () => {
  test.each([
    ['deactivated', async () => void (await apiOf(idp)('POST', `/apps/${shop.id}/lifecycle/deactivate`))],
    [
      'its address was taken away',
      async () => {
        const { db } = idp.engine.storage
        const row = await db
          .selectFrom('clients')
          .select('settings')
          .where('id', '=', shop.id)
          .executeTakeFirst()
        const settings = { ...JSON.parse(row?.settings ?? '{}'), redirectUris: ['https://app.example/new'] }
        await db
          .updateTable('clients')
          .set({ settings: JSON.stringify(settings) })
          .where('id', '=', shop.id)
          .execute()
      },
    ],
  ])('A72: gets no code: %s', async (_, change) => {
    const { db } = idp.engine.storage
    const before = await db
      .selectFrom('clients')
      .selectAll()
      .where('id', '=', shop.id)
      .executeTakeFirstOrThrow()
    const browser = newBrowser()
    const href = await ending(browser, ada)
    await change()
    const at = await browser.goes(href)
    expect([at.status, at.headers.get('location'), browser.cookies.has('rekey_session')]).toEqual([
      400,
      null,
      false,
    ])
    const { settings, status } = before
    await db.updateTable('clients').set({ settings, status }).where('id', '=', shop.id).execute()
    expect(await signsInAt(newBrowser(), ada)).toHaveProperty('code')
  })
})

describe('an app with a scheme of its own, which any program of the device may take', () => {
  const fieldsOf = (page: string): Record<string, string> =>
    Object.fromEntries(
      [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    )
  const goesOn = (browser: Browser, fields: Record<string, string>, site = 'same-origin') =>
    browser.goes(`${idp.engineUrl}/login/token/redirect`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { 'sec-fetch-site': site },
    })
  const toNative = (changes: Record<string, string> = {}) =>
    authorizeUrl(idp.issuer, native, { ...asked, redirect_uri: scheme, ...changes })

  test('A72: gets a code of a session only once its user has said so (RFC 8252, section 8.6)', async () => {
    const browser = newBrowser()
    await signsInAt(browser, ada)
    const at = await browser.goes(toNative())
    const page = await at.text()
    expect([at.status, at.headers.get('location')]).toEqual([200, null])
    expect(page).toContain('Go on to An app?')
    expect(page).toContain('com.example.app:')
    const fields = fieldsOf(page)
    const stranger = newBrowser()
    await signsInAt(stranger, ada)
    for (const [who, sent, site] of [
      [browser, fields, 'cross-site'],
      [browser, fields, 'same-site'],
      [browser, { ...fields, page: '' }, 'same-origin'],
      [stranger, fields, 'same-origin'],
      [newBrowser(), fields, 'same-origin'],
    ] as const) {
      const refused = await goesOn(who, sent, site)
      expect([refused.status, refused.headers.get('location')]).toEqual([400, null])
    }
    const done = await goesOn(browser, fields)
    expect(done.status).toBe(303)
    expect(done.headers.get('location')).toMatch(/^com\.example\.app:\/callback\?code=/)
    expect((await goesOn(browser, fields)).status).toBe(400)
  })

  test('A72: gets none silently, and none after the session has ended', async () => {
    const browser = newBrowser()
    await signsInAt(browser, ada)
    expect(answerIn(await browser.goes(toNative({ prompt: 'none' })))).toMatchObject({
      error: 'interaction_required',
    })
    const fields = fieldsOf(await (await browser.goes(toNative())).text())
    await apiOf(idp)('DELETE', '/users/ada/sessions')
    expect((await goesOn(browser, fields)).status).toBe(400)
  })

  test('an app at an address of the web gets its code at once, and so does a scheme whose user has just signed in', async () => {
    const browser = newBrowser()
    expect(await signsInAt(browser, ada, { redirect_uri: scheme }, native)).toHaveProperty('code')
    expect(answerIn(await browser.goes(authorizeUrl(idp.issuer, shop, asked)))).toHaveProperty('code')
  })
})

test('a request that another site posts is sent again from here, however long: its cookies come with it', async () => {
  const browser = newBrowser()
  await signsInAt(browser, ada)
  const url = `${idp.issuer}/v1/authorize`
  const posted = async (text: string, site: string) => {
    const body = new URL(authorizeUrl(idp.issuer, shop, { ...asked, unread: text, more: text })).searchParams
    return browser.goes(url, { method: 'POST', body, headers: { 'sec-fetch-site': site } })
  }
  const short = await posted('short', 'cross-site')
  expect([short.status, short.headers.get('location')?.startsWith(`${url}?`)]).toEqual([303, true])
  // Longer than servers and proxies on the way take in an address, as the ID token of a user in many groups.
  const text = 'x'.repeat(3000)
  const long = await posted(text, 'cross-site')
  expect(long.status).toBe(200)
  expect(await long.text()).toContain(`<form method="post" action="${url}">`)
  expect(answerIn(await posted(text, 'same-origin'))).toHaveProperty('code')
})
