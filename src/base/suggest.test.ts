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

test.each(['start', 'x', '', 'recover', 'deploy'])('"%s" is close to none', (typed) => {
  expect(closest(typed, commands)).toBeUndefined()
  expect(didYouMean(typed, commands)).toBe('')
})

test('the hint continues an error message', () => {
  expect(didYouMean('devv', commands)).toBe('; did you mean dev?')
})
