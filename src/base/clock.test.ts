import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, isoTime, MonotonicClock, parseDuration, parseTime, VirtualClock } from './clock.ts'

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
    ['-5m', -300_000],
    ['0s', 0],
  ])('%s is %i milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each([
    '',
    '5',
    'm',
    '5 m',
    '5M',
    '5m ',
    '1e3s',
    '.5m',
    '5.m',
    '--5m',
    '5w',
    '5m-3s',
    'Infinity',
    '5ms3',
  ])('%j is not one', (text) => expect(parseDuration(text)).toBeUndefined())

  test('is formatted so that it parses back', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
    expect([300_000, 3_600_000, 90_000, 1500, 86_400_000].map(formatDuration)).toEqual([
      '5m',
      '1h',
      '90s',
      '1500ms',
      '1d',
    ])
  })
})

test('a time is formatted as ISO 8601 and parses back', () => {
  fc.assert(
    fc.property(fc.nat(4_000_000_000_000), (at) => {
      expect(parseTime(isoTime(at))).toBe(at)
    }),
  )
  expect(parseTime('next Tuesday')).toBeUndefined()
})

describe('a virtual clock', () => {
  test('that is frozen stands still between moves', () => {
    const clock = new VirtualClock({ frozen: true, startAt: 1000 })

    expect([clock.now(), clock.now()]).toEqual([1000, 1000])
    clock.advance(500)
    expect(clock.now()).toBe(1500)
    clock.set(100)
    expect(clock.now()).toBe(100)
  })

  test('that runs goes on from where it was moved to, and back to the host', () => {
    const clock = new VirtualClock({ startAt: 1000 })
    expect(clock.now()).toBeGreaterThanOrEqual(1000)
    clock.advance(10_000_000)
    expect(clock.now()).toBeLessThan(10_100_000)

    clock.reset()
    expect(clock.now()).toBeGreaterThan(1_700_000_000_000)
  })
})

describe('a monotonic clock', () => {
  test('never goes back, so that an expired code stays expired', () => {
    const source = new VirtualClock({ frozen: true, startAt: 5000 })
    const clock = new MonotonicClock(source)
    expect(clock.now()).toBe(5000)

    source.set(1000)
    expect(clock.now()).toBe(5000)
    source.set(6000)
    expect(clock.now()).toBe(6000)
  })

  test('begins no earlier than the highest time stored, and follows an offset', () => {
    const source = new VirtualClock({ frozen: true, startAt: 5000 })
    const clock = new MonotonicClock(source, { highest: 9000, offset: 100 })
    expect(clock.now()).toBe(9000)

    clock.setOffset(10_000)
    expect(clock.now()).toBe(15_000)
    clock.setOffset(0)
    expect(clock.now()).toBe(15_000)
    clock.rewind()
    expect(clock.now()).toBe(5000)
  })
})
