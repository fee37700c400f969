import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ExchangeRecorder } from '../../src/audit/index.ts'
import { createLogger, systemRandom } from '../../src/base/index.ts'
import { putTrustedOrigin } from '../../src/clients/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { authn, sessionTokenOf } from '../support/classic.ts'
import { apiOf } from '../support/management.ts'
import { startNode } from '../support/nodes.ts'
import { sessionRule } from '../support/policy-rules.ts'
import { answerIn, authorizeUrl, idx, newBrowser, signsIn, stateTokenAt } from '../support/redirects.ts'
import { ada, type RegisteredClient, register, startShop } from '../wire/oauth-app.ts'
import { codeAt, enrollmentPolicy } from '../wire/totp.ts'

// The classic authentication API around an app's policy: nothing more than the policy gives, and nothing shown of who there is.
let idp: Kit
let spa: RegisteredClient

const enabled = { settings: { classic: { enabled: true } } }

beforeEach(async () => {
  idp = await startShop(enabled)
  spa = await register(idp, { applicationType: 'browser', grantTypes: ['authorization_code'] })
})
afterEach(() => idp.close())

const at = (changes: object, client = spa) =>
  authorizeUrl(idp.issuer, client, { scope: 'openid', ...changes })
const silent = (changes: object = {}) => at({ prompt: 'none', ...changes })
const twoFactors = { acr_values: 'urn:okta:loa:2fa:any' }

async function withApp(): Promise<string> {
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
  const { sharedSecret = '' } = await idp.factors.enroll('ada', 'google_otp')
  return sharedSecret
}

test('A83: a session token gives an app no more than what was proven: the rest is asked for there', async () => {
  await withApp()
  const browser = newBrowser()
  const refused = await browser.goes(silent({ ...twoFactors, sessionToken: await sessionTokenOf(idp, ada) }))
  expect(answerIn(refused)).toMatchObject({ error: 'login_required' })
  const page = await browser.goes(at(twoFactors))
  const { remediation } = await idx(idp.engineUrl, 'introspect', { stateToken: await stateTokenAt(page) })
  expect(remediation?.value.map(({ name }) => name)).not.toContain('identify')
})

test('A83: what the session policy demands is asked for by the classic API as well', async () => {
  const secret = await withApp()
  await sessionRule(idp, { access: 'ALLOW', requireFactor: true })
  const { body } = await authn(idp, '', { username: ada.login, password: ada.password })
  expect(body).toMatchObject({ status: 'MFA_REQUIRED' })
  expect(body.sessionToken).toBeUndefined()
  const factor = body._embedded?.factors?.find(({ factorType }) => factorType === 'token:software:totp')
  const { stateToken } = body
  const verify = (passCode: string) => authn(idp, `/factors/${factor?.id}/verify`, { stateToken, passCode })
  expect((await verify('000000')).body.errorCode).toBe('E0000068')
  const done = await verify(codeAt(secret, idp.clock.now()))
  expect(done.body).toMatchObject({ status: 'SUCCESS', sessionToken: expect.any(String) })
})

test('A83: a session token is good once, of parallel uses for one', async () => {
  const sessionToken = await sessionTokenOf(idp, ada)
  const used = await Promise.all(Array.from({ length: 5 }, () => newBrowser().goes(silent({ sessionToken }))))
  expect(used.filter((answer) => 'code' in answerIn(answer))).toHaveLength(1)
  expect(answerIn(await newBrowser().goes(silent({ sessionToken })))).toMatchObject({
    error: 'login_required',
  })
})

test('A83: a session token is dead after five minutes', async () => {
  const sessionToken = await sessionTokenOf(idp, ada)
  idp.clock.advance(300_001)
  expect(answerIn(await newBrowser().goes(silent({ sessionToken })))).toMatchObject({
    error: 'login_required',
  })
})

