import { afterAll, beforeAll, expect, test } from 'vitest'
import { lockPerson } from '../../src/directory/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
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
  // Nor is it spent by that: the app that has pushed it goes on.
  named.set('client_id', web.id)
  const own = await newBrowser().goes(`${idp.issuer}/v1/authorize?${named}`)
  expect(own.headers.get('location')).toContain(`${idp.engineUrl}/signin?t=`)
})

test('A80: a consent is given by the form of its own page, in its own browser, once, and by nothing else', async () => {
  const asked = authorizeUrl(idp.issuer, web, { scope: 'openid phone', prompt: 'consent' })
  const atConsent = async () => {
    const browser = newHostedBrowser(idp)
    await browser.opens(asked)
    await browser.submits('identify', { identifier: ada.login, 'credentials.passcode': ada.password })
    expect(browser.page.forms).toContain('consent')
    return browser
  }
  const tokenOf = (text: string) => /name="page" value="([^"]+)"/.exec(text)?.[1] ?? ''
  const browser = await atConsent()
  const other = await atConsent()
  const form = { form: 'consent', page: tokenOf(browser.page.text), consent: 'true' }
  const own = { 'sec-fetch-site': 'same-origin' }
  for (const [fields, headers] of [
    [form, { 'sec-fetch-site': 'cross-site' }],
    [form, { 'sec-fetch-site': 'same-site' }],
    [{ ...form, page: '' }, own],
    [{ ...form, page: tokenOf(other.page.text) }, own],
    [{ ...form, form: 'consent ' }, own],
    [{ ...form, form: '__proto__' }, own],
  ] as const) {
    const answer = await browser.posts(fields, headers)
    expect([fields, answer.headers.get('location') ?? '']).toEqual([
      fields,
      expect.not.stringContaining('code='),
    ])
    expect(answer.headers.get('location') ?? '').not.toContain('stateToken')
  }
  // What is not a yes is a no.
  for (const consent of [{}, { consent: 'yes' }, { consent: 'x'.repeat(30_000) }]) {
    const unsure = await atConsent()
    const page = tokenOf(unsure.page.text)
    const answer = await unsure.posts({ form: 'consent', page, ...consent })
    await unsure.opens(answer.headers.get('location') ?? '')
    expect(unsure.arrived?.searchParams.get('error')).toBe('access_denied')
  }
  // The transaction of the other browser is another one: its form is of no use here, nor this one's there.
  expect((await other.posts(form)).headers.get('location')).toBe(`${idp.engineUrl}/signin`)
  const answers = await Promise.all(Array.from({ length: 5 }, () => browser.posts(form)))
  const ends = new Set(
    answers.map((answer) => answer.headers.get('location') ?? '').filter((one) => one.includes('stateToken')),
  )
  expect(ends.size).toBe(1)
  await browser.opens([...ends][0])
  expect(browser.arrived?.searchParams.get('code')).toBeTruthy()
  const late = await atConsent()
  const { page } = late
  await idp.clock.advance('3h')
  await late.submits('consent', { consent: 'true' }, page)
  expect([late.arrived, late.page.title]).toEqual([undefined, 'This sign-in has ended'])
})

onEachDatabase('a consent that is taken back', (database) => {
  test('A49: during a silent sign-in that has read it, it is asked for all the same', async () => {
    const { url, drop } = await database.create()
    const here = await startShop({ settings: { database: { url } } })
    try {
      const registration = { settings: { oauthClient: { consent_method: 'REQUIRED' } } }
      const app = await register(here, { grantTypes: ['authorization_code'], registration })
      const api = apiOf(here)
      const { list } = await api('GET', '/authorizationServers/default/scopes')
      const { id } = list.find(({ name }) => name === 'phone') ?? {}
      await api('PUT', `/authorizationServers/default/scopes/${id}`, { name: 'phone', consent: 'REQUIRED' })
      const browser = newBrowser()
      const asked = { scope: 'openid phone' }
      const stateToken = await stateTokenAt(await browser.goes(authorizeUrl(here.issuer, app, asked)))
      const { stateHandle } = await signsIn(here.engineUrl, stateToken, ada)
      const { success } = await idx(here.engineUrl, 'consent', { stateHandle, consent: true })
      expect(answerIn(await browser.goes(String(success?.href)))).toHaveProperty('code')
      const user = String((await api('GET', '/users/ada')).body.id)

      // Both wait for the user's row: first the one who takes it back, then the sign-in, which has read the consent by then.
      let waiting: readonly [Promise<unknown>, Promise<Response>] | undefined
      const moment = () => new Promise((done) => setTimeout(done, 300))
      await here.engine.storage.transaction(async (tx) => {
        await lockPerson(tx, user)
        const taken = api('DELETE', `/users/${user}/grants`)
        await moment()
        waiting = [taken, browser.goes(authorizeUrl(here.issuer, app, { ...asked, prompt: 'none' }))]
        await moment()
      })
      await waiting?.[0]
      const answer = waiting && answerIn(await waiting[1])
      expect(answer).toMatchObject({ error: 'consent_required' })
    } finally {
      await here.close()
      await drop()
    }
  })
})
