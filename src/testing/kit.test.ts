import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newBrowser, openLink, sdk } from '../../test/support/sdk.ts'
import { type Kit, type KitOptions, startEngine } from './index.ts'

const newPassword = 'Lighthouse-Biscuit-77'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

async function recover(kit: Kit, login = kit.person.login) {
  const auth = sdk(kit)
  await auth.idx.recoverPassword({ username: login, authenticators: ['okta_email'] })
  const mail = await kit.outbox.waitFor({ to: login })
  const done = await auth.idx.proceed({ verificationCode: mail.code ?? '', password: newPassword })
  return { mail, done, auth }
}

const signInsWith = async (kit: Kit, login: string, password: string) =>
  (await sdk(kit).idx.authenticate({ username: login, password })).status

describe('the outbox', () => {
  test('holds the newest mail to an address, with its code and its link', async () => {
    expect(idp.outbox.latest({ to: idp.person.login })).toBeUndefined()
    const { mail } = await recover(idp)

    expect(mail).toMatchObject({ template: 'ForgotPassword', code: expect.stringMatching(/^\d{6}$/) })
    expect((await openLink(mail.link ?? '')).url.searchParams.get('otp')).toBeNull()
    const notice = await idp.outbox.waitFor({ to: idp.person.login, after: mail.id })
    expect(idp.outbox.latest({ to: 'MARY@example.com' })).toEqual(notice)
  })

  test('reports the mails that did arrive if no matching one arrives in time', async () => {
    await expect(idp.outbox.waitFor({ to: 'nobody@example.com', timeoutMs: 1 })).rejects.toThrow(
      'no mail to nobody@example.com within 1 ms; the inbox is empty',
    )
  })
})

test('faults.next makes the given number of answers of a path fail', async () => {
  idp.faults.next('/idp/idx/recover', { status: 503, times: 2 })
  const asked = () => fetch(`${idp.engineUrl}/idp/idx/recover`, { method: 'POST' })

  expect([(await asked()).status, (await asked()).status]).toEqual([503, 503])
  expect((await asked()).status).not.toBe(503)
})

test('people.add creates a user who can recover at once', async () => {
  const { id } = await idp.people.add({
    login: 'ada@example.com',
    email: 'ada@mail.example',
    firstName: 'Ada',
  })
  expect(id).toMatch(/^00u/)
  const auth = sdk(idp)
  await auth.idx.recoverPassword({ username: 'ada@example.com', authenticators: ['okta_email'] })
  const mail = await idp.outbox.waitFor({ to: 'ada@mail.example' })
  expect(mail.text).toContain('Hi Ada,')
  expect((await auth.idx.proceed({ verificationCode: mail.code ?? '', password: newPassword })).status).toBe(
    'SUCCESS',
  )
})

test('events and trace show the same transaction', async () => {
  await recover(idp)
  const events = await idp.events()
  const id = events.find(({ eventType }) => eventType === 'user.session.start')?.transaction.id ?? ''

  expect(id).toMatch(/^trs/)
  expect(JSON.stringify(await idp.trace(id))).toContain(id)
  expect(await idp.trace('trsUnknown')).toBeUndefined()
})

test('advance moves what the engine decides by time, and tokens stay in the time that apps know', async () => {
  const auth = sdk(idp)
  await auth.idx.recoverPassword({ username: idp.person.login, authenticators: ['okta_email'] })
  const { code } = await idp.outbox.waitFor({ to: idp.person.login })
  idp.clock.advance('5m')
  const late = await auth.idx.proceed({ verificationCode: code ?? '' })
  expect(late.messages?.[0]?.i18n?.key).toBe('api.authn.error.PASSCODE_INVALID')

  idp.clock.advance('2d')
  const { sdkTokens } = await idp.signInAs(idp.person.login)
  expect(Math.abs(Number(sdkTokens.accessToken.claims.iat) - performance.timeOrigin / 1000)).toBeLessThan(600)
})

