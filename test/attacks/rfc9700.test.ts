import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s256 } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import {
  ada,
  basic,
  claimsOf,
  get,
  post,
  type RegisteredClient,
  redirectUri,
  refreshing,
  register,
  signedOutUri,
  startShop,
} from '../wire/oauth-app.ts'
import { serviceApp } from '../wire/service-app.ts'

// RFC 9700 (Best Current Practice for OAuth 2.0 Security), section by section, as requests. docs/rfc9700.md is made of the titles.
let idp: Kit
let web: RegisteredClient
let other: RegisteredClient
let spa: RegisteredClient
let native: RegisteredClient
const scheme = 'com.example.app:/callback'
const trusted = 'https://portal.example'
const grants = ['authorization_code', 'refresh_token'] as const

beforeAll(async () => {
  idp = await startShop()
  const settings = { grantTypes: [...grants], postLogoutRedirectUris: [signedOutUri] }
  web = await register(idp, settings)
  other = await register(idp, { ...settings, redirectUris: [redirectUri, 'https://other.example/in'] })
  spa = await register(idp, { ...settings, applicationType: 'browser' })
  native = await register(idp, { ...settings, applicationType: 'native', redirectUris: [scheme] })
  await apiOf(idp)('POST', '/trustedOrigins', {
    ...{ name: 'portal', origin: trusted, scopes: [{ type: 'CORS' }, { type: 'REDIRECT' }] },
  })
})
afterAll(() => idp.close())

type Changes = Readonly<Record<string, string | undefined>>
type Browser = ReturnType<typeof newBrowser>

const withoutPkce = { code_challenge: undefined, code_challenge_method: undefined }
const page = { accept: 'text/html' }

/** Signs Ada in for an app; resolves with the answer that has the code. */
async function arrives(client: RegisteredClient, changes: Changes = {}, browser: Browser = newBrowser()) {
  const at = await browser.goes(authorizeUrl(idp.issuer, client, changes))
  const { success } = await signsIn(idp.engineUrl, await stateTokenAt(at), ada)
  return { browser, answer: await browser.goes(String(success?.href)) }
}

const codeFor = async (client: RegisteredClient, changes: Changes = {}) =>
  answerIn((await arrives(client, changes)).answer).code ?? ''

/** Redeems a code. An empty verifier is not sent. */
const redeem = (client: RegisteredClient, code: string, changes: Readonly<Record<string, string>> = {}) => {
  const { code_verifier: sent = verifier, ...rest } = changes
  const form = {
    ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
    ...(sent !== '' && { code_verifier: sent }),
    ...rest,
  }
  return client.secret === undefined
    ? post(`${idp.issuer}/v1/token`, { client_id: client.id, ...form })
    : post(`${idp.issuer}/v1/token`, form, { authorization: basic(client) })
}

const tokensOf = async (client: RegisteredClient, changes: Changes = {}) =>
  (await redeem(client, await codeFor(client, changes))).body

const refresh = (client: RegisteredClient, token: unknown, changes: Readonly<Record<string, string>> = {}) =>
  post(`${idp.issuer}/v1/token`, refreshing(client, token, changes))

const userinfo = (token: unknown, server: string = idp.issuer) =>
  get(`${server}/v1/userinfo`, { authorization: `Bearer ${token}` })

const org = () => `${idp.engineUrl}/oauth2`

