import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s256 } from '../../src/base/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { hasClients, importClient } from '../support/clients.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { appRule } from '../support/policy-rules.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import {
  ada,
  basic,
  claimsOf,
  get,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  signedOutUri,
  startShop,
} from '../wire/oauth-app.ts'

// Redirects, and one session for many apps, over plain HTTP.
let idp: Kit
let shop: RegisteredClient
let other: RegisteredClient
const grantTypes = ['authorization_code', 'refresh_token']

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, {
    ...{ applicationType: 'browser', grantTypes, postLogoutRedirectUris: [signedOutUri] },
  })
  other = await register(idp, { grantTypes })
})
afterAll(() => idp.close())

type Browser = ReturnType<typeof newBrowser>
type Changes = Record<string, string | undefined>

const redeem = async (client: RegisteredClient, code: unknown) =>
  (
    await post(
      `${idp.issuer}/v1/token`,
      {
        ...{ grant_type: 'authorization_code', code: String(code), redirect_uri: redirectUri },
        ...{ client_id: client.id, code_verifier: verifier },
      },
      client.secret === undefined ? {} : { authorization: basic(client) },
    )
  ).body

async function signedIn(browser = newBrowser(), changes: Changes = {}) {
  const page = await browser.goes(authorizeUrl(idp.issuer, shop, changes))
  const end = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
  return { browser, ...answerIn(await browser.goes(String(end.success?.href))) } as {
    readonly browser: Browser
    readonly code: string
  }
}

const silent = async (browser: Browser, changes: Changes = {}, client = other) =>
  answerIn(await browser.goes(authorizeUrl(idp.issuer, client, { prompt: 'none', ...changes })))

const me = (browser: Browser, method = 'GET', path = '') =>
  browser.goes(`${idp.engineUrl}/api/v1/sessions/me${path}`, {
    method,
    headers: { accept: 'application/json' },
  })

describe('one session for many apps', () => {
  test('the second app has a code at once, with the times of what was proven', async () => {
    const { browser, code } = await signedIn()
    const first = claimsOf((await redeem(shop, code)).id_token)
    idp.clock.advance(60_000)
    const at = await browser.goes(authorizeUrl(idp.issuer, other))
    expect(at.status).toBe(302)
    const second = claimsOf((await redeem(other, answerIn(at).code)).id_token)
    expect(second).toMatchObject({
      sub: first.sub,
      amr: ['pwd'],
      nonce: 'a nonce',
    })
    // Tokens have the host's time, from which the engine's has moved on by a minute.
    expect(Math.abs(Number(first.auth_time) - 60 - Number(second.auth_time))).toBeLessThanOrEqual(1)
    expect(second.sid).not.toBe(first.sid)
  })

  test('prompt=login and a max_age that is over ask again', async () => {
    const { browser } = await signedIn()
    const leadsTo = async (changes: Changes) =>
      (await browser.goes(authorizeUrl(idp.issuer, other, changes))).headers.get('location')
    const pages = expect.stringContaining(`${idp.engineUrl}/signin?t=`)
    expect(await leadsTo({ prompt: 'login' })).toEqual(pages)
    idp.clock.advance(10_000)
    expect(await leadsTo({ max_age: '5' })).toEqual(pages)
    expect(await silent(browser, { max_age: '60' })).toHaveProperty('code')
  })

  test('an app that asks for more is not answered by less (A74)', async () => {
    const { browser } = await signedIn()
    expect(await silent(browser, { acr_values: 'urn:okta:loa:2fa:any' })).toMatchObject({
      error: 'login_required',
    })
    await appRule(idp, { factorMode: '2FA' })
    try {
      expect(await silent(browser)).toMatchObject({ error: 'login_required' })
    } finally {
      await appRule(idp, { factorMode: '1FA' })
    }
    expect(await silent(browser)).toHaveProperty('code')
  })

  test('an app that the user may not use gets no code', async () => {
    const { browser } = await signedIn()
    const closed = await register(idp, { grantTypes })
    const api = apiOf(idp)
    for (const { id } of (await api('GET', `/apps/${closed.id}/groups`)).list) {
      await api('DELETE', `/apps/${closed.id}/groups/${id}`)
    }
    expect(await silent(browser, {}, closed)).toMatchObject({ error: 'access_denied' })
  })

  test('a hint of another user is no session of this one', async () => {
    const { browser, code } = await signedIn()
    const { id_token: hint } = await redeem(shop, code)
    expect(await silent(browser, { id_token_hint: String(hint) })).toHaveProperty('code')
    expect(await silent(newBrowser(), { id_token_hint: String(hint) })).toMatchObject({
      error: 'login_required',
    })
  })
})

