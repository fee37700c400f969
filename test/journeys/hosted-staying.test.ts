import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { sessionRule } from '../support/policy-rules.ts'
import { answerIn, authorizeUrl, idx, newBrowser, stateTokenAt } from '../support/redirects.ts'
import { ada, type RegisteredClient, register, startShop } from '../wire/oauth-app.ts'

// How long the session of a browser lives: by the rule of its user (OKTA_SIGN_ON), and by what the user ticks.
let idp: Kit
let shop: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, {
    applicationType: 'browser',
    grantTypes: ['authorization_code', 'refresh_token'],
  })
})
afterAll(() => idp.close())

const hour = 3_600_000

/** The browser, and the line that set the cookie of its session. */
async function signedIn(rememberMe: boolean | undefined) {
  const browser = newBrowser()
  const page = await browser.goes(authorizeUrl(idp.issuer, shop))
  const { stateHandle } = await idx(idp.engineUrl, 'introspect', { stateToken: await stateTokenAt(page) })
  const typed = { identifier: ada.login, credentials: { passcode: ada.password } }
  const { success } = await idx(idp.engineUrl, 'identify', { stateHandle, ...typed, rememberMe })
  const back = await browser.goes(String(success?.href))
  const cookie = back.headers.getSetCookie().find((line) => line.startsWith('rekey_session='))
  return { browser, maxAge: /Max-Age=(\d+)/.exec(cookie ?? '')?.[1] }
}

const isSilent = async (browser: ReturnType<typeof newBrowser>) =>
  'code' in answerIn(await browser.goes(authorizeUrl(idp.issuer, shop, { prompt: 'none' })))

test.each([
  ['the rule lets it and the user ticks it', true, true, String((24 * hour) / 1000)],
  ['the user does not tick it', true, undefined, undefined],
  ['the rule does not let it', false, true, undefined],
])('a session outlives its browser only where both say so: %s', async (_, rule, ticked, age) => {
  await sessionRule(idp, { session: { usePersistentCookie: rule } })
  expect((await signedIn(ticked)).maxAge).toBe(age)
})

test('a session ends after as many minutes without a use, and as many in all, as the rule says', async () => {
  const session = { maxSessionIdleMinutes: 24 * 60, maxSessionLifetimeMinutes: 72 * 60 }
  await sessionRule(idp, { session: { usePersistentCookie: true, ...session } })
  const { browser, maxAge } = await signedIn(true)
  expect(maxAge).toBe(String((72 * hour) / 1000))
  for (const hours of [20, 20, 20, 11]) {
    idp.clock.advance(hours * hour)
    expect(await isSilent(browser)).toBe(true)
  }
  idp.clock.advance(hour)
  expect(await isSilent(browser)).toBe(false)
  const { browser: idle } = await signedIn(true)
  idp.clock.advance(24 * hour)
  expect(await isSilent(idle)).toBe(false)
})

test('a session of a minute lives by uses that are less than a minute apart', async () => {
  await sessionRule(idp, { session: { maxSessionIdleMinutes: 1 } })
  const { browser } = await signedIn(undefined)
  for (let uses = 0; uses < 5; uses++) {
    idp.clock.advance(40_000)
    expect(await isSilent(browser)).toBe(true)
  }
  const me = await browser.goes(`${idp.engineUrl}/api/v1/sessions/me`)
  const { expiresAt } = (await me.json()) as { readonly expiresAt: string }
  expect(Math.abs(Date.parse(expiresAt) - idp.clock.now() - 60_000)).toBeLessThan(1000)
  idp.clock.advance(60_000)
  expect(await isSilent(browser)).toBe(false)
})

test('numbers of 0, as Okta writes them, leave what is configured', async () => {
  await sessionRule(idp, {
    session: { usePersistentCookie: false, maxSessionIdleMinutes: 0, maxSessionLifetimeMinutes: 0 },
  })
  const { browser } = await signedIn(undefined)
  idp.clock.advance(hour)
  expect(await isSilent(browser)).toBe(true)
  idp.clock.advance(2 * hour)
  expect(await isSilent(browser)).toBe(false)
})

test('the page has the box, and what is ticked there counts', async () => {
  await sessionRule(idp, { session: { usePersistentCookie: true } })
  const pages = newHostedBrowser(idp)
  await pages.opens(authorizeUrl(idp.issuer, shop))
  expect(pages.page.text).toMatch(
    /<input[^>]*type="checkbox"[^>]*name="rememberMe"|name="rememberMe"[^>]*type="checkbox"/,
  )
  await pages.submits('identify', {
    identifier: ada.login,
    'credentials.passcode': ada.password,
    rememberMe: 'true',
  })
  const [session] = (
    await idp.engine.storage.db.selectFrom('sessions').selectAll().orderBy('created_at', 'desc').execute()
  ).filter((one) => one.cookie_hash !== null)
  expect(JSON.parse(session?.details ?? '{}')).toMatchObject({ browser: { persists: true } })
})
