import { expect, test } from 'vitest'
import { checkConfig } from '../config/index.ts'
import { telephonyOf } from './doctor-telephony.ts'

test('phones that are in use without a service for texts are a finding', async () => {
  const config = checkConfig({ mode: 'test', secrets: ['only for tests: everybody knows this secret'] })
  const [used] = await telephonyOf(config, { usesPhones: true })
  expect([used?.result, used?.why]).toEqual(['deviates', expect.stringContaining('no code reaches a phone')])
  const [unused] = await telephonyOf(config)
  expect(unused?.result).toBe('not applicable')
})
