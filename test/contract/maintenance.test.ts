import { afterEach, expect, test, vi } from 'vitest'
import { startEngine } from '../../src/testing/index.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { noteStatements } from './statements.ts'

const day = 86_400_000

onEachDatabase('maintenance', (database) => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  const eventsOf = (times: readonly number[]) =>
    times.map((at, index) => ({
      id: `evtOLD${index}`,
      published_at: at,
      ordinal: index,
      type: 'user.session.start',
      outcome: 'FAILURE',
      actor_id: 'unknown',
      target_id: null,
      transaction_id: null,
      body: '{}',
    }))

  test('after a jump of the clock it looks at the days that have rows, and not at each one in between', async () => {
    const { url, drop } = await database.create()
    await using idp = await startEngine({ database: url, clock: 'frozen' })
    const { storage } = idp.engine
    await idp.engine.maintain()
    idp.clock.advance('18250d')
    const now = idp.clock.now()
    const short = [45 * day, 43 * day, 30 * day, 8 * day].map((age) => now - age)
    await storage.db.insertInto('events').values(eventsOf(short)).execute()

    const noted = noteStatements(database.name)
    await idp.engine.maintain()
    const sent = [...noted].reduce((sum, { times }) => sum + times, 0)
    vi.restoreAllMocks()
    expect(sent).toBeLessThan(150)
    const left = await storage.db.selectFrom('events').select('id').where('id', 'like', 'evtOLD%').execute()
    expect(left).toEqual([])
    await idp.close()
    await drop()
  })

  test('what a flood has left is deleted in statements of a bounded number of rows', async () => {
    const { url, drop } = await database.create()
    await using idp = await startEngine({ database: url, clock: 'frozen' })
    const { storage } = idp.engine
    await idp.engine.maintain()
    const now = idp.clock.now()
    const times = Array.from({ length: 1700 }, (_, index) => now - 400 * day + index)
    for (let from = 0; from < times.length; from += 100) {
      const rows = eventsOf(times.slice(from, from + 100)).map((row, index) => ({
        ...row,
        id: `evtOLD${from + index}`,
      }))
      await storage.db.insertInto('events').values(rows).execute()
    }
    const noted = noteStatements(database.name)
    await idp.engine.maintain()
    const deletes = [...noted].filter(({ text }) => /^\s*delete from "events"/.test(text))
    vi.restoreAllMocks()
    expect(deletes.every(({ text }) => /limit/.test(text))).toBe(true)
    expect(deletes[0]?.times).toBeGreaterThanOrEqual(4)
    const left = await storage.db.selectFrom('events').select('id').where('id', 'like', 'evtOLD%').execute()
    expect(left).toEqual([])
    await idp.close()
    await drop()
  })
})
