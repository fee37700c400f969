import { expect, test } from 'vitest'
import { wordsFor } from '../words.ts'
import { rulesOf } from './password-rules.ts'

const words = wordsFor(() => 'en').reset

test('each setting of the policy is a rule, and what is off is none', () => {
  const rules = rulesOf(
    {
      complexity: {
        minLength: 8,
        minLowerCase: 1,
        minUpperCase: 1,
        minNumber: 1,
        minSymbol: 0,
        excludeUsername: true,
        excludeAttributes: ['firstName'],
      },
      age: { minAgeMinutes: 0, historyCount: 4 },
    },
    words,
  )
  expect(rules.map(({ text }) => text)).toEqual([
    'At least 8 characters',
    'A lowercase letter',
    'An uppercase letter',
    'A number',
    'No parts of your username',
    'Not your first name',
    'None of your last 4 passwords',
  ])
})

test.each([undefined, null, 'x', {}, { complexity: [] }, { complexity: { minLength: '8' } }])(
  'settings of %j give no rules',
  (settings) => {
    expect(rulesOf(settings, words)).toEqual([])
  },
)

test('length counts visible characters', () => {
  const [rule] = rulesOf({ complexity: { minLength: 3 } }, words)
  expect(rule?.isMet?.('🔑🔑🔑')).toBe(true)
  expect(rule?.isMet?.('🔑🔑')).toBe(false)
  expect(rule?.isMet?.('e\u0301e\u0301')).toBe(false)
})

test('letters of every script count', () => {
  const rules = rulesOf({ complexity: { minLowerCase: 1, minUpperCase: 1, minSymbol: 1 } }, words)
  expect(rules.map(({ isMet }) => isMet?.('Ж'))).toEqual([false, true, false])
  expect(rules.map(({ isMet }) => isMet?.('é!'))).toEqual([true, false, true])
})
