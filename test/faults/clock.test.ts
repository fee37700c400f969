import { afterEach, expect, test } from 'vitest'
import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { answerFrom } from '../../src/testing/index.ts'
import { atTheCode, parallel, visit } from '../support/attacks.ts'
import { type Node, nodeSettings, startNode } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'

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

onEachDatabase('a clock that steps back', (database) => {
  /** An engine with codes of five minutes, on a database of its own, whose host's clock the test moves. */
  async function aNode(limits = {}) {
    const { url, drop } = await database.create()
    over.push(drop)
    const settings = { database: { url }, lifetimes: { code: '5m' }, limits } as const
    const node = await startNode({ settings })
    over.push(node.close)
    return { node, url, settings }
  }

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

  test('keeps a code good while it stands still, and the recovery goes on', async () => {
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

async function codeOf(node: Node): Promise<string | null | undefined> {
  await node.engine.delivery.idle()
  return node.outbox.latest({ to: mary })?.code
}
