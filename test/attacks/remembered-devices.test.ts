import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Answer, Kit, Visitor, VisitorOptions } from '../../src/testing/index.ts'
import { atTheReset, mailTo, manyMails, newPassword, startTarget, visit } from '../support/attacks.ts'
import { type Api, apiOf } from '../support/management.ts'
import { appRule, enrolmentPolicy, namingApp, sessionRule } from '../support/policy-rules.ts'
import { codeAt, secretIn } from '../wire/totp.ts'

const mary = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const eve = { login: 'eve@example.com', password: 'Marmalade-Harbour-31' }
const hour = 3_600_000
const totp = { factorType: 'token:software:totp', provider: 'GOOGLE' }

let idp: Kit
beforeEach(async () => {
  idp = await startTarget({ settings: { limits: manyMails } })
  await sessionRule(idp, { requireFactor: true, factorPromptMode: 'DEVICE', factorLifetime: 60 })
})
afterEach(() => idp.close())

type Options = VisitorOptions & {
  readonly login?: string
  readonly password?: string
  readonly remember?: boolean
}

const atTheSecond = async ({
  login = mary,
  password: secret = password,
  remember,
  ...options
}: Options = {}) => {
  const visitor = await visit(idp, options)
  await visitor.submits('identify', {
    identifier: login,
    credentials: { passcode: secret },
    ...(remember && { rememberMe: true }),
  })
  return visitor
}
async function provenByMail(visitor: Visitor, login = mary): Promise<Answer> {
  await visitor.selects('okta_email')
  return visitor.answers((await mailTo(idp, login, ['EmailChallenge'])).code)
}
/** A sign-in with both factors that is to be remembered; answers the last response. */
const remembered = async (options: Options = {}): Promise<Answer> =>
  provenByMail(await atTheSecond({ remember: true, ...options }), options.login)

const tokenIn = (answer: Answer): string => answer.headers.get('x-device-token') ?? ''
const cookieIn = (answer: Answer): string => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
const withToken = (token: string): VisitorOptions => ({ headers: { 'x-device-token': token } })
const withCookie = (cookie: string): VisitorOptions => ({ client: idp.publicClientId, headers: { cookie } })
/** Whether a sign-in by the password alone is granted. */
const isSkipped = async (options: Options): Promise<boolean> =>
  (await atTheSecond(options)).response.interactionCode !== undefined