test('A83: a session token from before a new password is worth nothing', async () => {
  const sessionToken = await sessionTokenOf(idp, ada)
  const api = apiOf(idp)
  const { body } = await api('GET', '/users/ada')
  await api('POST', `/users/${(body as { id: string }).id}`, {
    credentials: { password: { value: 'Another-Kettle-43' } },
  })
  expect(answerIn(await newBrowser().goes(silent({ sessionToken })))).toMatchObject({
    error: 'login_required',
  })
})

test('A83: the token of a browser that has its cookie is worth nothing in another one', async () => {
  const own = newBrowser()
  await own.goes(at({}))
  const cookie = `rekey_browser=${own.cookies.get('rekey_browser')}`
  const sessionToken = await sessionTokenOf(idp, ada, { cookie })
  expect(answerIn(await newBrowser().goes(silent({ sessionToken })))).toMatchObject({
    error: 'login_required',
  })
  expect(answerIn(await own.goes(silent({ sessionToken })))).toHaveProperty('code')
})

test('A83: a user who may not use an app gets no code by a session token', async () => {
  const other = await register(idp, { grantTypes: ['authorization_code'] })
  const api = apiOf(idp)
  const { body } = await api('GET', '/groups?q=Everyone')
  await api('DELETE', `/apps/${other.id}/groups/${(body as unknown as readonly { id: string }[])[0]?.id}`)
  const sessionToken = await sessionTokenOf(idp, ada)
  const answer = await newBrowser().goes(at({ prompt: 'none', sessionToken }, other))
  expect(answerIn(answer)).toMatchObject({ error: 'access_denied' })
})

test('A83: wrong passwords and names of no user are answered and counted alike, and lock as at identify', async () => {
  const tries = async (username: string) => {
    const answers = []
    for (let count = 0; count < 12; count++) {
      const { status, body } = await authn(idp, '', { username, password: 'wrong' })
      answers.push([status, Object.keys(body), body.errorCode])
    }
    return answers
  }
  expect(await tries('ada')).toEqual(await tries('nobody'))
  // The lockout is silent: the right password is as wrong as any.
  const { status, body } = await authn(idp, '', { username: ada.login, password: ada.password })
  expect([status, body.errorCode]).toEqual([401, 'E0000004'])
})

test('A83: the token of a page is no state token here, nor the other way round', async () => {
  await withApp()
  await sessionRule(idp, { access: 'ALLOW', requireFactor: true })
  const browser = newBrowser()
  const stateHandle = await stateTokenAt(await browser.goes(at(twoFactors)))
  await signsIn(idp.engineUrl, stateHandle, ada)
  expect((await authn(idp, '', { stateToken: `00${stateHandle}` })).status).toBe(401)

  const { body } = await authn(idp, '', { username: ada.login, password: ada.password })
  const handle = body.stateToken?.slice(2)
  const end = await browser.goes(`${idp.engineUrl}/login/token/redirect?stateToken=${handle}`)
  expect([end.status, browser.cookies.has('rekey_session')]).toEqual([400, false])
})

test('A83: the cookie redirect leads to trusted redirect origins alone, and uses up no token for another', async () => {
  const { db } = idp.engine.storage
  const context = { random: systemRandom, now: idp.clock.now() }
  const named = { name: 'Shop', status: 'ACTIVE' } as const
  await putTrustedOrigin(db, { ...named, origin: 'https://cors.example', scopes: ['CORS'] }, context)
  await putTrustedOrigin(db, { ...named, origin: 'https://shop.example', scopes: ['REDIRECT'] }, context)
  const token = await sessionTokenOf(idp, ada)
  const browser = newBrowser()
  const led = (redirectUrl: string) =>
    browser.goes(
      `${idp.engineUrl}/login/sessionCookieRedirect?${new URLSearchParams({ token, redirectUrl })}`,
    )
  for (const target of [
    'https://evil.example/',
    'https://cors.example/',
    'https://shop.example@evil.example/',
    'https://user@shop.example/',
    'https://shop.example.evil.example/',
    '//shop.example/',
    'javascript:alert(1)',
    '',
  ]) {
    const { status, headers } = await led(target)
    expect([target, status, headers.get('location')]).toEqual([target, 400, null])
  }
  expect(browser.cookies.has('rekey_session')).toBe(false)
  expect((await led('https://shop.example/')).headers.get('location')).toBe('https://shop.example/')
})

