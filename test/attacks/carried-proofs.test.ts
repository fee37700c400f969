import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { accountApi, accountScopes, grantAccount } from '../support/account.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { appRule, sessionRule } from '../support/policy-rules.ts'
import {
  answerIn,
  authorizeUrl,
  type Browser,
  type IdxBody,
  idx,
  newBrowser,
  signsIn,
  stateTokenAt,
  verifier,
} from '../support/redirects.ts'
import {
  ada,
  basic,
  claimsOf,
  post,
  type RegisteredClient,
  redirectUri,
  register,
  startShop,
} from '../wire/oauth-app.ts'
import { codeAt, enrollmentPolicy } from '../wire/totp.ts'

// What the session of a browser carries into a transaction: worth what it would be worth if it were proven now, and no longer than the session.
let idp: Kit
let shop: RegisteredClient
let other: RegisteredClient

beforeEach(async () => {
  idp = await startShop()
  const grantTypes = ['authorization_code', 'refresh_token']
  shop = await register(idp, { applicationType: 'browser', grantTypes })
  other = await register(idp, { grantTypes })
})
afterEach(() => idp.close())

type Changes = Readonly<Record<string, string | undefined>>

const twoFactors = { acr_values: 'urn:okta:loa:2fa:any' }
const hours = (count: number) => count * 3_600_000

async function signedIn(browser = newBrowser(), changes: Changes = {}): Promise<Browser> {
  const page = await browser.goes(authorizeUrl(idp.issuer, shop, changes))
  const end = await signsIn(idp.engineUrl, await stateTokenAt(page), ada)
  expect(answerIn(await browser.goes(String(end.success?.href)))).toHaveProperty('code')
  return browser
}

const silent = async (browser: Browser, changes: Changes = {}, client = other) =>
  answerIn(await browser.goes(authorizeUrl(idp.issuer, client, { prompt: 'none', ...changes })))

const isSilent = async (...of: Parameters<typeof silent>) => 'code' in (await silent(...of))

/** The state token of a request that something is asked for. */
const asks = async (browser: Browser, changes: Changes = {}, client = other) =>
  stateTokenAt(await browser.goes(authorizeUrl(idp.issuer, client, changes)))

const at = (stateToken: string) => idx(idp.engineUrl, 'introspect', { stateToken })

const formsOf = ({ remediation }: IdxBody) => (remediation?.value ?? []).map(({ name }) => name)

interface Option {
  readonly label: string
  readonly value: { readonly form: { readonly value: readonly { name: string; value?: string }[] } }
}

/** The labels of what is offered at a form. */
function offered(body: IdxBody, form = 'select-authenticator-authenticate'): readonly Option[] {
  const found = body.remediation?.value.find(({ name }) => name === form) as
    | { readonly value?: readonly { readonly name: string; readonly options?: readonly Option[] }[] }
    | undefined
  return found?.value?.find(({ name }) => name === 'authenticator')?.options ?? []
}

async function chooses(body: IdxBody, label: string): Promise<IdxBody> {
  const option = offered(body).find((one) => one.label === label)
  const fields = option?.value.form.value ?? []
  const authenticator = Object.fromEntries(
    fields.flatMap((one) => (one.value ? [[one.name, one.value]] : [])),
  )
  return idx(idp.engineUrl, 'challenge', { stateHandle: body.stateHandle, authenticator })
}

const answers = (stateHandle: string, passcode: string) =>
  idx(idp.engineUrl, 'challenge/answer', { stateHandle, credentials: { passcode } })

/** Ada with an authenticator app; answers its secret. */
async function withApp(): Promise<string> {
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
  const { sharedSecret } = await idp.factors.enroll('ada', 'google_otp')
  if (sharedSecret === undefined) throw new Error('an app has no secret')
  return sharedSecret
}

/** Proves the app by its code. */
async function provesApp(stateToken: string, secret: string): Promise<IdxBody> {
  let body = await at(stateToken)
  if (offered(body).length > 0) body = await chooses(body, 'Google Authenticator')
  return answers(body.stateHandle, codeAt(secret, idp.clock.now()))
}

/** A session by the password and the app. */
async function signedInTwice(secret: string): Promise<Browser> {
  const browser = newBrowser()
  const stateToken = await asks(browser, twoFactors, shop)
  await signsIn(idp.engineUrl, stateToken, ada)
  const end = await provesApp(stateToken, secret)
  await browser.goes(String(end.success?.href))
  return browser
}

/** As a link of the engine's own pages does. */
const signsOut = (browser: Browser) =>
  browser.goes(`${idp.engineUrl}/login/signout`, { headers: { 'sec-fetch-site': 'same-origin' } })

const sessions = () => idp.engine.storage.db.selectFrom('sessions').selectAll().execute()

