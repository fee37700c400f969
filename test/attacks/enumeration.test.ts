import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type Kit, startEngine } from '../../src/testing/index.ts'
import { type Attacked, manyMails, masked } from '../support/attacks.ts'
import { manyRequests, type Node, startNode } from '../support/nodes.ts'
import { run as answersTo, guess, type Move, type StopWatch, startStopWatch } from '../support/stop-watch.ts'

// Of one length, so that bodies can be compared byte by byte.
const known = 'mary@example.com'
const unknown = 'nina@example.com'

/** Users of every kind whom a stranger must not distinguish from unknown ones. */
const twins = {
  'suspended@test.dev': 'SUSPENDED',
  'lockedout@test.dev': 'LOCKED_OUT',
  'staged-ab@test.dev': 'STAGED',
  'deprovisd@test.dev': 'DEPROVISIONED',
  'provision@test.dev': 'PROVISIONED',
  'passwless@test.dev': 'ACTIVE',
  'expiredpw@test.dev': 'PASSWORD_EXPIRED',
} as const

const resend: Move = ['another mail', (visitor) => visitor.submits('challenge/resend')]

/** Every step that a stranger can take with a user's name, and what a step is answered after the end. */
const walk = (identifier: string): readonly Move[] => [
  ['recover', (visitor) => visitor.submits('recover')],
  ['identify', (visitor) => visitor.submits('identify', { identifier })],
  ['introspect', (visitor) => visitor.submits('introspect')],
  ['a wrong choice', (visitor) => visitor.submits('challenge', { authenticator: { id: 'aut0' } })],
  [
    'select',
    async (visitor) => {
      await visitor.submits('introspect')
      return visitor.selects('okta_email')
    },
  ],
  ['poll', (visitor) => visitor.submits('challenge/poll')],
  ['no code', (visitor) => visitor.answers('')],
  guess,
  resend,
  guess,
  guess,
  [
    'select again',
    async (visitor) => {
      await visitor.submits('introspect')
      return visitor.selects('okta_email')
    },
  ],
  guess,
  ['the fifth wrong code', guess[1]],
  ['after the end', guess[1]],
  ['poll after the end', (visitor) => visitor.submits('challenge/poll')],
]

const signIn = (identifier: string): readonly Move[] => [
  ...Array.from(
    { length: 5 },
    (): Move => [
      'a wrong password',
      (visitor) => visitor.submits('identify', { identifier, credentials: { passcode: 'not her password' } }),
    ],
  ),
  ['after the end', (visitor) => visitor.submits('introspect')],
]

/** What a new visitor is answered to each step. */
const run = async (idp: Attacked, moves: readonly Move[]) => (await answersTo(idp, moves)).slice(1)

