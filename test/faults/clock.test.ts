import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createLogger, silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig } from '../../src/config/index.ts'
import { startSmtpSink } from '../../src/devtools/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { notedTime, noteTime, openStorage, readNoted, rebaseTime } from '../../src/storage/index.ts'
import { answerFrom, type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { rekey } from '../cli/rekey.ts'
import { atTheCode, parallel, visit } from '../support/attacks.ts'
import { dumpOf } from '../support/dump.ts'
import { type Node, nodeSettings, startNode } from '../support/nodes.ts'
import { type DatabaseKind, databases, onEachDatabase } from '../support/postgres.ts'

const mary = 'mary@example.com'
const minute = 60_000
const hour = 60 * minute
const over: (() => unknown)[] = []
afterEach(async () => {
  for (const end of over.splice(0).reverse()) await end()
})

/** How many mails one address gets before its budget is spent. */
async function mailsUntilSpent(node: Node): Promise<number> {
  for (let mails = 0; mails < 40; mails++) {
    const { response: last } = await atTheCode(node, mary)
    if (!last.remediations.includes('challenge-authenticator')) return mails
  }
  throw new Error('the budget has no end')
}

/** An engine with codes of five minutes, on a database of its own, whose host's clock the test moves. */
async function aNodeOn(database: DatabaseKind, limits = {}) {
  const { url, drop } = await database.create()
  over.push(drop)
  const settings = { database: { url }, lifetimes: { code: '5m' }, limits } as const
  const node = await startNode({ settings })
  over.push(node.close)
  return { node, url, settings }
}

onEachDatabase('a clock that steps back', (database) => {
  const aNode = (limits = {}) => aNodeOn(database, limits)

  test('gives a code not a second more than it had', async () => {
    const { node } = await aNode()
    const kept = await atTheCode(node, mary)
    const mail = (await codeOf(node)) ?? ''

    // Its five minutes pass, and the engine sees that they do; then the host goes back into them.
    node.clock.advance(5 * minute + 1000)
    await kept.submits('challenge/poll')
    node.clock.advance(-2000)
    const late = await kept.answers(mail)
    expect(late.messages).toHaveLength(1)
    expect(late.remediations).not.toContain('reset-authenticator')
  })

  test('keeps a code good that has not expired, and the recovery goes on', async () => {
    const { node } = await aNode()
    const kept = await atTheCode(node, mary)
    const mail = (await codeOf(node)) ?? ''
    node.clock.advance(-24 * hour)
    expect((await kept.answers(mail)).remediations).toContain('reset-authenticator')
  })

  test('gives no budget back: whoever has had her mails gets no more', async () => {
    const { node } = await aNode()
    const first = await mailsUntilSpent(node)
    expect(first).toBeGreaterThan(0)
    for (const step of [minute, hour, 24 * hour, 400 * 24 * hour]) {
      node.clock.advance(-step)
      expect(await mailsUntilSpent(node)).toBe(0)
    }
    const rows = await node.engine.storage.db.selectFrom('budgets').select('expires_at').execute()
    const now = node.engine.clock.now()
    expect(rows.every(({ expires_at }) => expires_at > now)).toBe(true)
  })

  test('does not reach a mail that waits: it leaves at its time, once', async () => {
    const { node } = await aNode()
    node.sink.faults.next({ smtp: 'refuse' })
    await atTheCode(node, mary)
    await node.engine.delivery.idle()
    expect(node.outbox.to(mary)).toHaveLength(0)
    node.clock.advance(-hour)
    await node.engine.delivery.idle()
    node.clock.advance(hour + 5000)
    await node.engine.delivery.idle()
    expect(node.outbox.to(mary)).toHaveLength(1)
  })

  test('on one of two nodes makes neither of them go back, once it starts again', async () => {
    const { node, url, settings } = await aNode()
    const kept = await atTheCode(node, mary)
    const mail = (await codeOf(node)) ?? ''
    node.clock.advance(6 * minute)
    await node.engine.maintain()
    const behind = new VirtualClock({ frozen: true, startAt: node.clock.now() - hour })
    const config = checkConfig(nodeSettings(node.sink.url, { ...settings, database: { url } }))
    const other = await openEngine(config, { clock: behind, log: silentLogger })
    over.push(other.close)
    expect(other.clock.now()).toBeGreaterThanOrEqual(node.clock.now())

    const there = await fetch(`${other.baseUrl}/idp/idx/challenge/answer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stateHandle: kept.stateHandle, credentials: { passcode: mail } }),
    })
    expect((await answerFrom(there)).remediations).not.toContain('reset-authenticator')
  })

  test('lets people in all the same', async () => {
    const { node } = await aNode()
    node.clock.advance(-hour)
    const done = await parallel(3, async () => {
      const visitor = await visit(node)
      return visitor.submits('identify', {
        identifier: mary,
        credentials: { passcode: 'Tangerine-Kettle-42' },
      })
    })
    expect(done.map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

onEachDatabase('O-H3, report 20: a clock that was ahead', (database) => {
  async function aKit(limits = {}) {
    const { url, drop } = await database.create()
    over.push(drop)
    const settings = { lifetimes: { code: '5m' }, limits } as const
    const idp = await startEngine({ database: url, clock: 'frozen', settings })
    over.push(idp.close)
    return idp
  }
  const answersAfter = async (idp: Kit, visitor: Visitor, code: string | null, span: string) => {
    await idp.clock.advance(span)
    return (await visitor.answers(code)).remediations.includes('reset-authenticator')
  }

  test('is followed back: a code lives five minutes from its mail, whenever that was', async () => {
    const idp = await aKit()
    await idp.clock.advance('8h')
    const before = idp.visitor()
    await before.atTheCode(mary)
    const { code: mailedBefore } = await before.mail(mary)
    const wrongAfterwards = idp.visitor()
    await wrongAfterwards.atTheCode(mary)
    const { code: alsoBefore } = await wrongAfterwards.mail(mary)
    await idp.clock.advance('-8h')

    const after = idp.visitor()
    await after.atTheCode(mary)
    const { code: mailedAfter } = await after.mail(mary)
    expect(await answersAfter(idp, before, mailedBefore, '4m')).toBe(true)
    expect(await answersAfter(idp, wrongAfterwards, alsoBefore, '2m')).toBe(false)
    expect(await answersAfter(idp, after, mailedAfter, '0s')).toBe(false)
  })

  test('is followed back: budgets that were spent refill when they would have', async () => {
    const idp = await aKit({ mailsPerRecipient: 3 })
    const mailed = async () => {
      const visitor = idp.visitor()
      return (await visitor.atTheCode(mary).catch(() => visitor)).remediations.includes(
        'challenge-authenticator',
      )
    }
    await idp.clock.advance('8h')
    for (let mails = 0; mails < 3; mails++) expect(await mailed()).toBe(true)
    await idp.clock.advance('-8h')
    expect(await mailed()).toBe(false)
    await idp.clock.advance('61m')
    expect(await mailed()).toBe(true)
  })

  test('is followed back: a mail that waits is tried again in seconds', async () => {
    const idp = await aKit()
    await idp.clock.advance('8h')
    await fetch(`${idp.controlUrl}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ smtp: 'refuse', times: 1 }),
    })
    const visitor = idp.visitor()
    await visitor.atTheCode(mary)
    await idp.engine.delivery.idle()
    await idp.clock.advance('-8h')
    await idp.clock.advance('5s')
    await idp.engine.delivery.idle()
    expect(idp.outbox.latest({ to: mary })).toBeDefined()
  })

  test('is set back by an operator while an engine runs: what had expired stays so, the rest keeps its time', async () => {
    const { node } = await aNodeOn(database)
    const { db } = node.engine.storage
    const expired = await atTheCode(node, mary)
    const expiredCode = (await codeOf(node)) ?? ''
    node.clock.advance(6 * minute)
    const open = await atTheCode(node, mary)
    const openCode = (await codeOf(node)) ?? ''
    const late = await atTheCode(node, mary)
    const lateCode = (await codeOf(node)) ?? ''
    // The host goes back; the engine goes on from where it was, far ahead of it.
    node.clock.advance(-9 * 24 * hour)
    await node.engine.maintain()
    expect(node.engine.clock.aheadMs()).toBe(9 * 24 * hour)

    const to = node.clock.now()
    expect(await rebaseTime(node.engine.storage, { to })).toBe(9 * 24 * hour)
    expect(await rebaseTime(node.engine.storage, { to })).toBe(0)
    await node.engine.maintain()
    expect(node.engine.clock.aheadMs()).toBe(0)
    expect(node.engine.clock.now()).toBe(to)
    expect(await notedTime(db)).toBe(to)

    expect((await expired.answers(expiredCode)).remediations).not.toContain('reset-authenticator')
    expect((await open.answers(openCode)).remediations).toContain('reset-authenticator')
    node.clock.advance(5 * minute)
    expect((await late.answers(lateCode)).remediations).not.toContain('reset-authenticator')
  })

  test('is not noted again by an engine that does not know yet that it was set back', async () => {
    const { node } = await aNodeOn(database)
    const { storage } = node.engine
    const { reset } = await readNoted(storage.db)
    const ahead = node.clock.now() + 9 * 24 * hour
    await noteTime(storage.db, ahead, reset)
    await rebaseTime(storage, { to: node.clock.now() })
    await noteTime(storage.db, ahead, reset)
    expect(await notedTime(storage.db)).toBe(node.clock.now())
  })

  test('takes every end of the schema along, that of a suppression included', async () => {
    const { node } = await aNodeOn(database)
    const { storage } = node.engine
    const { db } = storage
    const to = node.clock.now()
    const ahead = to + 9 * 24 * hour
    const ends = { created_at: ahead - hour, expires_at: ahead + hour }
    const refused = { key: mary, address: mary, person_id: null, reason: '550 no such user' }
    await db
      .insertInto('mail_suppressions')
      .values({ ...refused, ...ends })
      .execute()
    await db.insertInto('budgets').values({ key: 'k', used: 1, expires_at: ends.expires_at }).execute()
    await noteTime(db, ahead, (await readNoted(db)).reset)
    await rebaseTime(storage, { to })

    const times = (table: 'mail_suppressions' | 'budgets') =>
      db.selectFrom(table).select('expires_at').where('key', 'in', [mary, 'k']).execute()
    expect(await times('mail_suppressions')).toEqual([{ expires_at: to + hour }])
    expect(await times('budgets')).toEqual([{ expires_at: to + hour }])
    const made = await db.selectFrom('mail_suppressions').select('created_at').executeTakeFirst()
    expect(made).toEqual({ created_at: to })
  })
})

