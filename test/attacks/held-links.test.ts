import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { type HostedBrowser, newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { ada, type RegisteredClient, redirectUri, register, startShop } from '../wire/oauth-app.ts'

// The link of a mail in the browser that holds its transaction, and in others.
let idp: Kit
let shop: RegisteredClient
let last: string | undefined

beforeAll(async () => {
  idp = await startShop()
  shop = await register(idp, {
    ...{ applicationType: 'browser', grantTypes: ['authorization_code', 'refresh_token'] },
  })
})
beforeEach(() => idp.clock.advance(3_600_000))
afterAll(() => idp.close())

/** The mail that came after the last one. */
async function mailed(): Promise<{ readonly code: string; readonly link: string }> {
  const after = last === undefined ? {} : { after: last }
  const { id, code, link } = await idp.outbox.waitFor({ to: ada.email, template: 'ForgotPassword', ...after })
  last = id
  return { code: code ?? '', link: link ?? '' }
}

/** A recovery at the pages of the engine, up to the code, and its mail. */
async function atTheCode(browser = newHostedBrowser(idp)) {
  await browser.opens(authorizeUrl(idp.issuer, shop))
  await browser.submits('recover')
  await browser.submits('identify-recovery', { identifier: ada.login })
  if (browser.page.forms[0] === 'select-authenticator-authenticate') {
    await browser.submits('select-authenticator-authenticate', { choice: '0' })
  }
  return { browser, ...(await mailed()) }
}

/** The form of the page of a link that takes the code over; undefined: it has none. */
function hereOn(text: string): { readonly action: string; readonly token: string } | undefined {
  const [, action = '', token = ''] =
    /<form method="post" action="([^"]+\/here)"[\s\S]*?name="token" value="([^"]+)"/.exec(text) ?? []
  return action === '' ? undefined : { action, token }
}

/** Presses the button in a browser, and opens what it leads to. */
async function presses(browser: HostedBrowser, link: string, headers?: Record<string, string>) {
  const { pathname, searchParams } = new URL(link)
  const fields = { token: searchParams.get('token') ?? '' }
  const answer = await browser.posts(fields, headers, `${pathname}/here`)
  const to = answer.headers.get('location')
  if (to !== null) await browser.opens(to)
  return answer
}

type Jar = ReadonlyMap<string, string>

const isAsked = async (browser: HostedBrowser) => (await browser.opens()).forms[0]

test('a link in the browser that holds its transaction has a button, which goes on without a code typed in', async () => {
  const { browser, code, link } = await atTheCode()
  const page = await browser.opens(link)
  expect(page.text).toContain('Continue here')
  // The code stands there all the same, and no other recovery is offered.
  expect(page.text).toContain(code)
  expect(page.text).not.toContain('own=1')
  const { action, token } = hereOn(page.text) ?? { action: '', token: '' }
  const answer = await browser.posts({ token }, undefined, action)
  expect([answer.status, answer.headers.get('location')]).toEqual([
    303,
    expect.stringMatching(/\/signin\?t=[\w-]{12}$/),
  ])
  await browser.opens(answer.headers.get('location') ?? '')
  expect(browser.page.forms[0]).toBe('reset-authenticator')
  await browser.submits('reset-authenticator', { 'credentials.passcode': `Kettle-${idp.clock.now()}` })
  expect(browser.arrived?.searchParams.get('code')).toMatch(/^[\w-]{20,}$/)
  await apiOf(idp)('POST', '/users/ada', { credentials: { password: { value: ada.password } } })
})

test('A17: opening it changes nothing, however often, also with the cookies', async () => {
  const { browser, link } = await atTheCode()
  const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  for (const method of ['GET', 'HEAD', 'GET']) {
    const opened = await fetch(link, { method, redirect: 'manual', headers: { cookie } })
    expect([opened.status, opened.headers.getSetCookie()]).toEqual([200, []])
    expect(opened.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  }
  expect(await isAsked(browser)).toBe('challenge-authenticator')
  expect((await presses(browser, link)).status).toBe(303)
  expect(browser.page.forms[0]).toBe('reset-authenticator')
})

/** The cookies of a browser whose names begin so. */
const named = (jar: ReadonlyMap<string, string>, ...names: readonly string[]) =>
  [...jar].filter(([name]) => names.some((one) => name === one || name.startsWith(`${one}-`)))

test.each([
  ['without cookies', () => []],
  ['with the cookie of the transaction alone', (held: Jar) => named(held, 'rekey_tx')],
  ['with the cookie of the browser alone', (held: Jar) => named(held, 'rekey_browser')],
  [
    'with the cookie of the transaction, but another one of the browser',
    (held: Jar, other: Jar) => [...named(held, 'rekey_tx'), ...named(other, 'rekey_browser')],
  ],
  [
    'with the cookie of the browser, but another transaction',
    (held: Jar, other: Jar) => [...named(other, 'rekey_tx'), ...named(held, 'rekey_browser')],
  ],
] as const)('A18: in a browser %s there is no button, and its form does nothing', async (_, cookiesOf) => {
  const another = newHostedBrowser(idp)
  await another.opens(authorizeUrl(idp.issuer, shop))
  const { browser, link, code } = await atTheCode()
  const other = newHostedBrowser(idp)
  for (const [name, value] of cookiesOf(browser.jar, another.jar)) other.jar.set(name, value)
  const page = await other.opens(link)
  expect([page.status, hereOn(page.text)]).toEqual([200, undefined])
  expect(page.text).toContain(code)
  const answer = await presses(other, link)
  expect([answer.status, answer.headers.get('location')]).toEqual([303, link])
  expect(await isAsked(browser)).toBe('challenge-authenticator')
})

test('A18: in a browser that holds another transaction it is as in any other', async () => {
  const { browser, link } = await atTheCode()
  const other = newHostedBrowser(idp)
  await other.opens(authorizeUrl(idp.issuer, shop))
  expect(hereOn((await other.opens(link)).text)).toBeUndefined()
  await presses(other, link)
  expect(await isAsked(other)).toBe('identify')
  expect(await isAsked(browser)).toBe('challenge-authenticator')
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another host of the site', { 'sec-fetch-site': 'same-site' }],
  ['another origin', { origin: 'https://evil.example' }],
])('A71: a form of %s takes no code over', async (_who, headers) => {
  const { browser, link } = await atTheCode()
  expect((await presses(browser, link, headers)).status).toBe(403)
  expect(await isAsked(browser)).toBe('challenge-authenticator')
})

test('of two tabs the link goes on with its own', async () => {
  const { browser, link } = await atTheCode()
  await browser.opens(authorizeUrl(idp.issuer, shop))
  expect(await isAsked(browser)).toBe('identify')
  await presses(browser, link)
  expect(browser.page.forms[0]).toBe('reset-authenticator')
  expect(await isAsked(browser)).toBe('identify')
})

test('a link that is spent, or in whose place there is another one, leads to where the transaction is', async () => {
  const { browser, link } = await atTheCode()
  const tab = /t=[\w-]{12}/.exec((await presses(browser, link)).headers.get('location') ?? '')?.[0]
  const spent = await browser.opens(link)
  expect(spent.text).toContain(`<a href="${idp.engineUrl}/signin?${tab}">Go on where you were</a>`)
  await presses(browser, link)
  expect(browser.page.text).toContain('You went on in another tab or window.')
  expect(browser.page.forms[0]).toBe('reset-authenticator')
  // Elsewhere nothing is shown of it.
  expect((await newHostedBrowser(idp).opens(link)).text).not.toContain('/signin')

  idp.clock.advance(3_600_000)
  const again = await atTheCode()
  idp.clock.advance(60_000)
  await again.browser.submits('resend')
  const newer = await mailed()
  expect((await again.browser.opens(again.link)).text).toContain('Go on where you were')
  await presses(again.browser, again.link)
  expect(again.browser.page.forms[0]).toBe('challenge-authenticator')
  await presses(again.browser, newer.link)
  expect(again.browser.page.forms[0]).toBe('reset-authenticator')
})

test('a link whose transaction is complete leads to its end', async () => {
  const { browser, link } = await atTheCode()
  await presses(browser, link)
  const reset = { 'credentials.passcode': `Kettle-${idp.clock.now()}` }
  // The answer to the last form is lost.
  const lost = await browser.posts({ ...browser.fieldsOf('reset-authenticator'), ...reset })
  expect(lost.status).toBe(303)
  await presses(browser, link)
  expect(browser.arrived?.href.startsWith(redirectUri)).toBe(true)
  expect(browser.arrived?.searchParams.get('code')).toMatch(/^[\w-]{20,}$/)
  await apiOf(idp)('POST', '/users/ada', { credentials: { password: { value: ada.password } } })
})
