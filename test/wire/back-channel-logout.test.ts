import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
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
  register,
  signedOutUri,
  startShop,
} from './oauth-app.ts'

// OpenID Connect Back-Channel Logout 1.0, with apps that are servers on this machine and check what they get as section 2.6 says.
interface App {
  readonly client: RegisteredClient
  readonly received: JWTPayload[]
  /** How the app answers; 200 unless it is set. */
  status: number
  /** Nothing is answered at all. */
  hangs: boolean
  /** What a request was that a check refused. */
  readonly refused: string[]
  close(): Promise<void>
}

let idp: Kit
let shop: App
let news: App
let plain: RegisteredClient
const event = 'http://schemas.openid.net/event/backchannel-logout'

async function startApp(): Promise<App> {
  const received: JWTPayload[] = []
  const refused: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    if (app.hangs) return
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
    try {
      if (request.method !== 'POST' || [...form.keys()].join() !== 'logout_token') throw new Error('form')
      received.push(await verified(form.get('logout_token') ?? '', app.client.id))
      // As frameworks do: words, and no JSON.
      response.writeHead(app.status, { 'cache-control': 'no-store' }).end('OK')
    } catch (error) {
      refused.push(String(error))
      response.writeHead(400).end()
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const client = await register(idp, {
    grantTypes: ['authorization_code', 'refresh_token', 'interaction_code'],
    postLogoutRedirectUris: [signedOutUri],
    backchannelLogoutUri: `http://127.0.0.1:${port}/logout?from=rekey`,
  })
  const app: App = {
    client,
    received,
    refused,
    status: 200,
    hangs: false,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  return app
}

/** The steps of section 2.6, with the keys that the engine publishes. */
async function verified(token: string, clientId: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${idp.issuer}/v1/keys`))
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ['RS256'],
    issuer: idp.issuer,
    audience: clientId,
    typ: 'logout+jwt',
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid'],
    maxTokenAge: '2m',
  })
  const { events } = payload as { readonly events?: Readonly<Record<string, unknown>> }
  if (JSON.stringify(events) !== JSON.stringify({ [event]: {} })) throw new Error('events')
  if ('nonce' in payload) throw new Error('nonce')
  return payload
}

beforeAll(async () => {
  idp = await startShop()
  shop = await startApp()
  news = await startApp()
  plain = await register(idp, {
    grantTypes: ['authorization_code', 'refresh_token'],
    postLogoutRedirectUris: [signedOutUri],
  })
})
afterEach(async () => {
  for (const app of [shop, news]) {
    Object.assign(app, { status: 200, hangs: false })
    expect(app.refused).toEqual([])
  }
  await delivered()
  for (const app of [shop, news]) app.received.splice(0)
})
afterAll(async () => {
  await Promise.all([shop.close(), news.close()])
  await idp.close()
})

const delivered = () => idp.engine.delivery.idle()

/** Signs in at an app, with the session of the browser where there is one, and answers its tokens. */
async function signedIn(client: RegisteredClient, browser = newBrowser()) {
  const page = await browser.goes(authorizeUrl(idp.issuer, client))
  const direct = answerIn(page)
  const { code } =
    direct.code === undefined
      ? answerIn(
          await browser.goes(
            String((await signsIn(idp.engineUrl, await stateTokenAt(page), ada)).success?.href),
          ),
        )
      : direct
  const form = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: redirectUri }
  const answer = await post(
    `${idp.issuer}/v1/token`,
    { ...form, code_verifier: verifier },
    { authorization: basic(client) },
  )
  const tokens = answer.body as Readonly<Record<string, string>>
  const claims = claimsOf(tokens.id_token)
  return { browser, tokens, sid: String(claims.sid), sub: String(claims.sub) }
}

const sids = (app: App) => app.received.map(({ sid }) => sid)

const signsOut = (browser: ReturnType<typeof newBrowser>, idToken: string | undefined) =>
  browser.goes(
    `${idp.issuer}/v1/logout?${new URLSearchParams({ id_token_hint: idToken ?? '', post_logout_redirect_uri: signedOutUri })}`,
  )

const userId = async () => String((await apiOf(idp)('GET', `/users/${ada.login}`)).body.id)

describe('each end of a session reaches its app', () => {
  test('A71: a sign-out at one app: that app and all others of the browser, each with its own session', async () => {
    const at = await signedIn(shop.client)
    const other = await signedIn(news.client, at.browser)
    expect(other.sid).not.toBe(at.sid)
    const answer = await signsOut(at.browser, at.tokens.id_token)
    expect([answer.status, answer.headers.get('location')]).toEqual([302, signedOutUri])
    await delivered()
    expect([sids(shop), sids(news)]).toEqual([[at.sid], [other.sid]])
    expect(shop.received[0]).toMatchObject({ iss: idp.issuer, aud: shop.client.id, sub: at.sub })
    const { iat = 0, exp = 0 } = shop.received[0] ?? {}
    expect(exp - iat).toBe(120)
    // What its user gave the other app for when it is away goes on (section 2.7).
    const refreshed = await post(
      `${idp.issuer}/v1/token`,
      { grant_type: 'refresh_token', refresh_token: other.tokens.refresh_token ?? '' },
      { authorization: basic(news.client) },
    )
    expect(refreshed.status).toBe(200)
  })

  test('a sign-out at an app that gets none', async () => {
    const at = await signedIn(plain)
    const other = await signedIn(news.client, at.browser)
    await signsOut(at.browser, at.tokens.id_token)
    await delivered()
    expect([sids(shop), sids(news)]).toEqual([[], [other.sid]])
  })

  test.each<readonly [string, (at: Awaited<ReturnType<typeof signedIn>>) => Promise<unknown>]>([
    [
      'the sign-out of the browser',
      ({ browser }) =>
        browser.goes(`${idp.engineUrl}/login/signout`, { headers: { 'sec-fetch-site': 'none' } }),
    ],
    [
      'DELETE of its own session',
      ({ browser }) =>
        browser.goes(`${idp.engineUrl}/api/v1/sessions/me`, {
          method: 'DELETE',
          headers: { 'sec-fetch-site': 'same-origin', origin: idp.engineUrl },
        }),
    ],
    [
      'an administrator who ends all sessions',
      async () => apiOf(idp)('DELETE', `/users/${await userId()}/sessions`),
    ],
    [
      'a suspension',
      async () => {
        await apiOf(idp)('POST', `/users/${await userId()}/lifecycle/suspend`)
        await apiOf(idp)('POST', `/users/${await userId()}/lifecycle/unsuspend`)
      },
    ],
    [
      'another user of the browser',
      async ({ browser }) => {
        await idp.people.add({ ...ada, login: 'grace', email: 'grace@example.com' })
        const page = await browser.goes(authorizeUrl(idp.issuer, plain, { prompt: 'login' }))
        const end = await signsIn(idp.engineUrl, await stateTokenAt(page), { ...ada, login: 'grace' })
        await browser.goes(String(end.success?.href))
      },
    ],
  ])('%s', async (_, ends) => {
    const at = await signedIn(shop.client)
    await ends(at)
    await delivered()
    expect([...new Set(sids(shop))]).toContain(at.sid)
  })

  test('a refresh, a sign-in anew and the end of the token of another user end nothing', async () => {
    const at = await signedIn(shop.client)
    const page = await at.browser.goes(authorizeUrl(idp.issuer, news.client, { prompt: 'login' }))
    const end = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
    await at.browser.goes(String(end.success?.href))
    await delivered()
    expect([sids(shop), sids(news)]).toEqual([[], []])
  })
})

describe('an app that fails', () => {
  test('delays no sign-out, and is told once it answers again', async () => {
    const at = await signedIn(shop.client)
    const other = await signedIn(news.client, at.browser)
    shop.hangs = true
    const began = performance.now()
    const answer = await signsOut(at.browser, at.tokens.id_token)
    expect(answer.status).toBe(302)
    expect(performance.now() - began).toBeLessThan(2500)
    await expect.poll(() => sids(news), { timeout: 10_000 }).toEqual([other.sid])
    await delivered()
    expect(sids(shop)).toEqual([])
    Object.assign(shop, { hangs: false, status: 503 })
    idp.clock.advance(3_600_000)
    await delivered()
    expect(sids(shop)).toEqual([at.sid])
    shop.status = 204
    idp.clock.advance(3_600_000)
    await delivered()
    // Each attempt has a token of its own: an app may refuse an id that it has seen.
    expect(sids(shop)).toEqual([at.sid, at.sid])
    expect(new Set(shop.received.map(({ jti }) => jti)).size).toBe(2)
    idp.clock.advance(3_600_000)
    await delivered()
    expect(sids(shop)).toHaveLength(2)
  })

  test('is given up after a day, which the log says', async () => {
    const at = await signedIn(shop.client)
    shop.status = 500
    await signsOut(at.browser, at.tokens.id_token)
    await delivered()
    idp.clock.advance(25 * 3_600_000)
    await delivered()
    const end = await ends(at.sub, 'FAILURE')
    expect(JSON.stringify(end)).toContain('the app answered 500')
    expect(end).toMatchObject({
      outcome: { result: 'FAILURE', reason: 'EXPIRED' },
      target: [
        { id: at.sub, type: 'User' },
        { id: shop.client.id, type: 'AppInstance' },
      ],
    })
  })
})

/** The newest event of an end, and what it has. */
const ends = async (sub: string, result = 'SUCCESS') => {
  const all = await idp.engine.events({ limit: 50 })
  return all.find(
    ({ eventType, target, outcome }) =>
      eventType === 'app.oauth2.logout_token.delivery' &&
      outcome.result === result &&
      target?.some(({ id }) => id === sub),
  )
}

test('the log, the metrics and discovery have it', async () => {
  const at = await signedIn(shop.client)
  await signsOut(at.browser, at.tokens.id_token)
  await delivered()
  expect(await ends(at.sub)).toMatchObject({ outcome: { result: 'SUCCESS' } })
  const metrics = await (await fetch(`${idp.engineUrl}/metrics`)).text()
  expect(metrics).toMatch(/rekey_logout_tokens_total\{outcome="sent"\} [1-9]/)
  expect(metrics).toContain('rekey_logout_queue_length 0')
  for (const issuer of [idp.issuer, idp.engineUrl]) {
    const { body } = await get(`${issuer}/.well-known/openid-configuration`)
    expect(body).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    })
  }
})

test('A73: a logout token is no hint, no access token and no ID token of the engine', async () => {
  const at = await signedIn(shop.client)
  const raw = await new Promise<string>((done) => {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      response.end()
      server.close()
      done(new URLSearchParams(Buffer.concat(chunks).toString('utf8')).get('logout_token') ?? '')
    })
    server.listen(0, '127.0.0.1', async () => {
      const { port } = server.address() as AddressInfo
      const catcher = await register(idp, {
        grantTypes: ['authorization_code', 'refresh_token'],
        backchannelLogoutUri: `http://127.0.0.1:${port}/logout`,
      })
      const caught = await signedIn(catcher, at.browser)
      await apiOf(idp)('DELETE', `/users/${caught.sub}/sessions`)
      await delivered()
    })
  })
  expect(decodeJwt(raw)).toMatchObject({ sub: at.sub, iss: idp.issuer })
  const fresh = await signedIn(shop.client)
  const refused = await fresh.browser.goes(
    `${idp.issuer}/v1/logout?${new URLSearchParams({ id_token_hint: raw })}`,
    { headers: { accept: 'application/json' } },
  )
  expect(refused.status).toBe(400)
  expect((await get(`${idp.issuer}/v1/userinfo`, { authorization: `Bearer ${raw}` })).status).toBe(401)
})