test('A74: where an app wants a proof of now, the session of the browser is none', async () => {
  const browser = await signedIn()
  idp.clock.advance(60_000)
  expect(await silent(browser, { max_age: '0' })).toMatchObject({ error: 'login_required' })
  expect(await isSilent(browser, { max_age: '120' })).toBe(true)
  await appRule(idp, { reauthenticateIn: 'PT0S' })
  expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  await appRule(idp, { constraints: [{ knowledge: { types: ['password'], reauthenticateIn: 'PT0S' } }] })
  expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  // The password that is asked for then is proven anew, and the times say so.
  const stateToken = await asks(browser, { max_age: '0' })
  const end = await answers((await chooses(await at(stateToken), 'Password')).stateHandle, ada.password)
  const { code = '' } = answerIn(await browser.goes(String(end.success?.href)))
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
  const { body } = await post(`${idp.issuer}/v1/token`, form, { authorization: basic(other) })
  const { auth_time: authTime, iat } = claimsOf(body.id_token)
  expect(Number(iat) - Number(authTime)).toBeLessThan(10)
})

test.each<[string, (browser: Browser) => Promise<unknown>]>([
  ['the user signs out', (browser) => signsOut(browser)],
  ['an administrator ends it', () => apiOf(idp)('DELETE', '/users/ada/sessions')],
  ['it has been idle', async () => idp.clock.advance(1_800_000)],
])('A74: what a session carries ends with it: when %s', async (_, ends) => {
  const secret = await withApp()
  const browser = await signedIn()
  idp.clock.advance(hours(1.75))
  const stateToken = await asks(browser, twoFactors)
  // Asked before the use of the session was noted.
  await idp.engine.storage.db
    .updateTable('sessions')
    .set({ used_at: idp.clock.now() - hours(1.75) })
    .where('cookie_hash', 'is not', null)
    .execute()
  await ends(browser)
  expect(await provesApp(stateToken, secret)).not.toHaveProperty('success')
  expect(await silent(browser, twoFactors)).toMatchObject({ error: 'login_required' })
})

test('A74: a sign-in that was over before its session ended, and comes back after it, is worth nothing', async () => {
  const secret = await withApp()
  const browser = await signedIn()
  idp.clock.advance(60_000)
  const end = await provesApp(await asks(browser, twoFactors), secret)
  await signsOut(browser)
  const back = await browser.goes(String(end.success?.href))
  expect([back.status, browser.cookies.has('rekey_session')]).toEqual([400, false])
})

test('A74: nor is one that comes back after the time of the session that carried a part of it', async () => {
  const secret = await withApp()
  const browser = await signedIn()
  idp.clock.advance(60_000)
  const end = await provesApp(await asks(browser, twoFactors), secret)
  // Unused for too long: the browser has its cookies, and the app’s own session is young.
  await idp.engine.storage.db
    .updateTable('sessions')
    .set({ used_at: idp.clock.now() - hours(3) })
    .where('cookie_hash', 'is not', null)
    .execute()
  const back = await browser.goes(String(end.success?.href))
  expect([back.status, back.headers.get('location')]).toEqual([400, null])
})

test('A74: a session that gets more proven lives no longer by that', async () => {
  const secret = await withApp()
  const browser = await signedIn()
  for (let hour = 0; hour < 23; hour++) {
    idp.clock.advance(hours(1))
    await silent(browser)
  }
  const end = await provesApp(await asks(browser, twoFactors), secret)
  expect(answerIn(await browser.goes(String(end.success?.href)))).toHaveProperty('code')
  expect(await isSilent(browser, twoFactors)).toBe(true)
  idp.clock.advance(hours(1))
  expect(await silent(browser)).toMatchObject({ error: 'login_required' })
})

test('A74: a session that ends between the look at it and the commit gives no code', async () => {
  const browser = await signedIn()
  const { storage } = idp.engine
  const transaction = storage.transaction.bind(storage)
  let isArmed = true
  storage.transaction = async (...of) => {
    if (isArmed) {
      isArmed = false
      await storage.db.updateTable('sessions').set({ revoked_at: idp.clock.now() }).execute()
    }
    return transaction(...of)
  }
  expect(await silent(browser)).toMatchObject({ error: 'login_required' })
  storage.transaction = transaction
  expect((await sessions()).filter(({ client_id: id }) => id === other.id)).toEqual([])
})

test('A74: what is switched off counts no more, although a session has proven by it', async () => {
  const secret = await withApp()
  const browser = await signedInTwice(secret)
  expect(await isSilent(browser, twoFactors)).toBe(true)
  const found = (await apiOf(idp)('GET', '/authenticators')).list.find((one) => one.key === 'google_otp')
  await apiOf(idp)('POST', `/authenticators/${found?.id}/lifecycle/deactivate`)
  expect(await silent(browser, twoFactors)).toMatchObject({ error: 'login_required' })
})

