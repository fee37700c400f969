import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { atTheReset, newPassword } from '../support/attacks.ts'
import { onThisMachine } from '../support/machine.ts'
import { type Node, startNode } from '../support/nodes.ts'
import {
  addressOf,
  clusterIn,
  control,
  findPostgresPrograms,
  noPostgres,
  removeCluster,
  socketOf,
} from '../support/postgres-cluster.ts'
import { signIn } from '../support/sign-in.ts'
import { startSwitch } from '../support/switch.ts'

const mary = 'mary@example.com'
const isWorld = process.env.REKEY_TEST_WORLD === '1'

const has = findPostgresPrograms() !== undefined
if (!has) console.warn(`Fail-overs of PostgreSQL are skipped: ${noPostgres}`)

async function administer(url: string, ...statements: readonly string[]): Promise<void> {
  // A server that is read-only by its settings still takes this from a session that says otherwise.
  const client = new pg.Client({ connectionString: url, options: '-c default_transaction_read_only=off' })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

const ready = async (node: Node) => (await fetch(`${node.engineUrl}/health/ready`)).status

describe.skipIf(!has && process.env.REKEY_REQUIRE_POSTGRES !== '1')('a server that becomes read-only', () => {
  let folder: string
  let url: string
  let node: Node
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rekey-pg-readonly-'))
    url = await clusterIn(folder)
    node = await startNode({ settings: { database: { url } } })
  })
  beforeEach(() =>
    administer(
      url,
      'alter system reset default_transaction_read_only',
      'alter database postgres reset default_transaction_read_only',
      'select pg_reload_conf()',
    ),
  )
  afterAll(async () => {
    await node.close()
    removeCluster(folder)
  })

  // Report 21: the sessions that are open become read-only, those that are opened from then on write.
  test('costs each connection of the pool one answer 503 at most, then sign-ins succeed', async () => {
    // Four connections, all of them idle: each would be handed out again.
    await Promise.all(Array.from({ length: 4 }, () => signIn(node)))
    await administer(
      url,
      'alter database postgres set default_transaction_read_only = off',
      'alter system set default_transaction_read_only = on',
      'select pg_reload_conf()',
    )
    await pause(100)
    const statuses: number[] = []
    for (let index = 0; index < 12; index++) statuses.push(await signIn(node))
    expect(statuses.filter((status) => status === 503).length).toBeLessThanOrEqual(2)
    expect(statuses.slice(2)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(await ready(node)).toBe(200)
  })

  // O-H4: what a demotion or a full disk at a managed service does.
  test('is reported by ready while it lasts, and goes by itself when it ends without a restart', async () => {
    await administer(
      url,
      'alter database postgres set default_transaction_read_only = on',
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rekey'",
    )
    await expect.poll(() => ready(node)).toBe(503)
    const answer = await fetch(`${node.engineUrl}/health/ready`)
    expect(await answer.json()).toEqual({
      status: 'unavailable',
      checks: { database: 'read-only', disk: 'ok', secret: 'ok' },
    })
    expect(await signIn(node)).toBe(503)

    // Sessions that are open stay read-only.
    await administer(url, 'alter database postgres reset default_transaction_read_only')
    await expect.poll(() => ready(node)).toBe(200)
    expect([await signIn(node), await signIn(node), await signIn(node)]).toEqual([200, 200, 200])
  })

  test('a write in a snapshot is a fault of its caller: no connection is closed for it', async () => {
    const storage = await openStorage({ url, poolSize: 1 })
    const pid = async () =>
      (await storage.db.selectNoFrom((eb) => eb.fn<number>('pg_backend_pid').as('pid')).execute())[0]?.pid
    const before = await pid()
    await expect(
      storage.snapshot((db) => db.insertInto('settings').values({ key: 'x', value: '' }).execute()),
    ).rejects.toMatchObject({ code: '25006' })
    expect(await pid()).toBe(before)
    await storage.close()
  })
})

