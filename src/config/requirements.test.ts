import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkConfig } from './check.ts'
import { type Asked, findingsOf, minutesOf, type SystemFacts } from './requirements.ts'

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
  // What the database decides is not checked by the settings alone, but for what they alone make deviate.
  ['6.2.5', {}, 'not checked'],
  ['6.2.5', { policies: { password: { preset: 'okta' as const } } }, 'deviates'],
  ['6.3.8', {}, 'met'],
  ['6.3.8', { recovery: { revealUnknown: true } }, 'deviates'],
  ['6.5.5', {}, 'not checked'],
  ['6.5.5', { lifetimes: { code: '30m' } }, 'deviates'],
  ['6.5.5', { lifetimes: { code: '9m90s' } }, 'deviates'],
  ['4.2.1.2', { lifetimes: { code: '23h30m' } }, 'not checked'],
  ['4.2.1.2', { lifetimes: { code: '23h90m' } }, 'deviates'],
  ['2.6', { issuer: 'https://id.example.com' }, 'met'],
  ['2.6', { issuer: 'http://localhost:9000' }, 'deviates'],
  ['2.4.1', {}, 'met'],
  ['2.4.1', { limits: { preset: 'okta-enterprise' as const } }, 'deviates'],
  ['6.3.1', {}, 'met'],
  ['6.3.1', { limits: { passwordsPerHour: 500 } }, 'deviates'],
  ['6.3.1', { limits: { codesPerDay: 500 } }, 'deviates'],
  ['6.3.1', { limits: { sprayPerAddressHour: 20_000 } }, 'deviates'],
  ['6.6.3', {}, 'met'],
  ['6.6.3', { limits: { codesPerDay: 500 } }, 'deviates'],
])('requirement %s follows the configuration %j: %s', (id, settings, expected) => {
  expect(result(id, settings)).toBe(expected)
})

test('nothing is met that neither a setting nor the system decides', () => {
  const config = checkConfig({ secrets: ['a secret for this test only, long'] })
  for (const asked of [{}, { system: inForce, mailProblem: { why: undefined } }]) {
    const findings = findingsOf(config, asked)
    const built = findings.filter(({ shownBy }) => shownBy === 'tests')
    expect(built.length).toBeGreaterThan(5)
    expect(built.filter(({ result }) => !['deviates', 'not checked'].includes(result))).toEqual([])
  }
})

const inForce: SystemFacts = {
  policies: {
    ...{ passwords: [], recovery: ['okta_email'], factors: ['1FA'], codeMinutes: [] },
    ...{ lockouts: [0], mailSignsIn: false },
  },
  insecureClients: [],
  lostNotices: 0,
}
const rules = {
  ...{ minLength: 12, minLowerCase: 0, minUpperCase: 0, minNumber: 0, minSymbol: 0 },
  ...{ excludeUsername: true, excludeAttributes: [], excludeCommon: true },
  ...{ historyCount: 1, minAgeMinutes: 0, maxAgeDays: 0, expireWarnDays: 0 },
}
const sound: SystemFacts = {
  ...inForce,
  policies: { ...inForce.policies, passwords: [{ policy: 'Default', rules: { ...rules, minLength: 15 } }] },
}
/** A second policy, of a group. */
const alsoWith = (changed: Partial<typeof rules>): SystemFacts['policies'] => ({
  ...sound.policies,
  passwords: [
    ...sound.policies.passwords,
    { policy: 'Weak', rules: { ...rules, minLength: 15, ...changed } },
  ],
})
const policiesWith = (changed: Partial<SystemFacts['policies']>) => ({ ...sound.policies, ...changed })
const two = { signOn: { factors: '2FA' as const } }
const asTwo = { factors: ['2FA'] as const, mailSignsIn: true }

