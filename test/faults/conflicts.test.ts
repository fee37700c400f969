import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Db, Storage, Tx } from '../../src/storage/index.ts'
import { onEachDatabase } from '../support/postgres.ts'

onEachDatabase('transactions that get in each other’s way', (database) => {
  let storage: Storage
  beforeEach(async () => {
    storage = await database.open()
    for (const key of ['left', 'right']) await put(storage.db, key, '')
  })
  afterEach(() => storage.close())

  test.skipIf(database.name === 'sqlite')(
    'wait for each other in a circle: one is ended by the server and tried again, both are kept',
    async () => {
      const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      let attempts = 0
      const cross = (own: number, keys: readonly [string, string]) =>
        storage.transaction(async (tx) => {
          attempts++
          await append(tx, keys[0], String(own))
          both[own]?.resolve()
          // Each holds its first row when it asks for the other's.
          await both[1 - own]?.promise
          await append(tx, keys[1], String(own))
        })
      await Promise.all([cross(0, ['left', 'right']), cross(1, ['right', 'left'])])
      expect(attempts).toBe(3)
      expect(await valuesOf(storage.db)).toEqual(['01', '01'])
    },
  )

  test('an error that asks for another try gets three in all, each from the beginning', async () => {
    let attempts = 0
    const failing = storage.transaction(async (tx) => {
      attempts++
      await append(tx, 'left', String(attempts))
      throw Object.assign(new Error('could not serialize access'), { code: '40001' })
    })
    await expect(failing).rejects.toThrow('could not serialize')
    expect(attempts).toBe(3)
    expect(await valuesOf(storage.db)).toEqual(['', ''])

    attempts = 0
    await storage.transaction(async (tx) => {
      attempts++
      await append(tx, 'left', String(attempts))
      if (attempts < 3) throw Object.assign(new Error('could not serialize access'), { code: '40001' })
    })
    expect(await valuesOf(storage.db)).toEqual(['3', ''])
  })

  test.skipIf(database.name === 'sqlite').each(['40P01', '40001'])(
    'a conflict that outlasts the tries (%s) is an answer to come again, no internal error',
    async (code) => {
      let attempts = 0
      const failing = storage.transaction(async (tx) => {
        attempts++
        await append(tx, 'left', String(attempts))
        // As the server itself reports it: a stream of sign-ins could keep one up (A50).
        await sql.raw(`do $$ begin raise exception 'conflict' using errcode = '${code}'; end $$`).execute(tx)
      })
      await expect(failing).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '2' } })
      expect(attempts).toBe(3)
      expect(await valuesOf(storage.db)).toEqual(['', ''])
    },
  )

  test('any other error is not tried again', async () => {
    let attempts = 0
    const failing = storage.transaction(async () => {
      attempts++
      throw new Error('ours')
    })
    await expect(failing).rejects.toThrow('ours')
    expect(attempts).toBe(1)
  })

  test.skipIf(database.name === 'sqlite')('a connection comes with limits of time', async () => {
    const show = async (name: string) =>
      (await sql.raw<Record<string, string>>(`show ${name}`).execute(storage.db)).rows[0]?.[name]
    expect(await show('statement_timeout')).toBe('10s')
    expect(await show('idle_in_transaction_session_timeout')).toBe('10s')
    expect(await show('transaction_isolation')).toBe('read committed')
  })
})

const put = (db: Db, key: string, value: string) => db.insertInto('settings').values({ key, value }).execute()

const append = (tx: Tx, key: string, text: string) =>
  sql`update settings set value = value || cast(${text} as text) where key = ${key}`.execute(tx)

/** Left and right, the letters of each in order: who came first is the server's choice. */
const valuesOf = async (db: Db): Promise<string[]> => {
  const rows = await db.selectFrom('settings').select('value').orderBy('key').execute()
  return rows.map(({ value }) => [...value].sort().join(''))
}
