import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newVisitor } from '../../src/testing/index.ts'
import { sdk } from '../support/sdk.ts'
import { anyPorts, type Dev, startDev } from './rekey.ts'

// A real process on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

/** What a developer meets in the first hour: calls that fail before a transaction exists (N-m51, N-m52). */
let folder: string
let dev: Dev
let complaints = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-refusals-'))
  dev = await startDev([...anyPorts, '--data', 'memory'], { folder })
  dev.child.stderr?.on('data', (text: Buffer) => {
    complaints += text.toString()
  })
})
afterAll(async () => {
  await dev?.end('SIGKILL')
  rmSync(folder, { recursive: true })
})

const printed = (text: string | RegExp) =>
  vi.waitFor(() => expect(complaints).toMatch(text), { timeout: 60_000 })
const flows = async () => (await fetch(`${dev.controlUrl}/flows`)).text()
const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

test('a wrong redirect URI: the answer, the inspector and the terminal say what is registered and where to add one', async () => {
  const uri = 'http://localhost:3000/callback'
  const refused = await newVisitor(dev).interacts({ redirect_uri: uri })
  const says = `${uri} is not registered for rekey-web (registered: ${dev.redirectUri}).`
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  expect(refused.body.error_description).toMatch(
    /^The 'redirect_uri' parameter must be one of the client's registered redirect URIs\. /,
  )
  for (const part of [
    says,
    'rekey.config',
    `${dev.engineUrl}/admin`,
    `PUT ${dev.engineUrl}/api/v1/apps/rekey-web`,
    'rekey-public, which accepts any http://localhost address with a port and no query.',
  ]) {
    expect(refused.body.error_description).toContain(part)
  }
  // It would be refused there as well: without a port, or with a query.
  for (const other of ['http://localhost/callback', 'http://localhost:3000/callback?app=1']) {
    const { body } = await newVisitor(dev).interacts({ redirect_uri: other })
    expect(body.error_description).toContain('is not registered for rekey-web')
    expect(body.error_description).not.toContain('rekey-public')
    const lenient = await newVisitor(dev, { client: dev.publicClientId }).interacts({ redirect_uri: other })
    expect(lenient.body.error_description).toContain(
      'is not registered for rekey-public (registered: any http://localhost address with a port and no query)',
    )
  }
  await printed(
    `${uri} is not registered for Sample Web App (registered: ${dev.redirectUri}).\n  Redirect URIs are compared exactly`,
  )
  await printed(/http:\/\/localhost:\d+\/flows\/exc\d+/)
  expect(await flows()).toContain('Refused at interact')
})

test.each([
  [
    'an unknown client',
    { client_id: 'rekey-wed' },
    'Registered clients: rekey-public (Sample Browser App), rekey-web (Sample Web App).',
    /interact was refused at .+: there is no client with this client id\.\n {2}Registered clients: rekey-public/,
  ],
  [
    'a wrong secret',
    { client_secret: 'wrong' },
    'The secret of rekey-web is printed when rekey dev starts.',
    'the client secret is not that of Sample Web App.',
  ],
  [
    'a wrong scope',
    { scope: 'openid emial' },
    'Scopes of this server: openid, profile, email',
    'scopes are not configured',
  ],
  [
    'a missing PKCE challenge',
    { code_challenge: '' },
    'PKCE is required',
    "The 'code_challenge' parameter is required.",
  ],
])('%s is explained in the answer and printed', async (_, parameters, says, line) => {
  const refused = await newVisitor(dev).interacts(parameters)
  expect(refused.status).toBeGreaterThanOrEqual(400)
  expect(refused.body.error_description).toContain(says)
  // RFC 6749, section 5.2: no quotes and backslashes.
  expect(refused.body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  await printed(line)
})

test('a body that is JSON is refused and printed', async () => {
  const refused = await post(`${dev.issuer}/v1/interact`, '{}', { 'content-type': 'application/json' })
  expect(refused.status).toBe(415)
  await printed('interact was refused at')
  await printed('The Content-Type header must be application/x-www-form-urlencoded.')
})

test('token calls that fail are printed: of a code that is none, a refresh token, a wrong secret, another grant', async () => {
  const credentials = { client_id: dev.clientId, client_secret: dev.clientSecret }
  const call = async (form: Record<string, string>) =>
    (await post(`${dev.issuer}/v1/token`, new URLSearchParams({ ...credentials, ...form }).toString())).status
  expect(await call({ grant_type: 'refresh_token', refresh_token: 'none' })).toBe(400)
  await printed(/token was refused at .+: .*refresh token/i)
  expect(
    await call({ grant_type: 'interaction_code', interaction_code: 'none', code_verifier: 'none' }),
  ).toBe(400)
  await printed('was not issued by this engine')
  expect(await call({ grant_type: 'authorization_code', code: 'none' })).toBe(400)
  await printed(/token was refused at .+: .*grant/i)
  expect(await call({ grant_type: 'refresh_token', refresh_token: 'none', client_secret: 'wrong' })).toBe(401)
  await printed('token was refused at')
})

test('a token call that fails in a transaction is printed', async () => {
  const visitor = newVisitor(dev)
  await visitor.signsIn(dev.person.login, dev.person.password ?? '')
  const code = visitor.response.interactionCode
  await visitor.redeems(code)
  await visitor.redeems(code)
  await printed(/and again at .+, so the tokens of the first redemption were revoked\./)
})

test('a page of an origin that is not trusted is printed, whether it asks first or not', async () => {
  const origin = 'https://shop.example'
  await fetch(`${dev.issuer}/v1/interact`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  })
  await printed(/hides the answer of .+ to POST .+ from pages of https:\/\/shop\.example/)
  const before = complaints.split(origin).length
  await post(`${dev.issuer}/v1/interact`, '', { origin })
  await expect.poll(() => complaints.split(origin).length).toBeGreaterThan(before)
  expect(await flows()).toContain('Untrusted origin')
})

