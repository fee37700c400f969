import { expect, test } from 'vitest'
import { Station, simulate } from '../../bench/support/queueing.ts'

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('the model of queues agrees with the formula of one server', () => {
  // M/M/1: the mean time in the system is 1 / (service rate - arrival rate).
  for (const [perSecond, expected] of [
    [500, 2],
    [800, 5],
  ] as const) {
    const station = new Station('one', 1)
    const took = simulate({ perSecond, seconds: 400, seed: 5 }, [{ station, meanMs: 1 }])
    expect(mean(took) / expected).toBeGreaterThan(0.9)
    expect(mean(took) / expected).toBeLessThan(1.1)
  }
})

test('several servers share the work, and one that is past its end lets the queue grow', () => {
  const timeOf = (servers: number, seconds: number) =>
    mean(simulate({ perSecond: 3000, seconds, seed: 3 }, [{ station: new Station('s', servers), meanMs: 1 }]))
  expect(timeOf(8, 20)).toBeLessThan(1.2)
  expect(timeOf(2, 20)).toBeGreaterThan(10 * timeOf(8, 20))
  expect(timeOf(2, 20)).toBeGreaterThan(1.5 * timeOf(2, 10))
})
