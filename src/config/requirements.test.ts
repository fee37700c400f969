import { expect, test } from 'vitest'
import { checkConfig } from './check.ts'
import { type Asked, findingsOf, minutesOf } from './requirements.ts'

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

const url = { mail: { url: 'smtp://mail.example.com' } }
const inForce = {
  policies: { passwords: [], recovery: ['okta_email'], factors: ['1FA'], codeMinutes: [] },
  insecureClients: [],
  lostNotices: 0,
} as const
const rules = {
  ...{ minLength: 12, minLowerCase: 0, minUpperCase: 0, minNumber: 0, minSymbol: 0 },
  ...{ excludeUsername: true, excludeAttributes: [], excludeCommon: true },
  ...{ historyCount: 1, minAgeMinutes: 0, maxAgeDays: 0 },
}
const weak = { ...inForce.policies, passwords: [{ policy: 'Weak', rules: { ...rules, minLength: 4 } }] }

test.each<[string, object, Asked, string]>([
  // Notices: nothing is claimed that a check does not show.
  ['6.3.7', {}, {}, 'deviates no mail server is configured (mail.url): no mail leaves this machine'],
  ['6.3.7', url, {}, 'met …the mail server was not asked, the outbox was not asked'],
  [
    '6.3.7',
    url,
    { mailProblem: { why: undefined } },
    'met …the mail server answers, the outbox was not asked',
  ],
  [
    '6.3.7',
    url,
    { mailProblem: { why: 'mail.url: refused' } },
    'deviates no notice can leave: mail.url: refused',
  ],
  [
    '6.3.7',
    url,
    { system: { ...inForce, lostNotices: 2 } },
    'deviates 2 notices of the last day were refused or came too late: rekey mail list',
  ],
  [
    '4.2.3',
    { mail: { ...url.mail, notices: { passwordChanged: false } } },
    {},
    'deviates switched off: mail.notices.passwordChanged',
  ],
  // The policies of the database are what holds, not those that the file began with.
  ['6.2.1', {}, { system: { ...inForce, policies: weak } }, 'deviates a password policy allows 4'],
  [
    '4.1.3',
    {},
    { system: { ...inForce, insecureClients: ['spa'] } },
    'deviates insecureLocalhostRedirects: spa',
  ],
  [
    '6.5.5',
    {},
    { system: { ...inForce, policies: { ...inForce.policies, codeMinutes: [30] } } },
    'deviates 30 minutes (lifetimes.code is 5m)',
  ],
  [
    '6.3.6',
    {},
    { system: { ...inForce, policies: { ...inForce.policies, recovery: [] } } },
    'met …by mail here',
  ],
  [
    '6.4.3',
    {},
    { system: { ...inForce, policies: { ...inForce.policies, factors: ['1FA', '2FA'] } } },
    'deviates …recovery.secondFactor: required',
  ],
])('requirement %s of %j with %j is what was asked: %s', (id, settings, asked, expected) => {
  const config = checkConfig({ secrets: ['a secret for this test only, long'], ...settings })
  const found = findingsOf(config, asked).find((finding) => finding.id === id)
  const [before = '', after] = expected.split('…')
  const said = `${found?.result} ${found?.why}`
  if (after === undefined) expect(said).toBe(before)
  else expect(said.startsWith(before) && said.endsWith(after), said).toBe(true)
  expect(found?.shownBy).toBe(asked.system === undefined ? 'settings' : 'system')
})

test('what no setting decides says that the tests of this version show it', () => {
  const shown = (id: string) =>
    findingsOf(checkConfig({ secrets: ['a secret for this test only, long'] })).find(
      (finding) => finding.id === id,
    )?.shownBy
  expect(['2.3.1', '6.2.8', '6.5.1', '2.1.1', '4.5.3'].map(shown)).toEqual(Array(5).fill('tests'))
  expect(['2.4.1', '6.3.8', '7.4.3', '2.6'].map(shown)).toEqual(Array(4).fill('settings'))
})
