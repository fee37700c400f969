import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSecrets, systemRandom } from '../../src/base/index.ts'
import { queueLogout } from '../../src/delivery/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import {
  ada,
  basic,
  claimsOf,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  signedOutUri,
  signIn,
  startShop,
} from '../wire/oauth-app.ts'

// Signing out: what of a browser it leaves, who can cause it, and where it leads.
let idp: Kit
let shop: RegisteredClient
let other: RegisteredClient
const grace = { ...ada, login: 'grace', email: 'grace@example.com' }
const trusted = 'https://portal.example'

beforeAll(async () => {
  idp = await startShop()
  const settings = {
    grantTypes: ['authorization_code', 'refresh_token'],
    postLogoutRedirectUris: [signedOutUri],
  }
  shop = await register(idp, settings)
  other = await register(idp, settings)
  await idp.people.add(grace)
  await apiOf(idp)('POST', '/trustedOrigins', {
    ...{ name: 'portal', origin: trusted, scopes: [{ type: 'REDIRECT' }] },
  })
  await apiOf(idp)('POST', '/trustedOrigins', {
    ...{ name: 'caller', origin: 'https://caller.example', scopes: [{ type: 'CORS' }] },
  })
})
beforeEach(() => idp.clock.advance(120_000))
afterAll(() => idp.close())

type Browser = ReturnType<typeof newBrowser>

const redeem = async (client: RegisteredClient, code: string | undefined) => {
  const form = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: redirectUri }
  const sent = { ...form, code_verifier: verifier }
  return (await post(`${idp.issuer}/v1/token`, sent, { authorization: basic(client) })).body
}

async function signedIn({
  browser = newBrowser(),
  client = shop,
  user = ada,
  changes = {},
}: {
  readonly browser?: Browser
  readonly client?: RegisteredClient
  readonly user?: Pick<typeof ada, 'login' | 'password'>
  readonly changes?: Readonly<Record<string, string>>
} = {}) {
  const page = await browser.goes(authorizeUrl(idp.issuer, client, changes))
  const end = await signsIn(idp.engineUrl, await stateTokenAt(page), user)
  const { code } = answerIn(await browser.goes(String(end.success?.href)))
  return { browser, tokens: await redeem(client, code) }
}

const silent = async (browser: Browser, client = other) =>
  answerIn(await browser.goes(authorizeUrl(idp.issuer, client, { prompt: 'none' })))

const logout = (browser: Browser, parameters: Readonly<Record<string, string>>, init: RequestInit = {}) =>
  browser.goes(`${idp.issuer}/v1/logout?${new URLSearchParams(parameters)}`, init)

const here = (parameters: Readonly<Record<string, string>> = {}) =>
  `${idp.engineUrl}/login/signout?${new URLSearchParams(parameters)}`

/** The hidden fields of the form of a page. */
const fieldsOf = (page: string): Record<string, string> =>
  Object.fromEntries(
    [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')],
    ),
  )

const posts = (browser: Browser, fields: Readonly<Record<string, string>>, site = 'same-origin') =>
  browser.goes(`${idp.engineUrl}/login/signout`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'sec-fetch-site': site },
  })

const hintOf = ({ tokens }: { readonly tokens: Readonly<Record<string, unknown>> }) => ({
  id_token_hint: String(tokens.id_token),
  post_logout_redirect_uri: signedOutUri,
})

