import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Settings } from '../../src/config/index.ts'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { isCached, noteRequests } from '../contract/statements.ts'
import {
  atTheCode,
  atTheReset,
  mailTo,
  manyMails,
  masked,
  newPassword,
  startTarget,
  visit,
} from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'

// Of one length, so that bodies compare byte by byte.
const login = 'adaada@example.com'
const unknown = 'noraxx@example.com'
const password = 'Marmalade-Harbour-31'
let idp: Kit
let id: string

async function started(settings: Settings = {}, options: Parameters<typeof startTarget>[0] = {}) {
  idp = await startTarget({
    ...options,
    settings: { ...settings, limits: { ...manyMails, ...settings.limits } },
  })
  id = (await idp.people.add({ login, password })).id
}
afterEach(() => idp.close())

/** The owner recovers in another browser, from either first page. */
async function resetElsewhere(): Promise<void> {
  const owner = await visit(idp)
  if ((await owner.submits('recover')).status === 200) {
    await owner.submits('identify', { identifier: login })
  } else {
    await owner.submits('identify', { identifier: login })
    await chosen('okta_password')[1](owner, '')
    await owner.submits('recover')
  }
  await chosen('okta_email')[1](owner, '')
  await owner.answers((await mailTo(idp, login)).code)
  expect((await owner.answers(newPassword)).interactionCode).toBeDefined()
}

/** What ends every transaction of a user, done by the user or by an administrator. */
const ends: Readonly<Record<string, { readonly rule: string; end(): Promise<unknown> }>> = {
  'a reset in another browser': {
    rule: 'password-changed',
    end: resetElsewhere,
  },
  'a password changed with the old one': {
    rule: 'password-changed',
    end: () =>
      apiOf(idp)('POST', `/users/${id}/credentials/change_password`, {
        oldPassword: { value: password },
        newPassword: { value: newPassword },
      }),
  },
  'a password set by an administrator': {
    rule: 'password-changed',
    end: () => idp.people.update(id, { password: newPassword }),
  },
  'a new email': {
    rule: 'email-changed',
    end: () => idp.people.update(id, { email: 'ada@elsewhere.example' }),
  },
  'a suspension': {
    rule: 'status SUSPENDED',
    end: () => idp.people.update(id, { status: 'SUSPENDED' }),
  },
  'a deletion': { rule: 'person-removed', end: () => idp.people.remove(id) },
}

type Move = readonly [name: string, send: (visitor: Visitor, code: string) => Promise<Answer>]

const chosen = (key: string): Move => [
  `choose ${key}`,
  async (visitor) => {
    const { body } = await visitor.submits('introspect')
    expect(body.authenticators?.value.map((one) => one.key)).toContain(key)
    return visitor.selects(key)
  },
]
const introspect: Move = ['introspect', (visitor) => visitor.submits('introspect')]
const poll: Move = ['poll', (visitor) => visitor.polls()]
const guess: Move = ['a wrong code', (visitor) => visitor.answers('000000x')]
const wrongPassword: Move = ['a wrong password', (visitor) => visitor.answers('Summer2026!!')]
const resend: Move = ['resend', (visitor) => visitor.submits('challenge/resend')]

/** Where a caller watches a transaction, and what it can still send to it. */
const points: Readonly<
  Record<
    string,
    {
      readonly start?: 'identifier'
      come(identifier: string): Promise<Visitor>
      readonly moves: readonly Move[]
    }
  >
