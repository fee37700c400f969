import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Authenticator, authenticatorId, type Step } from '../../src/flow/index.ts'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { isCached, isOfRows, watchStatements } from '../contract/statements.ts'
import { mailCount, masked, parallel, startTarget, visit } from '../support/attacks.ts'
import { type CaptchaProviderDouble, startCaptchaProvider } from '../support/captcha-provider.ts'
import { exampleAuthenticator } from '../support/example-authenticator.ts'
import { startNodes } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'

const mary = 'mary@example.com'
const email = authenticatorId('okta_email')

let provider: CaptchaProviderDouble
let idp: Kit
beforeEach(async () => {
  provider = await startCaptchaProvider()
})
afterEach(async () => {
  await idp?.close()
  await provider.close()
})

const captchaOf = (more: object = {}) => ({
  type: 'HCAPTCHA' as const,
  siteKey: provider.siteKey,
  secret: provider.secret,
  verifyUrl: provider.verifyUrl,
  insecureAddresses: true,
  ...more,
})

/** A form of the name that sign-up has: what is guarded is found by it. */
const signUp: Step = {
  name: 'enroll-profile',
  path: 'enroll/new',
  place: 'remediation',
  stages: ['identify'],
  fields: () => [{ name: 'userProfile', fields: [{ name: 'email', label: 'Email' }] }],
  accept: async (_, { progress }) => ({ progress, notice: { key: 'idx.return.stale' } }),
}
const withSignUp: Authenticator = { ...exampleAuthenticator, key: 'with_sign_up', steps: [signUp] }

async function start({ captcha = {}, settings = {} }: { captcha?: object; settings?: object } = {}) {
  idp = await startTarget({
    authenticators: [withSignUp],
    settings: {
      policies: { password: { recovery: { unlock: true } } },
      ...settings,
      captcha: captchaOf(captcha),
    },
  })
}

const siteOf = ({ body }: Answer) =>
  (body.captcha as { readonly value: { readonly id: string; readonly siteKey: string } } | undefined)?.value
const verify = (visitor: Visitor, token: string) => ({
  captchaVerify: { captchaId: siteOf(visitor.response)?.id, captchaToken: token },
})
const atRecovery = async (options = {}) => {
  const visitor = await visit(idp, options)
  await visitor.submits('recover')
  return visitor
}
const recovers = (visitor: Visitor, token: string, identifier = mary) =>
  visitor.submits('identify', { identifier, ...verify(visitor, token) })
const keys = ({ body }: Answer) => (body.messages?.value ?? []).map(({ i18n }) => i18n?.key)

describe('a robot without a captcha', () => {
  beforeEach(() => start())

  test.each([mary, 'unknown-user@example.com'])(
    'A75: gets no further with the name %s',
    async (identifier) => {
      const visitor = await atRecovery()
      for (const body of [
        {},
        { captchaVerify: {} },
        { captchaVerify: 'token' },
        { captchaVerify: { captchaToken: ['a'], captchaId: 1 } },
        { captchaVerify: { captchaToken: provider.token() } },
        { captchaVerify: { captchaId: 'cap1', captchaToken: provider.token() } },
        verify(visitor, 'made up'),
        verify(visitor, 'x'.repeat(9000)),
      ]) {
        const answer = await visitor.submits('identify', { identifier, ...body })
        expect(answer.status).toBe(400)
        expect(answer.remediations).toEqual(['identify-recovery'])
        expect(keys(answer)[0]).toMatch(/^captcha\.(required|invalid)$/)
        expect(answer.body.user).toBeUndefined()
      }
      expect(await mailCount(idp)).toBe(0)
      expect((await recovers(visitor, provider.token(), identifier)).remediations).toEqual([
        'select-authenticator-authenticate',
      ])
    },
  )

  test('A75: opens no account, and signs none up', async () => {
    const visitor = await visit(idp)
    const refused = await visitor.submits('enroll/new', { userProfile: { email: mary } })
    expect([refused.status, keys(refused)]).toEqual([400, ['captcha.required']])
    const taken = await visitor.submits('enroll/new', {
      userProfile: { email: mary },
      ...verify(visitor, provider.token()),
    })
    expect([taken.status, keys(taken)]).toEqual([200, ['idx.return.stale']])

    await visitor.submits('unlock-account')
    const choice = { identifier: mary, authenticator: { id: email } }
    const closed = await visitor.submits('challenge', choice)
    expect([closed.status, keys(closed)]).toEqual([400, ['captcha.required']])
    expect(closed.remediations).toEqual(['select-authenticator-unlock-account'])
    const opened = await visitor.submits('challenge', { ...choice, ...verify(visitor, provider.token()) })
    expect(opened.remediations[0]).toBe('challenge-authenticator')
  })

  test('A75: sees the same of known and unknown names, with as many statements', async () => {
    let statements: string[] = []
    const stop = watchStatements('sqlite', (sent) => {
      if (sent.request !== undefined && isOfRows(sent) && !isCached(sent)) statements.push(sent.text)
    })
    const seen = async (identifier: string) => {
      idp.clock.advance('1m')
      const visitor = await atRecovery()
      await idp.engine.delivery.idle()
      statements = []
      const answers = [
        await visitor.submits('identify', { identifier }),
        await recovers(visitor, 'wrong', identifier),
        await recovers(visitor, provider.token(), identifier),
      ]
      return [...answers.map((answer) => masked(answer, identifier)), ...statements.toSorted()]
    }
    try {
      await seen(mary)
      expect(await seen('mory@example.com')).toEqual(await seen(mary))
    } finally {
      stop()
    }
  })
})

