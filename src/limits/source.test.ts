import { expect, test } from 'vitest'
import { sourceOf } from './source.ts'

test('an address is a source, an IPv6 subscriber is one by its /64', () => {
  const of = (ip: string | undefined) => sourceOf({ clientId: 'web', origin: { ip } })
  expect(of('192.0.2.7')).toEqual({ kind: 'address', key: 'address:192.0.2.7' })
  expect(of('2001:db8:1:2::1').key).toBe(of('2001:db8:1:2:ffff::2').key)
  expect(of('2001:db8:1:2::1').key).not.toBe(of('2001:db8:1:3::1').key)
  expect(of('::ffff:192.0.2.7').key).toBe('address:192.0.2.7')
  expect(of(undefined).key).toBe('address:unknown')
})

test('an app that names no address is a source of its own, whatever address its server has', () => {
  const of = (clientId: string, ip: string) => sourceOf({ clientId, origin: { ip, app: true } }).key
  expect(of('web', '192.0.2.7')).toBe(of('web', '192.0.2.8'))
  expect(of('web', '192.0.2.7')).not.toBe(of('other', '192.0.2.7'))
})
