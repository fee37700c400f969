import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { answerIn, authorizeUrl, idx, newBrowser, signsIn, stateTokenAt } from '../support/redirects.ts'
import {
  ada,
  basic,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'

// What a user has refused, and what an app has pushed: of use in one browser, and to one app.
let idp: Kit
let web: RegisteredClient
let other: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  web = await register(idp, { grantTypes: ['authorization_code'] })
  other = await register(idp, { grantTypes: ['authorization_code'] })
  const api = apiOf(idp)
  const { list } = await api('GET', '/authorizationServers/default/scopes')
  const { id } = list.find(({ name }) => name === 'phone') ?? {}
  await api('PUT', `/authorizationServers/default/scopes/${id}`, { name: 'phone', consent: 'REQUIRED' })
})
afterAll(() => idp.close())

test('A80: the end of a consent that was refused is worth nothing in another browser', async () => {
  const browser = newBrowser()
  const asked = { scope: 'openid phone', prompt: 'consent' }
  const stateToken = await stateTokenAt(await browser.goes(authorizeUrl(idp.issuer, web, asked)))
  const { stateHandle } = await signsIn(idp.engineUrl, stateToken, ada)
  const { success } = await idx(idp.engineUrl, 'consent', { stateHandle, consent: false })
  const at = await newBrowser().goes(String(success?.href))
  expect([at.status, at.headers.get('location')]).toEqual([400, null])
  expect(answerIn(await browser.goes(String(success?.href)))).toMatchObject({ error: 'access_denied' })
})

test('A72: what an app has pushed is worth nothing under the name of another', async () => {
  const form = Object.fromEntries(new URL(authorizeUrl(idp.issuer, web, { scope: 'openid' })).searchParams)
  const { body } = await post(`${idp.issuer}/v1/par`, form, { authorization: basic(web) })
  const named = new URLSearchParams({ client_id: other.id, request_uri: String(body.request_uri) })
  const at = await newBrowser().goes(`${idp.issuer}/v1/authorize?${named}&redirect_uri=${redirectUri}`)
  expect([at.status, at.headers.get('location')]).toEqual([400, null])
})