test('O-H3: on PostgreSQL a noted time that is ahead of the server is set back at the next start', async ({
  skip,
}) => {
  const database = databases.find(({ name }) => name === 'postgres')
  if (database === undefined || database.skipped !== undefined) return skip(database?.skipped)
  const { url, drop } = await database.create()
  over.push(drop)
  const sink = await startSmtpSink()
  over.push(sink.close)
  const config = checkConfig(nodeSettings(sink.url, { database: { url } }))
  const first = await openEngine(config, { log: silentLogger })
  const { db } = first.storage
  await noteTime(db, Date.now() + 24 * hour, '')
  await first.close()
  const folder = mkdtempSync(join(tmpdir(), 'rekey-clock-'))
  over.push(() => rmSync(folder, { recursive: true }))
  const env = { DATABASE_URL: url, REKEY_SECRET: 'only for tests: everybody knows this secret' }
  const run = async (...args: string[]) =>
    JSON.parse((await rekey(['clock', '--json', ...args], { folder, env })).stdout)
  expect((await run()).aheadSeconds).toBeGreaterThan(86_000)
  expect((await run('--reset')).setBackSeconds).toBeGreaterThan(86_000)
  expect((await run()).aheadSeconds).toBe(0)
  const again = await openStorage({ url })
  await noteTime(again.db, Date.now() + 24 * hour, (await readNoted(again.db)).reset)
  await again.close()

  const lines: string[] = []
  const log = createLogger({ level: 'warn', stream: { write: (line) => void lines.push(line) } })
  const second = await openEngine(config, { log })
  over.push(second.close)
  expect(Math.abs(second.clock.now() - Date.now())).toBeLessThan(10 * minute)
  expect(Math.abs((await notedTime(second.storage.db)) - Date.now())).toBeLessThan(10 * minute)
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([expect.stringMatching(/was set back/)])
})

