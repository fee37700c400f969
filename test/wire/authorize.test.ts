import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import {
  answerIn,
  authorizeUrl,
  type IdxBody,
  newBrowser,
  signsIn,
  stateTokenAt,
  verifier,
} from '../support/redirects.ts'
import {
  ada,
  basic,
  get,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
  web,
} from './oauth-app.ts'

// The endpoint `authorize` and the way back from the engine's own pages, over plain HTTP.
let idp: Kit
let spa: RegisteredClient
let server: RegisteredClient
let strict: RegisteredClient
let native: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  const grantTypes = ['authorization_code', 'refresh_token']
  const query = 'https://app.example/cb?tenant=a%20b'
  spa = await register(idp, { applicationType: 'browser', grantTypes, redirectUris: [redirectUri, query] })
  server = await register(idp, { grantTypes })
  strict = await register(idp, { grantTypes, pkceRequired: true })
  native = await register(idp, {
    applicationType: 'native',
    grantTypes,
    redirectUris: ['com.example.app:/cb'],
  })
})
afterAll(() => idp.close())

type Changes = Readonly<Record<string, string | undefined>>
const ask = (client: Pick<RegisteredClient, 'id'>, changes: Changes = {}, browser = newBrowser()) =>
  browser.goes(authorizeUrl(idp.issuer, client, changes))

/** Up to the answer to the app. */
async function signedIn(client: RegisteredClient = spa, changes: Changes = {}, browser = newBrowser()) {
  const page = await ask(client, changes, browser)
  const { success } = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
  const href = String(success?.href)
  return { browser, href, back: await browser.goes(href) }
}

const redeem = (client: RegisteredClient, code: unknown, changes: Readonly<Record<string, string>> = {}) =>
  post(
    `${idp.issuer}/v1/token`,
    {
      ...{ grant_type: 'authorization_code', code: String(code), redirect_uri: redirectUri },
      ...{ client_id: client.id, ...(changes.code_verifier !== '' && { code_verifier: verifier }) },
      ...changes,
    },
    client.secret === undefined ? {} : { authorization: basic(client) },
  )

describe('what goes to no app', () => {
  test.each([
    ['an unknown client', { client_id: 'nobody-knows-it' }, 'invalid_client'],
    ['no client', { client_id: undefined }, 'invalid_client'],
    ['no address', { redirect_uri: undefined }, 'invalid_request'],
    ['another address', { redirect_uri: 'https://evil.example/cb' }, 'invalid_request'],
    ['a longer address', { redirect_uri: `${redirectUri}/` }, 'invalid_request'],
    ['an address with a query', { redirect_uri: `${redirectUri}?a=b` }, 'invalid_request'],
  ])('%s: a page for a browser, JSON for a program', async (_, changes: Changes, error) => {
    const page = await ask(spa, changes)
    expect([page.status, page.headers.get('location')]).toEqual([400, null])
    expect(page.headers.get('content-type')).toContain('text/html')
    const json = await get(authorizeUrl(idp.issuer, spa, changes), { accept: 'application/json' })
    expect([json.status, json.body.error]).toEqual([400, error])
  })

  test('a parameter that is given twice', async () => {
    const page = await newBrowser().goes(`${authorizeUrl(idp.issuer, spa)}&state=another`)
    expect([page.status, page.headers.get('location')]).toEqual([400, null])
  })

  test('HEAD begins nothing', async () => {
    const browser = newBrowser()
    expect((await browser.goes(authorizeUrl(idp.issuer, spa), { method: 'HEAD' })).status).toBe(405)
    expect(browser.cookies.size).toBe(0)
  })
})