describe('after the sign-out at an app the browser is signed in nowhere', () => {
  test.each([
    ['as it was signed in', async () => {}],
    [
      'after it signed in anew at another app',
      async ({ browser }: { browser: Browser }) =>
        void (await signedIn({ browser, client: other, changes: { prompt: 'login' } })),
    ],
    [
      'where an administrator has ended the session of the app',
      async ({ tokens }: { tokens: Readonly<Record<string, unknown>> }) =>
        void (await idp.engine.storage.db
          .updateTable('sessions')
          .set({ revoked_at: idp.clock.now() })
          .where('id', '=', String(claimsOf(tokens.id_token).sid))
          .execute()),
    ],
  ])('A71: %s', async (_, before) => {
    const signed = await signedIn()
    await before(signed)
    const at = await logout(signed.browser, hintOf(signed))
    expect([at.status, at.headers.get('location')]).toEqual([302, signedOutUri])
    expect(signed.browser.cookies.has('rekey_session')).toBe(false)
    expect(await silent(signed.browser)).toMatchObject({ error: 'login_required' })
    const { db } = idp.engine.storage
    const live = await db.selectFrom('sessions').select('id').where('revoked_at', 'is', null).execute()
    const { sid } = claimsOf(signed.tokens.id_token)
    expect(live.map(({ id }) => id)).not.toContain(sid)
  })

  test('A71: where the app signs its users in on its own pages, and another one by redirect', async () => {
    const { exchange } = await signIn(idp)
    const { body: tokens } = await post(`${idp.issuer}/v1/token`, exchange)
    const { browser } = await signedIn()
    const copy = newBrowser()
    for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
    await logout(browser, hintOf({ tokens }))
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
    // A cookie that was taken before is worth nothing either.
    expect(await silent(copy)).toMatchObject({ error: 'login_required' })
  })

  test('A71: also where the browser sends no cookie with it, as with a form of the app, after a sign-in elsewhere', async () => {
    const signed = await signedIn()
    await signedIn({ browser: signed.browser, client: other, changes: { prompt: 'login' } })
    await post(`${idp.issuer}/v1/logout`, hintOf(signed))
    expect(await silent(signed.browser)).toMatchObject({ error: 'login_required' })
  })
})