> = {
  'after the name': {
    async come(identifier) {
      const visitor = await visit(idp)
      await visitor.submits('recover')
      await visitor.submits('identify', { identifier })
      return visitor
    },
    moves: [
      introspect,
      poll,
      chosen('okta_email'),
      guess,
      poll,
      resend,
      guess,
      guess,
      guess,
      guess,
      introspect,
      poll,
    ],
  },
  'after the mail': {
    come: (identifier) => atTheCode(idp, identifier),
    moves: [
      poll,
      introspect,
      ['the mailed code', (visitor, code) => visitor.answers(code)],
      ['no code', (visitor) => visitor.answers('')],
      resend,
      poll,
      ['the mailed code', (visitor, code) => visitor.answers(code)],
      [
        'a step that is not on offer',
        (visitor) => visitor.submits('identify', { identifier: 'other@example.com' }),
      ],
      chosen('okta_email'),
      guess,
      guess,
      guess,
      guess,
      introspect,
      poll,
    ],
  },
  'at the password': {
    start: 'identifier',
    async come(identifier) {
      const visitor = await visit(idp)
      await visitor.submits('identify', { identifier })
      await chosen('okta_password')[1](visitor, '')
      return visitor
    },
    moves: [
      introspect,
      ['the old password', (visitor) => visitor.answers(password)],
      ['the new password', (visitor) => visitor.answers(newPassword)],
      wrongPassword,
      ['recover', (visitor) => visitor.submits('recover')],
      chosen('okta_email'),
      ['the mailed code', (visitor, code) => visitor.answers(code)],
      resend,
      guess,
      introspect,
      ['cancel', (visitor) => visitor.submits('cancel')],
    ],
  },
}

/** All answers to the moves, byte by byte. */
async function sent(visitor: Visitor, moves: readonly Move[], identifier: string, code: string) {
  const replies: string[] = []
  for (const [name, send] of moves) replies.push(`${name}\n${masked(await send(visitor, code), identifier)}`)
  return replies
}

const codeMailedTo = async (address: string): Promise<string> => {
  await idp.engine.delivery.idle()
  return idp.outbox.latest({ to: address })?.code ?? '123456'
}

/** Answers and mails of a watcher whose transaction something else ends. */
async function watched(point: string, identifier: string, end: () => Promise<unknown>) {
  const found = points[point]
  if (found === undefined) throw new Error(point)
  // So that what the headers say is left of the budgets of requests begins anew.
  idp.clock.advance('1m')
  const visitor = await found.come(identifier)
  const code = await codeMailedTo(identifier)
  await end()
  await idp.engine.delivery.idle()
  const mails = idp.outbox.all().length
  const { expiresAt } = (await visitor.submits('introspect')).body
  if (expiresAt === undefined) throw new Error('the transaction says no end')
  const replies = await sent(visitor, found.moves, identifier, code)
  await idp.engine.delivery.idle()
  return {
    visitor,
    replies,
    mails: idp.outbox.all().length - mails,
    lasts: Date.parse(expiresAt) - idp.clock.now(),
  }
}

describe.each(Object.keys(points))('a caller who watches a transaction %s', (point) => {
  beforeEach(() => started({ signOn: { start: points[point]?.start ?? 'password' } }))

  test.each(Object.keys(ends))('A86: learns nothing of %s', async (name) => {
    const ofUnknown = await watched(point, unknown, async () => {})
    const ofKnown = await watched(point, login, async () => ends[name]?.end())
    expect(ofKnown.replies).toEqual(ofUnknown.replies)
    expect([ofKnown.mails, ofKnown.lasts]).toEqual([0, ofUnknown.lasts])
    // Time ends it as it ends every other.
    idp.clock.advance('31m')
    for (const { visitor } of [ofUnknown, ofKnown])
      expect((await visitor.submits('introspect')).status).toBe(401)
  })
})