describe.skipIf(!has && process.env.REKEY_REQUIRE_POSTGRES !== '1')(
  'a standby that is promoted under load',
  () => {
    /** Writes one row after another, until it is stopped; the keys of those that were acknowledged. */
    function writer(storage: Storage, name: string) {
      const acknowledged: string[] = []
      const failures: unknown[] = []
      let isOver = false
      const working = (async () => {
        for (let count = 0; !isOver; count++) {
          const key = `${name} ${count}`
          try {
            await storage.transaction((tx) => tx.insertInto('settings').values({ key, value: '' }).execute())
            acknowledged.push(key)
          } catch (error) {
            failures.push(error)
            await pause(20)
          }
        }
      })()
      return {
        acknowledged,
        failures,
        async stop() {
          isOver = true
          await working
        },
      }
    }

    /**
     * The primary dies and its standby is promoted. What leads to the database follows: the one address of both, or the
     * engine, which knows the hosts.
     */
    async function failOver(rounds: number, leads: 'address' | 'hosts'): Promise<void> {
      const folders = [
        mkdtempSync(join(tmpdir(), 'rekey-pg-first-')),
        mkdtempSync(join(tmpdir(), 'rekey-pg-second-')),
      ]
      const [first = '', second = ''] = folders
      // The standby has on its disk what a commit is acknowledged for; that of the first is not forced, as it dies alone.
      const settings = { synchronous_standby_names: '*', synchronous_commit: 'on', wal_keep_size: '64MB' }
      await clusterIn(first, { settings: { ...settings, synchronous_commit: 'local' } })
      await clusterIn(second, { follows: first, settings: { ...settings, synchronous_commit: 'local' } })
      await administer(
        addressOf(first),
        "alter system set synchronous_commit = 'on'",
        'select pg_reload_conf()',
      )
      await expect
        .poll(() =>
          administer(
            addressOf(first),
            'select 1 / count(*) from pg_stat_replication where sync_state = $$sync$$',
          ),
        )
        .toBeUndefined()
      const way = await startSwitch(socketOf(first))
      const other = await startSwitch(socketOf(second))
      const hosts = leads === 'address' ? [way] : [way, other]
      const url = `postgres://rekey@${hosts.map(({ port }) => `127.0.0.1:${port}`).join(',')}/postgres`
      const node = await startNode({ settings: { database: { url } } })
      expect(await signIn(node)).toBe(200)
      const visitor = await atTheReset(node, mary)

      const writers = Array.from({ length: 4 }, (_, index) => writer(node.engine.storage, `ack ${index}`))
      const statuses: number[] = []
      let isOver = false
      const visitors = Array.from({ length: 2 }, async () => {
        while (!isOver) statuses.push(await signIn(node))
      })
      await pause(500 * rounds)
      control(first, 'crash')
      const before = writers.map(({ acknowledged }) => acknowledged.length)
      await expect.poll(() => ready(node)).toBe(503)
      control(second, 'promote')
      await administer(
        addressOf(second),
        "alter system set synchronous_standby_names = ''",
        'select pg_reload_conf()',
      )
      // The connections that are open would stay with the dead server.
      if (leads === 'address') way.to(socketOf(second))
      const promotedAt = performance.now()
      await expect.poll(() => ready(node), { interval: 20 }).toBe(200)
      await expect.poll(() => signIn(node), { interval: 20 }).toBe(200)
      expect(performance.now() - promotedAt).toBeLessThan(onThisMachine(5000))
      await pause(300 * rounds)
      isOver = true
      await Promise.all([...visitors, ...writers.map((one) => one.stop())])

      // Every writer went on, and no row that was acknowledged is lost.
      for (const [index, { acknowledged }] of writers.entries()) {
        expect(acknowledged.length).toBeGreaterThan((before[index] ?? 0) + 1)
      }
      const rows = await node.engine.storage.db.selectFrom('settings').select('key').execute()
      const stored = new Set(rows.map(({ key }) => key))
      const acknowledged = writers.flatMap((one) => one.acknowledged)
      expect(acknowledged.filter((key) => !stored.has(key))).toEqual([])
      // All that failed asks to come again.
      for (const error of writers.flatMap(({ failures }) => failures))
        expect(error).toMatchObject({ status: 503 })
      expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])

      // The recovery that had begun before goes on where it was.
      const done = await visitor.answers(newPassword)
      expect((await visitor.redeems(done.interactionCode ?? '')).status).toBe(200)
      expect(await signIn(node, newPassword)).toBe(200)
      await node.close()
      await way.close()
      await other.close()
      for (const folder of folders) removeCluster(folder)
    }

    test('every acknowledged write is there, and sign-ins succeed within seconds', () =>
      failOver(1, 'address'))
    test('with both servers in the address the engine finds the one that was promoted', () =>
      failOver(1, 'hosts'))
    test.skipIf(!isWorld)('the same after a longer load', () => failOver(20, 'address'))
  },
)
