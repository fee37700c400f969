import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, newVisitor, type Visitor } from '../../src/testing/index.ts'
import { scrape } from '../journeys/prometheus.ts'
import { mailTo, manyMails, scale, startTarget, visit } from '../support/attacks.ts'
import { manyRequests, type Node, startNode } from '../support/nodes.ts'
import {
  changeSignUp,
  codeMail,
  fillsIn,
  openSignUp,
  passwordInForm,
  unverified,
} from '../support/sign-up.ts'
import { type ScriptedSmtpServer, type SmtpMoment, startScriptedSmtp } from '../support/smtp-server.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

const victim = 'mary@example.com'
const password = 'Marmalade-Harbour-31'
const profileOf = (email: string) => ({ email, firstName: 'Nina', lastName: 'Nowak' })

describe('a flood of sign-ups, and of texts', () => {
  let idp: Kit | undefined
  afterEach(async () => {
    await idp?.close()
    idp = undefined
  })

  const tables = [
    ...['transactions', 'interactions', 'outbox', 'budgets', 'sessions', 'artifacts', 'events', 'people'],
    ...['names', 'memberships', 'enrollments', 'factor_challenges', 'account_changes', 'person_tokens'],
    ...['remembered_devices', 'enrollment_skips'],
  ] as const

  /** The rows of each table, and the bytes of all. */
  async function size(kit: Kit) {
    const rows: Record<string, number> = {}
    let bytes = 0
    for (const table of tables) {
      const all = await kit.engine.storage.db
        .selectFrom(table as 'people')
        .selectAll()
        .execute()
      rows[table] = all.length
      bytes += JSON.stringify(all).length
    }
    return { rows, bytes }
  }

  async function grows(kit: Kit, start: (index: number) => Promise<unknown>, mostBytes: number) {
    const batch = scale(40, 5_000)
    const empty = await size(kit)
    for (let index = 0; index < batch; index++) await start(index)
    await kit.engine.delivery.idle()
    const once = await size(kit)
    for (let index = batch; index < 2 * batch; index++) await start(index)
    await kit.engine.delivery.idle()
    const twice = await size(kit)
    for (const table of tables) {
      const first = (once.rows[table] ?? 0) - (empty.rows[table] ?? 0)
      const second = (twice.rows[table] ?? 0) - (once.rows[table] ?? 0)
      expect(second, table).toBeLessThanOrEqual(first)
      expect(first / batch, table).toBeLessThanOrEqual(7)
    }
    expect((twice.bytes - once.bytes) / batch).toBeLessThan(mostBytes)
    // Of a sign-up that proved nothing, and of a user who is none, no row is about a user.
    for (const table of ['people', 'names', 'memberships', 'enrollments', 'factor_challenges', 'sessions']) {
      expect([table, twice.rows[table]]).toEqual([table, empty.rows[table]])
    }
    kit.clock.advance('91d')
    for (let minute = 0; minute < 3; minute++) await kit.engine.maintain()
    const left = (await size(kit)).rows
    expect(left).toEqual({ ...empty.rows, budgets: 0, events: 0 })
  }

  test('A45: sign-ups that prove nothing leave the same rows each, none about a user, and are gone after the maintenance', async () => {
    idp = await startTarget(openSignUp({ limits: manyMails }))
    const kit = idp
    await grows(
      kit,
      async (index) => {
        const visitor = await fillsIn(kit.visitor(), profileOf(`n${index}@example.com`))
        await visitor.answers('000000x')
      },
      12_000,
    )
  })

  test('A45: the largest form that is accepted takes a bounded place', async () => {
    idp = await startTarget(openSignUp({ limits: manyMails }))
    const before = (await size(idp)).bytes
    const long = {
      ...profileOf('n@example.com'),
      firstName: 'N'.repeat(50),
      lastName: '\u{1f600}'.repeat(50),
    }
    const padded = { ...long, ...Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`x${at}`, 'x'])) }
    await fillsIn(idp.visitor(), padded)
    expect((await size(idp)).bytes - before).toBeLessThan(14_000)
  })

  test('A45: texts to numbers of no user leave the same rows each, and are gone after the maintenance', async () => {
    idp = await startTarget({ settings: { limits: manyMails } })
    const kit = idp
    await enrollmentPolicy(kit, { phone_number: 'OPTIONAL' })
    await grows(
      kit,
      async (index) => {
        const visitor = await visit(kit)
        await visitor.submits('recover')
        await visitor.submits('identify', { identifier: `nobody${index}@example.com` })
        await visitor.selects('phone_number', { methodType: 'sms' }).catch(() => undefined)
        await visitor.answers('000000x')
      },
      12_000,
    )
  })

  test('A57: one source causes so many mails of sign-ups a minute, and is refused openly', async () => {
    idp = await startTarget(
      openSignUp({ limits: { ...manyRequests, requests: { ...manyRequests.requests, mailsPerSource: 3 } } }),
    )
    const statuses: number[] = []
    for (const email of ['a@example.com', victim, 'b@example.com', 'c@example.com', victim]) {
      const headers = { 'x-forwarded-for': '203.0.113.7' }
      const visitor = await fillsIn(idp.visitor({ headers }), profileOf(email))
      statuses.push(visitor.response.status)
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    const other = await fillsIn(
      idp.visitor({ headers: { 'x-forwarded-for': '198.51.100.1' } }),
      profileOf('d@example.com'),
    )
    expect(other.response.status).toBe(200)
  })
})

