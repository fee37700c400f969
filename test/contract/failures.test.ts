import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createFailureLog,
  findFailure,
  listFailures,
  purgeFailures,
  type RecordedFailure,
} from '../../src/audit/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { onEachDatabase } from '../support/postgres.ts'

const hour = 3_600_000
const failure = (index: number, changes: Partial<RecordedFailure> = {}): RecordedFailure => ({
  id: `req${String(index).padStart(17, '0')}`,
  at: hour + index,
  method: 'POST',
  route: '/idp/idx/identify',
  status: 503,
  code: 'E0000009',
  ...changes,
})

onEachDatabase('the failures of a node', (database) => {
  let storage: Storage
  let drop: () => Promise<void>
  beforeEach(async () => {
    const created = await database.create()
    drop = created.drop
    storage = await openStorage({ url: created.url })
    await storage.migrate()
  })
  afterEach(async () => {
    await storage.close()
    await drop()
  })
  const stored = async () => (await storage.db.selectFrom('settings').selectAll().execute()).length

  test('are found by the id of the request and by that of the error, once they are written', async () => {
    const log = createFailureLog(storage.db, 'nodA')
    log.record(failure(7, { cause: 'Error ECONNREFUSED', transactionId: 'trs1' }))
    expect(await findFailure(storage.db, 'oae00000000000000007')).toBeUndefined()
    await log.flush()
    for (const id of ['req00000000000000007', 'oae00000000000000007']) {
      expect(await findFailure(storage.db, id)).toMatchObject({
        cause: 'Error ECONNREFUSED',
        transactionId: 'trs1',
      })
    }
    expect(await findFailure(storage.db, 'oae00000000000000008')).toBeUndefined()
  })

  test('A60: are bounded, and a flood of one kind leaves the others', async () => {
    const log = createFailureLog(storage.db, 'nodA')
    log.record(failure(1, { status: 500 }))
    for (let index = 2; index < 3000; index++) log.record(failure(index))
    for (let index = 3000; index < 3100; index++) log.record(failure(index, { route: `/${index % 5}` }))
    await log.flush()
    await log.flush()
    const all = await listFailures(storage.db, 0, 2 * hour)
    expect(all).toHaveLength(1 + 40 + 100)
    expect(all[0]?.status).toBe(500)
    expect(all.filter(({ route }) => route === '/idp/idx/identify').map(({ at }) => at - hour)).toContain(
      2999,
    )
    // However many there were: one row of less than fifty kilobytes.
    const rows = await storage.db.selectFrom('settings').selectAll().execute()
    expect(rows).toHaveLength(1)
    expect(rows[0]?.value.length).toBeLessThan(50_000)
  })

  test('A60: that a user was shown stay, whatever is refused meanwhile', async () => {
    const log = createFailureLog(storage.db, 'nodA')
    log.record(failure(1, { status: 500 }))
    log.record(failure(2, { status: 200, code: 'link.dead', route: '/email/verify/:clientId' }))
    for (let index = 10; index < 400; index++) {
      log.record(failure(index, { status: 400 + (index % 5), route: `/${index}` }))
    }
    for (let index = 400; index < 700; index++) {
      log.record(failure(index, { status: 200, code: 'link.dead', route: '/email/verify/:clientId' }))
      if (index === 450) await log.flush()
    }
    expect(await findFailure(storage.db, failure(2).id)).toBeDefined()
    await log.flush()
    expect(await findFailure(storage.db, failure(1).id)).toBeDefined()
    expect(await listFailures(storage.db, 0, 2 * hour)).toHaveLength(1 + 100 + 200)
  })

  test('that the database did not take are written the next time', async () => {
    const log = createFailureLog(storage.db, 'nodA')
    await storage.db.schema.alterTable('settings').renameTo('away').execute()
    log.record(failure(1))
    await expect(log.flush()).rejects.toThrow()
    await storage.db.schema.alterTable('away').renameTo('settings').execute()
    await log.flush()
    expect(await findFailure(storage.db, failure(1).id)).toBeDefined()
  })

  test('of several nodes stand beside each other, and go a day after the last', async () => {
    for (const [node, at] of [
      ['nodA', 0],
      ['nodb', 23 * hour],
    ] as const) {
      const log = createFailureLog(storage.db, node)
      log.record(failure(at, { at: hour + at }))
      await log.flush()
    }
    expect(await listFailures(storage.db, 0, 48 * hour)).toHaveLength(2)
    await purgeFailures(storage.db, 26 * hour)
    expect(await listFailures(storage.db, 0, 48 * hour)).toHaveLength(1)
    await purgeFailures(storage.db, 49 * hour)
    expect(await stored()).toBe(0)
  })
})