describe('the session ends', () => {
  test('when it was idle for two hours, and after a day at most', async () => {
    const { browser } = await signedIn()
    for (let hours = 0; hours < 23; hours++) {
      idp.clock.advance(3_600_000)
      expect(await silent(browser), `after ${hours + 1} h`).toHaveProperty('code')
    }
    idp.clock.advance(3_600_000)
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
    const { browser: idle } = await signedIn()
    idp.clock.advance(7_200_000)
    expect(await silent(idle)).toMatchObject({ error: 'login_required' })
  })

  test.each([
    ['an administrator ends all of the user', 'DELETE', '/users/ada/sessions'],
    ['the user is suspended', 'POST', '/users/ada/lifecycle/suspend'],
  ])('when %s', async (_, method, path) => {
    const { browser } = await signedIn()
    await apiOf(idp)(method, path)
    try {
      expect(await silent(browser)).toMatchObject({ error: 'login_required' })
      expect((await me(browser)).status).toBe(404)
    } finally {
      await apiOf(idp)('POST', '/users/ada/lifecycle/unsuspend')
    }
  })

  test('when an app signs its user out', async () => {
    const { browser, code } = await signedIn()
    const { id_token: hint } = await redeem(shop, code)
    const out = { id_token_hint: String(hint), post_logout_redirect_uri: signedOutUri, state: 'gone' }
    const at = await browser.goes(`${idp.issuer}/v1/logout?${new URLSearchParams(out)}`)
    expect(at.headers.get('location')).toBe(`${signedOutUri}?state=gone`)
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  })

  test('at /login/signout, and not by a link of another site (A73)', async () => {
    const { browser } = await signedIn()
    const url = `${idp.engineUrl}/login/signout`
    await browser.goes(url, { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(await silent(browser)).toHaveProperty('code')
    expect((await browser.goes(url, { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200)
    expect(browser.cookies.has('rekey_session')).toBe(false)
  })

  test('with its cookie: a sign-in draws another one, and the one before is worth nothing (A71)', async () => {
    const { browser } = await signedIn()
    const stolen = newBrowser()
    for (const [name, value] of browser.cookies) stolen.cookies.set(name, value)
    await signedIn(browser, { prompt: 'login' })
    expect(await silent(stolen)).toMatchObject({ error: 'login_required' })
    expect(await silent(browser)).toHaveProperty('code')
  })
})

describe('the session API', () => {
  test('shows, refreshes and ends the session of the cookie', async () => {
    const { browser } = await signedIn()
    const shown = await me(browser)
    const session = (await shown.json()) as Readonly<Record<string, unknown>>
    expect(session).toMatchObject({ status: 'ACTIVE', login: 'ada', amr: ['pwd'], mfaActive: false })
    idp.clock.advance(600_000)
    const refreshed = (await (await me(browser, 'POST', '/lifecycle/refresh')).json()) as typeof session
    expect(String(refreshed.expiresAt) > String(session.expiresAt)).toBe(true)
    expect((await me(browser, 'DELETE')).status).toBe(204)
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
    const gone = await me(browser)
    expect([gone.status, ((await gone.json()) as { errorCode: string }).errorCode]).toEqual([404, 'E0000007'])
  })

  test('the cookie is worth nothing in the rest of the API and at tokens (A81)', async () => {
    const { browser } = await signedIn()
    for (const path of ['/api/v1/users/me', '/api/v1/users', '/idp/myaccount/profile']) {
      const at = await browser.goes(idp.engineUrl + path, { headers: { accept: 'application/json' } })
      expect(at.status, path).toBe(401)
    }
    const [, secret = ''] = (browser.cookies.get('rekey_session') ?? '').split('.')
    const rows = await idp.engine.storage.db.selectFrom('sessions').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(secret)
  })
})

interface Code {
  readonly allowInsecureRequests: unknown
  None(): unknown
  discovery(...of: readonly unknown[]): Promise<object>
  buildAuthorizationUrl(config: object, parameters: Readonly<Record<string, string>>): URL
  authorizationCodeGrant(config: object, url: URL, checks: object): Promise<Tokens>
  refreshTokenGrant(config: object, token: string): Promise<Tokens>
  fetchUserInfo(config: object, token: string, sub: string): Promise<Readonly<Record<string, unknown>>>
}
interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  claims(): Readonly<Record<string, unknown>>
}

test.skipIf(!hasClients)(
  'openid-client redirects to the pages of the engine, checks, refreshes and asks',
  async () => {
    const client = await importClient<Code>('openid-client')
    const config = await client.discovery(new URL(idp.issuer), shop.id, undefined, client.None(), {
      execute: [client.allowInsecureRequests],
    })
    const url = client.buildAuthorizationUrl(config, {
      ...{ redirect_uri: redirectUri, scope: 'openid email offline_access', state: 'one', nonce: 'two' },
      ...{ code_challenge: s256(verifier), code_challenge_method: 'S256', max_age: '100' },
    })
    const browser = newHostedBrowser(idp)
    await browser.opens(url.href)
    await browser.submits('identify', { identifier: ada.login, 'credentials.passcode': ada.password })
    const tokens = await client.authorizationCodeGrant(config, browser.arrived ?? new URL('none:'), {
      ...{ pkceCodeVerifier: verifier, expectedState: 'one', expectedNonce: 'two', maxAge: 100 },
    })
    const refreshed = await client.refreshTokenGrant(config, String(tokens.refresh_token))
    const { sub } = tokens.claims()
    expect(await client.fetchUserInfo(config, refreshed.access_token, String(sub))).toMatchObject({
      email: ada.email,
    })
    expect((await get(`${idp.issuer}/v1/userinfo`)).status).toBe(401)
  },
)
