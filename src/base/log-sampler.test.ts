import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogSampler } from './log-sampler.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the first case is written at once, the others of a minute as one line with their number', () => {
  const sampler = createLogSampler()
  const lines: string[] = []
  const note = (kind: string) => sampler.note(kind, (count) => void lines.push(`${kind} ${count}`))
  for (let time = 0; time < 1000; time++) note('full')
  note('late')
  expect(lines).toEqual(['full 1', 'late 1'])
  vi.advanceTimersByTime(60_000)
  expect(lines).toEqual(['full 1', 'late 1', 'full 999'])
  // It goes on.
  for (let time = 0; time < 5; time++) note('full')
  expect(lines).toHaveLength(3)
  vi.advanceTimersByTime(60_000)
  expect(lines).toEqual(['full 1', 'late 1', 'full 999', 'full 5'])
  // And is over: then the next case is a first one.
  vi.advanceTimersByTime(60_000)
  note('full')
  expect(lines.at(-1)).toBe('full 1')
  note('full')
  sampler.close()
  expect(lines.slice(-2)).toEqual(['full 1', 'full 1'])
})

test('so many of a kind are written one by one before they are counted', () => {
  const sampler = createLogSampler({ lines: 3 })
  const counts: number[] = []
  for (let time = 0; time < 10; time++) sampler.note('refused', (count) => void counts.push(count))
  expect(counts).toEqual([1, 1, 1])
  vi.advanceTimersByTime(60_000)
  expect(counts).toEqual([1, 1, 1, 7])
})
