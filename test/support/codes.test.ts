import { expect, test } from 'vitest'
import { randomDigits, systemRandom } from '../../src/base/index.ts'
import { alone } from './alone.ts'
import { typedAsWrong } from './codes.ts'

test('no code of a test is one that tests type as wrong, or one of a moment ago', () => {
  const seen = Array.from({ length: 20_000 }, () => randomDigits(systemRandom, 6))
  expect(seen.filter((code) => typedAsWrong.includes(code))).toEqual([])
  const again = seen.filter((code, at) => seen.slice(Math.max(0, at - 900), at).includes(code))
  expect(again).toEqual([])
  expect(new Set(seen.map((code) => code[0])).size).toBe(10)
})

test('a code is found where it stands alone, also at the end of a sentence, and not within something longer', () => {
  for (const text of ['482913', '"482913"', 'Your code is 482913.', '482913, 1', 'code=482913&x'])
    expect(text).toMatch(alone('482913'))
  for (const text of ['1482913', '482913.25', '0.482913', 'a482913b', '-482913', '4829137', 'x_482913'])
    expect(text).not.toMatch(alone('482913'))
})
