import { expect, test } from 'vitest'
import { systemClock } from '../base/index.ts'
import { checkConfig } from '../config/index.ts'
import { budgetsFrom, type Source } from '../limits/index.ts'
import { openStorage } from '../storage/index.ts'
import { createSprayWatch } from './spray.ts'

test('A60: of more than 10,000 sources of sign-ins the oldest is forgotten', async () => {
  const storage = await openStorage({ url: 'memory' })
  const { limits } = checkConfig({ secrets: ['a secret for this test only, long'] })
  const watch = createSprayWatch({ storage, clock: systemClock, budgets: budgetsFrom(limits) })
  const source = (index: number): Source => ({ kind: 'address', key: `192.0.2.${index}` })
  for (let index = 0; index <= 10_000; index++) watch.signedIn(source(index), undefined)
  expect([0, 1, 10_000].map((index) => watch.signInsFrom(source(index)))).toEqual([0, 1, 1])
  await storage.close()
})
