import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import {
  atTheCode,
  atTheReset,
  mailTo,
  manyMails,
  newPassword,
  startTarget,
  visit,
  wrongCode,
} from '../support/attacks.ts'

const victim = 'mary@example.com'
let idp: Kit
beforeAll(async () => {
  idp = await startTarget({ settings: { limits: manyMails } })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** How a visitor comes to each state. */
const states: Readonly<Record<string, () => Promise<Visitor>>> = {
  identify: () => visit(idp),
  async 'identify-recovery'() {
    const visitor = await visit(idp)
    await visitor.submits('recover')
    return visitor
  },
  async select() {
    const visitor = await visit(idp)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: victim })
    return visitor
  },
  verify: () => atTheCode(idp, victim),
  reset: () => atTheReset(idp, victim),
  async reenroll() {
    const { id } = await idp.people.add({ login: 'old@example.com', password: 'Marmalade-Harbour-31' })
    await idp.people.update(id, { status: 'PASSWORD_EXPIRED' })
    const visitor = await visit(idp)
    const credentials = { passcode: 'Marmalade-Harbour-31' }
    await visitor.submits('identify', { identifier: 'old@example.com', credentials })
    return visitor
  },
  async 'signed in'() {
    const visitor = await atTheReset(idp, victim)
    await visitor.answers(newPassword)
    return visitor
  },
  async 'locked after five wrong codes'() {
    const visitor = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, victim)
    for (let guess = 1; guess <= 5; guess++) await visitor.answers(wrongCode(code, guess))
    return visitor
  },
  async cancelled() {
    const visitor = await atTheCode(idp, victim)
    await visitor.submits('cancel')
    return visitor
  },
}

const paths = [
  'identify',
  'recover',
  'challenge',
  'challenge/answer',
  'challenge/resend',
  'challenge/poll',
  'cancel',
] as const

/** The only moves there are. What is not here must change nothing. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  identify: ['identify', 'recover', 'cancel'],
  'identify-recovery': ['identify', 'cancel'],
  select: ['challenge', 'cancel'],
  verify: ['challenge', 'challenge/answer', 'challenge/resend', 'cancel'],
  reset: ['challenge/answer', 'cancel'],
  reenroll: ['challenge/answer', 'cancel'],
  'signed in': [],
  'locked after five wrong codes': [],
  cancelled: [],
}

/** Everything that any step asks for, and right: what stops it is only where the transaction stands. */
async function everything(state: string): Promise<Record<string, unknown>> {
  const code = state === 'verify' ? (await mailTo(idp, victim)).code : newPassword
  const passcode = state === 'identify' ? idp.person.password : code
  const peek = await atTheCode(idp, 'nobody@example.com')
  const email = peek.response.body.authenticators?.value[0]?.id
  return { identifier: victim, credentials: { passcode }, authenticator: { id: email, methodType: 'email' } }
}

const world = async () => {
  const { db } = idp.engine.storage
  return JSON.stringify([
    await db
      .selectFrom('transactions')
      .select(['id', 'version', 'progress', 'closed_at'])
      .orderBy('id')
      .execute(),
    await db.selectFrom('people').select(['id', 'status', 'password_changed_at']).orderBy('id').execute(),
    await db.selectFrom('enrollments').selectAll().orderBy('person_id').execute(),
    await db.selectFrom('sessions').selectAll().orderBy('id').execute(),
    await db.selectFrom('budgets').selectAll().orderBy('key').execute(),
    (await db.selectFrom('outbox').select('id').orderBy('id').execute()).length,
    (await db.selectFrom('interactions').select(['code_hash', 'session_id']).orderBy('id').execute()).length,
  ])
}

describe.each(Object.keys(states))('a transaction that stands at "%s"', (state) => {
  test.each(paths)(`A16: at "${state}", %s moves it only if it is on offer`, async (path) => {
    const visitor = await states[state]?.()
    if (visitor === undefined) throw new Error(state)
    const body = await everything(state)
    await idp.engine.delivery.idle()
    const before = await world()

    const reply = await visitor.submits(path, body)
    await idp.engine.delivery.idle()
    const after = await world()

    if (allowed[state]?.includes(path)) {
      expect([reply.status, after === before]).toEqual([200, false])
    } else {
      expect(after).toBe(before)
      expect(reply.interactionCode).toBeUndefined()
      // Asking for its state is always allowed, and answered nothing beyond that.
      if (path !== 'challenge/poll') expect(reply.status).toBeGreaterThanOrEqual(400)
    }
  })
})

test('A16: no step but the proof of the mailbox leads to the form for a new password', async () => {
  const offers = async (name: string): Promise<readonly string[]> => {
    const reply: Answer | undefined = await (await states[name]?.())?.submits('introspect')
    return reply?.remediations ?? []
  }
  for (const state of ['identify', 'identify-recovery', 'select', 'verify']) {
    expect(await offers(state), state).not.toContain('reset-authenticator')
  }
  expect(await offers('reset')).toEqual(['reset-authenticator'])
})
