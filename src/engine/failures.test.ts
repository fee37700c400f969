import { expect, test } from 'vitest'
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
  await expect.poll(found, { timeout: 10_000 }).toBeDefined()
  expect(await found()).toMatchObject({ status: 503, code: 'E0000010', cause: 'Error 57P01' })
  expect(JSON.stringify(await found())).not.toContain('mary')
  await failures.close()
  await storage.close()
})
