import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { putTrustedOrigin } from '../../src/clients/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { authn, sessionTokenOf } from '../support/classic.ts'
import { answerIn, authorizeUrl, newBrowser } from '../support/redirects.ts'
import { ada, type RegisteredClient, register, startShop } from './oauth-app.ts'

// The classic authentication API: its shapes, its errors, and what its session token is good for.
let idp: Kit
let spa: RegisteredClient

beforeAll(async () => {
  idp = await startShop({ settings: { classic: { enabled: true } } })
  spa = await register(idp, { applicationType: 'browser', grantTypes: ['authorization_code'] })
})
afterAll(() => idp.close())

const silent = (changes: object) =>
  authorizeUrl(idp.issuer, spa, { scope: 'openid', prompt: 'none', ...changes })

test('a name and a password make a session token', async () => {
  const { status, body } = await authn(idp, '', {
    username: ada.login,
    password: ada.password,
    relayState: '/orders',
    options: { multiOptionalFactorEnroll: false, warnBeforePasswordExpired: false },
  })
  expect(status).toBe(200)
  const goodFor = Date.parse(body.expiresAt ?? '') - idp.clock.now()
  expect([goodFor > 290_000, goodFor <= 300_000]).toEqual([true, true])
  expect(body).toEqual({
    expiresAt: expect.any(String),
    status: 'SUCCESS',
    relayState: '/orders',
    sessionToken: expect.stringMatching(/^20111\w{43}$/),
    _embedded: {
      user: {
        id: expect.stringMatching(/^00u/),
        passwordChanged: expect.any(String),
        profile: {
          login: 'ada',
          firstName: 'Ada',
          lastName: 'Lovelace',
          locale: 'en_US',
          timeZone: 'America/Los_Angeles',
        },
      },
    },
  })
})

test('a session token at authorize begins the session of the browser, and the app has its code at once', async () => {
  const sessionToken = await sessionTokenOf(idp, ada)
  const browser = newBrowser()
  const first = await browser.goes(silent({ sessionToken }))
  expect(answerIn(first)).toMatchObject({ code: expect.any(String), state: 'a state' })
  expect(first.headers.get('referrer-policy')).toBe('no-referrer')
  expect(answerIn(await browser.goes(silent({})))).toHaveProperty('code')
})

test('sessionCookieRedirect begins the session and leads to a trusted origin', async () => {
  const { db } = idp.engine.storage
  await putTrustedOrigin(
    db,
    { name: 'Shop', origin: 'https://shop.example', status: 'ACTIVE', scopes: ['REDIRECT'] },
    { random: systemRandom, now: idp.clock.now() },
  )
  const browser = newBrowser()
  const query = new URLSearchParams({
    checkAccountSetupComplete: 'true',
    token: await sessionTokenOf(idp, ada),
    redirectUrl: 'https://shop.example/home?tab=1',
  })
  const led = await browser.goes(`${idp.engineUrl}/login/sessionCookieRedirect?${query}`)
  expect([led.status, led.headers.get('location')]).toEqual([302, 'https://shop.example/home?tab=1'])
  expect(answerIn(await browser.goes(silent({})))).toHaveProperty('code')

  const spent = await newBrowser().goes(`${idp.engineUrl}/login/sessionCookieRedirect?${query}`)
  expect([spent.status, spent.headers.get('location')]).toEqual([302, `${idp.engineUrl}/signin`])
})

test.each([
  ['a wrong password', { username: 'ada', password: 'wrong' }, 401, 'E0000004'],
  ['a name of no user', { username: 'nobody', password: 'wrong' }, 401, 'E0000004'],
  ['a name that none can be', { username: 'ada,eve', password: 'wrong' }, 401, 'E0000004'],
  ['no name', { password: 'x' }, 400, 'E0000001'],
  ['no password', { username: 'ada' }, 400, 'E0000001'],
  ['a state token of nothing', { stateToken: '00abc' }, 401, 'E0000011'],
  ['an activation token', { token: 'abc' }, 403, 'E0000215'],
])('%s is refused as at Okta', async (_, body, status, errorCode) => {
  const answer = await authn(idp, '', body)
  expect([answer.status, answer.body.errorCode]).toEqual([status, errorCode])
  expect(answer.body).toMatchObject({ errorSummary: expect.any(String), errorId: expect.any(String) })
})

test('it is off unless the configuration switches it on', async () => {
  const off = await startShop()
  try {
    const { status } = await authn(off, '', { username: ada.login, password: ada.password })
    const led = await fetch(`${off.engineUrl}/login/sessionCookieRedirect?token=x&redirectUrl=y`)
    expect([status, led.status]).toEqual([404, 404])
  } finally {
    await off.close()
  }
})
