import { expect, test } from 'vitest'
import { isAmong, networksOf } from './networks.ts'

test.each([
  ['10.0.0.0/255.0.0.0', '10.9.9.9', '11.0.0.1'],
  ['10.1.0.0/16', '10.1.2.3', '10.2.0.1'],
  ['10.0.0.1', '10.0.0.1', '10.0.0.2'],
  ['fd00::/8', 'fd12::1', 'fe80::1'],
  ['loopback', '127.3.0.1', '10.0.0.1'],
  ['loopback', '::1', '::2'],
  ['uniquelocal', 'fd00::1', '8.8.8.8'],
])('%s has %s and not %s, as the configuration takes it', (range, inside, outside) => {
  const networks = networksOf([range])
  expect([isAmong(networks, inside), isAmong(networks, outside)]).toEqual([true, false])
})

test.each(['', 'constructor', '10.0.0.0/0', '10.0.0.0/255.0.255.0', '10.0.0.0/8/8', '::/129'])(
  '%s names no network',
  (range) => {
    expect(isAmong(networksOf([range]), '10.0.0.1')).toBe(false)
  },
)
