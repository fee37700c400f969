import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { onThisMachine } from '../support/machine.ts'
import { type Node, startFastNode } from '../support/nodes.ts'
import { databases } from '../support/postgres.ts'
import { clusterIn, findPostgresPrograms, noPostgres, removeCluster } from '../support/postgres-cluster.ts'
import { signIn } from '../support/sign-in.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'

const readiness = async (node: Node) => {
  const answer = await fetch(`${node.engineUrl}/health/ready`)
  return { status: answer.status, body: (await answer.json()) as unknown }
}
const ready = async (node: Node) => (await readiness(node)).status

async function timed<T>(work: Promise<T>): Promise<readonly [result: T, ms: number]> {
  const before = performance.now()
  return [await work, performance.now() - before]
}

const has = findPostgresPrograms() !== undefined
if (!has) console.warn(`Readiness on PostgreSQL is skipped: ${noPostgres}`)
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe.skipIf(!has && process.env.REKEY_REQUIRE_POSTGRES !== '1')('ready, with PostgreSQL', () => {
  async function start(poolSize = 4) {
    const { url, drop } = (await databases[1]?.create()) ?? { url: '', drop: async () => {} }
    closing.push(drop)
    const node = await startFastNode({ database: { url, poolSize } })
    closing.push(() => node.close())
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    closing.push(() => client.end())
    return { node, client, url }
  }

  // O-M3: all nodes report the same, so a balancer would take all of them away.
  test('stays 200 while a locked table fills the pool; live and metrics answer as well', async () => {
    const { node, client } = await start()
    await client.query('begin; lock table people in access exclusive mode')
    const waiting = Array.from({ length: 8 }, () => signIn(node))
    await expect.poll(() => node.engine.storage.pool()?.waiting).toBeGreaterThan(0)

    for (let count = 0; count < 2; count++) {
      const [status, ms] = await timed(ready(node))
      expect([status, ms < onThisMachine(3000)]).toEqual([200, true])
      const [live, liveMs] = await timed(fetch(`${node.engineUrl}/health/live`))
      expect([live.status, liveMs < onThisMachine(3000)]).toEqual([200, true])
    }
    // By a connection of its own: that of the pool would be waited for.
    const [found, foundMs] = await timed(node.engine.storage.checks.database())
    expect([found, foundMs < onThisMachine(3000)]).toEqual(['ok', true])
    const [metrics, metricsMs] = await timed(
      fetch(`${node.engineUrl}/metrics`).then((answer) => answer.text()),
    )
    expect(metrics).toContain('rekey_database_waiting')
    expect(metricsMs).toBeLessThan(onThisMachine(4500))

    // A caller that gets no connection in time is asked to come again.
    const [late, lateMs] = await timed(signIn(node))
    expect([late, lateMs < onThisMachine(9000)]).toEqual([503, true])
    expect(await ready(node)).toBe(200)
    await client.query('rollback')
    for (const status of await Promise.all(waiting)) expect([200, 503]).toContain(status)
    expect(await signIn(node)).toBe(200)
  })

  test('names a database that refuses connections, and shows no address, name or password', async () => {
    const { node, client, url } = await start()
    const database = new URL(url).pathname.slice(1)
    await client.end()
    closing.pop()
    const server = new URL(url)
    server.pathname = '/postgres'
    const admin = new pg.Client({ connectionString: server.href })
    await admin.connect()
    closing.push(() => admin.end())
    await admin.query(`alter database ${database} allow_connections false`)
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`)
    await expect.poll(() => ready(node)).toBe(503)
    const { body } = await readiness(node)
    expect(body).toEqual({
      status: 'unavailable',
      checks: { database: 'unreachable', disk: 'ok', secret: 'ok' },
    })
    expect(await signIn(node)).toBe(503)
    await admin.query(`alter database ${database} allow_connections true`)
    await expect.poll(() => ready(node)).toBe(200)
    expect(await signIn(node)).toBe(200)
  })
})

const disk = mountSmallDisk(1)
disk?.remove()
const noDisk = 'no small disk can be mounted here (root may)'
if (disk === undefined) console.warn(`Full disks are skipped: ${noDisk}`)

describe.skipIf(disk === undefined)('ready, with a disk that is full', () => {
  function small(megabytes: number): SmallDisk {
    const mounted = mountSmallDisk(megabytes)
    if (mounted === undefined) throw new Error(noDisk)
    closing.push(mounted.remove)
    return mounted
  }

  async function fullAndEmpty(node: Node, { fill, empty }: SmallDisk): Promise<void> {
    expect([await signIn(node), await ready(node)]).toEqual([200, 200])
    fill()
    // What is left free in the files is used up; then sign-ins fail, and ready says why.
    await expect.poll(() => signIn(node), { interval: 0, timeout: 120_000 }).toBe(503)
    await expect.poll(() => ready(node)).toBe(503)
    expect((await readiness(node)).body).toEqual({
      status: 'unavailable',
      checks: { database: 'ok', disk: 'full', secret: 'ok' },
    })
    // As long as there is no room, polling it does not make it look better.
    for (let count = 0; count < 3; count++) {
      await new Promise((resolve) => setTimeout(resolve, 1050))
      expect(await ready(node)).toBe(503)
    }
    empty()
    await expect.poll(() => ready(node)).toBe(200)
    expect(await signIn(node)).toBe(200)
    expect(
      await node.engine.storage.db
        .selectFrom('settings')
        .select('key')
        .where('key', '=', 'disk.check')
        .execute(),
    ).toEqual([])
  }

  test('sqlite', async () => {
    const mounted = small(12)
    const node = await startFastNode({ database: { url: `sqlite:${join(mounted.folder, 'rekey.db')}` } })
    closing.push(() => node.close())
    await fullAndEmpty(node, mounted)
  })

  test.skipIf(!has)('postgres', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-pg-full-'))
    const server = await clusterIn(folder)
    const mounted = small(24)
    closing.push(() => removeCluster(folder))
    const client = new pg.Client({ connectionString: server })
    await client.connect()
    // The log of the server is elsewhere: without it the server itself would stop.
    await client.query(`create tablespace small location '${mounted.folder}'`)
    await client.query('create database rekey tablespace small')
    await client.end()
    const url = new URL(server)
    url.pathname = '/rekey'
    const node = await startFastNode({ database: { url: url.href } })
    closing.push(() => node.close())
    await fullAndEmpty(node, mounted)
  })
})

describe('ready, with SQLite', () => {
  async function start() {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-ready-'))
    closing.push(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'rekey.db')
    const node = await startFastNode({ database: { url: `sqlite:${file}` } })
    closing.push(() => node.close())
    return { node, file }
  }

  // What is written to a file without a name is lost with the process, although it was acknowledged.
  test('a file that was removed: 503, and no write is acknowledged until it is back', async () => {
    const { node, file } = await start()
    expect([await signIn(node), await ready(node)]).toEqual([200, 200])
    renameSync(file, `${file}.away`)
    expect(await signIn(node)).toBe(503)
    await expect.poll(() => ready(node)).toBe(503)
    expect((await readiness(node)).body).toEqual({
      status: 'unavailable',
      checks: { database: 'gone', disk: 'ok', secret: 'ok' },
    })
    const metrics = await (await fetch(`${node.engineUrl}/metrics`)).text()
    for (const line of ['rekey_ready{check="database"} 0', 'rekey_ready{check="secret"} 1']) {
      expect(metrics).toContain(line)
    }
    renameSync(`${file}.away`, file)
    await expect.poll(() => ready(node)).toBe(200)
    expect(await signIn(node)).toBe(200)
  })

  test('a file that was replaced, as by a backup that is restored meanwhile: the same', async () => {
    const { node, file } = await start()
    expect(await signIn(node)).toBe(200)
    cpSync(file, `${file}.backup`)
    renameSync(`${file}.backup`, file)
    expect(await signIn(node)).toBe(503)
    await expect.poll(() => ready(node)).toBe(503)
  })
})