describe('2.1 and 4.1: the address that an answer goes to', () => {
  const strangers = [
    'https://evil.example/callback',
    'https://app.example.evil.example/callback',
    'https://app.example@evil.example/callback',
    'https://evil.example#@app.example/callback',
    'https://app.example/callback/../../evil',
    'https://app.example/callback/',
    'https://app.example/callback?next=https://evil.example',
    'https://app.example/callback#x',
    'https://app.example:8443/callback',
    'https://APP.example/callback',
    'http://app.example/callback',
    'https://app.example/callback%2f..',
    'https://*.example/callback',
    'javascript:alert(1)//https://app.example/callback',
    // Registered for CORS and for the end of a sign-out, and of another app.
    `${trusted}/callback`,
    signedOutUri,
    'https://other.example/in',
    scheme,
  ]

  test('A72: RFC 9700, 2.1, 4.1: only the very text that is registered for this app is sent anything, by address, by form, and pushed', async () => {
    for (const uri of strangers) {
      const url = new URL(authorizeUrl(idp.issuer, web, { redirect_uri: uri, prompt: 'none' }))
      const posted = { method: 'POST', body: url.searchParams, headers: { 'sec-fetch-site': 'same-origin' } }
      const answers = [
        await newBrowser().goes(url.href),
        await newBrowser().goes(`${idp.issuer}/v1/authorize`, posted),
      ]
      for (const at of answers) {
        expect([uri, at.status, at.headers.get('location')]).toEqual([uri, 400, null])
        expect(await at.text()).not.toContain('<form')
      }
      const form = Object.fromEntries(url.searchParams)
      const pushed = await post(`${idp.issuer}/v1/par`, form, { authorization: basic(web) })
      expect([uri, pushed.status]).toEqual([uri, 400])
    }
  })

  test('A72: RFC 9700, 2.1, 4.1.3: a code is redeemed with the address of its request alone', async () => {
    const code = await codeFor(other)
    const refused = await redeem(other, code, { redirect_uri: 'https://other.example/in' })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant'])
  })

  test('A72: RFC 9700, 2.1, 4.1.3: an address with a wildcard, a fragment or a script is not registered', async () => {
    const api = apiOf(idp)
    for (const uri of [
      'https://*.example/callback',
      'https://app.example/callback#x',
      'javascript:alert(1)',
      'data:text/html,x',
      'https://app.example/call back',
    ]) {
      const { status } = await api('POST', '/apps', {
        ...{ name: 'oidc_client', label: 'An app', signOnMode: 'OPENID_CONNECT' },
        settings: {
          oauthClient: {
            ...{ application_type: 'web', grant_types: ['authorization_code'], response_types: ['code'] },
            redirect_uris: [uri],
          },
        },
      })
      expect([uri, status]).toEqual([uri, 400])
    }
  })
})

describe('2.1.1, 4.5 and 4.8: codes', () => {
  test('A72: RFC 9700, 2.1.1: a public app without PKCE is refused, and no method but S256 is taken', async () => {
    const silent = { prompt: 'none' }
    for (const [client, changes] of [
      [spa, withoutPkce],
      [spa, { code_challenge: verifier, code_challenge_method: 'plain' }],
      [spa, { code_challenge_method: undefined }],
      [web, { code_challenge: verifier, code_challenge_method: 'plain' }],
      [web, { code_challenge_method: undefined }],
      [web, { code_challenge: undefined }],
      [web, { code_challenge: 'short' }],
    ] as const) {
      const at = await newBrowser().goes(authorizeUrl(idp.issuer, client, { ...silent, ...changes }))
      expect(answerIn(at)).toMatchObject({ error: 'invalid_request', iss: idp.issuer })
    }
    const { body } = await get(`${idp.issuer}/.well-known/openid-configuration`)
    expect(body.code_challenge_methods_supported).toEqual(['S256'])
  })

  test('A72: RFC 9700, 4.5: a stolen code is worth nothing to another app, or in the request of the thief', async () => {
    // Injected into the thief's own request, which has another verifier, and at another app and server.
    const wrong = 'w'.repeat(43)
    expect((await redeem(web, await codeFor(web), { code_verifier: wrong })).status).toBe(400)
    expect((await redeem(other, await codeFor(web))).status).toBe(400)
    expect((await redeem(spa, await codeFor(web))).status).toBe(400)
    const form = { grant_type: 'authorization_code', redirect_uri: redirectUri, code_verifier: verifier }
    const elsewhere = { ...form, code: await codeFor(web) }
    const atOrg = await post(`${org()}/v1/token`, elsewhere, { authorization: basic(web) })
    expect(atOrg.status).toBe(400)
    // Apps without PKCE compare the nonce: the one of the request that the code is of.
    const { id_token: idToken } = await tokensOf(web, { nonce: 'of this request' })
    expect(claimsOf(idToken)).toMatchObject({ nonce: 'of this request', aud: web.id })
  })

  test('A72: RFC 9700, 4.5: a code is good for one try, and a second use ends what the first one got', async () => {
    const code = await codeFor(web)
    const { body } = await redeem(web, code)
    expect((await userinfo(body.access_token)).status).toBe(200)
    expect((await redeem(web, code)).body.error).toBe('invalid_grant')
    expect((await userinfo(body.access_token)).status).toBe(401)
    expect((await refresh(web, body.refresh_token)).status).toBe(400)
  })

  test('A72: RFC 9700, 4.8: a verifier for a request whose challenge was taken away is refused', async () => {
    const code = await codeFor(web, withoutPkce)
    expect((await redeem(web, code)).body.error).toBe('invalid_grant')
  })
})