describe('a transaction that something else has ended', () => {
  test.each(Object.keys(ends))('A86: is over for a caller who has proven something (%s)', async (name) => {
    await started()
    const proven = await atTheReset(idp, login)
    await ends[name]?.end()
    for (const path of ['introspect', 'challenge/poll', 'challenge/answer', 'challenge/resend']) {
      const { status, messages } = await proven.submits(path, {
        credentials: { passcode: 'Third-Password-99' },
      })
      expect([path, status, ...messages]).toEqual([path, 401, 'idx.session.expired'])
    }
  })

  test('A86: is over for the browser that did the reset, which sees its end', async () => {
    await started()
    const owner = await atTheReset(idp, login)
    expect((await owner.answers(newPassword)).interactionCode).toBeDefined()
    const polled = await owner.polls()
    expect([polled.status, ...polled.messages]).toEqual([200, 'idx.transferred.to.new.tab'])
  })

  test.each(Object.entries(ends))(
    'A86: stays ended on record, by its rule (%s)',
    async (_, { rule, end }) => {
      await started()
      const watcher = await atTheCode(idp, login)
      const [open] = await idp.engine.transactions(1)
      const transaction = open?.id ?? ''
      const code = await codeMailedTo(login)
      idp.clock.advance('1m')
      await end()
      const ended = { rule, at: new Date(idp.clock.now()).toISOString() }
      const recorded = async () => {
        const timeline = await idp.trace(transaction)
        const listed = (await idp.engine.transactions(10)).find(({ id: other }) => other === transaction)
        return [timeline?.ended, timeline?.closed, listed?.closed]
      }
      expect(await recorded()).toEqual([ended, 'superseded', 'superseded'])
      idp.clock.advance('1m')
      await watcher.answers(code)
      await watcher.submits('challenge/resend')
      expect(await recorded()).toEqual([ended, 'superseded', 'superseded'])
      // Not even the end that the watcher brings about takes its place.
      for (let count = 0; count < 4; count++) await watcher.answers(code)
      expect((await watcher.submits('introspect')).status).toBe(401)
      expect(await recorded()).toEqual([ended, 'superseded', 'superseded'])
      const rules = (await idp.trace(transaction))?.events.map(
        ({ debugContext }) => debugContext.debugData.rule,
      )
      expect(rules?.filter((one) => one === 'transaction-ended')).toHaveLength(5)
    },
  )

  test('A86: answers what was being checked as for an unknown user', async () => {
    await started({ signOn: { start: 'identifier' } }, { hash: 'standard' })
    const come = points['at the password']?.come
    const inFlight = async (identifier: string, wait: number, end: () => Promise<unknown>) => {
      idp.clock.advance('1m')
      const visitor = await come?.(identifier)
      if (visitor === undefined) throw new Error('no visitor')
      const answered = visitor.answers('Summer2026!!')
      // While the password is being hashed, whenever that is.
      await pause(wait)
      await end()
      return masked(await answered, identifier)
    }
    const ofUnknown = await inFlight(unknown, 0, async () => {})
    expect(ofUnknown).toContain('errors.E0000004')
    for (const wait of [0, 4, 8, 12, 16, 24]) {
      const end = () => idp.people.update(id, { status: 'SUSPENDED' })
      expect(await inFlight(login, wait, end)).toBe(ofUnknown)
      await idp.people.update(id, { status: 'ACTIVE' })
    }
  })
})

onEachDatabase('a watched transaction', (database) => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('A86: costs the database what that of an unknown user does', async () => {
    const { url, drop } = await database.create()
    // No mail leaves: what the worker writes would come between.
    await started({ mail: { deliver: false } }, { database: url })
    const costs = async (identifier: string, end: () => Promise<unknown>) => {
      const visitor = await visit(idp)
      await visitor.submits('recover')
      await visitor.submits('identify', { identifier })
      await visitor.selects('okta_email')
      await end()
      const noted = noteRequests(database.name)
      for (const [, send] of points['after the mail']?.moves ?? []) await send(visitor, '123456')
      const texts = [...noted]
        // The policies are read anew every two seconds, for every name.
        .filter((one) => !isCached(one))
        .map(({ text, times }) => `${times} × ${text.trim().replace(/\s+/g, ' ')}`)
      vi.restoreAllMocks()
      return texts.toSorted()
    }
    await costs('warmup@example.com', async () => {})
    const ofUnknown = await costs(unknown, async () => {})
    expect(await costs(login, () => idp.people.update(id, { password: newPassword }))).toEqual(ofUnknown)
    expect(ofUnknown.length).toBeGreaterThan(5)
    await drop()
  })
})