test('O-H3: a command beside an engine moves no time, and a lead of less than a minute melts at the next start', async ({
  skip,
}) => {
  const database = databases.find(({ name }) => name === 'postgres')
  if (database === undefined || database.skipped !== undefined) return skip(database?.skipped)
  const { url, drop } = await database.create()
  over.push(drop)
  const sink = await startSmtpSink()
  over.push(sink.close)
  const config = checkConfig(nodeSettings(sink.url, { database: { url } }))
  const first = await openEngine(config, { log: silentLogger })
  await first.close()
  const storage = await openStorage({ url })
  over.push(storage.close)
  const { db } = storage
  const folder = mkdtempSync(join(tmpdir(), 'rekey-clock-'))
  over.push(() => rmSync(folder, { recursive: true }))
  const env = { DATABASE_URL: url, REKEY_SECRET: 'only for tests: everybody knows this secret' }
  const { reset } = await readNoted(db)
  await db
    .insertInto('budgets')
    .values({ key: 'k', used: 1, expires_at: Date.now() + 30 * 24 * hour })
    .execute()

  for (const lead of [30_000, 24 * hour]) {
    await noteTime(db, Date.now() + lead, reset)
    const before = await dumpOf(storage)
    for (const words of [['user', 'list'], ['events'], ['clock'], ['token', 'list']]) {
      expect(await rekey(words, { folder, env }), words.join(' ')).toMatchObject({ code: 0 })
    }
    expect(await dumpOf(storage)).toBe(before)
    if (lead > minute) continue

    // What was noted stands still while the reference goes on: how much is left of it depends on how long the start takes.
    const noted = Date.now() + lead
    await noteTime(db, noted, reset)
    const openedAt = Date.now()
    const again = await openEngine(config, { log: silentLogger })
    const ahead = again.clock.aheadMs()
    const least = Math.min(noted - Date.now(), lead)
    await again.close()
    expect(ahead).toBeLessThanOrEqual(noted - openedAt)
    expect(ahead).toBeGreaterThan(0.95 * least)
    expect((await readNoted(db)).reset).toBe(reset)
  }
})

async function codeOf(node: Node): Promise<string | null | undefined> {
  await node.engine.delivery.idle()
  return node.outbox.latest({ to: mary })?.code
}
