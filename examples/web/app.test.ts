import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newPlainBrowser } from '../../test/journeys/plain-browser.ts'
import { createApp } from './app.ts'
import type { Config } from './config.ts'

// The behaviour of the app without a sign-in service. The complete flow is tested in test/journeys.

const config: Config = {
  issuer: 'http://127.0.0.1:1/oauth2/default',
  clientId: 'app',
  clientSecret: 'secret-of-the-app',
  appUrl: 'http://localhost:8080',
  sessionSecret: 'secret-of-sessions',
  trustProxy: undefined,
  inboxUrl: undefined,
  codeLifetime: undefined,
  managesMethods: false,
}

const servers: Server[] = []

async function listen(changes: Partial<Config> = {}): Promise<string> {
  const server = createServer(createApp({ ...config, ...changes }))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

let url: string
beforeAll(async () => {
  url = await listen()
})
afterAll(() => {
  for (const server of servers) server.close()
})

const createBrowser = (origin = url) => newPlainBrowser(origin)

test('every response forbids framing, inline code, caching and referrers', async () => {
  const { visit } = createBrowser()
  for (const path of ['/', '/login', '/recover-password', '/stopped', '/nowhere', '/login/callback']) {
    const { headers } = await visit(path)
    const policy = headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
  }
})

test('the session cookie is out of reach of scripts and other sites, and needs TLS where the app has it', async () => {
  const plain = await createBrowser().visit('/login')
  const cookie = plain.headers.getSetCookie().find((line) => line.startsWith('session='))
  expect(cookie).toMatch(/HttpOnly/)
  expect(cookie).toMatch(/SameSite=Lax/)
  expect(cookie).not.toMatch(/Secure/)

  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const secure = createBrowser(await listen({ appUrl: 'https://app.example.com', trustProxy: 'loopback' }))
  const overTls = { headers: { 'x-forwarded-proto': 'https' } }
  const pages = [await secure.visit('/login', overTls), await secure.visit('/register', overTls)]
  log.mockRestore()
  const cookies = pages.flatMap(({ headers }) => headers.getSetCookie())
  expect(cookies.map((line) => line.split('=')[0]).toSorted()).toEqual(['device', 'session'])
  for (const line of cookies) expect(line).toMatch(/; Secure/)
})

test('a visitor who submits nothing gets no session', async () => {
  const { headers } = await createBrowser().visit('/')
  expect(headers.getSetCookie()).toEqual([])
})

test.each([
  ['a doubled field', 'username=mary&username=eve'],
  ['a list', 'username[]=mary&username[]=eve'],
  ['a field beyond all measure', `username=${'x'.repeat(1100)}`],
  ['too many fields', Array.from({ length: 30 }, (_, index) => `f${index}=x`).join('&')],
  ['a body beyond all measure', `username=${'x'.repeat(1_000_000)}`],
])('%s is answered with a clear page', async (_what, fields) => {
  const browser = createBrowser()
  const csrf = await browser.tokenOn('/recover-password')
  const { status, text } = await browser.visit('/recover-password', {
    method: 'POST',
    body: `csrf=${csrf}&${fields}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(status).toBeGreaterThanOrEqual(400)
  expect(status).toBeLessThan(500)
  expect(text).toContain('<h1>')
  expect(text).not.toMatch(/at .*\.ts|node_modules/)
})

test('a form without the token of its session is refused', async () => {
  const [mine, foreign] = [createBrowser(), createBrowser()]
  await mine.tokenOn('/login')
  for (const csrf of ['', 'x', await foreign.tokenOn('/login')]) {
    const { status, text } = await mine.post('/login', { username: 'mary', password: 'x', csrf })
    expect(status).toBe(403)
    expect(text).toContain('Nothing was sent.')
  }
  expect((await mine.post('/logout', {})).status).toBe(403)
  const json = {
    method: 'POST',
    body: '{"username":"mary"}',
    headers: { 'content-type': 'application/json' },
  }
  expect((await mine.visit('/login', json)).status).toBe(403)
})

test('an empty form comes back with the message at its field and what was typed', async () => {
  const browser = createBrowser()
  const csrf = await browser.tokenOn('/login')
  const { status, text } = await browser.post('/login', { csrf, username: 'mary', password: '' })
  expect(status).toBe(400)
  expect(text).toContain('<p class="field-error" id="password-error">Enter your password.</p>')
  expect(text).toContain('value="mary"')
  expect(text).toContain('<title>Error: Sign In')
})

test('the link opened in another browser shows the code once, at an address without it', async () => {
  const browser = createBrowser()
  const { status, headers } = await browser.visit('/login/callback?otp=482913&state=of-another-browser')
  expect([status, headers.get('location')]).toEqual([303, '/login/callback/code'])
  const page = await browser.visit('/login/callback/code')
  expect(page.text).toContain('<code>482913</code>')
  expect(page.text).toContain('Never tell anyone this code.')
  expect((await browser.visit('/login/callback/code')).text).not.toContain('482913')
  expect((await browser.visit('/')).text).toContain('You are signed out.')
})

test.each([
  '?otp=482913&otp=111111&state=s',
  '?otp=482913&state=a&state=b',
  '?otp=call%20us%20at%20555%2D1234&state=s',
  '?otp=%3Cb%3E&state=s',
  '?otp=%E0%A4%A&state=s',
  `?otp=482913&state=${'s'.repeat(300)}`,
  '',
  '?code=abc&state=s',
])('the callback with "%s" is answered with 400', async (search) => {
  const { status, text } = await createBrowser().visit(`/login/callback${search}`)
  expect(status).toBe(400)
  expect(text).toContain('<h1>')
})

test('a callback for an unknown sign-in leads to a page to start again', async () => {
  const browser = createBrowser()
  for (const search of ['?error=access_denied&error_description=Call+us', '?interaction_code=x&state=y']) {
    expect((await browser.visit(`/login/callback${search}`)).headers.get('location')).toBe('/stopped')
    const { text } = await browser.visit('/stopped')
    expect(text).toContain('href="/login">Start again')
    expect(text).not.toContain('Call us')
  }
})

test('a step without a transaction leads to a page to start again, also for the poll', async () => {
  const browser = createBrowser()
  for (const path of [
    '/challenge-authenticator',
    '/reset-authenticator',
    '/select-authenticator-authenticate',
  ])
    expect((await browser.visit(path)).headers.get('location')).toBe('/stopped')
  const poll = await browser.visit('/challenge-authenticator/poll', {
    headers: { accept: 'application/json' },
  })
  expect(JSON.parse(poll.text)).toEqual({ location: '/stopped' })
})

test('a page that needs a sign-in leads there, and says where to come back to', async () => {
  const origin = await listen({ managesMethods: true })
  const { headers } = await createBrowser(origin).visit('/methods')
  expect(headers.get('location')).toBe('/login?return_to=%2Fmethods')
})

test('the sign-in page links to the sign-up as long as the server has not said that there is none', async () => {
  const { text } = await createBrowser().visit('/login?return_to=//evil.example')
  expect(text).toContain('<a href="/register">Sign up</a>')
  expect(text).not.toContain('evil')
})

test('a sign-in service that does not answer is no riddle, and the log holds no secret', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const browser = createBrowser()
  const csrf = await browser.tokenOn('/login')
  const { status, text } = await browser.post('/login', { csrf, username: 'mary', password: 'her-password' })
  expect(status).toBe(502)
  const reference = /<code>([0-9a-f]{8})<\/code>/.exec(text)?.[1]
  const lines = log.mock.calls.flat().join('\n')
  log.mockRestore()
  expect(lines).toContain(reference)
  expect(lines).not.toMatch(/her-password|secret-of|mary/)
})

test('what is not there is not there', async () => {
  const { visit } = createBrowser()
  expect((await visit('/nowhere')).status).toBe(404)
  expect((await visit('/public/..%2fokta.ts')).status).toBe(404)
  expect((await visit('/public/style.css')).status).toBe(200)
})