describe('signInAs', () => {
  test('returns tokens that the SDK stores and the engine accepts', async () => {
    const { accessToken, idToken, refreshToken, sdkTokens } = await idp.signInAs(idp.person.login, {
      client: idp.publicClientId,
    })
    expect([accessToken, idToken, refreshToken].every(Boolean)).toBe(true)

    const auth = sdk(idp, { client: 'public' })
    auth.tokenManager.setTokens(sdkTokens as Parameters<typeof auth.tokenManager.setTokens>[0])
    expect(await auth.isAuthenticated()).toBe(true)
    expect(await auth.getUser()).toMatchObject({ email: idp.person.login })
    const renewed = await auth.token.renewTokens()
    expect(renewed.accessToken?.accessToken).not.toBe(accessToken)
  })

  test('accepts a user, a client, scopes and a server', async () => {
    const ada = await idp.people.add({ login: 'ada@example.com' })
    const { sdkTokens, idToken, refreshToken } = await idp.signInAs(ada, {
      client: idp.publicClientId,
      scopes: ['profile'],
      server: 'org',
    })
    expect([idToken, refreshToken]).toEqual([undefined, undefined])
    expect(sdkTokens.accessToken.claims).toMatchObject({
      sub: 'ada@example.com',
      cid: idp.publicClientId,
      scp: ['profile'],
      iss: idp.orgIssuer,
    })
  })

  test('refuses the users that the engine refuses', async () => {
    const gone = await idp.people.add({ login: 'gone@example.com', status: 'SUSPENDED' })
    await expect(idp.signInAs(gone)).rejects.toThrow('invalid_grant')
    await expect(idp.signInAs('nobody@example.com')).rejects.toThrow('there is no user with the login')
    await expect(idp.signInAs(idp.person, { client: 'other' })).rejects.toThrow('no client other')
  })

  test('is there over HTTP as well', async () => {
    const ask = async (body: object) => {
      const response = await fetch(`${idp.controlUrl}/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: response.status, body: await response.json() }
    }
    expect(await ask({ login: idp.person.login, scopes: ['openid'] })).toMatchObject({
      status: 200,
      body: { scopes: ['openid'], sdkTokens: { idToken: { clientId: idp.clientId } } },
    })
    expect(await ask({ login: 'nobody@example.com' })).toMatchObject({
      status: 400,
      body: { error: 'nobody' },
    })
    expect(await ask({})).toMatchObject({ status: 400, body: { error: 'bad_request' } })
    expect(await ask({ login: 'mary@example.com', server: 'other' })).toMatchObject({ status: 400 })
  })

  test('ends with the password', async () => {
    const { headers } = await idp.signInAs(idp.person)
    const userinfo = async () => (await fetch(`${idp.issuer}/v1/userinfo`, { headers })).status
    expect(await userinfo()).toBe(200)
    await recover(idp)
    expect(await userinfo()).toBe(401)
  })
})

test('reset restores the seeded users, mails, clock and faults', async () => {
  await recover(idp)
  await idp.people.add({ login: 'ada@example.com' })
  idp.clock.advance('90d')
  idp.faults.next('/idp/idx/identify', { status: 503 })
  await idp.reset()

  expect(idp.outbox.all()).toEqual([])
  expect(idp.clock.now() - performance.timeOrigin).toBeLessThan(86_400_000)
  expect(await signInsWith(idp, idp.person.login, idp.person.password)).toBe('SUCCESS')
  await expect(idp.signInAs('ada@example.com')).rejects.toThrow('there is no user')
})

describe('with a seed', () => {
  /** The values of a run that must be the same in the next one. */
  async function run(options: KitOptions) {
    await using kit = await startEngine(options)
    const story = async () => {
      const { mail } = await recover(kit)
      await kit.outbox.waitFor({ to: kit.person.login, after: mail.id })
      await kit.engine.delivery.idle()
      const { id } = await kit.people.add({ login: 'ada@example.com' })
      const { refreshToken } = await kit.signInAs('ada@example.com')
      const token = new URL(mail.link ?? '').searchParams.get('token')
      // A mail is delivered beside the requests that follow: its event is before theirs or after them.
      const isOfDelivery = (event: { readonly eventType: string }) =>
        event.eventType === 'system.email.delivery'
      const transactionsOf = (events: Awaited<ReturnType<Kit['events']>>) =>
        events.map(({ eventType, transaction }) => [eventType, transaction.id])
      const events = await kit.events()
      const transactions = {
        ofDeliveries: transactionsOf(events.filter(isOfDelivery)),
        ofRequests: transactionsOf(events.filter((event) => !isOfDelivery(event))),
      }
      return { code: mail.code, token, id, refreshToken, transactions }
    }
    const first = await story()
    await kit.reset()
    return { first, again: await story() }
  }

  test('ids, codes, links and tokens repeat from run to run and from reset to reset', async () => {
    const one = await run({ seed: 'tangerine' })
    expect(one.again).toEqual(one.first)
    expect(await run({ seed: 'tangerine' })).toEqual(one)
    const other = await run({ seed: 'kettle' })
    expect([other.first.code, other.first.id]).not.toEqual([one.first.code, one.first.id])
  })

  test('without a seed all values differ', async () => {
    const { first, again } = await run({})
    expect(first.token).not.toBe(again.token)
  })
})

test('engines in the same process are independent of each other', async () => {
  const kits = await Promise.all([startEngine(), startEngine(), startEngine()])
  try {
    await Promise.all(kits.map((kit) => recover(kit)))
    await kits[0]?.people.add({ login: 'ada@example.com' })
    await expect(kits[1]?.signInAs('ada@example.com')).rejects.toThrow('there is no user')
    expect(new Set(kits.flatMap((kit) => kit.outbox.all().map(({ code }) => code))).size).toBeGreaterThan(1)
    expect(new Set(kits.map(({ issuer }) => issuer)).size).toBe(3)
  } finally {
    await Promise.all(kits.map((kit) => kit.close()))
  }
})

test('users, clients, policy and settings are those of the options', async () => {
  await using kit = await startEngine({
    people: [{ login: 'grace@example.com', password: newPassword }],
    clients: [
      { id: 'shop', label: 'Shop', secret: 'a secret for the shop', redirectUris: ['http://localhost:1/cb'] },
    ],
    policy: { password: { complexity: { minLength: 20 } } },
    settings: { org: { name: 'Acme' } },
  })
  expect(await signInsWith(kit, 'grace@example.com', newPassword)).toBe('SUCCESS')
  expect((await kit.signInAs('grace@example.com', { client: 'shop' })).idToken).toBeDefined()

  const auth = sdk(kit)
  await auth.idx.recoverPassword({ username: 'grace@example.com', authenticators: ['okta_email'] })
  const mail = await kit.outbox.waitFor({ to: 'grace@example.com' })
  expect(mail.text).toContain('Acme')
  const short = await auth.idx.proceed({ verificationCode: mail.code ?? '', password: 'Short-Kettle-7' })
  expect(short.messages?.[0]?.i18n?.key).toBe('password.passwordRequirementsNotMet')
})

test('a frozen clock does not advance, and virtual tokens follow the clock of the engine', async () => {
  await using kit = await startEngine({ clock: 'frozen', tokens: 'virtual' })
  kit.clock.set('2031-05-06T07:08:09Z')
  const { sdkTokens } = await kit.signInAs(kit.person)
  expect(kit.clock.now()).toBe(1_935_817_689_000)
  expect(sdkTokens.accessToken.claims.iat).toBe(1_935_817_689)
})

test('a closed engine answers no requests', async () => {
  const kit = await startEngine()
  await kit.close()
  await expect(fetch(`${kit.issuer}/.well-known/openid-configuration`)).rejects.toThrow('fetch failed')
})

test('the SDK in a browser resumes its transaction after a reload', async () => {
  const browser = newBrowser()
  await sdk(idp, { browser }).idx.recoverPassword({
    username: idp.person.login,
    authenticators: ['okta_email'],
  })
  const { code } = await idp.outbox.waitFor({ to: idp.person.login })
  const reloaded = sdk(idp, { browser })
  const done = await reloaded.idx.recoverPassword({ verificationCode: code ?? '', password: newPassword })
  expect(done.status).toBe('SUCCESS')
})
