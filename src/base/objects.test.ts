import { expect, test } from 'vitest'
import { everyText } from './objects.ts'

const isLower = (text: string): boolean => text === text.toLowerCase()

test.each([
  ['plain', true],
  ['Capital', false],
  [{ name: ['a', { deep: 'b' }] }, true],
  [{ name: ['a', { deep: 'B' }] }, false],
  [{ name: ['a', { Deep: 'b' }] }, false],
  [[1, true, null, undefined], true],
])('the texts of %j, names and values, are looked at: %s', (value, expected) => {
  expect(everyText(value, isLower)).toBe(expected)
})