describe('a device that a user wished to be remembered', () => {
  test('is asked for the password alone, for as long as the policy says; the claims say what was proven', async () => {
    const token = tokenIn(await remembered())
    expect(token).toMatch(/^rkd[A-Za-z0-9]{29}$/)
    const visitor = await atTheSecond(withToken(token))
    const { body } = await visitor.redeems()
    const [, claims = ''] = String(body.id_token).split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ amr: ['pwd'] })

    // Its use does not make it live longer.
    idp.clock.advance(hour - 1000)
    expect(await isSkipped(withToken(token))).toBe(true)
    idp.clock.advance(2000)
    expect(await isSkipped(withToken(token))).toBe(false)
  })

  test('of a browser is a cookie that no script reads', async () => {
    const answer = await remembered({ client: idp.publicClientId })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^rekey_device=rkd[A-Za-z0-9]{29}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
    )
    expect(answer.headers.get('x-device-token')).toBeNull()
    expect(await isSkipped(withCookie(cookieIn(answer)))).toBe(true)
  })

  test('is not remembered without the wish, without the second factor, or where the policy does not', async () => {
    const unwished = await provenByMail(await atTheSecond())
    expect([tokenIn(unwished), cookieIn(unwished)]).toEqual(['', ''])
    await sessionRule(idp, { requireFactor: true, factorPromptMode: 'ALWAYS', factorLifetime: 60 })
    expect(tokenIn(await remembered())).toBe('')
    await sessionRule(idp, { requireFactor: true, factorPromptMode: 'DEVICE', factorLifetime: 0 })
    expect(tokenIn(await remembered())).toBe('')
  })

  test('without the wish where the policy does so for everyone', async () => {
    await sessionRule(idp, {
      requireFactor: true,
      factorPromptMode: 'DEVICE',
      factorLifetime: 60,
      rememberDeviceByDefault: true,
    })
    expect(tokenIn(await provenByMail(await atTheSecond()))).not.toBe('')
  })

  test('is asked for the second factor where the app asks for it anew', async () => {
    const options = withToken(tokenIn(await remembered()))
    for (const parameters of [
      { acr_values: 'urn:okta:loa:2fa:any' },
      { max_age: '0' },
      { prompt: 'login' },
    ]) {
      expect(await isSkipped({ ...options, parameters }), JSON.stringify(parameters)).toBe(false)
    }
    await appRule(idp, { factorMode: '2FA' })
    expect(await isSkipped(options)).toBe(false)
  })

  test('counts for a rule of an app that keeps its users signed in', async () => {
    await sessionRule(idp, {})
    const kept = { keepMeSignedIn: { postAuth: 'ALLOWED', postAuthPromptFrequency: 'PT1H' } }
    await appRule(idp, { factorMode: '2FA', constraints: [{ possession: {} }] }, kept)
    const options = withToken(tokenIn(await remembered()))
    expect(await isSkipped(options)).toBe(true)
    await appRule(
      idp,
      { factorMode: '2FA', constraints: [{ possession: { reauthenticateIn: 'PT0S' } }] },
      kept,
    )
    expect(await isSkipped(options)).toBe(false)
    await appRule(idp, { factorMode: '2FA' }, { keepMeSignedIn: { postAuth: 'NOT_ALLOWED' } })
    expect(await isSkipped(options)).toBe(false)
  })
})

