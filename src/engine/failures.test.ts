import { expect, test, vi } from 'vitest'
import { findFailure } from '../audit/index.ts'
import { ProtocolError, silentLogger, systemClock, systemRandom } from '../base/index.ts'
import { openStorage } from '../storage/index.ts'
import { recordFailures } from './failures.ts'

test('what fails while the database is away is recorded once it is back, with its cause', async () => {
  const storage = await openStorage({ url: 'memory' })
  await storage.migrate()
  const failures = recordFailures({
    storage,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    atOnce: true,
  })
  await storage.db.schema.alterTable('settings').renameTo('away').execute()
  const cause = Object.assign(new Error('terminating connection of mary'), { code: '57P01' })
  failures.report({
    requestId: 'req1xX4VkRI6Rm9wwW5t',
    method: 'POST',
    route: '/idp/idx/identify',
    status: 503,
    code: 'E0000010',
    error: new ProtocolError(503, 'E0000010', 'Try again.', { cause }),
  })
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await storage.db.schema.alterTable('away').renameTo('settings').execute()
  const found = () => findFailure(storage.db, 'oae1xX4VkRI6Rm9wwW5t')
  await expect.poll(found).toBeDefined()
  expect(await found()).toMatchObject({ status: 503, code: 'E0000010', cause: 'Error 57P01' })
  expect(JSON.stringify(await found())).not.toContain('mary')
  await failures.close()
  await storage.close()
})

test('A60: what anyone can cause is written every ten seconds at most, and an error of the engine a second later', async () => {
  const storage = await openStorage({ url: 'memory' })
  await storage.migrate()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const failures = recordFailures({
    storage,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    atOnce: true,
  })
  const report = (letter: string, status: number) =>
    failures.report({ requestId: `req${letter.repeat(17)}`, method: 'GET', route: '/x', status, code: 'E1' })
  const isWritten = async (letter: string) =>
    (await findFailure(storage.db, `req${letter.repeat(17)}`)) !== undefined
  const seconds = async (count: number) => {
    await vi.advanceTimersByTimeAsync(count * 1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  report('a', 404)
  await seconds(2)
  report('b', 404)
  await seconds(7)
  expect([await isWritten('a'), await isWritten('b')]).toEqual([true, false])
  report('c', 200)
  report('d', 503)
  await seconds(1.5)
  expect([await isWritten('b'), await isWritten('d')]).toEqual([true, true])
  report('e', 404)
  await seconds(11)
  expect(await isWritten('e')).toBe(true)
  vi.useRealTimers()
  await failures.close()
  await storage.close()
})
