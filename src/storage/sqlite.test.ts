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
/** Somebody else at the same file: she sees what is kept, and nothing else. */
let beside: DatabaseSync

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-sqlite-'))
  path = join(folder, 'rekey.db')
  storage = await openStorage({ url: `sqlite:${path}` })
  await storage.migrate()
  beside = new DatabaseSync(path, { readOnly: true })
})

afterEach(async () => {
  beside.close()
  await storage.close()
  rmSync(folder, { recursive: true })
})

const put = (db: Storage['db'], key: string, value = '') =>
  db.insertInto('settings').values({ key, value }).execute()

const kept = (): readonly unknown[] =>
  beside
    .prepare('select key from settings order by key')
    .all()
    .map(({ key }) => key)

const range = (length: number): readonly string[] =>
  Array.from({ length }, (_, index) => `k${String(index).padStart(4, '0')}`)

test('whoever is told that hers is kept finds it kept, and changes that come at once are kept together', async () => {
  // Changes whenever somebody else has kept something.
  const version = () => Number(beside.prepare('pragma data_version').get()?.data_version)
  const before = version()
  const seen = new Set<number>()
  await Promise.all(
    range(100).map(async (key, index) => {
      if (index % 2) await put(storage.db, key)
      else await storage.transaction((tx) => put(tx, key))
      expect(kept()).toContain(key)
      seen.add(version())
    }),
  )
  expect(kept()).toEqual(range(100))
  expect(version()).toBeGreaterThan(before)
  expect(seen.size).toBeLessThan(10)
})

test('of changes that are kept together, one that fails takes its own back and nothing else', async () => {
  await put(storage.db, 'k0007')
  const results = await Promise.allSettled(
    range(20).map((key, index) =>
      storage.transaction(async (tx) => {
        await put(tx, `a-${key}`)
        await put(tx, key)
        if (index % 5 === 4) throw new Error('she thought better of it')
      }),
    ),
  )
  const failed = results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))
  expect(failed).toEqual([4, 7, 9, 14, 19])
  const good = range(20).filter((_, index) => !failed.includes(index))
  expect(kept()).toEqual([...good.map((key) => `a-${key}`), ...good, 'k0007'].sort())
})

test('a statement that fails by itself harms none of those beside it', async () => {
  await put(storage.db, 'k0003')
  const results = await Promise.allSettled(range(6).map((key) => put(storage.db, key)))
  expect(results.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 3 }, () => 'fulfilled'),
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
  expect(kept()).toEqual(range(6))
})

test('where the disk is full nobody whose change is lost is told that it is kept', async () => {
  const { page_count: pages } = beside.prepare('pragma page_count').get() ?? {}
  await sql.raw(`pragma max_page_count = ${Number(pages) + 12}`).execute(storage.db)
  const results = await Promise.allSettled(
    range(60).map((key) => storage.transaction((tx) => put(tx, key, 'x'.repeat(2000)))),
  )
  const told = range(60).filter((_, index) => results[index]?.status === 'fulfilled')
  expect(kept()).toEqual(told)
  expect(told.length).toBeLessThan(60)
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ status: 503 })
  }
  // It goes on by itself once there is room.
  await sql.raw('pragma max_page_count = 100000').execute(storage.db)
  await put(storage.db, 'z')
  expect(kept()).toContain('z')
})

test('a look waits for no writer, and sees what is kept', async () => {
  const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>()
  const writing = storage.transaction(async (tx) => {
    await put(tx, 'under way')
    await goOn
  })
  await pause(20)
  const look = () => storage.db.selectFrom('settings').select('key').execute()
  expect(await look()).toEqual([])
  letGoOn()
  await writing
  expect(await look()).toEqual([{ key: 'under way' }])
})

test('a snapshot stays as it was while others write', async () => {
  await put(storage.db, 'before')
  const seen = await storage.snapshot(async (db) => {
    const look = async () => (await db.selectFrom('settings').select('key').execute()).length
    const first = await look()
    await storage.transaction((tx) => put(tx, 'meanwhile'))
    return [first, await look()]
  })
  expect(seen).toEqual([1, 1])
  expect(kept()).toEqual(['before', 'meanwhile'])
  await expect(storage.snapshot((db) => put(db, 'a write'))).rejects.toThrow(/readonly/)
})

test('closing waits for what is under way and keeps it', async () => {
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
  expect(kept()).toEqual(['one', 'two'])
})
