import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { type Answer, type Kit, startEngine, type Visitor } from '../../src/testing/index.ts'
import { atTheReset, newPassword, visit } from '../support/attacks.ts'
import { startNode } from '../support/nodes.ts'
import { databases } from '../support/postgres.ts'
import { clusterIn, control, findPostgresPrograms, removeCluster } from '../support/postgres-cluster.ts'

const mary = 'mary@example.com'

/** Come again: in the API's own shape, and with the time to wait. */
function expectComeAgain({ status, headers, body }: Answer): void {
  expect(status).toBe(503)
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(body).toMatchObject({ errorCode: 'E0000010', errorSummary: expect.any(String), errorCauses: [] })
}

const health = async (idp: Pick<Kit, 'engineUrl'>) => (await fetch(`${idp.engineUrl}/health/ready`)).status

/** Asks until the engine can do its work again. */
async function untilReady(idp: Pick<Kit, 'engineUrl'>): Promise<void> {
  const until = performance.now() + 120_000
  while ((await health(idp)) !== 200) {
    if (performance.now() > until) throw new Error('the engine did not come back by itself')
  }
}

/** Visitors who go on asking for the state of their transaction until the test stops them; what they were answered. */
function load(visitors: readonly Visitor[]) {
  const statuses = new Set<number>()
  let over = false
  const asking = visitors.map(async (visitor) => {
    while (!over) statuses.add((await visitor.submits('introspect')).status)
  })
  return {
    statuses,
    async stop() {
      over = true
      await Promise.all(asking)
    },
  }
}

const has = findPostgresPrograms() !== undefined
describe.skipIf(!has && process.env.REKEY_REQUIRE_POSTGRES !== '1')(
  'PostgreSQL that goes away under load',
  () => {
    test('is answered with 503 and a time to wait, and the same recovery goes on once it is back', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'rekey-pg-fault-'))
      const idp = await startEngine({ database: await clusterIn(folder) })
      const visitor = await atTheReset(idp, mary)
      const visitors = await Promise.all(Array.from({ length: 4 }, () => visit(idp)))
      const before = load(visitors)

      control(folder, 'stop')
      expectComeAgain(await visitor.answers(newPassword))
      const token = await visitor.redeems('a code that nobody has')
      expect([token.status, token.body.error]).toEqual([503, 'temporarily_unavailable'])
      expect(token.headers.get('retry-after')).toBe('2')
      expect(await health(idp)).toBe(503)

      control(folder, 'start')
      await untilReady(idp)
      await before.stop()
      // No visitor was answered anything but 200 and 503.
      expect([...before.statuses].filter((status) => status !== 200 && status !== 503)).toEqual([])
      const done = await visitor.answers(newPassword)
      expect((await visitor.redeems(done.interactionCode ?? '')).status).toBe(200)
      await idp.engine.delivery.idle()
      expect(idp.outbox.latest({ to: mary })?.template).toBe('PasswordChanged')

      await idp.close()
      removeCluster(folder)
    })
  },
)

describe('a disk that is full (sqlite)', () => {
  test('is answered with 503 and keeps nothing by halves; with room again the same step is taken', async () => {
    const { url, drop } = (await databases[0]?.create()) ?? { url: '', drop: async () => {} }
    const idp = await startEngine({ database: url })
    const { db } = idp.engine.storage
    const visitor = await atTheReset(idp, mary)
    const counts = async () => {
      const [{ events, mails } = { events: 0, mails: 0 }] = (
        await sql<{ events: number; mails: number }>`
          select (select count(*) from events) as events, (select count(*) from outbox) as mails`.execute(db)
      ).rows
      return { events, mails }
    }
    const before = await counts()

    // No page more than there are now; what is left free in them is used up first.
    await sql`pragma max_page_count = 1`.execute(db)
    await fill(idp)
    const full = await counts()
    expectComeAgain(await visitor.answers(newPassword))
    expect(await counts()).toEqual(full)
    expect(before.mails).toBe(full.mails)

    await sql`pragma max_page_count = 1000000`.execute(db)
    const done = await visitor.answers(newPassword)
    expect(done.interactionCode).toEqual(expect.any(String))
    await idp.close()
    await drop()
  })
})

/** Writes until no page is left. */
async function fill({ engine: { storage } }: Kit): Promise<void> {
  for (let index = 0; index < 10_000; index++) {
    try {
      await storage.db
        .insertInto('settings')
        .values({ key: `filler ${index}`, value: 'x'.repeat(index < 100 ? 2000 : 20) })
        .execute()
    } catch (error) {
      if (index < 100) continue
      expect(error).toMatchObject({ status: 503 })
      return
    }
  }
  throw new Error('the disk is not full')
}

test('a flood of sign-ins is sent away with 503 once as many hashes wait as may, and the rest are answered', async () => {
  const settings = { password: { concurrency: 1, queue: 2 } } as const
  const node = await startNode({ settings })
  const visitors = await Promise.all(Array.from({ length: 12 }, () => visit(node)))
  const credentials = { passcode: 'Tangerine-Kettle-42' }
  const replies = await Promise.all(
    visitors.map((visitor) => visitor.submits('identify', { identifier: mary, credentials })),
  )

  const away = replies.filter(({ status }) => status === 503)
  const served = replies.filter(({ status }) => status === 200)
  expect(away.length + served.length).toBe(12)
  expect(served.length).toBeGreaterThanOrEqual(3)
  expect(away.length).toBeGreaterThan(0)
  for (const reply of away) expectComeAgain(reply)
  // No answer of those was checked: they may simply try again.
  const later = visitors[replies.findIndex(({ status }) => status === 503)]
  expect((await later?.submits('identify', { identifier: mary, credentials }))?.status).toBe(200)
  await node.close()
})