test('A74: what was proven by a factor that is another one now counts no more', async () => {
  const secret = await withApp()
  const browser = await signedInTwice(secret)
  // The same id, as a user has one: by the same key, and another secret.
  await idp.factors.enroll('ada', 'google_otp')
  expect(await silent(browser, twoFactors)).toMatchObject({ error: 'login_required' })
})

/** A session by the mailbox: a recovery. */
async function signedInByMail(): Promise<Browser> {
  const browser = newBrowser()
  const { stateHandle } = await at(await asks(browser, {}, shop))
  await idx(idp.engineUrl, 'recover', { stateHandle })
  const selecting = await idx(idp.engineUrl, 'identify', { stateHandle, identifier: ada.login })
  const asked = await chooses(selecting, 'Email')
  const { code: passcode } = await idp.outbox.waitFor({ to: ada.email })
  const { stateHandle: reset } = await answers(asked.stateHandle, String(passcode))
  const end = await answers(reset, 'Another-Kettle-43x')
  await browser.goes(String(end.success?.href))
  return browser
}

test('A74: what was proven by a mailbox that is another one now counts no more', async () => {
  const browser = await signedInByMail()
  expect(await isSilent(browser)).toBe(true)
  await apiOf(idp)('POST', '/users/ada', { profile: { email: 'new@example.com' } })
  expect(await silent(browser)).toMatchObject({ error: 'login_required' })
})

test('A74: an old session enrols nothing before its user has proven something', async () => {
  const browser = await signedIn()
  for (let hour = 0; hour < 5; hour++) {
    idp.clock.advance(hours(1))
    await silent(browser)
  }
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const stateToken = await asks(browser)
  const body = await at(stateToken)
  expect(formsOf(body)).not.toContain('select-authenticator-enroll')
  expect(offered(body).map(({ label }) => label)).toEqual(['Password'])
  const enrolling = await answers((await chooses(body, 'Password')).stateHandle, ada.password)
  expect(formsOf(enrolling)).toContain('select-authenticator-enroll')
})

test('A74: an old proof of a factor enrols nothing, whatever else is proven', async () => {
  const secret = await withApp()
  const browser = await signedInTwice(secret)
  for (let hour = 0; hour < 5; hour++) {
    idp.clock.advance(hours(1))
    await silent(browser)
  }
  for (const { id, system } of (await apiOf(idp)('GET', '/policies?type=MFA_ENROLL')).list) {
    if (!system) await apiOf(idp)('DELETE', `/policies/${id}`)
  }
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'REQUIRED' })
  const stateToken = await asks(browser)
  const body = await at(stateToken)
  expect(formsOf(body)).not.toContain('select-authenticator-enroll')
  expect(formsOf(await provesApp(stateToken, secret))).toContain('select-authenticator-enroll')
  const again = await at(await asks(browser, { max_age: '0' }))
  const byPassword = await answers((await chooses(again, 'Password')).stateHandle, ada.password)
  expect(formsOf(byPassword)).not.toContain('select-authenticator-enroll')
  expect(byPassword).not.toHaveProperty('success')
})

test('A74: a young session opens an enrolment, as a sign-in of now does', async () => {
  const browser = await signedIn()
  idp.clock.advance(60_000)
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  expect(formsOf(await at(await asks(browser)))).toContain('select-authenticator-enroll')
})

test('A74: what a session carries sets no password', async () => {
  const browser = await signedInByMail()
  idp.clock.advance(60_000)
  const body = await at(await asks(browser, { max_age: '0' }))
  const password = await chooses(body, 'Password')
  const recovering = await idx(idp.engineUrl, 'recover', { stateHandle: password.stateHandle })
  expect(formsOf(recovering)).not.toContain('reset-authenticator')
  expect(formsOf(recovering)).toContain('select-authenticator-authenticate')
})

test('A29: guesses by others end no session', async () => {
  const browser = await signedIn()
  const { db } = idp.engine.storage
  await db.updateTable('people').set({ status: 'LOCKED_OUT' }).where('login', '=', 'ada').execute()
  expect(await isSilent(browser)).toBe(true)
  // What is proven while the lock lasts counts for nothing.
  const stateToken = await asks(browser, { max_age: '0' })
  const body = await at(stateToken)
  const end = await answers((await chooses(body, 'Password')).stateHandle, ada.password)
  expect(end).not.toHaveProperty('success')
})

