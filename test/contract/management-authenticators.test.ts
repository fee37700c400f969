import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authenticatorsWith } from '../../src/authenticators/index.ts'
import { createLogger } from '../../src/base/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { openPolicies } from '../../src/policies/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { exampleAuthenticator } from '../support/example-authenticator.ts'
import { type Api, apiOf } from '../support/management.ts'
import { type Answer, newVisitor } from '../wire/visitor.ts'

const hasher = createHasher({ parameters: insecureFastHash, concurrency: 1, queue: 1 })
const catalogue = [...authenticatorsWith(hasher).values()]

let idp: Kit
let api: Api
const lines: string[] = []

beforeAll(async () => {
  const stream = { write: (line: string) => void lines.push(line) }
  idp = await startEngine({
    log: createLogger({ level: 'warn', stream }),
    authenticators: [exampleAuthenticator],
  })
  api = apiOf(idp)
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const pathOf = async (key: string) => {
  const found = (await api('GET', '/authenticators')).list.find((one) => one.key === key)
  return `/authenticators/${found?.id}`
}
const set = async (settings: object) => api('PUT', await pathOf('okta_email'), { name: 'Email', settings })
const builtInRule = async (type: string) => {
  const [policy] = (await api('GET', `/policies?type=${type}`)).list
  const [rule] = (await api('GET', `/policies/${policy?.id}/rules`)).list
  return { path: `/policies/${policy?.id}/rules/${rule?.id}`, rule: rule ?? {} }
}
/** Removes email from the recovery rules of all policies. */
async function withoutRecovery(): Promise<void> {
  const { path, rule } = await builtInRule('PASSWORD')
  const actions = { selfServicePasswordReset: { access: 'DENY' } }
  expect((await api('PUT', path, { ...rule, actions })).status).toBe(200)
}
async function withTwoFactors(): Promise<void> {
  const { path, rule } = await builtInRule('ACCESS_POLICY')
  const actions = {
    appSignOn: { access: 'ALLOW', verificationMethod: { type: 'ASSURANCE', factorMode: '2FA' } },
  }
  expect((await api('PUT', path, { ...rule, actions })).status).toBe(200)
}
const statusOf = ({ status, body }: Awaited<ReturnType<Api>>) => [status, body.errorCode]
const refused = [403, 'E0000148']

describe('authenticators', () => {
  test('are listed and read', async () => {
    const { status, list } = await api('GET', '/authenticators')
    expect(status).toBe(200)
    expect(list.map(({ key, type, status: is }) => [key, type, is])).toEqual([
      ['okta_email', 'email', 'ACTIVE'],
      ['google_otp', 'app', 'INACTIVE'],
      ['okta_verify', 'app', 'INACTIVE'],
      ['okta_password', 'password', 'ACTIVE'],
      ['phone_number', 'phone', 'INACTIVE'],
      ['example_phone', 'phone', 'INACTIVE'],
      ['recovery_codes', 'recovery_code', 'INACTIVE'],
      ['webauthn', 'security_key', 'INACTIVE'],
      ['security_question', 'security_question', 'INACTIVE'],
    ])
    const first = await api('GET', '/authenticators?limit=1')
    expect((await api('GET', first.next ?? '')).list.map(({ key }) => key)).toEqual(['google_otp'])
    expect((await api('GET', await pathOf('okta_email'))).body).toMatchObject({
      id: expect.stringMatching(/^aut/),
      name: 'Email',
      settings: { allowedFor: 'any', tokenLifetimeInMinutes: 5 },
    })
    expect((await api('GET', '/authenticators/autNone')).body.errorCode).toBe('E0000007')
  })

  test('store all members of their settings', async () => {
    const settings = { allowedFor: 'any', tokenLifetimeInMinutes: 10, compliance: { fips: 'OPTIONAL' } }
    expect((await set(settings)).body.settings).toEqual(settings)
    expect(lines.join('')).toContain('"ignored":["compliance"]')
    expect((await api('GET', await pathOf('okta_email'))).body.settings).toEqual(settings)
  })

  test.each([
    [{ tokenLifetimeInMinutes: 0 }],
    [{ tokenLifetimeInMinutes: 1.5 }],
    [{ tokenLifetimeInMinutes: '5' }],
    [{ tokenLifetimeInMinutes: 1441 }],
    [{ allowedFor: 'everything' }],
    [{ allowedFor: ['any'] }],
  ])('refuse invalid settings (%#)', async (settings) => {
    expect(statusOf(await set(settings))).toEqual([400, 'E0000001'])
  })

  test('are neither created, deleted nor renamed', async () => {
    const path = await pathOf('okta_email')
    for (const body of [
      { key: 'okta_password' },
      { type: 'phone' },
      { name: 'Post' },
      { settings: 'none' },
    ]) {
      expect(statusOf(await api('PUT', path, body))).toEqual([400, 'E0000001'])
    }
  })
})

describe('the lifetime of a mailed code', () => {
  const answerAfter = async (span: string): Promise<Answer> => {
    const visitor = newVisitor(idp)
    await visitor.atTheCode()
    const { code } = await visitor.mail(idp.person.login)
    idp.clock.advance(span)
    return visitor.answers(code)
  }

  test('is the configured one', async () => {
    await set({ tokenLifetimeInMinutes: 2 })
    expect((await answerAfter('121s')).status).toBe(401)
    await idp.reset()
    await set({ tokenLifetimeInMinutes: 20 })
    expect((await answerAfter('19m')).status).toBe(200)
  })

  test('is read by every node', async () => {
    await set({ tokenLifetimeInMinutes: 2 })
    const elsewhere = openPolicies(idp.engine.storage.db, { recovery: {} as never }, catalogue)
    expect((await elsewhere.for({ groupIds: [] })).codeLifetimes).toEqual({ okta_email: 120_000 })
  })
})

describe('what email is allowed for', () => {
  const offers = ({ body }: Answer) => JSON.stringify(body.currentAuthenticator ?? {}).includes('"recover"')
  const firstPage = () => newVisitor(idp).begins()

  test('recovery only: it cannot be used to sign in', async () => {
    const { path, rule } = await builtInRule('OKTA_SIGN_ON')
    const actions = { signon: { access: 'ALLOW', primaryFactor: 'PASSWORD_IDP_ANY_FACTOR' } }
    await api('PUT', path, { ...rule, actions })
    const choices = async () => {
      const visitor = newVisitor(idp)
      await visitor.begins()
      const named = await visitor.submits('identify', { identifier: idp.person.login })
      return ['okta_password', 'okta_email'].filter((key) => JSON.stringify(named.body).includes(key))
    }
    expect(await choices()).toEqual(['okta_password', 'okta_email'])
    expect((await set({ allowedFor: 'recovery' })).status).toBe(200)
    expect(await choices()).toEqual(['okta_password'])
  })

  test('sign-in only: no recovery begins', async () => {
    await withoutRecovery()
    const { path, rule } = await builtInRule('PASSWORD')
    expect((await set({ allowedFor: 'sso' })).status).toBe(200)
    await api('PUT', path, { ...rule, actions: { selfServicePasswordReset: { access: 'ALLOW' } } })
    expect(offers(await firstPage())).toBe(false)
    await set({ allowedFor: 'any' })
    expect(offers(await firstPage())).toBe(true)
  })

  test('cannot be reduced while a policy requires it', async () => {
    expect(statusOf(await set({ allowedFor: 'sso' }))).toEqual(refused)
    expect(statusOf(await set({ allowedFor: 'none' }))).toEqual(refused)
    await withTwoFactors()
    expect(statusOf(await set({ allowedFor: 'recovery' }))).toEqual(refused)
  })
})

describe('an authenticator', () => {
  test('is deactivated and activated when no policy requires it', async () => {
    const path = await pathOf('okta_email')
    expect(statusOf(await api('POST', `${path}/lifecycle/deactivate`))).toEqual(refused)
    await withoutRecovery()
    await withTwoFactors()
    expect(statusOf(await api('POST', `${path}/lifecycle/deactivate`))).toEqual(refused)

    await idp.reset()
    await withoutRecovery()
    expect((await api('POST', `${path}/lifecycle/deactivate`)).body.status).toBe('INACTIVE')
    const visitor = newVisitor(idp)
    await visitor.begins()
    expect((await visitor.signsIn(idp.person.login, idp.person.password)).status).toBe(200)
    expect((await api('POST', `${path}/lifecycle/activate`)).body.status).toBe('ACTIVE')
    const types = (await idp.events()).map(({ eventType }) => eventType)
    expect(types).toContain('security.authenticator.lifecycle.deactivate')
  })

  test('cannot be deactivated if it is the password', async () => {
    const path = await pathOf('okta_password')
    expect(statusOf(await api('POST', `${path}/lifecycle/deactivate`))).toEqual(refused)
  })
})

describe('the methods of an authenticator', () => {
  const phone = () => pathOf('example_phone')
  const methods = async () =>
    (await api('GET', `${await phone()}/methods`)).list.map(({ type, status }) => [type, status])
  const switched = async (method: string, action: string) =>
    api('POST', `${await phone()}/methods/${method}/lifecycle/${action}`)

  test('are listed and read, an app with the form of its codes', async () => {
    const path = `${await pathOf('google_otp')}/methods`
    const { list } = await api('GET', path)
    const settings = {
      ...{ timeIntervalInSeconds: 30, encoding: 'base32', algorithm: 'HMacSHA1' },
      ...{ passCodeLength: 6, acceptableAdjacentIntervals: 1 },
    }
    const self = `${idp.engineUrl}/api/v1${path}/otp`
    expect(list).toEqual([
      {
        type: 'otp',
        status: 'ACTIVE',
        settings,
        _links: {
          self: { href: self, hints: { allow: ['GET', 'PUT'] } },
          deactivate: { href: `${self}/lifecycle/deactivate`, hints: { allow: ['POST'] } },
        },
      },
    ])
    expect((await api('GET', `${path}/otp`)).body).toEqual(list[0])
    expect(statusOf(await api('GET', `${path}/sms`))).toEqual([404, 'E0000007'])
    expect(statusOf(await api('PUT', `${path}/otp`, { type: 'sms' }))).toEqual([400, 'E0000001'])
    expect((await api('PUT', `${path}/otp`, { type: 'otp', settings })).body.settings).toEqual(settings)
  })

  test('are switched off and on, not the last one, and stay so when settings are replaced', async () => {
    expect((await switched('voice', 'deactivate')).body).toMatchObject({ type: 'voice', status: 'INACTIVE' })
    expect(await methods()).toEqual([
      ['sms', 'ACTIVE'],
      ['voice', 'INACTIVE'],
    ])
    expect(statusOf(await switched('sms', 'deactivate'))).toEqual([400, 'E0000001'])
    expect((await api('PUT', await phone(), { settings: { allowedFor: 'any' } })).body.settings).toEqual({
      allowedFor: 'any',
      inactiveMethods: ['voice'],
    })
    const all = { settings: { inactiveMethods: ['sms', 'voice'] } }
    expect(statusOf(await api('PUT', await phone(), all))).toEqual([400, 'E0000001'])
    expect((await switched('voice', 'activate')).body.status).toBe('ACTIVE')
    expect((await api('GET', await phone())).body.settings).toEqual({ allowedFor: 'any' })
  })

  test('that a policy names alone are not switched off', async () => {
    const { path, rule } = await builtInRule('ACCESS_POLICY')
    const verificationMethod = {
      ...{ type: 'ASSURANCE', factorMode: '2FA' },
      constraints: [{ possession: { methods: ['SMS'] } }],
    }
    const actions = { appSignOn: { access: 'ALLOW', verificationMethod } }
    expect((await api('PUT', path, { ...rule, actions })).status).toBe(200)
    expect(statusOf(await switched('sms', 'deactivate'))).toEqual(refused)
    expect((await switched('voice', 'deactivate')).status).toBe(200)
  })

  test('belong to authenticators that are all there from the start', async () => {
    const there = await api('POST', '/authenticators?activate=true', { key: 'google_otp', name: 'App' })
    expect(statusOf(there)).toEqual([400, 'E0000001'])
    expect(statusOf(await api('POST', '/authenticators', { key: 'duo', name: 'Duo' }))).toEqual([
      400,
      'E0000001',
    ])
  })
})