describe('the address', () => {
  test.each([
    'http://app.example/logout',
    'https://user:word@app.example/',
    'https://10.0.0.300/',
    'javascript:1',
  ])('is refused by the API: %s', async (uri) => {
    const { status, body } = await apiOf(idp)('POST', '/apps', {
      ...{ name: 'oidc_client', label: 'An app', signOnMode: 'OPENID_CONNECT' },
      settings: { oauthClient: { redirect_uris: [redirectUri], backchannel_logout_uri: uri } },
    })
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('backchannel_logout_uri')])
  })

  test('is returned as it was set', async () => {
    const uri = 'https://app.example/logout'
    const { status, body } = await apiOf(idp)('POST', '/apps', {
      ...{ name: 'oidc_client', label: 'An app', signOnMode: 'OPENID_CONNECT' },
      settings: { oauthClient: { redirect_uris: [redirectUri], backchannel_logout_uri: uri } },
    })
    expect([status, body]).toMatchObject([
      200,
      { settings: { oauthClient: { backchannel_logout_uri: uri } } },
    ])
  })
})

test('a password that an administrator replaces ends the sessions at the apps', async () => {
  const at = await signedIn(shop.client)
  await apiOf(idp)(
    'POST',
    `/users/${at.sub}/lifecycle/expire_password_with_temp_password?revokeSessions=true`,
  )
  await delivered()
  expect(sids(shop)).toContain(at.sid)
})
