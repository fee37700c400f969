import { afterEach, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/testing/index.ts'
import { atTheCode, mailCount, mailTo, manyMails, scale, startTarget, visit } from '../support/attacks.ts'

const victim = 'mary@example.com'
let idp: Kit | undefined
afterEach(async () => {
  await idp?.close()
  idp = undefined
})

describe('a flood of mails', () => {
  test('A28: however many starts there are, five mails reach a mailbox in ten minutes', async () => {
    idp = await startTarget()
    await idp.people.add({ login: 'ada', email: 'ada@example.com', password: 'Marmalade-Harbour-31' })
    const starts = scale(60, 1000)
    const told: unknown[] = []
    for (let start = 0; start < starts; start++) {
      // Under every spelling of her name, and by further mails of one transaction.
      const name = ['ada', 'ada@example.com', 'ADA@example.com', 'ada@EXAMPLE.com'][start % 4] ?? ''
      const visitor = await atTheCode(idp, name)
      if (start % 10 === 0) await visitor.submits('challenge/resend')
    }
    await idp.engine.delivery.idle()
    expect(idp.outbox.to('ada@example.com')).toHaveLength(5)

    // Known and unknown users are answered the same, attempt by attempt.
    for (const name of [victim, 'nina@example.com']) {
      const replies = []
      for (let start = 0; start < 8; start++) {
        const { response: last } = await atTheCode(idp, name)
        replies.push([last.status, last.headers.get('retry-after'), ...last.messages, ...last.remediations])
      }
      told.push(replies)
    }
    expect(told[0]).toEqual(told[1])
    expect(told[0]).toContainEqual([429, '600', 'tooManyRequests', 'select-authenticator-authenticate'])
    await idp.engine.delivery.idle()
    expect(idp.outbox.to(victim)).toHaveLength(5)

    idp.clock.advance('10m')
    await atTheCode(idp, 'ada')
    await idp.engine.delivery.idle()
    expect(idp.outbox.to('ada@example.com')).toHaveLength(6)
  })
})

describe('a flood of mails around the end of ten minutes', () => {
  test('A28: brings no more than five of them in any ten minutes', async () => {
    idp = await startTarget()
    const starting = async (starts: number) => {
      for (let start = 0; start < starts; start++) await atTheCode(idp as Kit, victim)
      await idp?.engine.delivery.idle()
    }

    await starting(1)
    idp.clock.advance('9m')
    await starting(6)
    idp.clock.advance('2m')
    await starting(6)
    expect(idp.outbox.to(victim)).toHaveLength(5)
    idp.clock.advance('10m')
    await starting(1)
    expect(idp.outbox.to(victim)).toHaveLength(6)
  })
})

describe('a spray over many accounts', () => {
  async function spray(target: Kit, crowd: number, from: (index: number) => string) {
    const statuses: number[] = []
    for (let index = 0; index < crowd; index++) {
      const headers = { 'x-forwarded-for': from(index) }
      const visitor = await visit(target, { headers })
      const identifier = `person${index}@example.com`
      const { status } = await visitor.submits('identify', {
        identifier,
        credentials: { passcode: 'Summer2026!!' },
      })
      statuses.push(status)
    }
    return statuses
  }

  test('A11: one guess on each of many accounts spends the budget of its address, and then no answer is checked', async () => {
    const budget = scale(40, 120)
    const spent = { sprayPerAddressMinute: budget }
    idp = await startTarget({ settings: { limits: spent } })
    const statuses = await spray(idp, budget + 10, () => '203.0.113.7')

    expect(statuses.filter((status) => status === 401)).toHaveLength(budget)
    expect(new Set(statuses.slice(budget))).toEqual(new Set([429]))
    // The right password from there is not checked, from elsewhere it is: no user is locked out.
    const signIn = async (ip: string) => {
      const visitor = await visit(idp as Kit, { headers: { 'x-forwarded-for': ip } })
      return visitor.submits('identify', {
        identifier: victim,
        credentials: { passcode: (idp as Kit).person.password },
      })
    }
    const late = await signIn('203.0.113.7')
    expect([late.status, ...late.messages]).toEqual([429, 'tooManyRequests'])
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await signIn('198.51.100.1')).body.successWithInteractionCode).toBeDefined()
    idp.clock.advance('1m')
    expect((await signIn('203.0.113.7')).body.successWithInteractionCode).toBeDefined()
  })

  test('A11: from many addresses it spends the budget of the installation: mails then carry long codes', async () => {
    idp = await startTarget({
      settings: { limits: { ...manyMails, sprayEverywhere: 30, sprayPerAddressUnderAttack: 3 } },
    })
    await spray(idp, 40, (index) => `198.51.100.${index}`)
    const owner = await atTheCode(idp, victim)
    const { code } = await mailTo(idp, victim)
    expect(code).toMatch(/^[A-Z2-9]{10}$/)
    expect((await owner.answers(code)).remediations).toEqual(['reset-authenticator'])
  })

  test('A11: an address in a header of an untrusted caller is ignored', async () => {
    idp = await startTarget({ settings: { limits: { sprayPerAddressMinute: 20 } } })
    const statuses = []
    for (let index = 0; index < 25; index++) {
      const headers = { 'x-forwarded-for': `203.0.113.${index}`, forwarded: `for=203.0.113.${index}` }
      const visitor = await visit(idp, { client: idp.publicClientId, headers })
      const wrong = { identifier: `person${index}@example.com`, credentials: { passcode: 'Summer2026!!' } }
      statuses.push((await visitor.submits('identify', wrong)).status)
    }
    expect(statuses.slice(20)).toEqual([429, 429, 429, 429, 429])
  })
})