test('A75: a recovery behind a name that was typed at sign-in asks for the captcha all the same', async () => {
  await start({ settings: { signOn: { start: 'identifier' } } })
  const visitor = await visit(idp)
  await visitor.submits('identify', { identifier: mary })
  await visitor.selects('okta_password')
  const begun = await visitor.submits('recover')
  expect(begun.remediations).toEqual(['identify-recovery'])
  expect(siteOf(begun)?.siteKey).toBe(provider.siteKey)
  expect(begun.body.user).toBeUndefined()
})

describe('a token', () => {
  test('A75: is good once, in one transaction, although the provider takes it again', async () => {
    await start()
    const token = provider.token()
    const [first, second] = [await atRecovery(), await atRecovery()]
    expect((await recovers(first, token)).status).toBe(200)
    const reused = await recovers(second, token)
    expect([reused.status, keys(reused)]).toEqual([400, ['captcha.invalid']])
    expect(provider.verifications).toHaveLength(1)
    // Also after it was of no use: what is wrong once stays wrong.
    idp.clock.advance('10m')
    expect((await recovers(await atRecovery(), token)).status).toBe(400)
  })

  test('A75: serves one of many transactions that use it at once', async () => {
    await start()
    const token = provider.token()
    const visitors = await parallel(8, () => atRecovery())
    const answers = await Promise.all(visitors.map((visitor) => recovers(visitor, token)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(provider.verifications).toHaveLength(1)
  })

  test('A75: of another host, or of long ago, is refused', async () => {
    await start({ captcha: { hostnames: ['app.example.com'] } })
    const visitor = await atRecovery()
    expect((await recovers(visitor, provider.token())).status).toBe(400)
    provider.details = {
      hostname: 'app.example.com',
      challenge_ts: new Date(idp.clock.now() - 660_000).toISOString(),
    }
    expect((await recovers(visitor, provider.token())).status).toBe(400)
    provider.details = { hostname: 'app.example.com', challenge_ts: new Date(idp.clock.now()).toISOString() }
    expect((await recovers(visitor, provider.token())).status).toBe(200)
  })

  test('A75: that was solved for another form is refused, where the page names the form as its action', async () => {
    await start()
    const visitor = await atRecovery()
    for (const [action, status] of [
      ['signUp', 400],
      ['unlock', 400],
      ['recovery', 200],
    ] as const) {
      provider.details = { action }
      expect([action, (await recovers(visitor, provider.token())).status]).toEqual([action, status])
    }
    // An action of the app's own says nothing of a form.
    provider.details = { action: 'login' }
    expect((await recovers(await atRecovery(), provider.token())).status).toBe(200)
  })

  test('A75: is verified with the address of the user, where it is known', async () => {
    await start()
    const visitor = await atRecovery({ headers: { 'x-forwarded-for': '8.8.4.4' } })
    await recovers(visitor, provider.token())
    await recovers(await atRecovery({ headers: { 'x-forwarded-for': '10.0.0.9' } }), provider.token())
    await recovers(await atRecovery(), provider.token())
    expect(provider.verifications.map(({ remoteip }) => remoteip)).toEqual(['8.8.4.4', undefined, undefined])
    expect(provider.verifications[0]).toMatchObject({ secret: provider.secret, sitekey: provider.siteKey })
  })
})

test('A75: one address has so many answers verified, and others go on', async () => {
  await start({ settings: { limits: { captchasPerAddress: 3 } } })
  const from = (address: string) => atRecovery({ headers: { 'x-forwarded-for': address } })
  const robot = await from('203.0.113.1')
  for (const status of [400, 400, 400, 429, 429]) {
    expect((await recovers(robot, `made up ${Math.random()}`)).status).toBe(status)
  }
  expect(provider.verifications).toHaveLength(3)
  const other = await recovers(await from('203.0.113.2'), provider.token())
  expect(other.status).toBe(200)
  idp.clock.advance('61s')
  expect((await recovers(robot, provider.token())).status).toBe(200)
})

describe('while the provider is away', () => {
  test.each(['silent', 'broken'] as const)(
    'A75: (%s) sign-up is closed, and recovery open within tight budgets',
    async (mode) => {
      await start({ settings: { limits: { withoutCaptchaPerAddress: 2 } } })
      provider.mode = mode
      const newcomer = await visit(idp)
      const closed = await newcomer.submits('enroll/new', verify(newcomer, provider.token()))
      expect([closed.status, keys(closed)]).toEqual([503, ['captcha.unavailable']])
      expect(closed.headers.get('retry-after')).toBe('10')
      expect(closed.remediations).toContain('enroll-profile')

      const from = (address: string) => atRecovery({ headers: { 'x-forwarded-for': address } })
      for (const status of [200, 200, 429]) {
        expect((await recovers(await from('203.0.113.1'), provider.token(), 'x@example.com')).status).toBe(
          status,
        )
      }
      // After three failures it is not asked for a while, so that no form waits for it.
      expect(provider.verifications).toHaveLength(3)
      expect((await recovers(await from('203.0.113.2'), provider.token())).status).toBe(200)
      provider.mode = 'answers'
      idp.clock.advance('11s')
      expect((await newcomer.submits('enroll/new', verify(newcomer, provider.token()))).status).toBe(200)
    },
  )

  test('A75: a page that could get no captcha recovers without, and signs none up', async () => {
    await start({ settings: { limits: { withoutCaptchaPerAddress: 1 } } })
    await provider.stop()
    const newcomer = await visit(idp)
    expect((await newcomer.submits('enroll/new', {})).status).toBe(400)
    const here = { headers: { 'x-forwarded-for': '203.0.113.1' } }
    const [first, second] = [await atRecovery(here), await atRecovery(here)]
    expect((await first.submits('identify', { identifier: mary })).status).toBe(200)
    expect((await second.submits('identify', { identifier: mary })).status).toBe(429)
  })

  test('A75: keys that the provider does not know are an absence, and garbage is none', async () => {
    await start({ captcha: { secret: 'another secret' } })
    const visitor = await visit(idp)
    const answer = await visitor.submits('enroll/new', verify(visitor, provider.token()))
    expect(answer.status).toBe(503)
  })
})

onEachDatabase('two nodes', (database) => {
  test('A75: a token that one node has taken no other node takes', async () => {
    const nodes = await startNodes(database, 2, { settings: { captcha: captchaOf() } })
    try {
      const token = provider.token()
      const visitors = []
      for (const node of [0, 1]) {
        nodes.balancer.to(node)
        const visitor = await visit(nodes.balancer)
        await visitor.submits('recover')
        visitors.push(visitor)
      }
      const statuses = []
      for (const [node, visitor] of visitors.entries()) {
        nodes.balancer.to(node)
        statuses.push((await recovers(visitor, token)).status)
      }
      expect(statuses).toEqual([200, 400])
      expect(provider.verifications).toHaveLength(1)
    } finally {
      await nodes.close()
    }
  })
})