describe('a stranger with a list of names', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine({ clock: 'frozen', settings: { limits: { ...manyRequests } } })
  })
  beforeEach(async () => {
    await idp.reset()
    for (const [login, status] of Object.entries(twins)) {
      const hasPassword = login !== 'passwless@test.dev'
      await idp.people.add({ login, status, ...(hasPassword && { password: 'Marmalade-Harbour-31' }) })
    }
  })
  afterAll(() => idp.close())

  const said = async (login: string, moves: (login: string) => readonly Move[]) => {
    // So that the budgets of requests, which show how much is left of them, begin anew.
    idp.clock.advance('1m')
    return (await run(idp, moves(login))).map((reply) => `${reply.name}\n${masked(reply, login)}`)
  }

  test.each([
    ['recovers', walk],
    ['signs in', signIn],
  ])(
    'A01: a caller who %s under a known or an unknown name reads the same bytes at every step',
    async (_, moves) => {
      expect(await said(known, moves)).toEqual(await said(unknown, moves))
      for (const login of Object.keys(twins)) {
        const nobody = `nobody${login.slice(6)}`
        expect(await said(login, moves), login).toEqual(await said(nobody, moves))
      }
    },
  )

  test('A01: a policy that starts with the username asks all users the same', async () => {
    const own = await startEngine({ clock: 'frozen', settings: { signOn: { start: 'identifier' } } })
    const byName = (identifier: string): readonly Move[] => [
      ['identify', (visitor) => visitor.submits('identify', { identifier })],
      ['introspect', (visitor) => visitor.submits('introspect')],
    ]
    const mary = await run(own, byName(known))
    own.clock.advance('1m')
    const nina = await run(own, byName(unknown))
    expect(mary.map((reply) => masked(reply, known))).toEqual(nina.map((reply) => masked(reply, unknown)))
    expect(mary[0]?.status).toBe(200)
    await own.close()
  })

  test('A03: ten wrong codes, and ten mails, are throttled alike and as long', async () => {
    const outline = async (login: string) => {
      const replies: Answer[] = []
      for (let round = 0; round < 2; round++) replies.push(...(await run(idp, [...walk(login), guess])))
      // The budget of mails is spent on the way: later transactions meet it at their first mail.
      for (let round = 0; round < 4; round++) replies.push(...(await run(idp, walk(login).slice(0, 5))))
      return replies.map(({ status, headers, messages }) => [status, headers.get('retry-after'), ...messages])
    }

    const told = await outline(known)
    expect(told).toEqual(await outline(unknown))
    expect(told.map(([status]) => status)).toContain(429)
    expect(told.filter(([, retryAfter]) => retryAfter !== null).length).toBeGreaterThan(2)
  })

  test('A03: the form asks for a long code after as many wrong ones, for a known and an unknown name', async () => {
    const own = await startEngine({
      clock: 'frozen',
      settings: { limits: { ...manyRequests, ...manyMails } },
    })
    const asks = async (login: string) => {
      const forms: unknown[] = []
      for (let round = 0; round < 6; round++) {
        const replies = await run(own, [...walk(login).slice(0, 5), guess, guess, guess, guess])
        forms.push(replies[4]?.body.remediation?.value[0]?.value?.[0]?.form?.value[0]?.maxLength)
      }
      return forms
    }
    const told = await asks(known)
    expect(told).toEqual([undefined, undefined, undefined, undefined, undefined, 10])
    expect(await asks(unknown)).toEqual(told)
    await own.close()
  })

  test('A04: every refusal carries the same key, status and count for known and unknown', async () => {
    const outline = async (login: string) =>
      [...(await run(idp, walk(login))), ...(await run(idp, signIn(login)))].map(
        ({ name, status, messages }) => [name, status, ...messages].join(' '),
      )

    const told = await outline(known)
    expect(told).toEqual(await outline(unknown))
    expect(told).toContain('the fifth wrong code 429 tooManyRequests')
    expect(told).toContain('after the end 401 idx.session.expired')
    expect(told.filter((line) => line.startsWith('a wrong password 401 errors.E0000004'))).toHaveLength(4)
  })

  test('A05: lengths, headers, cookies, authenticators and the masked address reveal nothing', async () => {
    const mary = await run(idp, walk(known))
    const nina = await run(idp, walk(unknown))
    const outline = ({ headers, body }: Answer) => ({
      length: JSON.stringify(body).length,
      headers: [...headers].map(([name]) => name).sort(),
      cookies: headers.getSetCookie(),
      authenticators: body.authenticators?.value.map(({ key }: { key: string }) => key),
    })
    expect(mary.map(outline)).toEqual(nina.map(outline))
    expect(mary.flatMap(({ headers }) => headers.getSetCookie())).toEqual([])

    // The mask of an unknown user is as steady as that of a known one: it is made from what was typed.
    const mask = async (login: string) =>
      (await run(idp, walk(login).slice(0, 5)))[4]?.body.currentAuthenticatorEnrollment?.value.profile?.email
    expect([await mask(unknown), await mask(unknown)]).toEqual(['n***a@example.com', 'n***a@example.com'])
    await idp.people.add({ login: 'mary.alias@test.dev', email: 'elsewhere@example.org' })
    expect(await mask('mary.alias@test.dev')).toBe('m***s@test.dev')
  })
})

describe('a stranger with a stop-watch', () => {
  let node: Node
  let watch: StopWatch
  beforeAll(async () => {
    watch = startStopWatch()
    // The third wrong password locks an account.
    const settings = { policies: { password: { lockout: { maxAttempts: 3 } } } }
    node = await startNode({ settings, ports: { hasher: watch.hasher } })
  })
  afterAll(async () => {
    watch.stop()
    await node.close()
  })
  test.each([
    ['recovery', walk],
    ['sign-in', signIn],
  ])(
    'A02: each step of a %s costs as many statements, hashes and effects for an unknown user as for a known one',
    async (_, moves) => {
      const costs = (login: string) => watch.costs(node, moves(login))
      const mary = await costs(known)
      expect(await costs(unknown)).toEqual(mary)
      const seen = JSON.stringify(mary)
      expect((await node.engine.people.find(known))?.status).toBe(moves === walk ? 'ACTIVE' : 'LOCKED_OUT')
      expect(seen).toMatch(moves === walk ? /insert into (\\")?outbox/ : /"hashes":1/)
    },
  )
})
