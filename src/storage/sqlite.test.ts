import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStorage, type Storage } from './storage.ts'

let folder = ''
let path = ''
let storage: Storage
/** A second process's view of the file: it sees committed data only. */
let observer: DatabaseSync

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-sqlite-'))
  path = join(folder, 'rekey.db')
  storage = await openStorage({ url: `sqlite:${path}` })
  await storage.migrate()
  observer = new DatabaseSync(path, { readOnly: true })
})

afterEach(async () => {
  observer.close()
  await storage.close()
  rmSync(folder, { recursive: true })
})

const put = (db: Storage['db'], key: string, value = '') =>
  db.insertInto('settings').values({ key, value }).execute()

const committed = (): readonly unknown[] =>
  observer
    .prepare('select key from settings order by key')
    .all()
    .map(({ key }) => key)

const range = (length: number): readonly string[] =>
  Array.from({ length }, (_, index) => `k${String(index).padStart(4, '0')}`)

test('a caller that has resolved finds its change committed, and changes that arrive together share a commit', async () => {
  // The data version changes with every commit of another connection.
  const version = () => Number(observer.prepare('pragma data_version').get()?.data_version)
  const before = version()
  const seen = new Set<number>()
  await Promise.all(
    range(100).map(async (key, index) => {
      if (index % 2) await put(storage.db, key)
      else await storage.transaction((tx) => put(tx, key))
      expect(committed()).toContain(key)
      seen.add(version())
    }),
  )
  expect(committed()).toEqual(range(100))
  expect(version()).toBeGreaterThan(before)
  expect(seen.size).toBeLessThan(10)
})

test('a change that fails is rolled back alone, and the rest of its batch is committed', async () => {
  await put(storage.db, 'k0007')
  const results = await Promise.allSettled(
    range(20).map((key, index) =>
      storage.transaction(async (tx) => {
        await put(tx, `a-${key}`)
        await put(tx, key)
        if (index % 5 === 4) throw new Error('rolled back by the caller')
      }),
    ),
  )
  const failed = results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))
  expect(failed).toEqual([4, 7, 9, 14, 19])
  const good = range(20).filter((_, index) => !failed.includes(index))
  expect(committed()).toEqual([...good.map((key) => `a-${key}`), ...good, 'k0007'].sort())
})

test('a single statement that fails leaves the others of its batch alone', async () => {
  await put(storage.db, 'k0003')
  const results = await Promise.allSettled(range(6).map((key) => put(storage.db, key)))
  expect(results.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 3 }, () => 'fulfilled'),
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
  expect(committed()).toEqual(range(6))
})

test('with a full disk exactly the callers whose change is committed resolve, the others get 503', async () => {
  const { page_count: pages } = observer.prepare('pragma page_count').get() ?? {}
  await sql.raw(`pragma max_page_count = ${Number(pages) + 12}`).execute(storage.db)
  const results = await Promise.allSettled(
    range(60).map((key) => storage.transaction((tx) => put(tx, key, 'x'.repeat(2000)))),
  )
  const resolved = range(60).filter((_, index) => results[index]?.status === 'fulfilled')
  expect(committed()).toEqual(resolved)
  expect(resolved.length).toBeLessThan(60)
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ status: 503 })
  }
  // Once there is space again, writes succeed without a restart.
  await sql.raw('pragma max_page_count = 100000').execute(storage.db)
  await put(storage.db, 'z')
  expect(committed()).toContain('z')
})

test('a read does not wait for a writer, and sees committed data only', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const writing = storage.transaction(async (tx) => {
    await put(tx, 'under way')
    await released
  })
  await pause(20)
  const read = () => storage.db.selectFrom('settings').select('key').execute()
  expect(await read()).toEqual([])
  release()
  await writing
  expect(await read()).toEqual([{ key: 'under way' }])
})

test('a snapshot stays as it was while others write', async () => {
  await put(storage.db, 'before')
  const seen = await storage.snapshot(async (db) => {
    const count = async () => (await db.selectFrom('settings').select('key').execute()).length
    const first = await count()
    await storage.transaction((tx) => put(tx, 'meanwhile'))
    return [first, await count()]
  })
  expect(seen).toEqual([1, 1])
  expect(committed()).toEqual(['before', 'meanwhile'])
  await expect(storage.snapshot((db) => put(db, 'a write'))).rejects.toThrow(/readonly/)
})

test('closing waits for the transaction under way, which is committed', async () => {
  const other = await openStorage({ url: `sqlite:${path}` })
  const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>()
  const writing = other.transaction(async (tx) => {
    await put(tx, 'one')
    hasBegun()
    await pause(10)
    await put(tx, 'two')
  })
  await begun
  await Promise.all([other.close(), writing])
  expect(committed()).toEqual(['one', 'two'])
})

test('a write that waits for another process is counted, with its time; one that does not wait is not', async () => {
  await put(storage.db, 'first')
  expect(storage.lockWaits()).toEqual({ count: 0, ms: 0 })
  const other = new DatabaseSync(path)
  other.exec('begin immediate')
  const written = put(storage.db, 'second')
  await pause(40)
  other.exec('commit')
  other.close()
  await written
  expect(storage.lockWaits()?.count).toBe(1)
  expect(storage.lockWaits()?.ms).toBeGreaterThanOrEqual(35)
  expect(committed()).toEqual(['first', 'second'])
})
