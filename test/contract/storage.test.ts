import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createLogger, systemRandom } from '../../src/base/index.ts'
import { spend } from '../../src/limits/index.ts'
import {
  type Db,
  insert,
  isUniqueViolation,
  openStorage,
  type Storage,
  statement,
  tables,
  together,
  type Value,
} from '../../src/storage/index.ts'
import { databases, onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const put = (db: Db, key: string, value = 'x') => db.insertInto('settings').values({ key, value }).execute()
const keysOf = async (db: Db): Promise<string[]> =>
  (await db.selectFrom('settings').select('key').orderBy('key').execute()).map(({ key }) => key)
const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1)
const count = (length: number) => Array.from({ length }, (_, index) => index)

onEachDatabase('the schema', (database) => {
  let place: TestDatabase
  const opened: Storage[] = []
  const open = async (): Promise<Storage> => {
    const storage = await openStorage({ url: place.url })
    opened.push(storage)
    return storage
  }
  beforeEach(async () => {
    place = await database.create()
  })
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close()
    await place.drop()
  })

  test('migrating a second time changes nothing', async () => {
    const storage = await open()

    expect(await storage.migrate()).toContain('0001-initial')
    await put(storage.db, 'kept')
    expect(await storage.migrate()).toEqual([])
    expect(await keysOf(storage.db)).toEqual(['kept'])
  })

  test('the migrations make the tables and columns that the table of tables has, and no other', async () => {
    const storage = await open()
    await storage.migrate()
    const described = Object.entries(tables).map(([name, { columns }]) => [
      name,
      Object.entries<{ type: string; nullable: boolean }>(columns)
        .map(([column, { type, nullable }]) => ({
          name: column,
          // A primary key of text may be null in SQLite, which no statement makes it.
          ...(database.name === 'postgres' && { isNullable: nullable }),
          isNumber: type === 'integer' || type === 'time',
        }))
        .toSorted(byName),
    ])
    const there = (await storage.db.introspection.getTables())
      .filter(
        ({ name }) =>
          !name.startsWith('kysely_') && !name.startsWith('sqlite_') && name !== 'migration_contracts',
      )
      .map(({ name, columns }) => [
        name,
        columns
          .map(({ name, isNullable, dataType }) => ({
            name,
            ...(database.name === 'postgres' && { isNullable }),
            isNumber: /int/i.test(dataType),
          }))
          .toSorted(byName),
      ])
    expect(Object.fromEntries(there)).toEqual(Object.fromEntries(described))
  })

  test('several nodes that migrate at once bring each migration in exactly once', async () => {
    const nodes = await Promise.all(count(4).map(open))

    const done = await Promise.all(nodes.map((node) => node.migrate()))

    expect(done.flat()).toEqual([...new Set(done.flat())])
    expect(done.flat()).toContain('0001-initial')
    await Promise.all(nodes.map((node, index) => put(node.db, `node ${index}`)))
  })

  test('a statement that is built once runs with the values of each time, in and out of transactions', async () => {
    const storage = await open()
    await storage.migrate()
    let built = 0
    const change = statement((db, value: Value<{ key: string; value: string }>) => {
      built += 1
      return db
        .updateTable('settings')
        .set({ value: value('value') })
        .where('key', '=', value('key'))
        .returningAll()
    })

    await insert(storage.db, 'settings', [{ key: 'a', value: '1' }])
    await insert(storage.db, 'settings', [
      { key: 'b', value: '2' },
      { value: '3', key: 'c' },
    ])
    const changed = await storage.transaction(async (tx) => [
      (await change(tx, { key: 'b', value: '20' })).rows,
      (await change(tx, { key: 'c', value: "'30" })).rows,
    ])
    expect(changed).toEqual([[{ key: 'b', value: '20' }], [{ key: 'c', value: "'30" }]])
    expect((await change(storage.db, { key: 'nobody', value: '' })).rows).toEqual([])
    expect(built).toBe(1)
    const [, ...rest] = await insert(
      storage.db,
      'settings',
      [{ key: 'a', value: '9' }],
      'on conflict (key) do nothing',
    )
    expect(rest).toEqual([])
    const kept = await storage.db.selectFrom('settings').selectAll().orderBy('key').execute()
    expect(kept.map(({ value }) => value)).toEqual(['1', '20', "'30"])
  })

  test('what was written is there after the database was closed and opened again', async () => {
    const before = await open()
    await before.migrate()
    await put(before.db, 'kept', 'grüße 🔑')
    await before.close()
    opened.pop()

    const after = await open()
    expect(await after.migrate()).toEqual([])
    expect(await after.db.selectFrom('settings').selectAll().execute()).toEqual([
      { key: 'kept', value: 'grüße 🔑' },
    ])
  })
})

