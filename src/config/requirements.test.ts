import { expect, test } from 'vitest'
import { checkConfig } from './check.ts'
import { findingsOf, minutesOf } from './requirements.ts'

const result = (id: string, settings: Parameters<typeof checkConfig>[0]) =>
  findingsOf(checkConfig({ secrets: ['a secret for this test only, long'], ...settings })).find(
    (finding) => finding.id === id,
  )?.result

test.each([
  ['5m', 5],
  ['30s', 0.5],
  ['1h30m', 90],
  ['9m90s', 10.5],
  ['1d', 1440],
])('%s is %d minutes', (duration, minutes) => expect(minutesOf(duration)).toBe(minutes))

test('every requirement has a number of its own, and a reason for its result', () => {
  const findings = findingsOf(checkConfig({}))
  const numbers = findings.map(({ standard, id }) => `${standard} ${id}`)
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(findings.every(({ why }) => why.length > 0)).toBe(true)
})

test.each([
  ['6.2.5', {}, 'met'],
  ['6.2.5', { policies: { password: { preset: 'okta' as const } } }, 'deviates'],
  ['6.3.8', {}, 'met'],
  ['6.3.8', { recovery: { revealUnknown: true } }, 'deviates'],
  ['6.5.5', {}, 'met'],
  ['6.5.5', { lifetimes: { code: '30m' } }, 'deviates'],
  ['6.5.5', { lifetimes: { code: '9m90s' } }, 'deviates'],
  ['4.2.1.2', { lifetimes: { code: '23h30m' } }, 'met'],
  ['4.2.1.2', { lifetimes: { code: '23h90m' } }, 'deviates'],
  ['3.1.1', {}, 'deviates'],
  ['3.1.1', { policies: { password: { complexity: { minLength: 15 } } } }, 'met'],
  ['2.6', { issuer: 'https://id.example.com' }, 'met'],
  ['6.4.3', {}, 'not applicable'],
  ['6.4.3', { signOn: { factors: '2FA' as const } }, 'deviates'],
  ['6.4.3', { signOn: { factors: '2FA' as const }, recovery: { countsAsOneFactor: true } }, 'met'],
  ['6.4.3', { signOn: { factors: '2FA' as const }, recovery: { secondFactor: 'required' as const } }, 'met'],
  ['6.4.3', { recovery: { secondFactor: 'required' as const } }, 'met'],
  [
    '6.4.3',
    { signOn: { factors: '2FA' as const }, policies: { password: { recovery: { authenticators: [] } } } },
    'met',
  ],
  ['4.2.2', {}, 'not applicable'],
  ['4.2.2', { signOn: { factors: '2FA' as const }, recovery: { countsAsOneFactor: true } }, 'deviates'],
  ['4.2.2', { signOn: { factors: '2FA' as const }, recovery: { secondFactor: 'required' as const } }, 'met'],
])('requirement %s follows the configuration %j: %s', (id, settings, expected) => {
  expect(result(id, settings)).toBe(expected)
})
