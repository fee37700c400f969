import { sql } from 'kysely'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/index.ts'
import { databases, type TestDatabase } from '../support/postgres.ts'

const [, postgres] = databases

describe.skipIf(postgres?.skipped !== undefined)('connections to PostgreSQL', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function open(options: Partial<StorageOptions> = {}, parameters = '') {
    const database: TestDatabase = (await postgres?.create()) ?? { url: '', drop: async () => {} }
    closing.push(database.drop)
    const further = async (): Promise<Storage> => {
      const storage = await openStorage({ url: `${database.url}${parameters}`, poolSize: 4, ...options })
      closing.push(() => storage.close())
      return storage
    }
    const storage = await further()
    await storage.migrate()
    return { storage, further, url: database.url }
  }

  const pidOf = async ({ db }: Pick<Storage, 'db'>): Promise<number> =>
    (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid ?? 0
  const show = async ({ db }: Storage, name: string) =>
    (await sql.raw<Record<string, string>>(`show ${name}`).execute(db)).rows[0]?.[name]
  /** The connections of so many callers at once: each keeps its own until all have one. */
  async function pidsOf(storage: Storage, count: number): Promise<ReadonlySet<number>> {
    const pids: number[] = []
    const all = Promise.withResolvers<void>()
    const caller = () =>
      storage.db.connection().execute(async (db) => {
        pids.push(await pidOf({ db }))
        if (pids.length === count) all.resolve()
        await all.promise
      })
    await Promise.all(Array.from({ length: count }, caller))
    return new Set(pids)
  }

  test('end at their lifetime, also one that is never idle', async () => {
    const { storage } = await open({ maxLifetimeSeconds: 1, poolSize: 2 })
    const before = await pidOf(storage)
    const until = performance.now() + 1100
    // The outbox is read every second, which kept the last connection from idling out (report 21).
    while (performance.now() < until) await pidOf(storage)
    expect(await pidOf(storage)).not.toBe(before)
    const unlimited = await openStorage({ url: (await open()).url, maxLifetimeSeconds: 0, poolSize: 2 })
    closing.push(() => unlimited.close())
    expect(await pidOf(unlimited)).toBe(await pidOf(unlimited))
  })

  test('that were open together with one that broke are not used again', async () => {
    const { storage, further } = await open()
    const admin = await further()
    const before = await pidsOf(storage, 4)
    expect(before.size).toBe(4)
    const held = Promise.withResolvers<void>()
    const failing = storage.db.connection().execute(async (db) => {
      const pid = await pidOf({ db })
      held.resolve()
      await sql`select pg_terminate_backend(${pid})`.execute(admin.db)
      await pidOf({ db })
    })
    await held.promise
    await expect(failing).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '2' } })
    const after = await pidsOf(storage, 4)
    expect([...after].filter((pid) => before.has(pid))).toEqual([])
    // Once only: the connections that were opened since stay.
    expect(await pidsOf(storage, 4)).toEqual(after)
  })

  test('have limits of time, or those of the address', async () => {
    const { storage } = await open()
    expect([await show(storage, 'statement_timeout'), await show(storage, 'enable_seqscan')]).toEqual([
      '10s',
      'off',
    ])
    const { storage: other } = await open({}, '&statement_timeout=5000')
    expect(await show(other, 'statement_timeout')).toBe('5s')
    expect(await show(other, 'idle_in_transaction_session_timeout')).toBe('10s')
  })

  // A number as a name could be another node's statement behind a pooler: it would be run with these parameters.
  test('name a statement by its text, the same on every node', async () => {
    const { storage, further } = await open({ poolSize: 2 })
    const other = await further()
    const names = async ({ db }: Storage, keys: readonly string[]) => {
      for (const key of keys) await db.selectFrom('settings').selectAll().where('key', '=', key).execute()
      const { rows } = await sql<{ name: string }>`
        select name from pg_prepared_statements where statement like '%"settings"%'`.execute(db)
      return rows.map(({ name }) => name)
    }
    await other.db.selectFrom('groups').selectAll().where('id', '=', 'x').execute()
    const [first = ''] = await names(storage, ['a', 'b'])
    expect(first).toMatch(/^rekey_[\w-]{43}$/)
    expect(await names(other, ['c'])).toEqual([first])
  })

  // During a rolling upgrade a migration changes what a prepared statement returns, on every connection that has it.
  test('whose prepared statements a migration has outdated go on without an error', async () => {
    const { storage, further } = await open()
    const admin = await further()
    const read = () => storage.db.selectFrom('settings').selectAll().where('key', '=', 'x').execute()
    await storage.db.insertInto('settings').values({ key: 'x', value: 'y' }).execute()
    await Promise.all(Array.from({ length: 40 }, read))
    await sql`alter table settings add column further text default 'new'`.execute(admin.db)
    const rows = await Promise.all(Array.from({ length: 40 }, read))
    expect(rows.flat()).toEqual(Array.from({ length: 40 }, () => ({ key: 'x', value: 'y', further: 'new' })))

    await sql`alter table settings drop column further`.execute(admin.db)
    const inside = await Promise.all(
      Array.from({ length: 8 }, () =>
        storage.transaction((tx) => tx.selectFrom('settings').selectAll().where('key', '=', 'x').execute()),
      ),
    )
    expect(inside.flat()).toEqual(Array.from({ length: 8 }, () => ({ key: 'x', value: 'y' })))
  })

  test.each([
    ['a password that is refused', 'nobody-of-this-name', 'rekey', '28000'],
    ['a database that is not there', 'rekey', 'not_there', '3D000'],
  ])('that cannot be made are answered 503: %s', async (_what, user, name, code) => {
    const { url } = await open()
    const address = new URL(url)
    address.username = user
    address.pathname = `/${name}`
    const storage = await openStorage({ url: address.href })
    closing.push(() => storage.close())
    await expect(pidOf(storage)).rejects.toMatchObject({ status: 503, cause: { code } })
    expect(await storage.checks.database()).toBe('refused')
  })

  test('that began while the server was read-only are closed once a check finds it writable, before any write fails', async () => {
    const { storage, further, url } = await open()
    const admin = await further()
    const name = new URL(url).pathname.slice(1)
    const readOnly = (value: string) =>
      sql.raw(`alter database ${name} set default_transaction_read_only = ${value}`).execute(admin.db)
    await pidOf(admin)
    await readOnly('on')
    const late = await further()
    await pidsOf(late, 3)
    expect(await late.checks.database()).toBe('read-only')
    // From a session that was opened before; those that are opened from now on may write.
    await readOnly('off')
    expect(await late.checks.database()).toBe('ok')
    await late.db.insertInto('settings').values({ key: 'written', value: '' }).execute()
    expect(await storage.checks.database()).toBe('ok')
  })

  // Superusers are not limited, so this is another role.
  test('of which the server has no more leave a node ready that has one', async () => {
    const { storage, url } = await open()
    await sql`create role limited login connection limit 1`.execute(storage.db)
    const address = new URL(url)
    address.username = 'limited'
    const limited = await openStorage({ url: address.href, poolSize: 2 })
    try {
      const pid = await pidOf(limited)
      expect(await limited.checks.database()).toBe('ok')
      expect(await pidOf(limited)).toBe(pid)
    } finally {
      await limited.close()
      await expect
        .poll(() => sql`drop role limited`.execute(storage.db).then(() => 'dropped'))
        .toBe('dropped')
    }
  })

  test('that are refused by no server are answered at once, and logged without the address', async () => {
    const lines: string[] = []
    const log = createLogger({ level: 'trace', stream: { write: (line) => void lines.push(line) } })
    const storage = await openStorage({ url: 'postgres://rekey:hunter2@127.0.0.1:1/rekey', log })
    closing.push(() => storage.close())
    await expect(pidOf(storage)).rejects.toMatchObject({ status: 503, cause: { code: 'ECONNREFUSED' } })
    expect(await storage.checks.database()).toBe('unreachable')
    expect(lines.join()).not.toContain('hunter2')
  })
})
