import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt } from '../support/redirects.ts'
import { ada, type RegisteredClient, register, startShop } from './oauth-app.ts'

// Okta's sessions API by the id of a session, for administrators.
let idp: Kit
let shop: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, { grantTypes: ['authorization_code', 'refresh_token'] })
})
beforeEach(() => idp.clock.advance(120_000))
afterAll(() => idp.close())

async function signedIn() {
  const browser = newBrowser()
  const page = await browser.goes(authorizeUrl(idp.issuer, shop))
  const end = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
  await browser.goes(String(end.success?.href))
  const [id = ''] = (browser.cookies.get('rekey_session') ?? '').split('.')
  return { browser, id }
}

const isSignedIn = async (browser: ReturnType<typeof newBrowser>) =>
  'code' in answerIn(await browser.goes(authorizeUrl(idp.issuer, shop, { prompt: 'none' })))

test('a session is shown as Okta does, prolonged, and ended with what came of it', async () => {
  const api = apiOf(idp)
  const { browser, id } = await signedIn()
  const { status, body } = await api('GET', `/sessions/${id}`)
  expect([status, body]).toMatchObject([
    200,
    { id, login: ada.login, status: 'ACTIVE', amr: ['pwd'], lastFactorVerification: null },
  ])
  expect(JSON.stringify(body)).toContain(`/api/v1/sessions/${id}/lifecycle/refresh`)
  idp.clock.advance(60 * 60_000)
  const refreshed = await api('POST', `/sessions/${id}/lifecycle/refresh`)
  expect(refreshed.status).toBe(200)
  expect(Date.parse(String(refreshed.body.expiresAt))).toBeGreaterThanOrEqual(
    Date.parse(String(body.expiresAt)) + 60 * 60_000,
  )
  // Past the idle time that counted from the sign-in.
  idp.clock.advance(90 * 60_000)
  expect(await isSignedIn(browser)).toBe(true)
  expect((await api('DELETE', `/sessions/${id}`)).status).toBe(204)
  expect(await isSignedIn(browser)).toBe(false)
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/lifecycle/refresh'],
  ] as const) {
    const answer = await api(method, `/sessions/${id}${path}`)
    expect([answer.status, answer.body.errorCode]).toEqual([404, 'E0000007'])
  }
})

test('that of an app is none of a browser, and without a token nothing is shown', async () => {
  const { id } = await signedIn()
  const userId = String((await apiOf(idp)('GET', `/users/${ada.login}`)).body.id)
  const all = (await apiOf(idp)('GET', `/users/${userId}/sessions`)).body as unknown as {
    readonly id: string
    readonly kind: string
  }[]
  const ofApp = all.find(({ kind }) => kind === 'APP')
  expect((await apiOf(idp)('GET', `/sessions/${ofApp?.id}`)).status).toBe(404)
  expect((await fetch(`${idp.engineUrl}/api/v1/sessions/${id}`)).status).toBe(401)
})
