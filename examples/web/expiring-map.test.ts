import { expect, test } from 'vitest'
import { ExpiringMap } from './expiring-map.ts'

function mapWithClock() {
  const clock = { now: 0 }
  return { clock, map: new ExpiringMap<string>({ lifetime: 100, limit: 2, now: () => clock.now }) }
}

test('an entry is gone after its lifetime, and setting it again starts its life anew', () => {
  const { clock, map } = mapWithClock()
  map.set('a', 'one')
  clock.now = 60
  map.set('a', 'two')
  clock.now = 159
  expect(map.get('a')).toBe('two')
  clock.now = 160
  expect(map.get('a')).toBeUndefined()
})

test('beyond the limit the oldest entry goes', () => {
  const { map } = mapWithClock()
  map.set('a', '1')
  map.set('b', '2')
  map.set('a', '3')
  map.set('c', '4')
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual(['3', undefined, '4'])
  expect(map.size).toBe(2)
})

test('expired entries leave the memory without being asked for', () => {
  const { clock, map } = mapWithClock()
  map.set('a', '1')
  clock.now = 100
  map.set('b', '2')
  expect(map.size).toBe(1)
})
