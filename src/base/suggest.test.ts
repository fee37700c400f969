import { expect, test } from 'vitest'
import { closest, didYouMean } from './suggest.ts'

const commands = ['dev', 'serve', 'migrate', 'config', 'events', 'trace']

test.each([
  ['serv', 'serve'],
  ['srever', 'serve'],
  ['migarte', 'migrate'],
  ['Config', 'config'],
  ['tarce', 'trace'],
])('"%s" is probably "%s"', (typed, meant) => {
  expect(closest(typed, commands)).toBe(meant)
})

test.each(['start', 'x', '', 'recover', 'deploy'])('"%s" is near to nothing', (typed) => {
  expect(closest(typed, commands)).toBeUndefined()
  expect(didYouMean(typed, commands)).toBe('')
})

test('the hint is the end of a sentence', () => {
  expect(didYouMean('devv', commands)).toBe('; did you mean dev?')
})
