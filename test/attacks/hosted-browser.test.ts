import { once } from 'node:events'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s256 } from '../../src/base/index.ts'
import { type Kit, mary, startEngine } from '../../src/testing/index.ts'
import { freePort } from '../journeys/web-app.ts'
import { findChromium, launchChromium, noChromium } from '../support/chromium.ts'
import { manyRequests } from '../support/nodes.ts'
import { verifier } from '../support/redirects.ts'
import { testCertificate } from '../support/smtp-server.ts'

// What pages of others can do to a browser that is, or is to be, signed in here: in a real one, over https, with three sites. The engine is at
// id.shop.test, a page of the same site at evil.shop.test, an app that is registered at b.shop.test, and a page of another site at evil.test.
const executablePath = findChromium()
const reason = executablePath === undefined ? ` (skipped: ${noChromium})` : ''
const eve = { ...mary, login: 'eve@example.com', email: 'eve@example.com', password: 'Marmalade-Harbour-31' }

describe.skipIf(executablePath === undefined)(`pages of others, in a browser${reason}`, () => {
  let idp: Kit
  let browser: Browser
  let server: Server
  let at: (host: string, path?: string) => string
  /** What a page of others has on it. */
  let markup = ''
  /** The ends of sign-ins that a browser does not come to. */
  let withheld: string[] | undefined

  beforeAll(async () => {
    const [outside, inside] = [await freePort(), await freePort()]
    at = (host, path = '') => `https://${host}.test:${outside}${path}`
    server = createServer(testCertificate, (incoming, response) => {
      const { method, url, headers } = incoming
      if (headers.host?.startsWith('id.shop.test') !== true) {
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end(`<h1>A page</h1>${url === '/lure' ? markup : ''}`)
        return
      }
      incoming.pipe(
        request({ port: inside, host: '127.0.0.1', method, path: url, headers }, (answer) => {
          const { location } = answer.headers
          // The author of a sign-in uses its end not himself.
          const isWithheld = withheld !== undefined && location?.includes('/login/token/redirect')
          if (isWithheld) withheld?.push(String(location))
          response.writeHead(isWithheld ? 200 : (answer.statusCode ?? 502), isWithheld ? {} : answer.headers)
          answer.pipe(response)
        }),
      )
    }).listen(outside)
    await once(server, 'listening')
    const app = { applicationType: 'browser' as const, grantTypes: ['authorization_code' as const] }
    idp = await startEngine({
      port: inside,
      settings: { issuer: at('id.shop'), limits: manyRequests },
      people: [mary, eve],
      clients: [
        { ...app, id: 'shop', label: 'Shop', redirectUris: [at('app', '/callback')] },
        { ...app, id: 'other', label: 'Other', redirectUris: [at('b.shop', '/callback')] },
      ],
    })
    browser = await launchChromium(executablePath ?? '', ['--host-resolver-rules=MAP *.test 127.0.0.1'])
  })
  afterAll(async () => {
    await browser?.close()
    await idp?.close()
    server?.closeAllConnections()
    server?.close()
  })

  const authorize = (changes: Readonly<Record<string, string>> = {}) =>
    `${at('id.shop')}/oauth2/default/v1/authorize?${new URLSearchParams({
      client_id: 'shop',
      redirect_uri: at('app', '/callback'),
      response_type: 'code',
      scope: 'openid',
      state: 'a state',
      code_challenge: s256(verifier),
      code_challenge_method: 'S256',
      ...changes,
    })}`

  async function newPage(): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    context.setDefaultTimeout(20_000)
    return context.newPage()
  }

  /** Signs in by the pages, as far as the button; resolves with the page at the app. */
  async function signsIn(
    page: Page,
    { login, password }: { login: string; password: string },
  ): Promise<void> {
    await page.goto(authorize({ prompt: 'login' }))
    await page.locator('[name=identifier]').fill(login)
    await page.locator('[name="credentials.passcode"]').fill(password)
    await page.locator('button[type=submit]').first().click()
    await page.waitForURL(/\/callback\?/)
    expect(page.url()).toContain('code=')
  }

  /** Whose session the browser has. */
  async function whose(page: Page): Promise<string | undefined> {
    const own = await page.context().newPage()
    await own.goto(at('id.shop', '/api/v1/sessions/me'))
    const { login } = JSON.parse(await own.locator('body').innerText()) as { readonly login?: string }
    await own.close()
    return login
  }

  const cookiesOf = async (context: BrowserContext) =>
    Object.fromEntries((await context.cookies(at('id.shop'))).map(({ name, value }) => [name, value]))

  /** Opens a page of others with this on it. */
  async function lures(page: Page, host: string, content: string): Promise<void> {
    markup = content
    await page.goto(at(host, '/lure'))
  }

  const posting = (action: string, fields: Readonly<Record<string, string>>) =>
    `<form id="f" method="post" action="${action}">${Object.entries(fields)
      .map(([name, value]) => `<input name="${name}" value="${value}">`)
      .join('')}</form><script>document.getElementById('f').submit()</script>`

  test.each(['evil', 'evil.shop'])(
    'A71: a form on %s.test signs no browser in to the account of its author',
    async (host) => {
      const thief = await newPage()
      await thief.goto(authorize())
      const token = await thief.locator('[name=page]').first().inputValue()
      const page = await newPage()
      // Also where the browser is at a sign-in of its own.
      await page.goto(authorize())
      const own = await page.locator('[name=page]').first().inputValue()
      for (const one of [token, own]) {
        const fields = { form: 'identify', page: one, identifier: eve.login }
        const answered = page.waitForResponse((answer) => answer.url() === at('id.shop', '/signin'))
        await lures(
          page,
          host,
          posting(at('id.shop', '/signin'), { ...fields, 'credentials.passcode': eve.password }),
        )
        expect((await answered).status()).toBe(403)
        expect(await whose(page)).toBeUndefined()
      }
      await thief.context().close()
      await page.context().close()
    },
  )

  test('A71: the end of a sign-in that its author has made is worth nothing in the browser that is led to it', async () => {
    const thief = await newPage()
    withheld = []
    await thief.goto(authorize())
    await thief.locator('[name=identifier]').fill(eve.login)
    await thief.locator('[name="credentials.passcode"]').fill(eve.password)
    await thief.locator('button[type=submit]').first().click()
    await expect.poll(() => withheld).toHaveLength(1)
    const [end = ''] = withheld
    withheld = undefined
    const page = await newPage()
    await page.goto(authorize())
    const answered = page.waitForResponse((answer) => answer.url() === end)
    await lures(page, 'evil', `<script>location = ${JSON.stringify(end)}</script>`)
    expect((await answered).status()).toBe(400)
    expect(await whose(page)).toBeUndefined()
    await thief.context().close()
    await page.context().close()
  })

  test('A71: cookies that another host of the site sets count for nothing: of a session, a transaction or a browser', async () => {
    const thief = await newPage()
    await signsIn(thief, eve)
    await thief.goto(authorize({ prompt: 'login' }))
    const stolen = await cookiesOf(thief.context())
    expect(Object.keys(stolen).sort()).toEqual([
      ...['__Host-rekey_browser', '__Host-rekey_session', '__Host-rekey_tx'],
      expect.stringMatching(/^__Host-rekey_tx[._-]/),
    ])
    const page = await newPage()
    const lines = Object.entries(stolen).flatMap(([name, value]) => {
      const plain = name.replace('__Host-', '')
      const more = 'Domain=shop.test; Path=/; Secure'
      return [
        `${plain}=${value}; ${more}`,
        `${name}=${value}; ${more}`,
        `${name.toLowerCase()}=${value}; ${more}`,
        // Without a name, so that what is sent looks like one with a name.
        `=${name}=${value}; ${more}`,
        `${plain}=${value}; Domain=shop.test; Path=/signin`,
      ]
    })
    await lures(
      page,
      'evil.shop',
      `<script>for (const line of ${JSON.stringify(lines)}) document.cookie = line</script>`,
    )
    // Those without the prefix are in the browser: the test says something.
    expect(Object.keys(await cookiesOf(page.context()))).toContain('rekey_session')
    expect(await whose(page)).toBeUndefined()
    await page.goto(authorize({ prompt: 'none' }))
    expect(page.url()).toContain('error=login_required')
    await page.goto(at('id.shop', '/signin'))
    expect(await page.locator('[name=identifier]').count()).toBe(0)
    // And the user signs in as ever, to the own account.
    await signsIn(page, mary)
    expect(await whose(page)).toBe(mary.login)
    const own = await cookiesOf(page.context())
    expect(own['__Host-rekey_session']).not.toBe(stolen['__Host-rekey_session'])
    expect(await whose(thief)).toBe(eve.login)
    await thief.context().close()
    await page.context().close()
  })

  test('A71: a session of before a sign-in is over after it', async () => {
    const page = await newPage()
    await signsIn(page, eve)
    const before = await page.context().cookies(at('id.shop'))
    await signsIn(page, mary)
    expect(await whose(page)).toBe(mary.login)
    const thief = await newPage()
    await thief.context().addCookies(before)
    expect(await whose(thief)).toBeUndefined()
    await thief.context().close()
    await page.context().close()
  })

  test('A71: no page stands in a frame of another, also of the same site, where the browser sends its cookies', async () => {
    const page = await newPage()
    await signsIn(page, mary)
    await page.goto(authorize({ prompt: 'login' }))
    const framed = [
      at('id.shop', '/signin'),
      at('id.shop', '/signin/forgot-password'),
      at('id.shop', '/signin/done'),
      at('id.shop', '/login/signout'),
      at('id.shop', '/oauth2/default/v1/logout'),
      at('id.shop', `/welcome/${'a'.repeat(43)}`),
      authorize({ prompt: 'none', response_mode: 'okta_post_message' }),
      authorize({ prompt: 'none', response_mode: 'form_post' }),
    ]
    for (const host of ['evil.shop', 'b.shop', 'evil']) {
      for (const url of framed) {
        const answered = page.waitForResponse((answer) => answer.url() === url)
        await lures(page, host, `<iframe src="${url.replaceAll('&', '&amp;')}"></iframe>`)
        await answered
        await expect.poll(() => page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/')
      }
    }
    await page.context().close()
  })

  test('A81: a page of the same site reads no code, no page and no session, also where its app is registered', async () => {
    const page = await newPage()
    await signsIn(page, mary)
    const read = (url: string) =>
      page.evaluate<string>(
        `fetch(${JSON.stringify(url)}, { credentials: 'include' }).then((answer) => answer.text(), () => 'refused')`,
      )
    const theirs = [
      authorize({ prompt: 'none', response_mode: 'okta_post_message' }),
      authorize({ prompt: 'none', response_mode: 'form_post' }),
      authorize({ prompt: 'none' }),
      at('id.shop', '/signin'),
      at('id.shop', '/signin/done'),
      at('id.shop', '/login/signout'),
    ]
    for (const host of ['evil.shop', 'b.shop']) {
      await lures(page, host, '')
      for (const url of theirs) expect([host, url, await read(url)]).toEqual([host, url, 'refused'])
    }
    // What the origin of a registered app may read, and another one may not.
    const me = at('id.shop', '/api/v1/sessions/me')
    expect(await read(me)).toContain(mary.login)
    await lures(page, 'evil.shop', '')
    expect(await read(me)).toBe('refused')
    // And a window that it opens posts its message to the app alone.
    const opens = JSON.stringify(authorize({ prompt: 'none', response_mode: 'okta_post_message' }))
    await lures(page, 'b.shop', '')
    await page.evaluate('window.seen = []; addEventListener("message", ({ data }) => window.seen.push(data))')
    const opened = page.context().waitForEvent('page')
    await page.evaluate(`window.open(${opens}); 0`)
    await (await opened).waitForLoadState('load')
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 300))')
    expect(await page.evaluate('window.seen')).toEqual([])
    await page.context().close()
  })

  test('A73: a page of another site signs no user out: by a form, a picture, a frame or a link', async () => {
    const page = await newPage()
    await signsIn(page, mary)
    const signOut = at('id.shop', '/login/signout')
    const me = at('id.shop', '/api/v1/sessions/me')
    const beside = [
      `<img src="${signOut}">`,
      `<iframe src="${signOut}"></iframe>`,
      `<link rel="prefetch" href="${signOut}">`,
      `<script>fetch(${JSON.stringify(me)}, { method: 'DELETE', credentials: 'include', mode: 'cors' })</script>`,
    ].join('')
    for (const host of ['evil', 'evil.shop']) {
      for (const content of [
        beside,
        posting(signOut, { page: 'x' }),
        posting(`${me}/lifecycle/refresh`, {}),
        `<script>location = ${JSON.stringify(signOut)}</script>`,
        `<script>location = ${JSON.stringify(at('id.shop', '/oauth2/default/v1/logout'))}</script>`,
      ]) {
        await lures(page, host, content)
        await page.waitForLoadState('networkidle')
        expect([host, content.slice(0, 40), await whose(page)]).toEqual([
          host,
          content.slice(0, 40),
          mary.login,
        ])
      }
    }
    await page.context().close()
  })
})