onEachDatabase('a snapshot', (database) => {
  test('takes as long as there is data and as what reads it is slow, whatever timeouts the server sets', async () => {
    const { url, drop } = await database.create()
    const storage = await openStorage({ url })
    await storage.migrate()
    await put(storage.db, 'before')
    if (database.name === 'postgres') {
      for (const timeout of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
        await sql`do $$ begin execute format('alter database %I set ${sql.raw(timeout)} = 300', current_database()); end $$`.execute(
          storage.db,
        )
      }
    }
    const seen = await storage.snapshot(async (db) => {
      const first = await keysOf(db)
      await put(storage.db, 'meanwhile')
      await pause(700)
      if (database.name === 'postgres') await sql`select pg_sleep(0.7)`.execute(db)
      return [first, await keysOf(db)]
    })
    expect(seen).toEqual([['before'], ['before']])
    await storage.close()
    await drop()
  })
})

onEachDatabase('storage', (database) => {
  let storage: Storage
  beforeEach(async () => {
    storage = await database.open()
  })
  afterEach(async () => {
    await storage.close()
  })

  test('it answers when asked', async () => {
    await sql`select 1`.execute(storage.db)
    expect(storage.kind).toBe(database.name)
  })

  test('a transaction keeps all of its writes', async () => {
    const result = await storage.transaction(async (tx) => {
      await put(tx, 'one')
      await put(tx, 'two')
      return keysOf(tx)
    })
    expect(result).toEqual(['one', 'two'])
    expect(await keysOf(storage.db)).toEqual(['one', 'two'])
  })

  test('a transaction that throws keeps nothing, and its error comes through', async () => {
    const work = storage.transaction(async (tx) => {
      await put(tx, 'one')
      throw new Error('changed my mind')
    })
    await expect(work).rejects.toThrow('changed my mind')
    expect(await keysOf(storage.db)).toEqual([])
  })

  test('a failed statement takes the whole transaction with it, and the next one works', async () => {
    await put(storage.db, 'taken')
    const work = storage.transaction(async (tx) => {
      await put(tx, 'one')
      await put(tx, 'taken')
    })
    await expect(work).rejects.toSatisfy(isUniqueViolation)
    await storage.transaction((tx) => put(tx, 'two'))
    expect(await keysOf(storage.db)).toEqual(['taken', 'two'])
  })

  test('a connection that breaks is one line of the log, without a stack', async ({ skip }) => {
    skip(database.name === 'sqlite', 'there is no connection')
    const { url, drop } = await database.create()
    const lines: Record<string, unknown>[] = []
    const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
    const broken = await openStorage({ url, log: createLogger({ level: 'warn', stream }) })
    await sql`select 1`.execute(broken.db)
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = ${url.split('/').at(-1)?.split('?')[0]} and pid <> pg_backend_pid()`.execute(storage.db)
    await expect.poll(() => lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      expect(line).toMatchObject({ reason: expect.stringMatching(/terminat/), code: expect.any(String) })
      expect(JSON.stringify(line)).not.toMatch(/stack| at /)
    }
    await broken.close()
    await drop()
  })

  test('works that travel together are all done, and answer in their order', async () => {
    const kept = await storage.transaction((tx) =>
      together([put(tx, 'a').then(() => 1), 2, put(tx, 'b').then(() => 3)]),
    )
    expect(kept).toEqual([1, 2, 3])
    expect(await keysOf(storage.db)).toEqual(['a', 'b'])
  })

  test('what travels together leaves in one packet, BEGIN with it', async ({ skip }) => {
    skip(database.name === 'sqlite', 'the database is in this process')
    await sql`select 1`.execute(storage.db)
    const socket = Socket.prototype as unknown as Readonly<Record<'_write' | '_writev', () => void>>
    const [packets, single] = [vi.spyOn(socket, '_writev'), vi.spyOn(socket, '_write')]
    onTestFinished(() => void vi.restoreAllMocks())
    await storage.transaction(async (tx) => {
      await together(count(5).map((at) => insert(tx, 'settings', [{ key: `key ${at}`, value: 'x' }])))
    })
    // The second is COMMIT.
    expect(packets.mock.calls.length + single.mock.calls.length).toBe(2)
  })

  test('where one of several that travel together fails, nothing is kept, and what failed first is told', async () => {
    await put(storage.db, 'taken')
    const ended: string[] = []
    const end = (key: string) => () => void ended.push(key)
    const failed = storage.transaction((tx) =>
      together([
        put(tx, 'a').then(() => put(tx, 'late').finally(end('late'))),
        put(tx, 'taken'),
        put(tx, 'b').finally(end('b')),
      ]),
    )
    await expect(failed).rejects.toSatisfy(isUniqueViolation)
    expect(ended).toEqual(expect.arrayContaining(['late', 'b']))
    expect(await keysOf(storage.db)).toEqual(['taken'])
    // The connection is as good as before.
    await storage.transaction((tx) => put(tx, 'after'))
    expect(await keysOf(storage.db)).toEqual(['after', 'taken'])
  })

  test('a table that is still small is asked by its index: plans are kept while it grows', async () => {
    await put(storage.db, 'a')
    await sql`analyze settings`.execute(storage.db)
    const explain = database.name === 'sqlite' ? 'explain query plan' : 'explain'
    const { rows } = await sql.raw(`${explain} select * from settings where key = 'a'`).execute(storage.db)
    expect(JSON.stringify(rows)).toMatch(/using (index |settings_pkey)/i)
  })

  test('nobody sees what a transaction has not committed', async () => {
    const other = Promise.withResolvers<string[]>()
    await storage.transaction(async (tx) => {
      await put(tx, 'unfinished')
      // On SQLite the reader waits for its turn, on PostgreSQL it reads beside: neither sees half of the work.
      keysOf(storage.db).then(other.resolve, other.reject)
      await put(tx, 'finished')
    })
    expect([[], ['finished', 'unfinished']]).toContainEqual(await other.promise)
  })

  test('transactions that overlap lose no update, and those that fail take no other down', async () => {
    await put(storage.db, 'counter', '0')
    const add = (index: number) =>
      storage.transaction(async (tx) => {
        await sql`update settings set value = cast(cast(value as integer) + 1 as text) where key = 'counter'`.execute(
          tx,
        )
        await put(tx, `mark ${String(index).padStart(2, '0')}`)
        if (index % 5 === 0) throw new Error('rolled back')
      })

    const results = await Promise.allSettled(count(40).map(add))

    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(8)
    const row = await storage.db
      .selectFrom('settings')
      .select('value')
      .where('key', '=', 'counter')
      .executeTakeFirstOrThrow()
    expect(row.value).toBe('32')
    expect(await keysOf(storage.db)).toHaveLength(33)
  })

  test('of five takers of one code exactly one wins', async () => {
    const artifact = { id: 'code', model: 'Code', payload: '{}', created_at: 1 }
    await storage.db.insertInto('artifacts').values(artifact).execute()
    const take = async (taker: number): Promise<boolean> => {
      const { numUpdatedRows } = await storage.db
        .updateTable('artifacts')
        .set({ consumed_at: taker + 1 })
        .where('id', '=', 'code')
        .where('consumed_at', 'is', null)
        .executeTakeFirstOrThrow()
      return numUpdatedRows === 1n
    }

    const won = await Promise.all(count(5).map(take))

    expect(won.filter(Boolean)).toHaveLength(1)
    const { consumed_at } = await storage.db
      .selectFrom('artifacts')
      .select('consumed_at')
      .executeTakeFirstOrThrow()
    expect(consumed_at).toBe(won.indexOf(true) + 1)
  })

  test('a budget lets exactly its limit through, whoever asks at once', async () => {
    const budget = { purpose: 'guess', limit: 7, windowMs: 60_000 }
    const charges = await Promise.all(
      count(30).map(() => storage.transaction((tx) => spend(tx, budget, 'mary', 1000))),
    )
    expect(charges.filter(({ allowed }) => allowed)).toHaveLength(7)
    expect(
      charges
        .filter(({ allowed }) => allowed)
        .map(({ left }) => left)
        .sort(),
    ).toEqual(count(7))
    expect(await spend(storage.db, budget, 'mary', 61_000)).toMatchObject({ allowed: true, left: 6 })
  })

  test('unique columns and primary keys refuse a second row, and it is told apart from other errors', async () => {
    const times = { created_at: 1, updated_at: 1 }
    const origin = {
      id: 'one',
      name: 'app',
      origin: 'https://app.example',
      status: 'ACTIVE',
      scopes: '[]',
      ...times,
    }
    const insert = (row: typeof origin) => storage.db.insertInto('trusted_origins').values(row).execute()
    await insert(origin)

    await expect(insert({ ...origin, id: 'two' })).rejects.toSatisfy(isUniqueViolation)
    await expect(insert({ ...origin, origin: 'https://other.example' })).rejects.toSatisfy(isUniqueViolation)
    const other = sql`select * from no_such_table`.execute(storage.db)
    await expect(other).rejects.toSatisfy((error) => !isUniqueViolation(error))
  })

  test('times, counts and nulls come back as the types they went in as', async () => {
    const at = 4_102_444_800_123
    await storage.db
      .insertInto('sessions')
      .values({ id: 's', person_id: 'p', client_id: 'c', details: '{}', created_at: at, expires_at: at + 1 })
      .execute()

    const row = await storage.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow()
    const figures = await storage.db
      .selectFrom('sessions')
      .select(({ fn }) => [fn.max('expires_at').as('latest'), fn.countAll<number>().as('total')])
      .executeTakeFirstOrThrow()

    expect(row).toMatchObject({ created_at: at, expires_at: at + 1, revoked_at: null })
    expect(figures).toEqual({ latest: at + 1, total: 1 })
  })

  test('texts come back as they are, also those of other scripts and with quotes', async () => {
    const texts = [
      '',
      "it's",
      '"; drop table settings; --',
      'İstanbul ß ＠ \u202e',
      '🧑‍🚀',
      'a\nb\tc',
      '\\x00',
    ]
    for (const [index, text] of texts.entries()) await put(storage.db, String(index), text)
    const rows = await storage.db.selectFrom('settings').select('value').orderBy('key').execute()
    expect(rows.map(({ value }) => value)).toEqual(texts)
  })

  test('clearing empties all tables but those it is told to keep', async () => {
    await put(storage.db, 'kept')
    await spend(storage.db, { purpose: 'guess', limit: 1, windowMs: 1000 }, 'mary', 1)

    await storage.clear(['settings'])
    expect(await keysOf(storage.db)).toEqual(['kept'])
    expect(await storage.db.selectFrom('budgets').selectAll().execute()).toEqual([])

    await storage.clear()
    expect(await keysOf(storage.db)).toEqual([])
    expect(await storage.migrate()).toEqual([])
  })

  test('the server tells its time where it is a server', async () => {
    const time = await storage.serverTime()
    if (database.name === 'sqlite') expect(time).toBeUndefined()
    else expect(time).toBeGreaterThan(1_700_000_000_000)
  })
})

const writerFile = fileURLToPath(new URL('./writer.ts', import.meta.url))

/** A process of its own that inserts rows and names each one once it is committed. */
function startWriter(url: string, prefix: string) {
  const child = spawn(process.execPath, [writerFile, url, prefix], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)
  const acknowledged: string[] = []
  lines.on('line', (line) => acknowledged.push(line))
  const ended = once(lines, 'close')
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return {
    acknowledged,
    async reaches(rows: number) {
      while (acknowledged.length < rows) await once(lines, 'line')
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

onEachDatabase('processes', (database) => {
  let storage: Storage
  let url: string
  let drop: () => Promise<void>
  beforeEach(async () => {
    const place = await database.create()
    url = place.url
    drop = place.drop
    storage = await openStorage({ url })
    await storage.migrate()
  })
  afterEach(async () => {
    await storage.close()
    await drop()
  })

  test('two that write to one database at once lose nothing', async () => {
    const writers = ['a', 'b'].map((prefix) => startWriter(url, prefix))
    await Promise.all(writers.map((writer) => writer.reaches(150)))
    await Promise.all(writers.map((writer) => writer.kill()))

    const stored = await keysOf(storage.db)
    const lost = writers.flatMap(({ acknowledged }) => acknowledged).filter((key) => !stored.includes(key))
    expect(lost).toEqual([])
    expect(writers.every(({ acknowledged }) => acknowledged.length >= 150)).toBe(true)
  })

  test('one that is killed while it writes loses no row that it had acknowledged', async () => {
    const acknowledged: string[] = []
    for (const round of count(3)) {
      const writer = startWriter(url, `round ${round}`)
      await writer.reaches(20 + systemRandom.bytes(1).readUInt8() / 4)
      await writer.kill()
      acknowledged.push(...writer.acknowledged)
    }

    const stored = await keysOf(storage.db)
    expect(acknowledged.filter((key) => !stored.includes(key))).toEqual([])
    // Each row is written as a pair in one transaction, so no half of one is left either.
    const pairs = await storage.db.selectFrom('settings').select(['key', 'value']).execute()
    expect(pairs.filter(({ value }) => !stored.includes(value))).toEqual([])
    await storage.transaction((tx) => put(tx, 'goes on'))
  })
})

describe('which databases there are', () => {
  test('both are named, and a missing one says why and what to do', () => {
    expect(databases.map(({ name }) => name)).toEqual(['sqlite', 'postgres'])
    for (const { skipped } of databases) if (skipped !== undefined) expect(skipped).toContain('DATABASE_URL')
  })
})
