import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { answerIn, authorizeUrl, newBrowser, verifier } from '../support/redirects.ts'
import {
  ada,
  basic,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'

// An optional scope that a user has left out: the app has it neither later, nor silently, nor does another app.
let idp: Kit
let shop: RegisteredClient
let other: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  const asking = {
    grantTypes: ['authorization_code'],
    registration: { settings: { oauthClient: { consent_method: 'REQUIRED' } } },
  }
  shop = await register(idp, asking)
  other = await register(idp, asking)
  const api = apiOf(idp)
  const { list } = await api('GET', '/authorizationServers/default/scopes')
  for (const [name, settings] of [
    ['phone', { consent: 'REQUIRED' }],
    ['email', { consent: 'FLEXIBLE', optional: true }],
  ] as const) {
    const { id } = list.find((one) => one.name === name) ?? {}
    const { status } = await api('PUT', `/authorizationServers/default/scopes/${id}`, { name, ...settings })
    expect(status).toBe(200)
  }
})
afterAll(() => idp.close())

const scope = 'openid email phone'
const typed = { identifier: ada.login, 'credentials.passcode': ada.password }

async function scopesOf(client: RegisteredClient, code: string | null | undefined): Promise<unknown> {
  const form = {
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
  }
  return (await post(`${idp.issuer}/v1/token`, form, { authorization: basic(client) })).body.scope
}

test('A72: what a user has left out is in no later token, by a page or silently, and asked for by every other app', async () => {
  const browser = newHostedBrowser(idp)
  await browser.opens(authorizeUrl(idp.issuer, shop, { scope }))
  await browser.submits('identify', typed)
  expect(browser.page.forms).toContain('granular-consent')
  await browser.submits('granular-consent', { consent: 'true', 'optedScopes.email': '' })
  expect(await scopesOf(shop, browser.arrived?.searchParams.get('code'))).toBe('openid phone')
  // With the session, on the page and without one.
  await browser.opens(authorizeUrl(idp.issuer, shop, { scope }))
  expect(await scopesOf(shop, browser.arrived?.searchParams.get('code'))).toBe('openid phone')
  const silent = newBrowser()
  for (const [name, value] of browser.jar) silent.cookies.set(name, value)
  const answer = answerIn(await silent.goes(authorizeUrl(idp.issuer, shop, { scope, prompt: 'none' })))
  expect(await scopesOf(shop, answer.code)).toBe('openid phone')
  // What is left out at one app is neither left out nor allowed at another.
  const before = browser.arrived
  const page = await browser.opens(authorizeUrl(idp.issuer, other, { scope }))
  expect(browser.arrived).toBe(before)
  expect(page.forms).toContain('granular-consent')
  // No administrator sees what was left out as something that was allowed.
  const { list } = await apiOf(idp)('GET', `/users/ada/clients/${shop.id}/grants`)
  expect(list.map((one) => one.scopeId)).toEqual(['phone'])
})
