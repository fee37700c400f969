import { describe, expect, test } from 'vitest'
import {
  branchOf,
  insecureSeededRandom,
  randomDigits,
  randomId,
  randomLegible,
  randomToken,
  systemRandom,
} from './random.ts'

const many = <T>(make: () => T): readonly T[] => Array.from({ length: 3000 }, make)

test.each([
  ['an id', () => randomId(systemRandom, 'trs'), /^trs[0-9A-Za-z]{17}$/],
  ['a token', () => randomToken(systemRandom), /^[0-9A-Za-z]{43}$/],
  ['a legible code', () => randomLegible(systemRandom, 10), /^[A-HJKMNP-Z2-9]{10}$/],
])('%s is never the same and always of its shape', (_, make, shape) => {
  const values = many(make)

  expect(new Set(values).size).toBe(values.length)
  for (const value of values) expect(value).toMatch(shape)
})

test('a code of digits keeps its zeros, and each digit is as likely as another', () => {
  const codes = many(() => randomDigits(systemRandom, 6))
  for (const code of codes) expect(code).toMatch(/^\d{6}$/)

  const counts = new Map<string, number>()
  for (const digit of codes.join('')) counts.set(digit, (counts.get(digit) ?? 0) + 1)

  // 18,000 digits: ten standard deviations around 1,800 leave no room for chance, and none for a biased draw.
  expect(counts.size).toBe(10)
  for (const count of counts.values()) expect(Math.abs(count - 1800)).toBeLessThan(400)
})

test('bytes that would cause a modulo bias are discarded', () => {
  // 250 to 255 are the bytes that ten does not divide evenly; the others count.
  const source = { bytes: () => Buffer.from([255, 250, 7, 251, 3, 252, 249, 0]) }

  expect(randomDigits(source, 4)).toBe('7390')
})

describe('a seeded source', () => {
  const draw = (source = insecureSeededRandom('seed')) => [randomToken(source), randomDigits(source, 6)]

  test('repeats itself for its seed, and differs for another', () => {
    expect(draw()).toEqual(draw())
    expect(draw()).not.toEqual(draw(insecureSeededRandom('another')))
  })

  test('has branches that draw without disturbing it, and begins again with them', () => {
    const source = insecureSeededRandom('seed')
    const branch = branchOf(source, 'mail')
    const first = randomToken(branch)
    expect(draw(source)).toEqual(draw())

    source.restart?.()

    expect(randomToken(branch)).toBe(first)
    expect(draw(source)).toEqual(draw())
  })
})

test('a source without branches is its own', () => {
  expect(branchOf(systemRandom, 'mail')).toBe(systemRandom)
})