test('A28: accounts that differ behind a plus sign have one budget of mails while no user has proven their mailbox', async () => {
  const idp = await startTarget(openSignUp())
  await changeSignUp(idp, { ...unverified, ...passwordInForm })
  const addresses = Array.from({ length: 8 }, (_, tag) => `nina+${tag}@example.com`)
  for (const email of addresses) {
    const visitor = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: password } })
    expect(visitor.response.interactionCode).toBeDefined()
  }
  const reached = async () => {
    await idp.engine.delivery.idle()
    return idp.outbox.all().filter(({ template }) => template === 'ForgotPassword').length
  }
  // The budget that the welcomes have used up begins anew.
  idp.clock.advance('1d')
  for (const email of addresses) await idp.visitor().atTheCode(email)
  const unproven = await reached()
  expect(unproven).toBeGreaterThan(0)
  expect(unproven).toBeLessThan(addresses.length)
  await idp.close()
})

test('A28: accounts of an administrator that differ behind a plus sign have each a budget of their own', async () => {
  const idp = await startTarget()
  const addresses = Array.from({ length: 8 }, (_, tag) => `qa+${tag}@example.com`)
  for (const login of addresses) await idp.people.add({ login, password })
  for (const email of addresses) await idp.visitor().atTheCode(email)
  await idp.engine.delivery.idle()
  expect(idp.outbox.all().filter(({ to }) => addresses.includes(to))).toHaveLength(addresses.length)
  await idp.close()
})

describe('a caller who reads the metrics during sign-ups', () => {
  const stepMs = 40
  const slowly: Partial<Record<SmtpMoment, string>> = {
    greeting: '220 mail.test ESMTP',
    MAIL: '250 ok',
    RCPT: '250 ok',
    message: '250 taken',
  }
  let server: ScriptedSmtpServer
  let node: Node
  beforeEach(async () => {
    server = await startScriptedSmtp({
      answer: (moment) => {
        const reply = slowly[moment]
        return reply === undefined ? undefined : { afterMs: stepMs, reply }
      },
    })
    node = await startNode({
      settings: {
        signUp: { open: true },
        mail: { url: server.url, spreadMs: 0 },
        limits: { ...manyRequests, ...manyMails },
      },
    })
  })
  afterEach(async () => {
    await node.close()
    await server.close()
  })

  /** Every figure but those of time and of the machine. */
  async function figures(): Promise<Record<string, number>> {
    const { families } = await scrape(node.engine.baseUrl)
    return Object.fromEntries(
      [...families.values()]
        .filter(({ name }) => name.startsWith('rekey_'))
        .filter(({ name }) => !/seconds|bytes|age|memory|event_loop|clock/.test(name))
        .flatMap(({ name, samples }) =>
          samples
            .filter(({ name: sample = '' }) => !/_sum$|_bucket$/.test(sample))
            .map(({ labels, value }) => [`${name} ${JSON.stringify(labels)}`, value] as const),
        ),
    )
  }

  const walk = async (email: string): Promise<Visitor> => {
    const visitor = await fillsIn(newVisitor(node), profileOf(email))
    await visitor.answers('000000x')
    await visitor.resends()
    await node.engine.delivery.idle()
    return visitor
  }

  test('A62: every figure moves alike for an address that is taken and for a free one', async () => {
    await walk('warm@example.com')
    const moved = async (email: string) => {
      const before = await figures()
      await walk(email)
      const after = await figures()
      return Object.entries(after)
        .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
        .filter(([, by]) => by !== 0)
    }
    const free = await moved('nina@example.com')
    expect(free.some(([name]) => name.includes('mails'))).toBe(true)
    expect(await moved(victim)).toEqual(free)
    expect(await moved('nora@example.com')).toEqual(free)
  })
})

test('A64: with the password in the form, a taken and a free address read the same bytes', async () => {
  const idp = await startTarget(openSignUp({ limits: manyMails }))
  await changeSignUp(idp, passwordInForm)
  const outline = async (email: string) => {
    const visitor = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: password } })
    const replies = [visitor.response]
    replies.push(await visitor.answers('000000x'), await visitor.resends(), await visitor.polls())
    const short = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: 'short' } })
    replies.push(short.response)
    const named = await fillsIn(idp.visitor(), profileOf(email), { credentials: { passcode: `Xy-${email}` } })
    replies.push(named.response)
    return replies.map(({ status, messages, remediations, text }) => [
      ...[status, messages, remediations],
      text.length,
    ])
  }
  expect(await outline(victim)).toEqual(await outline('nina@example.com'))
  expect((await mailTo(idp, 'nina@example.com', [codeMail])).code).toMatch(/^\d{6}$/)
  await idp.close()
})