test('A78: a silent sign-in leaves what was remembered of the device', async () => {
  const secret = await withApp()
  const remembers = { requireFactor: true, factorPromptMode: 'DEVICE', factorLifetime: 600 }
  await sessionRule(idp, { ...remembers, rememberDeviceByDefault: true })
  const pages = newHostedBrowser(idp)
  await pages.opens(authorizeUrl(idp.issuer, shop))
  await pages.submits('identify', { identifier: ada.login, 'credentials.passcode': ada.password })
  // The mailbox is the first choice.
  await pages.submits('select-authenticator-authenticate', { choice: '1' })
  await pages.submits('challenge-authenticator', {
    'credentials.passcode': codeAt(secret, idp.clock.now()),
  })
  const browser = newBrowser()
  for (const [name, value] of pages.jar) browser.cookies.set(name, value)
  expect(browser.cookies.has('rekey_device')).toBe(true)
  const devices = () => idp.engine.storage.db.selectFrom('remembered_devices').selectAll().execute()
  const before = await devices()
  expect(before).toHaveLength(1)
  idp.clock.advance(60_000)
  expect(await isSilent(browser, {}, shop)).toBe(true)
  expect(await devices()).toEqual(before)
})

test('A60: a silent request that is refused writes nothing, and one that no app comes for leaves no session', async () => {
  const browser = await signedIn()
  const { db } = idp.engine.storage
  const count = async () => [
    (await db.selectFrom('interactions').select('id').execute()).length,
    (await db.selectFrom('transactions').select('id').execute()).length,
  ]
  const before = await count()
  await silent(browser, twoFactors)
  expect(await count()).toEqual(before)
  expect(await isSilent(browser)).toBe(true)
  const [session] = (await sessions()).filter(({ client_id: id }) => id === other.id)
  expect(Number(session?.expires_at)).toBeLessThanOrEqual(idp.clock.now() + 300_000)
})

test('A71: two tabs that come back at once leave one session, with what both have proven', async () => {
  const secret = await withApp()
  const browser = await signedIn()
  idp.clock.advance(60_000)
  const first = await asks(browser, twoFactors)
  const second = await asks(browser, { max_age: '0' })
  const ends = [
    await provesApp(first, secret),
    await answers((await chooses(await at(second), 'Password')).stateHandle, ada.password),
  ]
  const copies = ends.map(() => {
    const copy = newBrowser()
    for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
    return copy
  })
  const back = await Promise.all(ends.map(({ success }, index) => copies[index]?.goes(String(success?.href))))
  expect(back.map((one) => one && 'code' in answerIn(one))).toEqual([true, true])
  const live = (await sessions()).filter((one) => one.cookie_hash !== null && one.revoked_at === null)
  const proofs = live.map(({ details }) =>
    (JSON.parse(details) as { proofs: { authenticator: string }[] }).proofs.map((one) => one.authenticator),
  )
  expect(proofs.map((one) => one.toSorted())).toEqual([['google_otp', 'okta_password']])
})

test('A74: what a session has carried changes no password, and no factor, in the user’s account', async () => {
  const secret = await withApp()
  const browser = await signedInTwice(secret)
  await grantAccount({ engineUrl: idp.engineUrl, apiToken: idp.apiToken, clientId: other.id })
  const oauth = `${idp.engineUrl}/oauth2`
  const scope = ['openid', ...accountScopes].join(' ')
  const byNow = async (label: string, passcode: () => string) => {
    const page = await browser.goes(authorizeUrl(oauth, other, { scope, max_age: '0' }))
    const body = await at(await stateTokenAt(page))
    const end = await answers((await chooses(body, label)).stateHandle, passcode())
    const { code = '' } = answerIn(await browser.goes(String(end.success?.href)))
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }
    const { body: tokens } = await post(`${oauth}/v1/token`, form, { authorization: basic(other) })
    return accountApi(idp, String(tokens.access_token))
  }
  const stays = async () => {
    for (let hour = 0; hour < 2; hour++) {
      idp.clock.advance(hours(1))
      await silent(browser)
    }
  }
  await stays()
  const byApp = await byNow('Google Authenticator', () => codeAt(secret, idp.clock.now()))
  const replaced = await byApp('PUT', '/password', { profile: { password: 'Another-Kettle-43x' } })
  expect([replaced.status, replaced.text]).toEqual([403, expect.stringContaining('currentPassword')])
  await stays()
  const byPassword = await byNow('Password', () => ada.password)
  const { list } = await byPassword('GET', '/authenticators?expand=enrollments')
  const enrollment = list.find(({ key }) => key === 'google_otp')
  const [{ id = '' } = {}] = enrollment?._embedded?.enrollments ?? []
  const removed = await byPassword('DELETE', `/authenticators/${enrollment?.id}/enrollments/${id}`)
  // As that of a user who cannot prove the factor: it waits, with its notice.
  expect(removed.status).toBe(202)
})