describe('what a sign-out asks', () => {
  test('A73: the ID token of another user ends its own session, and asks before that of the browser', async () => {
    const hers = await signedIn({ user: grace })
    const { browser } = await signedIn()
    const at = await logout(browser, { ...hintOf(hers), state: 'a state' })
    const page = await at.text()
    expect([at.status, at.headers.get('location')]).toEqual([200, null])
    expect(page).toContain('You are signed in as ada.')
    expect(await silent(browser)).toHaveProperty('code')
    expect(await silent(hers.browser)).toMatchObject({ error: 'login_required' })
    const done = await posts(browser, fieldsOf(page))
    expect([done.status, done.headers.get('location')]).toEqual([303, `${signedOutUri}?state=a+state`])
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  })

  test('A73: without an ID token a page asks, with the client_id as well, and leads back to registered addresses alone', async () => {
    const { browser } = await signedIn()
    const named = { client_id: shop.id, post_logout_redirect_uri: signedOutUri }
    for (const parameters of [{}, { client_id: shop.id }, named]) {
      const at = await logout(browser, parameters)
      expect([at.status, await at.text()]).toEqual([200, expect.stringContaining('Sign out?')])
    }
    expect(await silent(browser)).toHaveProperty('code')
    for (const wrong of [
      { client_id: shop.id, post_logout_redirect_uri: `${signedOutUri}/` },
      { client_id: 'no-app' },
      { post_logout_redirect_uri: signedOutUri },
    ]) {
      expect((await logout(browser, wrong)).status).toBe(400)
    }
    const fields = fieldsOf(await (await logout(browser, named)).text())
    const done = await posts(browser, fields)
    expect(done.headers.get('location')).toBe(signedOutUri)
    expect(browser.cookies.has('rekey_session')).toBe(false)
    // Where there is nothing to end there is nothing to ask.
    expect((await logout(browser, named)).headers.get('location')).toBe(signedOutUri)
    expect(await (await logout(browser, {})).text()).toContain('You are signed out.')
  })

  test.each(['cross-site', 'same-site', undefined])(
    'A73: /login/signout asks a browser that was led there: %s',
    async (site) => {
      const { browser } = await signedIn()
      const at = await browser.goes(here(), { headers: site === undefined ? {} : { 'sec-fetch-site': site } })
      const page = await at.text()
      expect([at.status, page]).toEqual([200, expect.stringContaining('Sign out?')])
      expect(await silent(browser)).toHaveProperty('code')
      expect(at.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    },
  )

  test('A73: a prefetch signs no user out', async () => {
    const { browser } = await signedIn()
    await browser.goes(here(), { headers: { 'sec-fetch-site': 'none', 'sec-purpose': 'prefetch' } })
    expect(await silent(browser)).toHaveProperty('code')
  })

  test('A73: its form is taken from its own page alone, of this session, and for what that page asked', async () => {
    const { browser } = await signedIn()
    const fields = fieldsOf(await (await logout(browser, { client_id: shop.id })).text())
    const foreign = await signedIn({ user: grace })
    const theirs = fieldsOf(await (await logout(foreign.browser, { client_id: shop.id })).text())
    for (const [sent, site] of [
      [fields, 'cross-site'],
      [fields, 'same-site'],
      [{ ...fields, page: '' }, 'same-origin'],
      [theirs, 'same-origin'],
      [{ ...fields, post_logout_redirect_uri: signedOutUri }, 'same-origin'],
    ] as const) {
      const at = await posts(browser, sent, site)
      expect([at.status, at.headers.get('location')]).toEqual([403, null])
    }
    expect(await silent(browser)).toHaveProperty('code')
    expect((await posts(browser, fields)).status).toBe(200)
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  })
})

test.each([
  [`${trusted}/after?x=1`, `${trusted}/after?x=1`],
  ['https://evil.example/', null],
  ['https://caller.example/', null],
  [`${trusted}.evil.example/`, null],
  [`https://portal.example@evil.example/`, null],
  [`https://user@portal.example/`, null],
  ['//portal.example/', null],
  ['javascript:alert(1)//https://portal.example', null],
  [`${trusted}\\@evil.example/`, null],
  ['/relative', null],
])(
  'A30: after /login/signout fromURI leads to trusted origins for redirects alone: %s',
  async (uri, leads) => {
    const { browser } = await signedIn()
    const at = await browser.goes(here({ fromURI: uri }), { headers: { 'sec-fetch-site': 'none' } })
    expect(at.headers.get('location')).toBe(leads)
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  },
)

test.each([
  ['/login/signout', (browser: Browser) => browser.goes(here(), { headers: { 'sec-fetch-site': 'none' } })],
  [
    'DELETE /api/v1/sessions/me',
    (browser: Browser) => browser.goes(`${idp.engineUrl}/api/v1/sessions/me`, { method: 'DELETE' }),
  ],
  ['the sign-out of an app', undefined],
])(
  'A71: %s leaves nothing of a transaction that is under way to the next user of the browser',
  async (_, leaves) => {
    const signed = await signedIn()
    const { browser } = signed
    const page = await browser.goes(authorizeUrl(idp.issuer, other, { prompt: 'login' }))
    const stateToken = await stateTokenAt(page)
    const handle = browser.cookies.get('rekey_tx')
    browser.cookies.set('rekey_page', 'sealed')
    await (leaves?.(browser) ?? logout(browser, hintOf(signed)))
    expect([...browser.cookies.keys()]).toEqual([])
    // Not even with the handle and the token, which a thief would have noted.
    const answer = await fetch(`${idp.engineUrl}/idp/idx/introspect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ interactionHandle: handle }),
    })
    expect(answer.status).toBe(401)
    expect((await signsIn(idp.engineUrl, stateToken, ada)).success).toBeUndefined()
  },
)

describe('another host of the same site', () => {
  const me = () => `${idp.engineUrl}/api/v1/sessions/me`

  test.each([
    ['POST', '/lifecycle/refresh', 'https://evil.example'],
    ['DELETE', '', 'https://evil.example'],
    ['DELETE', '', 'null'],
    ['POST', '/lifecycle/refresh', undefined],
  ])('A73: prolongs and ends no session: %s %s of %s', async (method, path, origin) => {
    const { browser } = await signedIn()
    idp.clock.advance(600_000)
    const before = await usedAt()
    const headers = { 'sec-fetch-site': 'same-site', ...(origin !== undefined && { origin }) }
    expect((await browser.goes(me() + path, { method, headers })).status).toBe(404)
    expect(await usedAt()).toBe(before)
    expect(await silent(browser)).toHaveProperty('code')
  })

  test('A73: a trusted one does, and the engine’s own pages', async () => {
    for (const [origin, site] of [
      ['https://caller.example', 'same-site'],
      [new URL(redirectUri).origin, 'same-site'],
      [idp.engineUrl, 'same-origin'],
    ] as const) {
      const { browser } = await signedIn()
      const headers = { 'sec-fetch-site': site, origin }
      expect((await browser.goes(`${me()}/lifecycle/refresh`, { method: 'POST', headers })).status).toBe(200)
      expect((await browser.goes(me(), { method: 'DELETE', headers })).status).toBe(204)
    }
  })

  async function usedAt() {
    const { db } = idp.engine.storage
    const rows = await db.selectFrom('sessions').select(['used_at', 'revoked_at']).execute()
    return rows.map(({ used_at: at, revoked_at: ended }) => `${at} ${ended}`).join()
  }
})

describe('an administrator who ends one session of a thief', () => {
  const list = async () => (await apiOf(idp)('GET', '/users/ada/sessions')).list

  test('A71: sees the browser among them, and ends it with the app’s', async () => {
    await apiOf(idp)('DELETE', '/users/ada/sessions')
    const { browser } = await signedIn()
    await silent(browser)
    const listed = await list()
    expect(listed.map(({ kind }) => kind).toSorted()).toEqual(['APP', 'APP', 'BROWSER'])
    const own = listed.find(({ kind }) => kind === 'BROWSER')
    for (const { kind, browserSessionId, lastUsedAt } of listed) {
      expect([browserSessionId, lastUsedAt === null]).toEqual(
        kind === 'APP' ? [own?.id, true] : [null, false],
      )
    }
    const app = listed.find(({ kind, clientId }) => kind === 'APP' && clientId === shop.id)
    expect((await apiOf(idp)('DELETE', `/users/ada/sessions/${app?.id}`)).status).toBe(204)
    expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  })

  test('A71: and with the browser the apps that it signed in to', async () => {
    await apiOf(idp)('DELETE', '/users/ada/sessions')
    const { browser } = await signedIn()
    await silent(browser)
    const own = (await list()).find(({ kind }) => kind === 'BROWSER')
    expect((await apiOf(idp)('DELETE', `/users/ada/sessions/${own?.id}`)).status).toBe(204)
    expect(await list()).toEqual([])
  })

  test('one that was idle for too long is not listed', async () => {
    await apiOf(idp)('DELETE', '/users/ada/sessions')
    await signedIn()
    idp.clock.advance(2 * 3_600_000 + 1)
    expect((await list()).map(({ kind }) => kind)).toEqual(['APP'])
  })
})

test('A57: an app that does not answer holds up the logout tokens of no other one', async () => {
  const servers = await Promise.all(
    [() => {}, ((_, response) => void response.end()) satisfies RequestListener].map(async (listener) => {
      const server = createServer(listener)
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      const { port } = server.address() as AddressInfo
      const client = await register(idp, { backchannelLogoutUri: `http://127.0.0.1:${port}/` })
      return { server, client }
    }),
  )
  const [hanging, answering] = servers
  const secrets = createSecrets(['only for tests: everybody knows this secret'])
  const queue = (clientId = '', count = 1) =>
    idp.engine.storage.transaction(async (tx) => {
      const now = idp.clock.now()
      for (let at = 0; at < count; at++) {
        const logout = { clientId, personId: 'ada', sessionId: `ses${at}`, issuer: 'default' as const }
        await queueLogout(tx, { ...logout, endsAt: now + 86_400_000 }, { random: systemRandom, secrets, now })
      }
    })
  try {
    await queue(hanging?.client.id, 60)
    idp.clock.advance(90_000)
    const isAnswered = new Promise((done) => answering?.server.once('request', done))
    const began = performance.now()
    await queue(answering?.client.id)
    await isAnswered
    // One call takes three seconds, and five are under way at once: sixty of them would take forty.
    expect(performance.now() - began).toBeLessThan(15_000)
  } finally {
    for (const { server } of servers) {
      server.close()
      server.closeAllConnections()
    }
  }
})
