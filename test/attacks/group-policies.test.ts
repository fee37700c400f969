import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { putEnrollment } from '../../src/directory/index.ts'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { isCached, noteRequests } from '../contract/statements.ts'
import { atTheCode, mailTo, manyMails, masked, startTarget, visit } from '../support/attacks.ts'
import { type Api, apiOf } from '../support/management.ts'
import { type DatabaseKind, onEachDatabase } from '../support/postgres.ts'

/** One user of each kind, and a name that no user has. All of one length, so that bodies compare byte by byte. */
const logins = {
  plain: 'plain01@example.com',
  admins: 'admin01@example.com',
  staff: 'staff01@example.com',
  barred: 'barred1@example.com',
  unknown: 'nobody1@example.com',
} as const
const password = 'Marmalade-Harbour-31'

const access = (appSignOn: object) => ({ appSignOn: { access: 'ALLOW', ...appSignOn } })
const assurance = (more: object) => ({ verificationMethod: { type: 'ASSURANCE', ...more } })
const possession = [{ possession: { required: true } }]

/** The actions of a group's rules; absent: the group has no rule of that type. */
interface Rules {
  readonly password?: 'ALLOW' | 'DENY'
  readonly access?: object
  readonly settings?: object
}

/** What each group's policies say. The built-in ones apply to users of no other group. */
const rules: Readonly<Record<'admins' | 'staff' | 'barred', Rules>> = {
  admins: {
    password: 'DENY',
    access: access(assurance({ factorMode: '1FA', constraints: possession })),
    settings: {
      complexity: { minLength: 30 },
      age: { maxAgeDays: 1, minAgeMinutes: 600 },
      lockout: { maxAttempts: 3, autoUnlockMinutes: 7 },
    },
  },
  staff: { password: 'ALLOW', access: access(assurance({ factorMode: '2FA' })) },
  barred: { access: access({ access: 'DENY' }) },
}

const passwordRule = (grant: 'ALLOW' | 'DENY') => ({
  selfServicePasswordReset: {
    access: grant,
    requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
  },
  selfServiceUnlock: { access: grant },
})

const made = async (api: Api, path: string, body: object): Promise<string> => {
  const answered = await api('POST', path, body)
  expect([answered.status, answered.text]).toEqual([
    expect.toSatisfy((status) => status < 300),
    answered.text,
  ])
  return answered.body.id
}

/** Adds the users, their groups, and the policies of the groups. */
async function populate(idp: Kit): Promise<void> {
  const api = apiOf(idp)
  const accessPolicy = await made(api, '/policies', { type: 'ACCESS_POLICY', name: 'Shop' })
  expect((await api('PUT', `/apps/${idp.clientId}/policies/${accessPolicy}`)).status).toBe(204)
  for (const [kind, login] of Object.entries(logins)) {
    if (kind === 'unknown') continue
    const { id } = await idp.people.add({ login, password })
    const own = rules[kind as keyof typeof rules]
    if (own === undefined) continue
    const group = await made(api, '/groups', { profile: { name: kind } })
    expect((await api('PUT', `/groups/${group}/users/${id}`)).status).toBe(204)
    const conditions = { people: { groups: { include: [group] } } }
    if (own.access !== undefined) {
      const rule = { name: kind, type: 'ACCESS_POLICY', conditions, actions: own.access }
      await made(api, `/policies/${accessPolicy}/rules`, rule)
    }
    if (own.password !== undefined) {
      const settings = { settings: { password: own.settings ?? {} } }
      const policy = await made(api, '/policies', { type: 'PASSWORD', name: kind, conditions, ...settings })
      const rule = { name: kind, type: 'PASSWORD', actions: passwordRule(own.password) }
      await made(api, `/policies/${policy}/rules`, rule)
    }
  }
}

/** Everyone may not recover, and only the staff may: what is offered comes from the one rule that allows it. */
async function onlyStaffRecovers(idp: Kit): Promise<void> {
  const api = apiOf(idp)
  const [builtIn] = (await api('GET', '/policies?type=PASSWORD')).list.filter(({ system }) => system === true)
  const [rule] = (await api('GET', `/policies/${builtIn?.id}/rules`)).list
  const actions = passwordRule('DENY')
  expect((await api('PUT', `/policies/${builtIn?.id}/rules/${rule?.id}`, { ...rule, actions })).status).toBe(
    200,
  )
}

type Move = readonly [name: string, send: (visitor: Visitor) => Promise<Answer>]

const guess: Move = ['a wrong code', (visitor) => visitor.answers('000000x')]
const introspect: Move = ['introspect', (visitor) => visitor.introspects()]
const chosen = (key: string): Move => [
  `choose ${key}`,
  async (visitor) => {
    await visitor.introspects()
    return visitor.selects(key)
  },
]

