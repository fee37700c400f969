import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { answerIn, authorizeUrl, newBrowser } from '../support/redirects.ts'
import { ada, type RegisteredClient, register, signedOutUri, startShop } from '../wire/oauth-app.ts'

// Two tabs of one browser: each has a page of its own, and ends at its own app.
let idp: Kit
let shop: RegisteredClient
let news: RegisteredClient

beforeAll(async () => {
  idp = await startShop()
  const settings = {
    grantTypes: ['authorization_code', 'refresh_token'] as const,
    postLogoutRedirectUris: [signedOutUri],
  }
  shop = await register(idp, { ...settings, label: 'The shop' })
  news = await register(idp, { ...settings, label: 'The news' })
})
afterAll(() => idp.close())

type Browser = ReturnType<typeof newBrowser>

/** Asks for a sign-in in a new tab, and answers the address of its page. */
const opens = async (browser: Browser, client: RegisteredClient, state: string) => {
  const answer = await browser.goes(authorizeUrl(idp.issuer, client, { state }))
  return String(answer.headers.get('location'))
}

const shown = async (browser: Browser, address: string) => {
  const answer = await browser.goes(address)
  return { status: answer.status, text: await answer.text() }
}

/** Sends the first form of a page with what is typed, and answers where that leads. */
async function submits(browser: Browser, address: string, typed: Readonly<Record<string, string>>) {
  const { text } = await shown(browser, address)
  const [form = ''] = /<form[^>]*>[\s\S]*?<\/form>/.exec(text) ?? []
  const [, action = ''] = /action="([^"]*)"/.exec(form) ?? []
  const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]))
  const names = [...form.matchAll(/ name="([^"]+)"/g)].map(([, name = '']) => name)
  const sent = Object.fromEntries(Object.entries(typed).filter(([name]) => names.includes(name)))
  const answer = await browser.goes(action.replaceAll('&amp;', '&'), {
    method: 'POST',
    body: new URLSearchParams({ ...fields, ...sent }),
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  return String(answer.headers.get('location'))
}

/** Signs Ada in on a page, up to the answer to its app. */
async function signsInAt(browser: Browser, page: string) {
  const typed = { identifier: ada.login, 'credentials.passcode': ada.password }
  let address = page
  for (let step = 0; step < 4 && address.includes('/signin'); step++) {
    address = await submits(browser, address, typed)
  }
  return answerIn(await browser.goes(address))
}

const bound = (browser: Browser) => [...browser.cookies.keys()].filter((name) => name.startsWith('rekey_tx'))

test('A80: each of two tabs shows its own app, and ends there, in either order', async () => {
  const browser = newBrowser()
  const first = await opens(browser, shop, 'of the first')
  const second = await opens(browser, news, 'of the second')
  expect(first).not.toBe(second)
  expect((await shown(browser, first)).text).toContain('The shop')
  expect((await shown(browser, second)).text).toContain('The news')
  expect(await signsInAt(browser, first)).toMatchObject({ state: 'of the first', code: expect.any(String) })
  expect((await shown(browser, second)).text).toContain('The news')
  expect(await signsInAt(browser, second)).toMatchObject({
    state: 'of the second',
    code: expect.any(String),
  })
  expect(bound(browser)).toEqual([])
})

test('A80: the address of a page is worth nothing without its cookie', async () => {
  const browser = newBrowser()
  const address = await opens(browser, shop, 'mine')
  const [handle = ''] = [...browser.cookies].flatMap(([name, value]) => (name === 'rekey_tx' ? [value] : []))
  expect(address).not.toContain(handle.slice(0, 8))
  const other = newBrowser()
  expect((await shown(other, address)).status).toBe(400)
  // A browser that has a transaction of its own is not shown that one in its place, either.
  await opens(other, news, 'theirs')
  const page = await shown(other, address)
  expect([page.status, page.text.includes('The shop'), page.text.includes('The news')]).toEqual([
    400,
    false,
    false,
  ])
})

test('a browser has five at most, the latest ones; a sign-out leaves none', async () => {
  const browser = newBrowser()
  const pages: string[] = []
  for (let tab = 0; tab < 8; tab++) pages.push(await opens(browser, shop, `tab ${tab}`))
  // The one without a selector is that of the latest.
  expect(bound(browser)).toHaveLength(6)
  const statuses: number[] = []
  for (const page of pages) statuses.push((await shown(browser, page)).status)
  expect(statuses).toEqual([400, 400, 400, 200, 200, 200, 200, 200])
  await signsInAt(browser, pages[7] ?? '')
  await browser.goes(`${idp.engineUrl}/login/signout`, { headers: { 'sec-fetch-site': 'none' } })
  expect(bound(browser)).toEqual([])
})