describe('what is answered to the app', () => {
  test.each([
    ['no type', { response_type: undefined }, 'invalid_request'],
    ['another type', { response_type: 'none' }, 'unsupported_response_type'],
    ['another mode', { response_mode: 'web_message' }, 'unsupported_response_mode'],
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['a challenge in plain text', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge without its method', { code_challenge_method: undefined }, 'invalid_request'],
    ['an unknown scope', { scope: 'openid everything' }, 'invalid_scope'],
    ['no scope', { scope: undefined }, 'invalid_scope'],
    ['none and another prompt', { prompt: 'none login' }, 'invalid_request'],
    ['an unknown prompt', { prompt: 'select_account' }, 'invalid_request'],
    ['no session', { prompt: 'none' }, 'login_required'],
    ['a signed request', { request: 'e30.e30.' }, 'request_not_supported'],
    ['a request elsewhere', { request_uri: 'https://app.example/r' }, 'request_uri_not_supported'],
    ['an identity provider', { idp: '0oa1' }, 'invalid_request'],
    ['a hint that is none', { id_token_hint: 'x.y.z' }, 'invalid_request'],
    ['a max_age that is none', { max_age: 'soon' }, 'invalid_request'],
  ])('%s', async (_, changes: Changes, error) => {
    const at = await ask(spa, changes)
    expect(at.status).toBe(302)
    expect(at.headers.get('location')).toMatch(/^https:\/\/app\.example\/callback\?state=a\+state&error=/)
    expect(answerIn(at)).toEqual({
      ...{ state: 'a state', error, error_description: expect.any(String), iss: idp.issuer },
    })
  })

  test('an app without the grant', async () => {
    expect(answerIn(await ask(web))).toMatchObject({ error: 'unauthorized_client' })
  })

  test('other types are answered in the fragment, where their apps read', async () => {
    const at = await ask(spa, { response_type: 'code id_token' })
    expect(at.headers.get('location')).toContain(
      `${redirectUri}#state=a+state&error=unsupported_response_type`,
    )
  })

  test('the texts of an absent session and of one that is too old are those that clients read', async () => {
    expect(answerIn(await ask(spa, { prompt: 'none' })).error_description).toBe(
      'The client specified not to prompt, but the user is not logged in.',
    )
    const { browser } = await signedIn()
    idp.clock.advance(10_000)
    expect(answerIn(await ask(spa, { prompt: 'none', max_age: '5' }, browser))).toMatchObject({
      error: 'login_required',
      error_description:
        'The client specified not to prompt, but the client app requires re-authentication or MFA.',
    })
  })
})

describe('response modes', () => {
  const none = { prompt: 'none' } as const

  test('query keeps the query of the address as it is', async () => {
    const at = await ask(spa, { ...none, redirect_uri: 'https://app.example/cb?tenant=a%20b' })
    expect(at.headers.get('location')).toMatch(/^https:\/\/app\.example\/cb\?tenant=a%20b&state=a\+state&/)
    expect([at.headers.get('referrer-policy'), at.headers.get('cache-control')]).toEqual([
      ...['no-referrer', 'no-store'],
    ])
  })

  test('fragment', async () => {
    const at = await ask(spa, { ...none, response_mode: 'fragment' })
    expect(at.headers.get('location')).toMatch(/^https:\/\/app\.example\/callback#state=a\+state&error=/)
  })

  test('form_post: one form, every value escaped, and one script that may run', async () => {
    const state = `"><script>alert(1)</script>`
    const at = await ask(spa, { ...none, response_mode: 'form_post', state })
    const page = await at.text()
    expect(at.status).toBe(200)
    expect(page).toContain(`<form method="post" action="${redirectUri}">`)
    expect(page).toContain('name="state" value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"')
    expect(page.match(/<script/g)).toHaveLength(1)
    const policy = String(at.headers.get('content-security-policy'))
    expect(policy).toMatch(/script-src 'sha256-[\w+/]+=*';/)
    expect(policy).not.toContain('form-action')
  })

  test('okta_post_message: to the origin of the registered address, in a frame of it', async () => {
    const at = await ask(spa, { ...none, response_mode: 'okta_post_message' })
    expect(await at.text()).toContain('data-origin="https://app.example"')
    expect(at.headers.get('content-security-policy')).toContain('frame-ancestors https://app.example')
    expect(at.headers.get('x-frame-options')).toBeNull()
  })

  test('an app with a scheme of its own has no origin to post to', async () => {
    const asked = { ...none, redirect_uri: 'com.example.app:/cb' }
    const at = await ask(native, { ...asked, response_mode: 'okta_post_message' })
    expect(at.headers.get('location')).toContain(
      'com.example.app:/cb?state=a+state&error=unsupported_response_mode',
    )
  })
})

describe('the way back', () => {
  test('has a code, once, and the state', async () => {
    const { browser, href, back } = await signedIn()
    const { code, ...others } = answerIn(back)
    expect([back.status, others]).toEqual([302, { state: 'a state', iss: idp.issuer }])
    expect(browser.cookies.get('rekey_session')).toMatch(/^ses\w+\.\w{43}$/)
    const again = await browser.goes(href)
    expect([again.status, again.headers.get('location')]).toEqual([400, null])
    expect((await redeem(spa, code)).status).toBe(200)
  })

  test('is of the browser that began it alone (A80)', async () => {
    const browser = newBrowser()
    const page = await ask(spa, {}, browser)
    const { success } = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
    const other = newBrowser()
    await ask(spa, {}, other)
    for (const stranger of [newBrowser(), other]) {
      const at = await stranger.goes(String(success?.href))
      expect([at.status, at.headers.get('location')]).toEqual([400, null])
      expect(stranger.cookies.has('rekey_session')).toBe(false)
    }
    expect(answerIn(await browser.goes(String(success?.href)))).toHaveProperty('code')
  })

  test('leads nowhere before the sign-in is complete', async () => {
    const browser = newBrowser()
    const token = await stateTokenAt(await ask(spa, {}, browser))
    const early = `${idp.engineUrl}/login/token/redirect?stateToken=${encodeURIComponent(token)}`
    expect((await browser.goes(early)).status).toBe(400)
  })

  test('ten at once have one code', async () => {
    const browser = newBrowser()
    const page = await ask(spa, {}, browser)
    const { success } = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
    const all = await Promise.all(Array.from({ length: 10 }, () => browser.goes(String(success?.href))))
    expect(all.filter(({ status }) => status === 302)).toHaveLength(1)
  })

  test('is that of each of two tabs', async () => {
    const browser = newBrowser()
    const tokens = [await ask(spa, {}, browser), await ask(spa, {}, browser)]
    for (const page of tokens) {
      const { success } = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
      expect(answerIn(await browser.goes(String(success?.href)))).toHaveProperty('code')
    }
  })

  test('calls of the protocol neither set a cookie nor read one', async () => {
    const { browser } = await signedIn()
    const page = await ask(spa, { prompt: 'login' }, browser)
    const at = await browser.goes(`${idp.engineUrl}/idp/idx/introspect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ stateToken: await stateTokenAt(page) }),
    })
    const body = (await at.json()) as IdxBody
    expect([at.status, at.headers.getSetCookie(), body.user]).toEqual([200, [], undefined])
  })
})

describe('codes', () => {
  test.each([
    ['another verifier', { code_verifier: 'w'.repeat(43) }],
    ['no verifier', { code_verifier: '' }],
    ['another address', { redirect_uri: 'https://app.example/cb?tenant=a%20b' }],
  ])('are refused with %s, and not used up', async (_, changes: Readonly<Record<string, string>>) => {
    const { code } = answerIn((await signedIn()).back)
    expect((await redeem(spa, code, changes)).body).toMatchObject({ error: 'invalid_grant' })
    expect((await redeem(spa, code)).status).toBe(200)
  })

  test('of another app are refused', async () => {
    const { code } = answerIn((await signedIn()).back)
    expect((await redeem(server, code)).body).toMatchObject({ error: 'invalid_grant' })
  })

  test('of a confidential app without a challenge take no verifier (A72)', async () => {
    const without = { code_challenge: undefined, code_challenge_method: undefined }
    const { code } = answerIn((await signedIn(server, without)).back)
    expect((await redeem(server, code)).body).toMatchObject({
      error_description: 'PKCE verification failed.',
    })
    expect((await redeem(server, code, { code_verifier: '' })).status).toBe(200)
    expect(answerIn(await ask(strict, without))).toMatchObject({
      error_description: 'PKCE code challenge is required by the application.',
    })
  })

  test('expire after five minutes', async () => {
    const { code } = answerIn((await signedIn()).back)
    idp.clock.advance(300_000)
    expect((await redeem(spa, code)).body).toMatchObject({
      error_description: 'The authorization code is invalid or has expired.',
    })
  })

  test('that are used again end what came of them', async () => {
    const { code } = answerIn((await signedIn()).back)
    const { body } = await redeem(spa, code)
    expect((await redeem(spa, code)).body).toMatchObject({ error: 'invalid_grant' })
    const refreshing = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) }
    const refreshed = await post(`${idp.issuer}/v1/token`, { ...refreshing, client_id: spa.id })
    expect(refreshed.body).toMatchObject({ error: 'invalid_grant' })
  })

  test('of the one kind are not redeemed as the other', async () => {
    const { code } = answerIn((await signedIn()).back)
    const both = await register(idp, {
      ...{ applicationType: 'browser', grantTypes: ['authorization_code', 'interaction_code'] },
    })
    const own = answerIn((await signedIn(both, { scope: 'openid' })).back)
    const asked = {
      grant_type: 'interaction_code',
      interaction_code: String(own.code),
      code_verifier: verifier,
    }
    expect((await post(`${idp.issuer}/v1/token`, { ...asked, client_id: both.id })).body).toMatchObject({
      error: 'invalid_grant',
    })
    expect((await redeem(spa, code)).status).toBe(200)
  })
})

test('POST is answered as GET, and what another site posts becomes an address', async () => {
  const url = new URL(authorizeUrl(idp.issuer, spa, { prompt: 'none' }))
  const form = { method: 'POST', body: url.searchParams } as const
  const own = await newBrowser().goes(`${idp.issuer}/v1/authorize`, form)
  expect([own.status, answerIn(own).error]).toEqual([303, 'login_required'])
  const headers = { 'sec-fetch-site': 'cross-site' }
  const posted = await newBrowser().goes(`${idp.issuer}/v1/authorize`, { ...form, headers })
  expect([posted.status, posted.headers.get('location')]).toEqual([303, url.href])
})

test('discovery lists what is served', async () => {
  for (const [issuer, oauth] of [
    [idp.issuer, idp.issuer],
    [idp.orgIssuer, `${idp.engineUrl}/oauth2`],
  ]) {
    const { body } = await get(`${issuer}/.well-known/openid-configuration`)
    expect(body).toMatchObject({
      authorization_endpoint: `${oauth}/v1/authorize`,
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'fragment', 'form_post', 'okta_post_message'],
      grant_types_supported: expect.arrayContaining(['authorization_code']),
      authorization_response_iss_parameter_supported: true,
    })
    expect(answerIn(await newBrowser().goes(authorizeUrl(String(oauth), spa, { prompt: 'none' }))).iss).toBe(
      issuer,
    )
  }
})