/** What a caller who has proven nothing can send with a name. */
const walks: Readonly<Record<string, (identifier: string) => readonly Move[]>> = {
  recovery: (identifier) => [
    ['recover', (visitor) => visitor.submits('recover')],
    ['identify', (visitor) => visitor.submits('identify', { identifier })],
    introspect,
    ['a wrong choice', (visitor) => visitor.submits('challenge', { authenticator: { id: 'aut0' } })],
    chosen('okta_email'),
    ['poll', (visitor) => visitor.polls()],
    ...Array<Move>(4).fill(guess),
    ['resend', (visitor) => visitor.submits('challenge/resend')],
    guess,
    guess,
  ],
  'identifier first': (identifier) => [
    ['identify', (visitor) => visitor.submits('identify', { identifier })],
    introspect,
    chosen('okta_password'),
    ['recover', (visitor) => visitor.submits('recover')],
    introspect,
    ['cancel', (visitor) => visitor.submits('cancel')],
  ],
  'identifier first, by mail': (identifier) => [
    ['identify', (visitor) => visitor.submits('identify', { identifier })],
    chosen('okta_email'),
    guess,
    ['resend', (visitor) => visitor.submits('challenge/resend')],
    guess,
  ],
  'identifier first, by password': (identifier) => [
    ['identify', (visitor) => visitor.submits('identify', { identifier })],
    chosen('okta_password'),
    ...Array<Move>(5).fill(['a wrong password', (visitor) => visitor.answers('Summer2026!!')]),
  ],
  'password first': (identifier) =>
    Array<Move>(5).fill([
      'a wrong password',
      (visitor) => visitor.submits('identify', { identifier, credentials: { passcode: 'Summer2026!!' } }),
    ]),
}
const startOf = (walk: string): 'password' | 'identifier' =>
  walk.startsWith('ident') ? 'identifier' : 'password'

/** What a walk is answered, byte by byte, and what it costs the database. */
async function walked(idp: Kit, kind: DatabaseKind['name'], moves: readonly Move[], login: string) {
  // So that what the headers say is left of the budgets of requests begins anew.
  idp.clock.advance('1m')
  const visitor = await visit(idp)
  const replies: string[] = []
  const noted = noteRequests(kind)
  for (const [name, send] of moves) replies.push(`${name}\n${masked(await send(visitor), login)}`)
  const costs = [...noted]
    // The policies are read anew every two seconds, for every name.
    .filter((one) => !isCached(one))
    .map(({ text, times }) => `${times} × ${text.trim().replace(/\s+/g, ' ')}`)
  vi.restoreAllMocks()
  return { replies, costs: costs.toSorted() }
}

const optionsIn = ({ body }: Answer): readonly string[] =>
  body.authenticators?.value.map(({ key }) => key) ?? []