describe('a remembered device', () => {
  test('A78: that the caller chose skips nothing', async () => {
    for (const token of ['rkdAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'my-own-device', '', 'rkd']) {
      expect(await isSkipped(withToken(token)), token).toBe(false)
      expect(await isSkipped(withCookie(`rekey_device=${token}`)), token).toBe(false)
      const chosen = await remembered(withToken(token))
      expect(tokenIn(chosen)).not.toBe(token)
      expect(await isSkipped(withToken(token)), token).toBe(false)
    }
  })

  test('A78: that was stolen skips nothing for another user', async () => {
    await idp.people.add(eve)
    const token = tokenIn(await remembered())
    expect(await isSkipped({ ...eve, ...withToken(token) })).toBe(false)
    const other = tokenIn(await remembered({ ...eve }))
    expect(await isSkipped(withToken(other))).toBe(false)
    expect(await isSkipped(withToken(token))).toBe(true)
  })

  test('A78: skips nothing at another app, nor vouched for by a client that cannot keep a secret', async () => {
    const token = tokenIn(await remembered())
    expect(await isSkipped({ client: idp.publicClientId, ...withToken(token) })).toBe(false)
    expect(await isSkipped(withCookie(`rekey_device=${token}`))).toBe(false)
    const browser = cookieIn(await remembered({ client: idp.publicClientId })).slice('rekey_device='.length)
    expect(await isSkipped({ client: idp.publicClientId, ...withToken(browser) })).toBe(false)
    expect(await isSkipped(withToken(browser))).toBe(false)
  })

  test('A78: is stored as a hash, and its secret stands in no row', async () => {
    const token = tokenIn(await remembered())
    await isSkipped(withToken(token))
    const { db } = idp.engine.storage
    const rows = [
      await db.selectFrom('remembered_devices').selectAll().execute(),
      await db.selectFrom('interactions').selectAll().execute(),
      await db.selectFrom('transactions').selectAll().execute(),
      await db.selectFrom('events').selectAll().execute(),
    ]
    expect(rows[0]).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(token)
  })

  test('A78: is ended by a reset of the password', async () => {
    const token = tokenIn(await remembered())
    await (await atTheReset(idp, mary)).answers(newPassword)
    expect(await isSkipped({ ...withToken(token), password: newPassword })).toBe(false)
  })

  test('A78: is ended by a new factor', async () => {
    const token = tokenIn(await remembered())
    await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED' }))
    const visitor = await atTheSecond(withToken(token))
    const secret = secretIn(await visitor.enrolls('google_otp'))
    await visitor.answers(codeAt(secret, idp.clock.now()))
    expect(await isSkipped(withToken(token))).toBe(false)
  })

  test.each([
    [
      'a factor that an administrator enrols',
      async (api: Api, id: string) => {
        const made = await api('POST', `/users/${id}/factors`, totp)
        const { activation } = made.body._embedded as { activation: { sharedSecret: string } }
        const passCode = codeAt(activation.sharedSecret, idp.clock.now())
        return api('POST', `/users/${id}/factors/${made.body.id}/lifecycle/activate`, { passCode })
      },
    ],
    [
      'a factor that is active at once',
      (api: Api, id: string) => api('POST', `/users/${id}/factors?activate=true`, totp),
    ],
    [
      'the removal of a factor',
      (api: Api, id: string, app: string) => api('DELETE', `/users/${id}/factors/${app}`),
    ],
    [
      'the removal of an enrollment',
      (api: Api, id: string, app: string) => api('DELETE', `/users/${id}/authenticator-enrollments/${app}`),
    ],
    ['a reset of all factors', (api: Api, id: string) => api('POST', `/users/${id}/lifecycle/reset_factors`)],
    [
      'the command line',
      async (_: Api, id: string, app: string) => {
        expect(await idp.engine.people.removeEnrollment(id, app)).toBe(true)
        return { status: 200 }
      },
    ],
    [
      'a secondary address that was proven',
      async (_: Api, id: string) => {
        await idp.engine.people.verifySecondEmail(id, 'second@example.com')
        return { status: 200 }
      },
    ],
  ])('A78: is ended by %s', async (what, change) => {
    const api = apiOf(idp)
    const { id } = (await api('GET', `/users/${mary}`)).body
    const isNew = what.startsWith('a factor')
    const app = isNew ? '' : (await idp.factors.enroll(mary, 'google_otp')).id
    const token = tokenIn(await remembered())
    await enrolmentPolicy(idp, namingApp({ self: 'OPTIONAL' }))
    expect(await idp.engine.storage.db.selectFrom('remembered_devices').selectAll().execute()).toHaveLength(1)
    const { status } = await change(api, id, app)
    expect([200, 204]).toContain(status)
    if (!what.startsWith('a secondary'))
      expect(await idp.engine.storage.db.selectFrom('remembered_devices').selectAll().execute()).toEqual([])
    expect(await isSkipped(withToken(token))).toBe(false)
  })

  test('A78: is ended by clearing the sessions, unless devices are to be left alone', async () => {
    const api = apiOf(idp)
    const token = tokenIn(await remembered())
    const { id } = (await api('GET', `/users/${mary}`)).body
    expect((await api('DELETE', `/users/${id}/sessions?forgetDevices=false`)).status).toBe(204)
    expect(await isSkipped(withToken(token))).toBe(true)
    expect((await api('DELETE', `/users/${id}/sessions`)).status).toBe(204)
    expect(await isSkipped(withToken(token))).toBe(false)
  })

  test('A78: is one of ten of a user: the oldest is forgotten', async () => {
    const tokens: string[] = []
    for (let index = 0; index < 11; index++) {
      idp.clock.advance(1000)
      tokens.push(tokenIn(await remembered()))
    }
    expect(await isSkipped(withToken(tokens[0] ?? ''))).toBe(false)
    expect(await isSkipped(withToken(tokens[1] ?? ''))).toBe(true)
    expect(await idp.engine.storage.db.selectFrom('remembered_devices').selectAll().execute()).toHaveLength(
      10,
    )
  })
})
