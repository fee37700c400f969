import { afterEach, describe, expect, test } from 'vitest'
import { type Answer, type Kit, startEngine } from '../../src/testing/index.ts'
import { isCached, isOfRows, watchStatements } from '../contract/statements.ts'
import { masked, startTarget, visit } from '../support/attacks.ts'
import { manyRequests } from '../support/nodes.ts'
import { atTheSecondFactor, enrolsNumber, hasPhone, number, recoversByPhone } from '../wire/phone.ts'
import { twoFactors } from '../wire/totp.ts'
import { newVisitor } from '../wire/visitor.ts'

let idp: Kit | undefined
afterEach(async () => {
  await idp?.close()
  idp = undefined
})

const plenty = {
  textsPerUser: 1e6,
  textsPerNumber: 1e6,
  textsPerRange: 1e6,
  textsPerCountry: 1e6,
  textsPerDay: 1e6,
} as const

const target = (limits: object = {}, telephony: object = {}) =>
  startTarget({ settings: { limits: { ...plenty, ...limits }, telephony } })

/** How many texts and calls went out, once everything that is due has been delivered. */
async function sent(kit: Kit): Promise<number> {
  await kit.engine.delivery.idle()
  return kit.outbox.all().filter(({ channel }) => channel !== 'email').length
}

/** A recovery by text of a name, from an address. */
async function recovers(kit: Kit, identifier: string, address = '203.0.113.1'): Promise<readonly Answer[]> {
  const visitor = await visit(kit, { headers: { 'x-forwarded-for': address } })
  return [
    await visitor.submits('recover'),
    await visitor.submits('identify', { identifier }),
    await visitor.selects('phone_number', { methodType: 'sms' }),
    await visitor.answers('000000x'),
    await visitor.submits('challenge/resend'),
  ]
}

/** Users with a phone each, and their names. */
async function usersWith(kit: Kit, numbers: readonly string[]): Promise<readonly string[]> {
  const names = numbers.map((_, index) => `user${index}@example.com`)
  for (const [index, to] of numbers.entries()) {
    const login = names[index] ?? ''
    await kit.people.add({ login, password: 'Tangerine-Kettle-42' })
    await hasPhone(kit, { login, to })
  }
  return names
}
const consecutive = (times: number) =>
  Array.from({ length: times }, (_, index) => `+1555123${String(4000 + index)}`)
/** Of one country, in different ranges. */
const scattered = (times: number) =>
  Array.from({ length: times }, (_, index) => `+43664${String(1_000_000 + index * 5000)}`)

describe('A65', () => {
  test.each([
    ['one user', { textsPerUser: 5 }, Array.from({ length: 1 }, () => number), 5, 5],
    ['one number of many users', { textsPerNumber: 4 }, Array.from({ length: 7 }, () => number), 4, 1],
    ['a range of numbers', { textsPerRange: 5 }, consecutive(8), 5, 1],
    ['a country', { textsPerCountry: 5 }, scattered(8), 5, 1],
    ['a day', { textsPerDay: 6 }, [...consecutive(4), ...scattered(4)], 6, 1],
  ] as const)(
    'A65: %s gets no more texts than allowed, from however many sources',
    async (_, limits, numbers, most, rounds) => {
      idp = await target(limits)
      await recoversByPhone(idp)
      const names = await usersWith(idp, numbers)
      for (let round = 0; round < rounds * 3; round++) {
        for (const [index, name] of names.entries()) {
          await recovers(idp, name, `203.0.113.${round * 20 + index}`)
        }
      }
      expect(await sent(idp)).toBeLessThanOrEqual(most)
      expect(await sent(idp)).toBeGreaterThan(0)
    },
  )

  test('A65: one source causes no more than its budget, whatever the names', async () => {
    const requests = { ...manyRequests.requests, textsPerSource: 4 }
    idp = await target({ requests })
    await recoversByPhone(idp)
    const names = await usersWith(idp, scattered(8))
    const answers = []
    for (const name of names) answers.push((await recovers(idp, name, '203.0.113.9'))[2])
    expect(await sent(idp)).toBe(4)
    expect(answers.map((answer) => answer?.status)).toEqual([200, 200, 200, 200, 429, 429, 429, 429])
  })

  test('A56: strangers who begin recoveries leave the owner texts for the second factor', async () => {
    idp = await target({
      textsPerUser: 6,
      textsPerNumber: 4,
      textsPerRange: 4,
      textsPerCountry: 4,
      textsPerDay: 4,
    })
    await recoversByPhone(idp)
    await hasPhone(idp)
    for (let stranger = 0; stranger < 8; stranger++)
      await recovers(idp, idp.person.login, `203.0.113.${stranger}`)
    expect(await sent(idp)).toBe(2)

    await twoFactors(idp)
    const owner = newVisitor(idp)
    await owner.begins()
    await owner.signsIn(idp.person.login, idp.person.password)
    expect((await owner.selects('phone_number', { methodType: 'sms' })).status).toBe(200)
    expect(await sent(idp)).toBe(3)
  })

  test('A65: names of no user use up nothing of what users have', async () => {
    idp = await target({ textsPerRange: 3, textsPerCountry: 3, textsPerDay: 3 })
    await recoversByPhone(idp)
    for (let index = 0; index < 6; index++) {
      await recovers(idp, `none${index}@example.com`, `203.0.113.${index}`)
    }
    const [name = ''] = await usersWith(idp, [number])
    await recovers(idp, name)
    expect(await sent(idp)).toBe(1)
  })

  test('A65: every spelling of a number is one number, at enrolment too', async () => {
    idp = await target({ textsPerNumber: 2 })
    const spellings = ['+15551234567', '+1 (555) 123-4567', '+1.555.123.4567', '＋1 555 1234567']
    const answers: Answer[] = []
    for (const phoneNumber of spellings)
      answers.push(await enrolsNumber(idp, newVisitor(idp), { phoneNumber }))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429])
    // After a proof it is said.
    expect(answers[2]?.text).toContain('errors.E0000150')
    expect(await sent(idp)).toBe(2)
  })

  test.each(['+19005551234', '+447000000000', '+979123456789', '+4915112345678'])(
    'A65: %s, of premium rate or another country, gets nothing, and is enrolled by none',
    async (phoneNumber) => {
      idp = await target({}, { countries: ['US', 'GB'] })
      const refused = await enrolsNumber(idp, newVisitor(idp), { phoneNumber })
      expect([refused.status, refused.remediations[0]]).toEqual([400, 'authenticator-enrollment-data'])
      expect(refused.text).toContain('phone.number.notServed')
      await recoversByPhone(idp)
      const [name = ''] = await usersWith(idp, [phoneNumber])
      await recovers(idp, name)
      expect(await sent(idp)).toBe(0)
    },
  )
})