test('A83: a page of an origin that is not trusted tries no passwords', async () => {
  const body = { username: ada.login, password: ada.password }
  const { status } = await authn(idp, '', body, { origin: 'https://evil.example' })
  expect(status).toBe(403)
})

test('A83: a session token stands in no log, record, error or answer but its own', async () => {
  const lines: string[] = []
  const recordExchange: ExchangeRecorder = (exchange) => void lines.push(JSON.stringify(exchange))
  const log = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } })
  const noisy = await startNode({
    settings: { ...enabled.settings, people: [ada], http: { accessLog: true } },
    ports: { recordExchange, log },
  })
  try {
    const client = await register(noisy as unknown as Kit, {
      applicationType: 'browser',
      grantTypes: ['authorization_code'],
    })
    const sessionToken = await sessionTokenOf(noisy, ada)
    const browser = newBrowser()
    const url = authorizeUrl(noisy.issuer, client, { prompt: 'none', sessionToken })
    const answers = [
      await browser.goes(`${url}&scope=bogus`),
      await browser.goes(url),
      await browser.goes(url.replace(/client_id=[^&]+/, 'client_id=unknown')),
      await browser.goes(
        `${noisy.engineUrl}/login/sessionCookieRedirect?token=${sessionToken}&redirectUrl=https://evil.example`,
      ),
      await browser.goes(authorizeUrl(noisy.issuer, client, { sessionToken, prompt: 'login' })),
    ]
    for (const answer of answers) {
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
      expect(JSON.stringify([...answer.headers]) + (await answer.text())).not.toContain(sessionToken)
    }
    expect(lines.length).toBeGreaterThan(5)
    expect(JSON.stringify([lines, await noisy.engine.events()])).not.toContain(sessionToken)
  } finally {
    await noisy.close()
  }
})

test('A32: state tokens and API tokens are guessed at a budget, and a right API token costs none of it', async () => {
  // Not the same, so that neither stands in for the other.
  const limits = { requests: { idxPerAddress: 10, managementPerAddress: 5 } }
  const here = await startShop({ settings: { classic: { enabled: true }, limits } })
  try {
    const statuses = async (call: (count: number) => ReturnType<typeof authn>, times = 7) => {
      const all = []
      for (let count = 0; count < times; count++) all.push((await call(count)).status)
      return all
    }
    const right = { authorization: `SSWS ${here.apiToken}`, 'x-forwarded-for': '203.0.113.7' }
    const signIn = { username: ada.login, password: ada.password }
    expect((await statuses(() => authn(here, '', signIn, right))).slice(0, 5)).toEqual(Array(5).fill(200))
    const guessed = (count: number) => ({ authorization: `SSWS ${`${count}`.repeat(40)}` })
    const spent = [401, 401, 401, 401, 401, 429, 429]
    expect(await statuses((count) => authn(here, '', signIn, guessed(count)))).toEqual(spent)
    // Otherwise the answer would say which of the guesses behind the budget is right.
    const elsewhere = { ...right, 'x-forwarded-for': '203.0.113.8' }
    expect((await authn(here, '', signIn, elsewhere)).status).toBe(429)
    here.clock.advance(120_000)
    const stateToken = (count: number) => `0002.id.${`${count % 10}`.repeat(43)}`
    const guess = (count: number) => authn(here, '/introspect', { stateToken: stateToken(count) })
    expect(await statuses(guess, 12)).toEqual([...Array(10).fill(401), 429, 429])
  } finally {
    await here.close()
  }
})
