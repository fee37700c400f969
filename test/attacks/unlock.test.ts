import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authenticatorId } from '../../src/flow/index.ts'
import { type Answer, type Kit, startEngine } from '../../src/testing/index.ts'
import { mailTo, manyMails, masked, startTarget, visit, wrongCode } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests, type Node, startNode } from '../support/nodes.ts'
import { guess, type Move, run, type StopWatch, startStopWatch } from '../support/stop-watch.ts'

const withUnlock = {
  policies: { password: { recovery: { unlock: true }, lockout: { maxAttempts: 3 } } },
  limits: { ...manyRequests },
} as const
const id = authenticatorId('okta_email')

/** Users of every kind whom a caller must not distinguish, each with an unknown name of the same length. */
const twins = {
  'openacc-a@test.dev': 'ACTIVE',
  'lockedout@test.dev': 'LOCKED_OUT',
  'suspended@test.dev': 'SUSPENDED',
  'staged-ab@test.dev': 'STAGED',
  'deprovisd@test.dev': 'DEPROVISIONED',
  'provision@test.dev': 'PROVISIONED',
  'expiredpw@test.dev': 'PASSWORD_EXPIRED',
} as const

/** Every step that a caller can take with a user's name, and what a step is answered after the end. */
const walk = (identifier: string): readonly Move[] => [
  ['unlock', (visitor) => visitor.submits('unlock-account')],
  ['introspect', (visitor) => visitor.submits('introspect')],
  [
    'a wrong choice',
    (visitor) =>
      visitor.submits('challenge', { identifier, authenticator: { id: 'aut0', methodType: 'sms' } }),
  ],
  ['no choice', (visitor) => visitor.submits('challenge', { identifier })],
  [
    'name and authenticator',
    (visitor) => visitor.submits('challenge', { identifier, authenticator: { id } }),
  ],
  ['introspect again', (visitor) => visitor.submits('introspect')],
  ['poll', (visitor) => visitor.submits('challenge/poll')],
  ['no code', (visitor) => visitor.answers('')],
  guess,
  ['another mail', (visitor) => visitor.submits('challenge/resend')],
  guess,
  ['select again', (visitor) => visitor.submits('challenge', { authenticator: { id } })],
  guess,
  guess,
  ['the fifth wrong code', guess[1]],
  ['after the end', guess[1]],
  ['poll after the end', (visitor) => visitor.submits('challenge/poll')],
]

