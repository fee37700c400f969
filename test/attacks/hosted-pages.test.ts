import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { authorizeUrl, newBrowser } from '../support/redirects.ts'
import { redirectUri } from '../wire/oauth-app.ts'

// The engine's own sign-in pages: forms of others, transactions of others, and texts of others.
const markup = '"><script>alert(1)</script>'
const escaped = '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine({
    settings: { org: { name: markup } },
    clients: [
      {
        id: 'marked',
        label: markup,
        applicationType: 'browser',
        redirectUris: [redirectUri],
        grantTypes: ['authorization_code'],
      },
    ],
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const mary = () => ({ identifier: idp.person.login, 'credentials.passcode': idp.person.password })
const tokenOn = ({ text }: { readonly text: string }) => /name="page" value="([^"]+)"/.exec(text)?.[1] ?? ''

test.each([
  ['of another site', { 'sec-fetch-site': 'cross-site' }],
  ['of another host of the site', { 'sec-fetch-site': 'same-site' }],
  ['of another origin, in a browser without fetch metadata', { origin: 'https://evil.example' }],
  ['without an origin', { origin: 'null' }],
])('A71: a form %s is not taken', async (_, headers) => {
  const browser = newHostedBrowser(idp)
  const form = { form: 'identify', page: tokenOn(await browser.begins()), ...mary() }
  expect((await browser.posts(form, headers)).status).toBe(403)
  expect((await browser.posts(form)).headers.get('location')).toContain('interaction_code=')
})

test('A71: a form with the token of another transaction is not taken, so a browser is not signed in to another account', async () => {
  const page = tokenOn(await newHostedBrowser(idp).begins())
  const browser = newHostedBrowser(idp)
  await browser.begins()
  const answer = await browser.posts({ form: 'identify', page, ...mary() })
  expect(answer.headers.get('location')).toBe(`${idp.engineUrl}/signin`)
  expect((await browser.opens()).title).toBe('Sign in')
})

test('A71: the pages are in no frame, run no script, load nothing of others, and lead on by a form', async () => {
  const { headers } = await newHostedBrowser(idp).begins()
  // Without `form-action`, which browsers apply to the redirect to the app, too (R-F6).
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
  )
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('referrer-policy')).toBe('same-origin')
  expect(headers.get('x-frame-options')).toBe('DENY')
})

test('A80: no page and no address has a handle, and a handle in an address does nothing', async () => {
  const began = await newBrowser().goes(authorizeUrl(idp.issuer, { id: 'marked' }, { scope: 'openid' }))
  expect(began.headers.get('location')).toMatch(/^http:\/\/localhost:\d+\/signin\?t=[\w-]{12}$/)
  const visitor = idp.visitor()
  await visitor.begins()
  const browser = newHostedBrowser(idp)
  browser.jar.set('rekey_tx', visitor.interactionHandle)
  const page = await browser.opens()
  expect(page.title).toBe('Sign in')
  expect(page.text).not.toContain(visitor.stateHandle)
  expect(page.text).not.toContain(visitor.interactionHandle)
  for (const query of [
    `stateToken=${visitor.stateHandle}`,
    `interaction_handle=${visitor.interactionHandle}`,
  ]) {
    expect((await newHostedBrowser(idp).opens(`/signin?${query}`)).status).toBe(400)
  }
})

test('A82: what was typed, the name of the org and the label of an app are text in the page', async () => {
  const browser = newHostedBrowser(idp)
  await browser.begins()
  const typed = await browser.submits('identify', { ...mary(), identifier: markup })
  const began = newHostedBrowser(idp)
  const answer = await newBrowser().goes(authorizeUrl(idp.issuer, { id: 'marked' }, { scope: 'openid' }))
  const [, handle = ''] = /rekey_tx=([^;]+)/.exec(answer.headers.getSetCookie().join()) ?? []
  began.jar.set('rekey_tx', handle)
  await idp.clock.advance('3h')
  const ended = await began.opens()
  expect(ended.title).toBe('This sign-in has ended')
  for (const { text } of [typed, ended]) {
    expect(text).not.toContain('<script')
    // Once as the name of the org, and once as what was typed or as the app.
    expect(text.split(escaped).length).toBeGreaterThan(2)
  }
})

test('A71: every page names the app that it leads to, so that a page of one is not taken for one of another', async () => {
  const browser = newHostedBrowser(idp)
  await browser.opens(authorizeUrl(idp.issuer, { id: 'marked' }, { scope: 'openid' }))
  for (const form of ['recover', 'cancel']) {
    expect(browser.page.text).toContain(`to continue to `)
    expect(browser.page.text).toContain(escaped)
    if (browser.page.forms.includes(form)) await browser.submits(form)
  }
  expect(browser.page.text.replaceAll(/<header[\s\S]*?<\/header>|<title>.*<\/title>/g, '')).toContain(escaped)
})