test('A72: RFC 9700, 2.1.2: no token leaves in an address: the implicit and the hybrid flow are off', async () => {
  const { browser } = await arrives(spa)
  for (const response_type of [
    'token',
    'id_token',
    'id_token token',
    'code token',
    'code id_token',
    'none',
  ]) {
    const at = await browser.goes(authorizeUrl(idp.issuer, spa, { response_type, prompt: 'none' }))
    const answer = answerIn(at)
    expect([response_type, answer.error]).toEqual([response_type, 'unsupported_response_type'])
    expect(at.headers.get('location')).not.toMatch(/[?&#](code|access_token|id_token)=/)
  }
})

describe('2.2.2 and 4.14: refresh tokens', () => {
  test('A72: RFC 9700, 2.2.2, 4.14: a refresh token of a public app changes with each use, and a second use ends the family', async () => {
    const first = await tokensOf(spa)
    const second = await refresh(spa, first.refresh_token)
    expect(second.status).toBe(200)
    expect(second.body.refresh_token).not.toBe(first.refresh_token)
    // Past what a lost answer is forgiven.
    idp.clock.advance('10m')
    expect((await refresh(spa, first.refresh_token)).body.error).toBe('invalid_grant')
    expect((await refresh(spa, second.body.refresh_token)).body.error).toBe('invalid_grant')
    expect((await userinfo(second.body.access_token)).status).toBe(401)
  })

  test('A72: RFC 9700, 4.14: a refresh token is worth nothing to another app or server, and gives no more than was allowed', async () => {
    const tokens = await tokensOf(web, { scope: 'openid offline_access' })
    expect((await refresh(other, tokens.refresh_token)).status).toBe(400)
    expect((await refresh(spa, tokens.refresh_token)).status).toBe(400)
    const atOrg = await post(`${org()}/v1/token`, refreshing(web, tokens.refresh_token))
    expect(atOrg.status).toBe(400)
    const more = await refresh(web, tokens.refresh_token, { scope: 'openid offline_access profile' })
    expect(more.status).toBe(400)
    const less = await refresh(web, tokens.refresh_token, { scope: 'openid' })
    expect([less.status, less.body.scope]).toEqual([200, 'openid'])
  })

  test('A72: RFC 9700, 4.14: a refresh token ends with a sign-out, with a new password and by an administrator', async () => {
    const api = apiOf(idp)
    const signOut = async (tokens: Readonly<Record<string, unknown>>) =>
      void (await get(
        `${idp.issuer}/v1/logout?${new URLSearchParams({ id_token_hint: String(tokens.id_token) })}`,
      ))
    const newPassword = async () =>
      void (await api('POST', '/users/ada', { credentials: { password: { value: 'Another-Kettle-43' } } }))
    const backToOld = { credentials: { password: { value: ada.password } } }
    const ended = async () => void (await api('DELETE', '/users/ada/sessions?oauthTokens=true'))
    for (const ends of [signOut, newPassword, ended]) {
      const tokens = await tokensOf(web)
      await ends(tokens)
      expect((await refresh(web, tokens.refresh_token)).body.error).toBe('invalid_grant')
      if (ends === newPassword) await api('POST', '/users/ada', backToOld)
    }
  })
})

describe('2.3, 4.9 and 4.10: access tokens', () => {
  test('A72: RFC 9700, 2.3, 4.9: an access token is for one audience, and the engine’s own resources take no other', async () => {
    const { access_token: token } = await tokensOf(web)
    expect(claimsOf(token)).toMatchObject({ aud: 'api://default', iss: idp.issuer, cid: web.id })
    expect((await userinfo(token)).status).toBe(200)
    expect((await userinfo(token, org())).status).toBe(401)
    for (const authorization of [`Bearer ${token}`, `SSWS ${token}`]) {
      expect((await get(`${idp.engineUrl}/api/v1/users/me`, { authorization })).status).toBe(401)
      expect((await get(`${idp.engineUrl}/api/v1/users`, { authorization })).status).toBe(401)
    }
    const account = { authorization: `Bearer ${token}`, accept: 'application/json; okta-version=1.0.0' }
    expect((await get(`${idp.engineUrl}/idp/myaccount/profile`, account)).status).toBe(403)
  })

  test('A72: RFC 9700, 2.3: an access token has the scopes that were asked for, and an ID token is none', async () => {
    const tokens = await tokensOf(web, { scope: 'openid' })
    expect(claimsOf(tokens.access_token).scp).toEqual(['openid'])
    expect((await userinfo(tokens.access_token)).body).not.toHaveProperty('email')
    expect((await userinfo(tokens.id_token)).status).toBe(401)
  })

  test('A72: RFC 9700, 4.3.2, 4.10: an access token is read in the header alone, lives for an hour, and ends where it is revoked', async () => {
    const tokens = await tokensOf(web)
    const token = String(tokens.access_token)
    expect(tokens.expires_in).toBe(3600)
    expect((await get(`${idp.issuer}/v1/userinfo?access_token=${token}`)).status).toBe(401)
    const revoked = { token, token_type_hint: 'access_token' }
    await post(`${idp.issuer}/v1/revoke`, revoked, { authorization: basic(web) })
    const { body } = await post(`${idp.issuer}/v1/introspect`, { token }, { authorization: basic(web) })
    expect([body.active, (await userinfo(token)).status]).toEqual([false, 401])
  })

  test('A72: RFC 9700, 4.6: an ID token says which access token came with it', async () => {
    const { access_token: access, id_token: id } = await tokensOf(web)
    const half = Buffer.from(s256(String(access)), 'base64url')
      .subarray(0, 16)
      .toString('base64url')
    expect(claimsOf(id).at_hash).toBe(half)
  })
})

test('A72: RFC 9700, 2.4: a password is no grant', async () => {
  for (const [oauth, issuer] of [
    [idp.issuer, idp.issuer],
    [org(), idp.engineUrl],
  ]) {
    const form = { grant_type: 'password', username: ada.login, password: ada.password, scope: 'openid' }
    const refused = await post(`${oauth}/v1/token`, form, { authorization: basic(web) })
    expect([refused.status, refused.body.error]).toEqual([400, 'unsupported_grant_type'])
    const { body } = await get(`${issuer}/.well-known/oauth-authorization-server`)
    expect(body.grant_types_supported).not.toContain('password')
    expect(body.grant_types_supported).not.toContain('implicit')
  }
})

test('A72: RFC 9700, 2.5: an app with a secret shows it, in a header or a body, and never in an address', async () => {
  const form = { grant_type: 'authorization_code', redirect_uri: redirectUri, code_verifier: verifier }
  const open = { ...form, client_id: web.id }
  const url = `${idp.issuer}/v1/token`
  const code = await codeFor(web)
  expect((await post(url, { ...open, code })).status).toBe(401)
  expect((await post(url, { ...open, code, client_secret: 'not it' })).status).toBe(401)
  const inAddress = new URLSearchParams({ client_id: web.id, client_secret: String(web.secret) })
  expect((await post(`${url}?${inAddress}`, { ...open, code })).status).toBe(401)
  const { body } = await get(`${idp.engineUrl}/.well-known/openid-configuration`)
  expect(body.token_endpoint_auth_methods_supported).toContain('private_key_jwt')
  expect((await post(url, { ...open, code, client_secret: String(web.secret) })).status).toBe(200)
})

describe('2.6: what clients are to know, and scripts are not', () => {
  test('A72: RFC 9700, 2.6: both servers publish their metadata, whose addresses are those of the issuer', async () => {
    for (const [issuer, path] of [
      [idp.issuer, 'openid-configuration'],
      [idp.issuer, 'oauth-authorization-server'],
      [idp.engineUrl, 'openid-configuration'],
    ] as const) {
      const { body } = await get(`${issuer}/.well-known/${path}`, { 'x-forwarded-host': 'evil.example' })
      expect(body.issuer).toBe(issuer)
      const addresses = Object.entries(body).filter(([name]) => /_(endpoint|uri)$/.test(name))
      expect(addresses.length).toBeGreaterThan(5)
      for (const [, address] of addresses) expect(String(address)).toMatch(`${idp.engineUrl}/`)
    }
  })

  test('A81: RFC 9700, 2.6: no script of another origin reads an answer of authorize, or a page, also where it is trusted', async () => {
    const { browser } = await arrives(web)
    const from = (url: string, headers: Readonly<Record<string, string>> = {}) =>
      browser.goes(url, { headers: { origin: trusted, 'sec-fetch-site': 'same-site', ...headers } })
    for (const response_mode of ['query', 'fragment', 'form_post', 'okta_post_message']) {
      const at = await from(authorizeUrl(idp.issuer, spa, { response_mode, prompt: 'none' }))
      expect([at.status < 400, at.headers.get('access-control-allow-origin')]).toEqual([true, null])
    }
    for (const url of [
      authorizeUrl(idp.issuer, web, { redirect_uri: 'https://evil.example' }),
      `${idp.engineUrl}/signin`,
      `${idp.engineUrl}/signin/done`,
      `${idp.engineUrl}/signin/forgot-password`,
      `${idp.engineUrl}/login/signout`,
      `${idp.engineUrl}/login/token/redirect?stateToken=x`,
      `${idp.issuer}/v1/logout`,
    ]) {
      for (const accept of ['text/html', 'application/json']) {
        const { headers } = await from(url, { accept })
        if (accept === 'application/json' && headers.get('content-type')?.includes('json')) continue
        expect([url, headers.get('access-control-allow-origin')]).toEqual([url, null])
      }
    }
    const preflight = await fetch(`${idp.issuer}/v1/authorize`, {
      method: 'OPTIONS',
      headers: { origin: trusted, 'access-control-request-method': 'POST' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
    const api = await fetch(`${idp.issuer}/v1/userinfo`, { headers: { origin: trusted } })
    expect(api.headers.get('access-control-allow-origin')).toBe(trusted)
  })
})

test('A72: RFC 9700, 4.2, 4.3.1: no page has its address in a Referer elsewhere, is stored, or loads anything of others', async () => {
  const { browser } = await arrives(web)
  const asks = newBrowser()
  await asks.goes(authorizeUrl(idp.issuer, web))
  const pages = [
    await asks.goes(`${idp.engineUrl}/signin`),
    await asks.goes(authorizeUrl(idp.issuer, web, { redirect_uri: 'https://evil.example' })),
    await browser.goes(authorizeUrl(idp.issuer, web, { response_mode: 'form_post', prompt: 'none' })),
    await browser.goes(authorizeUrl(idp.issuer, web, { response_mode: 'okta_post_message', prompt: 'none' })),
    await browser.goes(authorizeUrl(idp.issuer, native, { redirect_uri: scheme })),
    await browser.goes(`${idp.engineUrl}/login/token/redirect?stateToken=x`, { headers: page }),
    await browser.goes(`${idp.issuer}/v1/logout`, { headers: page }),
    await newBrowser().goes(`${idp.engineUrl}/welcome/${'a'.repeat(43)}`, { headers: page }),
  ]
  for (const at of pages) {
    expect(at.headers.get('content-type')).toMatch('text/html')
    expect(at.headers.get('referrer-policy')).toMatch(/^(no-referrer|same-origin|strict-origin)$/)
    expect(at.headers.get('cache-control')).toMatch('no-store')
    const others = [...(await at.text()).matchAll(/(?:src|href)="(https?:[^"]+)"/g)]
      .map(([, address = '']) => address)
      .filter((address) => !address.startsWith(idp.engineUrl) && !address.startsWith(signedOutUri))
    expect(others).toEqual([])
  }
})

describe('4.4: whose answer it is', () => {
  test('A72: RFC 9700, 4.4: each answer, an error too, has the issuer of its server, which discovery has as well', async () => {
    for (const [oauth, issuer] of [
      [idp.issuer, idp.issuer],
      [org(), idp.engineUrl],
    ] as const) {
      const { body } = await get(`${issuer}/.well-known/openid-configuration`)
      expect(body).toMatchObject({ issuer, authorization_response_iss_parameter_supported: true })
      const browser = newBrowser()
      const silent = { prompt: 'none', scope: 'openid' }
      expect(answerIn(await browser.goes(authorizeUrl(oauth, web, silent)))).toMatchObject({
        ...{ error: 'login_required', iss: issuer },
      })
      await arrives(web, {}, browser)
      const got = answerIn(await browser.goes(authorizeUrl(oauth, web, silent)))
      expect(got).toMatchObject({ code: expect.any(String), iss: issuer })
      const posted = await browser.goes(authorizeUrl(oauth, web, { ...silent, response_mode: 'form_post' }))
      expect(await posted.text()).toContain(`name="iss" value="${issuer}"`)
    }
  })
})

describe('4.7: a request that another one makes', () => {
  test('A72: RFC 9700, 4.7: state comes back as it was sent', async () => {
    const state = `a"b'<c>&d=e#f ? é ${'x'.repeat(200)}`
    for (const response_mode of ['query', 'fragment']) {
      const got = answerIn((await arrives(web, { state, response_mode })).answer)
      expect(got).toMatchObject({ state, code: expect.any(String) })
    }
    expect(answerIn((await arrives(web, { state: undefined })).answer)).not.toHaveProperty('state')
  })
})

describe('4.11: open redirectors', () => {
  test('A72: RFC 9700, 4.11.2: where the app or its address is not known, the user stays on a page', async () => {
    for (const changes of [
      { client_id: 'unknown-to-us', redirect_uri: 'https://evil.example' },
      { redirect_uri: 'https://evil.example', response_type: 'nonsense' },
      { redirect_uri: 'https://evil.example', prompt: 'none', scope: 'nonsense' },
      { redirect_uri: undefined },
      { request_uri: 'https://evil.example/request' },
      { request_uri: 'urn:okta:none', redirect_uri: 'https://evil.example' },
    ]) {
      const at = await newBrowser().goes(authorizeUrl(idp.issuer, web, changes))
      expect(at.headers.get('location') ?? '').not.toContain('evil.example')
      expect(await at.text()).not.toContain('href="https://evil.example')
    }
  })

  test('A72: RFC 9700, 4.11.2: a sign-out leads to registered addresses and trusted origins alone', async () => {
    const { browser } = await arrives(web)
    const own = { headers: { 'sec-fetch-site': 'none' } }
    for (const uri of [
      'https://evil.example',
      'https://portal.example.evil.example',
      'https://portal.example@evil.example',
      '//evil.example',
      'javascript:alert(1)',
      'https://portal.example\\@evil.example',
    ]) {
      const query = new URLSearchParams({ fromURI: uri })
      const at = await browser.goes(`${idp.engineUrl}/login/signout?${query}`, own)
      expect([uri, at.headers.get('location')]).toEqual([uri, null])
      const named = new URLSearchParams({ client_id: web.id, post_logout_redirect_uri: uri })
      const refused = await browser.goes(`${idp.issuer}/v1/logout?${named}`)
      expect([uri, refused.status, refused.headers.get('location')]).toEqual([uri, 400, null])
    }
  })
})

test('A72: RFC 9700, 4.12: what follows a form is a 303, so that no password goes on to the app', async () => {
  const browser = newHostedBrowser(idp)
  await browser.begins()
  const token = /name="page" value="([^"]+)"/.exec(browser.page.text)?.[1] ?? ''
  const form = { form: 'identify', page: token, identifier: ada.login }
  const last = await browser.posts({ ...form, 'credentials.passcode': ada.password })
  expect([last.status, last.headers.get('location')]).toEqual([303, expect.stringContaining('code=')])
  const { browser: signed } = await arrives(web)
  const posted = (path: string, fields: object) =>
    signed.goes(`${idp.engineUrl}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ ...fields }),
      headers: { 'sec-fetch-site': 'same-origin' },
    })
  const asked = Object.fromEntries(new URL(authorizeUrl(idp.issuer, web)).searchParams)
  const authorized = await posted('/oauth2/default/v1/authorize', asked)
  const hint = {
    id_token_hint: String((await tokensOf(web)).id_token),
    post_logout_redirect_uri: signedOutUri,
  }
  const signedOut = await posted('/oauth2/default/v1/logout', hint)
  expect([authorized.status, signedOut.status]).toEqual([303, 303])
})

test('A72: RFC 9700, 4.13: what a proxy would say is not believed of anyone else', async () => {
  const forged = {
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    forwarded: 'for=203.0.113.7;host=evil.example;proto=https',
    'x-forwarded-client-cert': 'Hash=x',
    'x-ssl-client-cert': 'x',
    'x-real-ip': '203.0.113.7',
  }
  const at = await newBrowser().goes(authorizeUrl(idp.issuer, web), { headers: forged })
  expect(at.headers.get('location')).toContain(`${idp.engineUrl}/signin?t=`)
  expect(at.headers.getSetCookie().join()).not.toContain('Domain=')
  const unauthenticated = { grant_type: 'authorization_code', client_id: web.id, code: 'x' }
  expect((await post(`${idp.issuer}/v1/token`, unauthenticated, forged)).status).toBe(401)
  const { db } = idp.engine.storage
  const rows = await db.selectFrom('interactions').select('origin').execute()
  expect(rows.length).toBeGreaterThan(0)
  expect(JSON.stringify(rows)).not.toContain('203.0.113.7')
})

test('A72: RFC 9700, 4.15: a user whose login is the id of an app is not taken for that app', async () => {
  const robot = await serviceApp(idp, ['okta.users.read'])
  const own = await robot.token('okta.users.read')
  const twin = { ...ada, login: robot.id, email: 'twin@example.com' }
  await idp.people.add(twin)
  const browser = newBrowser()
  const at = await browser.goes(authorizeUrl(org(), web))
  const { success } = await signsIn(idp.engineUrl, await stateTokenAt(at), twin)
  const { code = '' } = answerIn(await browser.goes(String(success?.href)))
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
  const { body } = await post(`${org()}/v1/token`, form, { authorization: basic(web) })
  // A resource server tells them apart by `uid`, which tokens of apps do not have, and by `cid`.
  expect(claimsOf(body.access_token)).toMatchObject({ sub: robot.id, cid: web.id, uid: expect.any(String) })
  expect(claimsOf(own)).toMatchObject({ sub: robot.id, cid: robot.id })
  expect(claimsOf(own)).not.toHaveProperty('uid')
  const users = (token: unknown) => get(`${idp.engineUrl}/api/v1/users`, { authorization: `Bearer ${token}` })
  expect([(await users(own)).status, (await users(body.access_token)).status]).toEqual([200, 401])
  expect((await userinfo(own, org())).status).toBe(401)
})

describe('4.16 and 4.17: frames and messages', () => {
  test('A72: RFC 9700, 4.16: no page stands in a frame, except the two that hand an answer to the app, in its own', async () => {
    const { browser } = await arrives(web)
    const framesOf = async (url: string) => {
      const { headers } = await browser.goes(url, { headers: page })
      const [, ancestors] = /frame-ancestors ([^;]+)/.exec(headers.get('content-security-policy') ?? '') ?? []
      return [ancestors, headers.get('x-frame-options')]
    }
    for (const url of [
      `${idp.engineUrl}/signin`,
      `${idp.engineUrl}/signin/done`,
      `${idp.engineUrl}/login/signout`,
      `${idp.issuer}/v1/logout`,
      `${idp.engineUrl}/login/token/redirect?stateToken=x`,
      authorizeUrl(idp.issuer, web, { redirect_uri: 'https://evil.example' }),
      authorizeUrl(idp.issuer, native, { redirect_uri: scheme }),
      authorizeUrl(idp.issuer, native, { redirect_uri: scheme, response_mode: 'form_post', prompt: 'none' }),
      `${idp.engineUrl}/welcome/${'a'.repeat(43)}`,
      `${idp.engineUrl}/`,
    ]) {
      expect([url, ...(await framesOf(url))]).toEqual([url, "'none'", 'DENY'])
    }
    for (const response_mode of ['form_post', 'okta_post_message']) {
      const url = authorizeUrl(idp.issuer, web, { response_mode, prompt: 'none' })
      expect(await framesOf(url)).toEqual(['https://app.example', null])
    }
  })

  test('A72: RFC 9700, 4.17: a message goes to the origin of the registered address alone, and none is read', async () => {
    const { browser } = await arrives(web)
    const send = async (client: RegisteredClient, changes: Changes) =>
      (
        await browser.goes(
          authorizeUrl(idp.issuer, client, {
            response_mode: 'okta_post_message',
            prompt: 'none',
            ...changes,
          }),
        )
      ).text()
    const text = await send(web, { state: "*');alert(1)//" })
    expect(text).toContain('data-origin="https://app.example"')
    expect(text).toContain('postMessage(JSON.parse(answer),origin)')
    expect(text).not.toMatch(/'\*'|"\*"|addEventListener|onmessage/)
    const elsewhere = await send(other, { redirect_uri: 'https://other.example/in' })
    expect(elsewhere).toContain('data-origin="https://other.example"')
    expect(await send(native, { redirect_uri: scheme })).not.toContain('postMessage')
  })
})
