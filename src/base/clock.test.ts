import { afterEach, describe, expect, test, vi } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import {
  formatDuration,
  isoTime,
  MonotonicClock,
  parseDuration,
  parseTime,
  processClock,
  VirtualClock,
} from './clock.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

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

describe('the clock of a process', () => {
  afterEach(() => vi.restoreAllMocks())

  test('O-H3: runs on whatever the host is set to', () => {
    const before = processClock.now()
    vi.spyOn(Date, 'now').mockReturnValue(before + day)
    expect(processClock.now() - before).toBeLessThan(10_000)
    expect(new VirtualClock().now() - before).toBeLessThan(10_000)
    expect(processClock.host?.()).toBe(before + day)
    vi.spyOn(Date, 'now').mockReturnValue(before - day)
    expect(processClock.now()).toBeGreaterThanOrEqual(before)
  })
})

describe('a monotonic clock', () => {
  const start = 1_800_000_000_000
  const aClock = (options = {}) => {
    const source = new VirtualClock({ frozen: true, startAt: start })
    return { source, clock: new MonotonicClock(source, options) }
  }
  const confirmMs = 40_000

  test('A44: never goes back, and never stands still', () => {
    const { source, clock } = aClock()
    expect(clock.now()).toBe(start)

    source.advance(-day)
    expect(clock.now()).toBe(start)
    source.advance(6 * minute)
    expect(clock.now()).toBe(start + 6 * minute)
    expect(clock.aheadMs()).toBe(day)
    expect(clock.reference()).toBe(start - day + 6 * minute)
  })

  test('O-H3: a source that jumps and comes back has changed nothing', () => {
    const { source, clock } = aClock()
    source.advance(-day)
    expect(clock.now()).toBe(start)
    source.advance(day + 2000)
    expect(clock.now()).toBe(start + 2000)
    expect(clock.aheadMs()).toBe(0)
  })

  test('A44: begins no earlier than the highest time stored, runs on from there, and is set back by an operator', () => {
    const { source, clock } = aClock({ highest: start + 400 * day, offset: 100 })
    expect(clock.now()).toBe(start + 400 * day)
    source.advance(5 * minute)
    expect(clock.now()).toBe(start + 400 * day + 5 * minute)

    clock.rewind()
    expect(clock.now()).toBe(start + 100 + 5 * minute)
    expect(clock.aheadMs()).toBe(0)
  })

  test('a small lead melts while time goes on', () => {
    const { source, clock } = aClock({ highest: start + 50_000 })
    let last = clock.now()
    for (let step = 0; step < 45; step++) {
      source.advance(minute)
      const passed = clock.now() - last
      last = clock.now()
      expect(passed).toBeGreaterThan(0.97 * minute)
    }
    expect(clock.aheadMs()).toBe(0)
    expect(last).toBe(start + 45 * minute)
  })

  test.each([day, -day])('O-H3: a reading that is off by %i once changes nothing', (off) => {
    const { source, clock } = aClock()
    expect(clock.follow(start + off, { confirmMs })).toBe(false)
    expect(clock.aheadMs()).toBe(-off)
    source.advance(20_000)
    expect(clock.follow(start + 20_000, { confirmMs })).toBe(true)
    expect(clock.now()).toBe(start + 20_000)
    expect(clock.reference()).toBe(start + 20_000)
    // The same jump later begins anew.
    expect(clock.follow(start + 20_000 + off, { confirmMs })).toBe(false)
    source.advance(20_000)
    expect(clock.follow(start + 40_000 + off, { confirmMs })).toBe(false)
    expect(clock.now()).toBe(start + 40_000)
  })

  test('a jump forward that stays is followed', () => {
    const { source, clock } = aClock()
    for (let reading = 0; reading < 2; reading++) {
      expect(clock.follow(source.now() + day, { confirmMs })).toBe(false)
      source.advance(20_000)
    }
    expect(clock.follow(source.now() + day, { confirmMs })).toBe(true)
    expect(clock.now()).toBe(start + day + 40_000)
    expect(clock.aheadMs()).toBe(0)
  })

  test('A44: after a jump back that stays time goes on from where it was, and the reference is right', () => {
    const { source, clock } = aClock()
    for (let reading = 0; reading < 3; reading++) {
      clock.follow(source.now() - day, { confirmMs })
      source.advance(20_000)
    }
    expect(clock.now()).toBe(start + minute)
    expect(clock.reference()).toBe(start + minute - day)
    expect(clock.aheadMs()).toBe(day)
    // And back: it has jumped forward, up to the engine's time.
    for (let reading = 0; reading < 3; reading++) {
      clock.follow(source.now(), { confirmMs })
      source.advance(20_000)
    }
    expect(clock.aheadMs()).toBe(0)
    expect(clock.now()).toBe(start + 2 * minute)
  })

  test('what the host slept through is followed at once', () => {
    const { clock } = aClock()
    expect(clock.follow(start + 8 * hour, { confirmMs, asleepMs: 8 * hour - 3000 })).toBe(true)
    expect(clock.now()).toBe(start + 8 * hour)
  })
})