onEachDatabase('users of groups with policies of their own', (database) => {
  const targets = new Map<string, Kit>()
  const drops: (() => Promise<void>)[] = []

  async function target(start: 'password' | 'identifier'): Promise<Kit> {
    const { url, drop } = await database.create()
    drops.push(drop)
    const limits = { ...manyMails, passwordsPerHour: 1_000_000, codesPerDay: 1_000_000 }
    // No mail leaves: what the worker writes would come between.
    const idp = await startTarget({
      database: url,
      settings: { signOn: { start }, limits, mail: { deliver: false } },
    })
    await populate(idp)
    return idp
  }
  beforeAll(async () => {
    for (const start of ['password', 'identifier'] as const) targets.set(start, await target(start))
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  afterAll(async () => {
    for (const idp of targets.values()) await idp.close()
    for (const drop of drops) await drop()
  })
  const at = (start: 'password' | 'identifier'): Kit => {
    const idp = targets.get(start)
    if (idp === undefined) throw new Error(start)
    return idp
  }

  test.each(Object.keys(walks))(
    'A53: before a proof all are answered alike, and cost the same (%s)',
    async (name) => {
      const moves = walks[name]
      if (moves === undefined) throw new Error(name)
      const of = (login: string) => walked(at(startOf(name)), database.name, moves(login), login)
      // The first visit of a name fills caches.
      await of('warmup1@example.com')
      const unknown = await of('nobody2@example.com')
      expect(unknown.costs.length).toBeGreaterThan(5)
      for (const login of Object.values(logins)) {
        const known = await of(login)
        expect(known.replies, login).toEqual(unknown.replies)
        expect(known.costs, login).toEqual(unknown.costs)
      }
    },
  )

  test('A53: before a proof everything is offered that some rule lets a user begin with', async () => {
    const idp = at('identifier')
    for (const identifier of Object.values(logins)) {
      const visitor = await visit(idp)
      const named = await visitor.submits('identify', { identifier })
      expect([...optionsIn(named)].toSorted(), identifier).toEqual(['okta_email', 'okta_password'])
    }
  })
})

const outcomeOf = ({ status, interactionCode, messages, remediations }: Answer): string =>
  `${status} ${interactionCode === undefined ? (messages[0] ?? remediations[0]) : 'granted'}`

describe('users of groups, after a proof', () => {
  test('A53: after the proof the policy of the group counts, and refuses', async () => {
    const idp = await startTarget({ settings: { limits: manyMails } })
    await populate(idp)
    const byPassword = async (identifier: string): Promise<Answer> => {
      idp.clock.advance('10m')
      return (await visit(idp)).submits('identify', { identifier, credentials: { passcode: password } })
    }
    expect(outcomeOf(await byPassword(logins.plain))).toBe('200 granted')
    expect(outcomeOf(await byPassword(logins.admins))).toBe('200 select-authenticator-authenticate')
    expect(outcomeOf(await byPassword(logins.staff))).toBe('200 select-authenticator-authenticate')
    expect(outcomeOf(await byPassword(logins.barred))).toBe('403 security.access_denied')
    expect(outcomeOf(await byPassword(logins.unknown))).toBe('401 errors.E0000004')

    const byMail = async (identifier: string): Promise<Answer> => {
      const visitor = await atTheCode(idp, identifier)
      return visitor.answers((await mailTo(idp, identifier)).code)
    }
    expect(outcomeOf(await byMail(logins.plain))).toBe('200 reset-authenticator')
    expect(outcomeOf(await byMail(logins.admins))).toBe('403 oie.selfservice.reset.password.not.allowed')
    expect(outcomeOf(await byMail(logins.staff))).toBe('200 reset-authenticator')
    await idp.close()
  })
})

describe('a recovery that one group alone is allowed', () => {
  test('A53: ends after the proof of all others at once, and asks for no second factor', async () => {
    const idp = await startTarget({ settings: { limits: manyMails } })
    await populate(idp)
    const api = apiOf(idp)
    const [app] = (await api('GET', '/authenticators')).list.filter(({ key }) => key === 'google_otp')
    expect((await api('POST', `/authenticators/${app?.id}/lifecycle/activate`)).status).toBe(200)
    for (const login of [logins.admins, logins.plain]) {
      const { id } = (await api('GET', `/users/${login}`)).body
      const enrollment = { personId: id, authenticator: 'google_otp', prefix: 'uft', method: 'otp', data: {} }
      const context = { random: systemRandom, now: idp.clock.now() }
      await putEnrollment(idp.engine.storage.db, enrollment, context)
    }
    const proven = async (login: string) => {
      const visitor = await atTheCode(idp, login)
      expect(optionsIn(visitor.response)).toEqual(['okta_email'])
      return outcomeOf(await visitor.answers((await mailTo(idp, login)).code))
    }
    expect(await proven(logins.plain)).toBe('200 select-authenticator-authenticate')
    expect(await proven(logins.admins)).toBe('403 oie.selfservice.reset.password.not.allowed')
    await idp.close()
  })

  test('A53: is offered for every name, and ends after the proof of all others', async () => {
    const idp = await startTarget({ settings: { limits: manyMails } })
    await populate(idp)
    await onlyStaffRecovers(idp)
    const moves = walks.recovery
    if (moves === undefined) throw new Error('recovery')
    const unknown = await walked(idp, 'sqlite', moves(logins.unknown), logins.unknown)
    for (const login of Object.values(logins)) {
      expect((await walked(idp, 'sqlite', moves(login), login)).replies, login).toEqual(unknown.replies)
    }
    const proven = async (login: string) => {
      idp.clock.advance('1h')
      const visitor = await atTheCode(idp, login)
      return outcomeOf(await visitor.answers((await mailTo(idp, login)).code))
    }
    expect(await proven(logins.staff)).toBe('200 reset-authenticator')
    for (const login of [logins.plain, logins.admins, logins.barred]) {
      expect(await proven(login), login).toBe('403 oie.selfservice.reset.password.not.allowed')
    }
    await idp.close()
  })

  test('A53: is not offered where no rule allows it, nor a method that no rule lets a user begin with', async () => {
    const idp = await startTarget({
      settings: {
        signOn: { start: 'identifier' },
        policies: { password: { recovery: { authenticators: [] } } },
      },
    })
    const api = apiOf(idp)
    const policy = await made(api, '/policies', { type: 'ACCESS_POLICY', name: 'Mailbox' })
    expect((await api('PUT', `/apps/${idp.clientId}/policies/${policy}`)).status).toBe(204)
    const [rule] = (await api('GET', `/policies/${policy}/rules`)).list
    const actions = access(assurance({ factorMode: '1FA', constraints: possession }))
    expect((await api('PUT', `/policies/${policy}/rules/${rule?.id}`, { ...rule, actions })).status).toBe(200)
    const visitor = await visit(idp)
    const named = await visitor.submits('identify', { identifier: idp.person.login })
    expect(optionsIn(named)).toEqual(['okta_email'])
    const challenged = await visitor.selects('okta_email')
    expect(JSON.stringify(challenged.body)).not.toContain('/idp/idx/recover"')
    await idp.close()
  })
})