test('an address of another issuer is printed with the right one, and no secret of it', async () => {
  const wrong = `${dev.engineUrl}/oauth2/aus1a2b3c4d/v1/interact`
  expect((await post(wrong, '')).status).toBe(404)
  await printed(`Nothing is served at POST /oauth2/aus1a2b3c4d/v1/interact`)
  await printed(`The issuer of this engine is ${dev.issuer}, or ${dev.engineUrl}.`)
  const secret = 'a1'.repeat(21)
  await fetch(`${dev.engineUrl}/nothing/${secret}?token=${secret}`)
  await printed('Nothing is served at GET /nothing/…,')
  expect(complaints).not.toContain(secret)
})

test('authorize shows what is wrong with the app or its address: a page for a browser, JSON for a program', async () => {
  const asked = `?client_id=${dev.clientId}&response_type=code&redirect_uri=https://evil.example/cb&state=s`
  for (const issuer of [dev.issuer, `${dev.engineUrl}/oauth2`]) {
    const page = await fetch(`${issuer}/v1/authorize${asked}`, {
      headers: { accept: 'text/html', 'accept-language': 'de' },
      redirect: 'manual',
    })
    expect([page.status, page.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8'])
    expect(await page.text()).toContain('Die Anwendung hat eine Anfrage geschickt')
    for (const accept of ['*/*', 'application/json, text/html;q=0.5']) {
      const json = await fetch(`${issuer}/v1/authorize${asked}`, { headers: { accept }, redirect: 'manual' })
      expect([json.status, await json.json()]).toEqual([
        400,
        {
          error: 'invalid_request',
          error_description: expect.stringContaining('must be a Login redirect URI'),
        },
      ])
    }
  }
  await printed('authorize was refused')
  expect(await flows()).toContain('Sign-in by redirect')
})

test('the addresses that a newcomer opens are pages in a browser and JSON for programs (N-m25)', async () => {
  for (const path of ['/', '/oauth2/default', '/oauth2/default/']) {
    const page = await fetch(`${dev.engineUrl}${path}`, { headers: { accept: 'text/html' } })
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const text = await page.text()
    for (const address of [dev.issuer, dev.controlUrl, dev.appUrl ?? '']) expect(text).toContain(address)
    const json = await fetch(`${dev.engineUrl}${path}`)
    expect([json.status, ((await json.json()) as { errorCode: string }).errorCode]).toEqual([404, 'E0000007'])
  }
  const unknown = await fetch(`${dev.engineUrl}/docs`, { headers: { accept: 'text/html' } })
  expect(unknown.status).toBe(404)
  expect(await unknown.text()).toContain('There is no page at this address')
})

test('an app in a loop does not fill the terminal', async () => {
  const before = complaints.length
  for (let n = 0; n < 60; n++) await newVisitor(dev).interacts({ state: '' })
  expect(complaints.slice(before).split("'state' parameter").length).toBeLessThan(10)
})

test('the published SDK shows its caller the same', async () => {
  const auth = sdk({ ...dev, redirectUri: 'http://localhost:3000/cb' })
  const login = { username: dev.person.login, password: dev.person.password ?? '' }
  await expect(auth.idx.authenticate(login)).rejects.toThrow(`registered: ${dev.redirectUri}`)
})