describe('a caller with a list of names', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startTarget({ settings: withUnlock })
  })
  beforeEach(async () => {
    await idp.reset()
    for (const [login, status] of Object.entries(twins)) {
      await idp.people.add({ login, status, password: 'Marmalade-Harbour-31' })
    }
  })
  afterAll(() => idp.close())

  const seen = async (login: string) => {
    // So that the budgets of requests, which show how much is left of them, begin anew.
    idp.clock.advance('1m')
    return (await run(idp, walk(login))).map((reply) => `${reply.name}\n${masked(reply, login)}`)
  }

  test('A64: reads the same bytes at every step of an unlock, whether or not the user is locked out', async () => {
    for (const login of Object.keys(twins)) {
      const unknown = `nobody${login.slice(6)}`
      expect(await seen(login), login).toEqual(await seen(unknown))
    }
  })

  test('A64: learns nothing of a mail: one goes to the locked user, and to no other', async () => {
    for (const login of [...Object.keys(twins), 'nobody-ab@test.dev'])
      await run(idp, walk(login).slice(0, 10))
    await idp.engine.delivery.idle()
    const reached = idp.outbox.all().map(({ to, template }) => `${to} ${template}`)
    expect(new Set(reached)).toEqual(new Set(['lockedout@test.dev SelfServiceUnlock']))
  })

  test('A64: is throttled alike and as long, by mails and by wrong codes', async () => {
    const outline = async (login: string) => {
      const replies: Answer[] = []
      for (let round = 0; round < 3; round++) replies.push(...(await run(idp, walk(login))))
      return replies.map(({ status, headers, messages }) => [status, headers.get('retry-after'), ...messages])
    }
    const locked = await outline('lockedout@test.dev')
    expect(locked).toEqual(await outline('nobody-xy@test.dev'))
    expect(locked.map(([status]) => status)).toContain(429)
    expect(locked.filter(([, retryAfter]) => retryAfter !== null).length).toBeGreaterThan(1)
  })

  test('A64: sees no end that comes from outside: the unlock goes on as that of an unknown user', async () => {
    const login = 'lockedout@test.dev'
    const visitor = await visit(idp)
    await visitor.submits('unlock-account')
    await visitor.submits('challenge', { identifier: login, authenticator: { id } })
    const { code } = await mailTo(idp, login)
    await apiOf(idp)('POST', `/users/${login}/lifecycle/unlock`)
    expect((await visitor.polls()).status).toBe(200)
    expect((await visitor.answers(wrongCode(code))).status).toBe(401)
    expect((await visitor.answers(code)).messages).toEqual(['api.authn.error.PASSCODE_INVALID'])
  })

  test('A53: the offer is the union of all policies, for every name', async () => {
    const own = await startEngine({ clock: 'frozen', settings: { limits: { ...manyRequests } } })
    const api = apiOf(own)
    const { body: group } = await api('POST', '/groups', { profile: { name: 'Support' } })
    const conditions = { people: { groups: { include: [group.id] } } }
    const { body: policy } = await api('POST', '/policies', { type: 'PASSWORD', name: 'Support', conditions })
    await api('POST', `/policies/${policy.id}/rules`, {
      type: 'PASSWORD',
      name: 'Unlock',
      actions: {
        selfServicePasswordReset: { access: 'DENY', requirement: { primary: { methods: ['email'] } } },
        selfServiceUnlock: { access: 'ALLOW' },
      },
    })
    await own.people.add({ login: 'sam@example.com', status: 'LOCKED_OUT', password: 'Marmalade-Harbour-31' })
    await api('PUT', `/groups/${group.id}/users/${(await api('GET', '/users/sam@example.com')).body.id}`)
    await own.people.add({ login: 'tim@example.com', status: 'LOCKED_OUT', password: 'Marmalade-Harbour-31' })
    const texts = async (login: string) => {
      own.clock.advance('1m')
      return (await run(own, walk(login))).map((reply) => masked(reply, login))
    }
    const sam = await texts('sam@example.com')
    expect(sam[0]).toContain('"unlock-account"')
    expect(await texts('tim@example.com')).toEqual(sam)
    expect(await texts('nob@example.com')).toEqual(sam)

    // Only after the right code: unlocked, or not allowed.
    const ends = async (login: string) => {
      // Mails that are still on their way would leave together with the one that is awaited, in any order.
      await own.engine.delivery.idle()
      const visitor = await visit(own)
      await visitor.submits('unlock-account')
      await visitor.submits('challenge', { identifier: login, authenticator: { id } })
      await visitor.answers((await mailTo(own, login)).code)
      return [visitor.messages, (await api('GET', `/users/${login}`)).body.status]
    }
    expect(await ends('sam@example.com')).toEqual([['oie.selfservice.unlock_user.success.message'], 'ACTIVE'])
    expect(await ends('tim@example.com')).toEqual([['oie.selfservice.user.unlock.not.allowed'], 'LOCKED_OUT'])
    await own.close()
  })

  test('A34: an unlock is no reset and no sign-in: nothing but the status is another one after it', async () => {
    const login = 'lockedout@test.dev'
    const visitor = await visit(idp)
    await visitor.submits('unlock-account')
    await visitor.submits('challenge', { identifier: login, authenticator: { id } })
    await visitor.answers((await mailTo(idp, login)).code)
    expect(visitor.response.interactionCode).toBeUndefined()
    for (const path of ['challenge/answer', 'recover', 'identify', 'unlock-account', 'challenge']) {
      const { status, messages } = await visitor.submits(path, {
        credentials: { passcode: 'Lighthouse-Biscuit-77' },
      })
      expect([path, status, messages]).toEqual([path, 401, ['idx.session.expired']])
    }
    expect((await (await visit(idp)).signsIn(login, 'Marmalade-Harbour-31')).interactionCode).toBeDefined()
  })
})

describe('a caller with a stop-watch', () => {
  let node: Node
  let watch: StopWatch
  beforeAll(async () => {
    watch = startStopWatch()
    node = await startNode({
      settings: { ...withUnlock, limits: { ...withUnlock.limits, ...manyMails } },
      ports: { hasher: watch.hasher },
    })
  })
  afterAll(async () => {
    watch.stop()
    await node.close()
  })

  test('A64: each step of an unlock costs as many statements for a locked, an open and an unknown user', async () => {
    const costs = (login: string) => watch.costs(node, walk(login))
    const open = await costs('mary@example.com')
    expect(await costs('nina@example.com')).toEqual(open)
    for (let wrong = 0; wrong < 3; wrong++) {
      const visitor = await visit(node)
      await visitor.signsIn('mary@example.com', `not it ${wrong}`)
    }
    expect((await node.engine.people.find('mary@example.com'))?.status).toBe('LOCKED_OUT')
    expect(await costs('mary@example.com')).toEqual(open)
    expect(JSON.stringify(open)).toMatch(/insert into (\\")?outbox/)
  })
})
