import { describe, expect, test } from 'vitest'
import { ConfigError } from '../base/index.ts'
import { checkConfig, type Settings } from './check.ts'
import { insecureDevPrefix } from './production.ts'

/** The problems of settings, as the error lists them. */
function problemsOf(settings: object, sourceOf?: (path: string) => string | undefined): readonly string[] {
  try {
    checkConfig(settings as Settings, sourceOf)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const sound = {
  mode: 'production',
  issuer: 'https://id.example.com',
  secrets: ['a random text of 32 characters or more'],
  database: { url: 'sqlite:/var/lib/rekey/rekey.db' },
  mail: { url: 'smtp://mail.example.com' },
} as const

test('empty settings give a development engine with defaults', () => {
  expect(checkConfig({})).toMatchObject({
    mode: 'development',
    http: { host: 'localhost', port: 9000, trustedProxies: [] },
    lifetimes: { code: '5m' },
  })
})

test('password rules that are not set come from the preset', () => {
  const { policies } = checkConfig({
    policies: { password: { preset: 'okta', complexity: { minLength: 10 } } },
  })
  expect(policies.password.complexity).toEqual({ minLength: 10 })
})

test('mails come from the host of the issuer where no sender is named', () => {
  expect(checkConfig({ issuer: 'https://id.example.com' }).mail.from).toBe('no-reply@id.example.com')
  expect(
    checkConfig({ issuer: 'https://id.example.com', mail: { from: 'help@example.com' } }).mail.from,
  ).toBe('help@example.com')
  expect(checkConfig({}).mail.from).toBe('no-reply@rekey.localhost')
})

test('a name that is no option is refused at any depth, with the one that was probably meant', () => {
  expect(
    problemsOf({
      isuer: 'https://id.example.com',
      policies: { password: { complexity: { minLen: 8 } } },
      clients: [{ id: 'a', label: 'A', redirectUris: [], secert: 'sixteen letters at least' }],
      constructor: 1,
      colour: 'blue',
    }),
  ).toEqual([
    'isuer: there is no such option; did you mean issuer?',
    'policies.password.complexity.minLen: there is no such option; did you mean minLength?',
    'clients.0.secert: there is no such option; did you mean secret?',
    'constructor: there is no such option',
    'colour: there is no such option',
  ])
})

test.each([
  [{ http: { port: 70_000 } }, 'http.port: must be 65535 or less'],
  [{ http: { port: '9000' } }, 'http.port: must be a whole number'],
  [{ http: { trustedProxies: [1] } }, 'http.trustedProxies.0: must be a text'],
  [{ org: 3 }, 'org: must be a group of options'],
  [{ lifetimes: { code: 'five' } }, 'lifetimes.code: must be a span such as `5m` or `1h30m`'],
  [
    { signOn: { start: 'identifyer' } },
    'signOn.start: must be one of password, identifier; did you mean identifier?',
  ],
  [{ secrets: ['short'] }, 'secrets.0: must have 16 characters or more'],
  [{ clients: [{ label: 'A', redirectUris: [] }] }, 'clients.0.id: is missing, it must be a text'],
  [
    { clients: [{ id: 'a', label: 'A', redirectUris: [], grantTypes: ['interaction_code', 'password'] }] },
    'clients.0.grantTypes.1: must be one of authorization_code, implicit, interaction_code, refresh_token',
  ],
  [
    { clients: [{ id: 'a', label: 'A', redirectUris: [], emailMagicLinkRedirectUri: 3 }] },
    'clients.0.emailMagicLinkRedirectUri: must be a text or null',
  ],
])('%j is refused in words', (settings, problem) => {
  expect(problemsOf(settings)).toEqual([problem])
})

test('all problems are reported at once, however many there are', () => {
  const people = Array.from({ length: 30 }, () => ({ login: 1 }))
  expect(problemsOf({ people, http: { port: -1 } })).toHaveLength(31)
})

test('a problem names where the setting comes from', () => {
  const sourceOf = (path: string) => (path === 'http.port' ? 'REKEY_PORT' : undefined)
  expect(problemsOf({ http: { port: 70_000 }, org: { name: 1 } }, sourceOf)).toEqual([
    'org.name: must be a text',
    'http.port: must be 65535 or less (from REKEY_PORT)',
  ])
})

describe('production', () => {
  test('takes what is safe', () => {
    expect(problemsOf(sound)).toEqual([])
  })

  test('refuses the defaults of a laptop, all at once', () => {
    const options = problemsOf({ mode: 'production' }).map((problem) => problem.split(':')[0])
    expect(options).toEqual(['secrets', 'issuer', 'database.url', 'mail.url'])
  })

  test.each([
    ['secrets', { secrets: ['24 characters, too short'] }],
    ['secrets', { secrets: [`${insecureDevPrefix}${'x'.repeat(43)}`] }],
    ['issuer', { issuer: 'http://id.example.com' }],
    ['issuer', { issuer: 'https://id.example.com/?a=b' }],
    ['issuer', { issuer: 'https//id.example.com' }],
    ['database.url', { database: { url: 'memory' } }],
    ['mail.url', { mail: {} }],
    ['password', { password: { passes: 1 } }],
    ['password', { password: { memoryKiB: 1024 } }],
    ['clients', { clients: [{ id: 'a', label: 'A', redirectUris: [], insecureLocalhostRedirects: true }] }],
    ['clients', { clients: [{ id: 'a', label: 'A', redirectUris: [], secret: `${insecureDevPrefix}x` }] }],
    ['captcha.secret', { captcha: { type: 'HCAPTCHA', siteKey: 'key', secret: `0x${'0'.repeat(40)}` } }],
    ['captcha.secret', { captcha: { type: 'TURNSTILE', siteKey: 'key', secret: `1x${'0'.repeat(31)}AA` } }],
    ['management.apiToken', { management: { apiToken: `${insecureDevPrefix}${'x'.repeat(43)}` } }],
  ])('refuses an unsafe %s: %j', (option, settings) => {
    const problems = problemsOf({ ...sound, ...settings })
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([option])
  })

  test('reports malformed and unsafe settings together', () => {
    expect(problemsOf({ ...sound, secrets: 'text', issuer: 'http://id.example.com' })).toEqual([
      'secrets: must be a list',
      expect.stringMatching(/^issuer: must be an https address/),
    ])
  })

  test('needs no mail server on a node that delivers no mails', () => {
    expect(problemsOf({ ...sound, mail: { deliver: false } })).toEqual([])
  })
})