describe('A79', () => {
  const known = 'mary@example.com'
  const unknown = 'nina@example.com'
  const shown = (answers: readonly Answer[], identifier: string) =>
    answers.map((answer) => masked(answer, identifier).replace(/"pae\w{17}"/g, '"<enrollment>"'))

  test.each([
    ['of a user without a phone', {}, {}, undefined],
    ['of a number that is not served', {}, {}, '+19005551234'],
    ['to another country', {}, { countries: ['AT'] }, '+4915112345678'],
    ['over the budget of the number', { textsPerNumber: 1 }, {}, number],
    ['over the budget of the range', { textsPerRange: 1 }, {}, number],
    ['over the budget of the country', { textsPerCountry: 1 }, {}, number],
    ['over the budget of the day', { textsPerDay: 1 }, {}, number],
  ] as const)('A79: a text %s is answered as one that was sent', async (_, limits, telephony, to) => {
    idp = await target(limits, telephony)
    await recoversByPhone(idp)
    if (to !== undefined) await hasPhone(idp, { to })
    // The first one spends the budget.
    if (Object.keys(limits).length > 0) await recovers(idp, known, '203.0.113.3')
    const before = await sent(idp)
    const ofKnown = await recovers(idp, known, '203.0.113.4')
    const ofUnknown = await recovers(idp, unknown, '203.0.113.5')
    expect(shown(ofKnown, known)).toEqual(shown(ofUnknown, unknown))
    expect(await sent(idp)).toBe(before)
    expect(ofKnown[2]?.status).toBe(200)
  })

  test('A79: what is shown is shown of every name alike, by name and source', async () => {
    idp = await target({ textsPerUser: 3 })
    await recoversByPhone(idp)
    await hasPhone(idp)
    const seen = async (name: string) => {
      const all = []
      for (let time = 0; time < 5; time++) all.push(...shown(await recovers(idp as Kit, name), name))
      return all.map((text) => text.replace(/retry-after: \d+|x-rate-limit-\w+: \d+/g, ''))
    }
    const [ofKnown, ofUnknown] = [await seen(known), await seen(unknown)]
    expect(ofKnown).toEqual(ofUnknown)
    expect(ofKnown.join()).toContain('errors.E0000150')
  })

  test('A79: a text costs the database the same for every name', async () => {
    idp = await startEngine({ clock: 'frozen', database: 'memory' })
    await recoversByPhone(idp)
    await hasPhone(idp)
    await idp.people.add({ login: 'nophone@example.com', password: 'Tangerine-Kettle-42' })
    let statements: string[] = []
    const stop = watchStatements('sqlite', (sent) => {
      if (sent.request !== undefined && isOfRows(sent) && !isCached(sent)) statements.push(sent.text)
    })
    try {
      const costs: string[][] = []
      for (const name of [known, 'nophone@example.com', unknown, known, unknown]) {
        await idp.engine.delivery.idle()
        statements = []
        await recovers(idp, name, `203.0.113.${costs.length}`)
        costs.push(statements.toSorted())
      }
      const [first = [], ...others] = costs
      expect(first.length).toBeGreaterThan(20)
      for (const other of others) expect(other).toEqual(first)
    } finally {
      stop()
    }
  })

  test('A79: after a proof a spent budget is said', async () => {
    idp = await target({ textsPerNumber: 1 })
    const visitor = await atTheSecondFactor(idp)
    await visitor.selects('phone_number', { methodType: 'sms' })
    const over = await visitor.selects('phone_number', { methodType: 'voice' })
    expect([over.status, over.text.includes('errors.E0000151')]).toEqual([429, true])
  })
})