describe('a flood of made-up names', () => {
  test('A45: what it leaves grows by the same rows for each start, and is gone after the maintenance', async () => {
    idp = await startTarget({ settings: { limits: manyMails } })
    const { storage } = idp.engine
    const counted = [
      'transactions',
      'interactions',
      'outbox',
      'budgets',
      'sessions',
      'artifacts',
      'events',
    ] as const
    const rows = async () => {
      const counts: Record<string, number> = {}
      for (const table of counted) {
        counts[table] = (
          await storage.db
            .selectFrom(table as 'people')
            .selectAll()
            .execute()
        ).length
      }
      return counts
    }
    const bytes = async () =>
      JSON.stringify(
        await Promise.all(
          counted.map((table) =>
            storage.db
              .selectFrom(table as 'people')
              .selectAll()
              .execute(),
          ),
        ),
      ).length
    const batch = scale(100, 10_000)
    const flood = async (round: number) => {
      for (let start = 0; start < batch; start++) {
        const visitor = await atTheCode(idp as Kit, `nobody${round}.${start}@example.com`)
        await visitor.answers('123456')
      }
      await idp?.engine.delivery.idle()
    }

    /** A run takes no more than so many rows: what a flood has left goes within minutes. */
    const minutesOfUpkeep = async () => {
      for (let minute = 0; minute < 5; minute++) await idp?.engine.maintain()
    }
    const empty = await rows()
    await flood(0)
    const [once, weight] = [await rows(), await bytes()]
    await flood(1)
    const [twice, heavier] = [await rows(), await bytes()]
    for (const table of counted) {
      const [first, second] = [
        (once[table] ?? 0) - (empty[table] ?? 0),
        (twice[table] ?? 0) - (once[table] ?? 0),
      ]
      expect(second, table).toBeLessThanOrEqual(first)
      // No table grows by more than a handful of rows a start.
      expect(first / batch).toBeLessThanOrEqual(7)
    }
    expect((heavier - weight) / batch).toBeLessThan(8_000)
    expect(await mailCount(idp)).toBe(0)

    // A person in the middle of hers loses nothing by it.
    idp.clock.advance('2d')
    const owner = await atTheCode(idp, victim)
    await minutesOfUpkeep()
    const left = await rows()
    expect([left.transactions, left.interactions, left.outbox, left.sessions]).toEqual([1, 1, 1, 0])
    expect(left.budgets).toBeLessThanOrEqual(3)
    expect((await owner.answers((await mailTo(idp, victim)).code)).remediations).toEqual([
      'reset-authenticator',
    ])

    idp.clock.advance('91d')
    await minutesOfUpkeep()
    expect(await rows()).toEqual({ ...empty, budgets: 0, events: 0 })
  })

  test('A45: names that lead to no mail delay no user who waits for one', async () => {
    idp = await startTarget()
    for (let start = 0; start < 50; start++) await atTheCode(idp, `nobody${start}@example.com`)
    const visitor = await visit(idp)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: victim })
    await visitor.selects('okta_email')
    expect((await mailTo(idp, victim)).code).toMatch(/^\d{6}$/)
  })
})