// Each line that can be met, with what makes it so, and what breaks it in the database: the settings stay the same.
test.each<[string, object, Partial<SystemFacts['policies']>, Partial<SystemFacts['policies']>]>([
  ['6.1.1', {}, {}, { lockouts: [0, 5] }],
  ['6.2.1', {}, {}, alsoWith({ minLength: 7 })],
  ['6.2.4', {}, {}, alsoWith({ excludeCommon: false })],
  ['6.2.5', {}, {}, alsoWith({ minSymbol: 1 })],
  ['6.2.9', {}, {}, alsoWith({ minLength: 65 })],
  ['6.2.10', {}, {}, alsoWith({ maxAgeDays: 90 })],
  ['6.3.6', {}, { recovery: [] }, { recovery: ['okta_email'] }],
  ['6.3.6', {}, { recovery: [] }, { recovery: [], mailSignsIn: true }],
  ['6.4.2', {}, {}, { asksQuestions: true }],
  ['6.4.3', two, { ...asTwo, recovery: [] }, asTwo],
  ['6.4.3', { recovery: { countsAsOneFactor: true } }, asTwo, {}],
  ['6.5.5', {}, { codeMinutes: [10] }, { codeMinutes: [11] }],
  ['3.1.1', {}, {}, alsoWith({ minLength: 14 })],
  [
    '3.1.1',
    {},
    { ...alsoWith({ minLength: 8 }), ...asTwo },
    { ...alsoWith({ minLength: 8 }), factors: ['1FA', '2FA'] },
  ],
  ['3.1.1.2', {}, {}, alsoWith({ maxAgeDays: 90 })],
  ['3.1.1.2', {}, {}, alsoWith({ excludeCommon: false })],
  ['3.2.2', {}, { lockouts: [10] }, { lockouts: [10, 0] }],
  ['3.2.2', {}, { lockouts: [10] }, { lockouts: [10, 101] }],
  ['4.2.1.2', {}, {}, { codeMinutes: [1441] }],
  ['4.2.2', two, { ...asTwo, recovery: [] }, asTwo],
])(
  'requirement %s, row %#, is met by what the database says, and turns with it',
  (id, settings, good, bad) => {
    const config = checkConfig({ secrets: ['a secret for this test only, long'], ...settings })
    const found = (policies?: Partial<SystemFacts['policies']>) => {
      const asked = policies === undefined ? {} : { system: { ...sound, policies: policiesWith(policies) } }
      return findingsOf(config, asked).find((finding) => finding.id === id)
    }
    expect(found(good)).toMatchObject({ result: 'met', shownBy: 'system' })
    expect(found(bad)?.result).not.toBe('met')
    // Without a database the settings prove nothing of it.
    expect(found()?.result).not.toBe('met')
  },
)

const url = { mail: { url: 'smtp://mail.example.com' } }
const answers = { mailProblem: { why: undefined } }

test.each<[string, object, Asked, string]>([
  // Notices: nothing is claimed that a check does not show.
  ['6.3.7', {}, {}, 'deviates no mail server is configured (mail.url): no mail leaves this machine'],
  ['6.3.7', url, {}, 'not checked …the mail server, and the outbox'],
  ['6.3.7', url, answers, 'not checked …the outbox'],
  ['6.3.7', url, { system: inForce }, 'not checked …the mail server'],
  ['6.3.7', url, { system: inForce, ...answers }, 'met …no notice of the last day was lost'],
  [
    '6.3.7',
    url,
    { mailProblem: { why: 'mail.url: refused' } },
    'deviates no notice can leave: mail.url: refused',
  ],
  [
    '6.3.7',
    url,
    { system: { ...inForce, lostNotices: 2 }, ...answers },
    'deviates 2 notices of the last day were refused or came too late: rekey mail list',
  ],
  [
    '4.2.3',
    { mail: { ...url.mail, notices: { passwordChanged: false } } },
    { system: inForce, ...answers },
    'deviates switched off: mail.notices.passwordChanged',
  ],
  ['2.1.2', {}, { system: inForce }, 'met oauth.implicit is off'],
  [
    '2.1.2',
    {},
    { system: { ...inForce, implicitClients: ['old'] } },
    'met oauth.implicit is off, so that the grant implicit gets an app nothing: old',
  ],
  [
    '2.1.2',
    { oauth: { implicit: true } },
    { system: { ...inForce, implicitClients: ['old'] } },
    'deviates oauth.implicit is on, for old',
  ],
  ['4.1.3', {}, { system: inForce }, 'met no app has insecureLocalhostRedirects'],
  [
    '4.1.3',
    {},
    { system: { ...inForce, insecureClients: ['spa'] } },
    'deviates insecureLocalhostRedirects: spa',
  ],
  ['6.1.1', { limits: { passwordsPerHour: 3 } }, { system: inForce }, 'deviates …limits.passwordsPerHour'],
  [
    '3.2.2',
    { limits: { codesUntilSuccess: 101 } },
    { system: inForce },
    'deviates limits.codesUntilSuccess is 101',
  ],
  [
    '6.4.3',
    {},
    { system: { ...inForce, policies: { ...inForce.policies, factors: ['1FA', '2FA'] } } },
    'deviates …recovery.secondFactor: required',
  ],
])('requirement %s, row %#, is what was asked', (id, settings, asked, expected) => {
  const config = checkConfig({ secrets: ['a secret for this test only, long'], ...settings })
  const found = findingsOf(config, asked).find((finding) => finding.id === id)
  const [before = '', after] = expected.split('…')
  const said = `${found?.result} ${found?.why}`
  if (after === undefined) expect(said).toBe(before)
  else expect(said.startsWith(before) && said.endsWith(after), said).toBe(true)
  expect(found?.shownBy).toBe(asked.system === undefined ? 'settings' : 'system')
})

test('every line that can be met is broken by a row of this file', () => {
  const config = checkConfig({
    secrets: ['a secret for this test only, long'],
    issuer: 'https://id.example.com',
    ...url,
  })
  const met = findingsOf(config, { system: sound, ...answers }).filter((finding) => finding.result === 'met')
  const source = readFileSync(import.meta.filename, 'utf8')
  const isBroken = (id: string) => source.includes(`['${id}'`) || source.includes(`    '${id}',\n`)
  expect(met.length).toBeGreaterThan(10)
  expect(met.map(({ id }) => id).filter((id) => !isBroken(id))).toEqual([])
})
