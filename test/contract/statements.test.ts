import { afterEach, expect, test, vi } from 'vitest'
import { startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { isCached, noteRequests, noteStatements, type Statement } from './statements.ts'

onEachDatabase('the statements of requests', (database) => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  // What is beside them becomes more, the slower the machine is: delivery, maintenance, other work of the process.
  test('are counted without those of what works beside them', async () => {
    const { url, drop } = await database.create()
    const idp = await startEngine({ database: url })
    const api = apiOf(idp)
    const { db } = idp.engine.storage
    const timesOf = (noted: readonly Statement[]) =>
      [...noted].filter((one) => !isCached(one)).map(({ text, times }) => `${times} ${text}`)
    const make = async (name: string) => {
      const group = await api('POST', '/groups', { profile: { name } })
      await api('GET', `/groups/${group.body.id}`)
    }
    await make('First')

    const alone = noteRequests(database.name)
    await make('Alone')
    vi.restoreAllMocks()
    expect([...alone].some(({ text }) => /insert into "?groups"?/.test(text))).toBe(true)

    // The same table: the text alone does not say whose statement it is.
    let isOver = false
    let beside = 0
    const works = async () => {
      while (!isOver || beside <= 5) {
        await db.selectFrom('groups').select('id').where('name', '=', `Beside ${beside++}`).execute()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const busy = noteRequests(database.name)
    const working = Promise.all([works(), idp.engine.maintain()])
    await make('Busy')
    isOver = true
    await working
    vi.restoreAllMocks()
    expect(beside).toBeGreaterThan(5)
    expect(timesOf(busy)).toEqual(timesOf(alone))

    const all = noteStatements(database.name)
    await db.selectFrom('groups').select('id').execute()
    vi.restoreAllMocks()
    expect([...all].map(({ times }) => times)).toEqual([1])
    await idp.close()
    await drop()
  })
})
