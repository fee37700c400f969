import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, durationProblem } from '../base/index.ts'
import { checkConfig, type Settings } from './check.ts'
import { leavesOf } from './schema.ts'

function problemsOf(settings: object): readonly string[] {
  try {
    checkConfig(settings as Settings)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
const optionsOf = (settings: object) => problemsOf(settings).map((problem) => problem.split(':')[0])

/** Values of the right type that nothing can use, by option. */
const useless: readonly (readonly [option: string, settings: object])[] = [
  ...['https//id.example.com', 'id.example.com', 'ftp://id.example.com', 'https://', '', 'https://$HOST'].map(
    (issuer) => ['issuer', { issuer }] as const,
  ),
  ...[
    'https://u:p@id.example.com',
    'https://id.example.com/?a=b',
    'https://id.example.com#',
    'https://id.example.com//',
    'https://id.example.com/:id',
    'https://*.example.com',
  ].map((issuer) => ['issuer', { issuer }] as const),
  ...[
    'rekey-db:5432',
    '$DATABASE_URL',
    '"postgres://h/db"',
    'mysql://h/db',
    'jdbc:postgresql://h/db',
    '',
    ' ',
  ].map((url) => ['database.url', { database: { url } }] as const),
  ...[
    'postgres://h:99999/db',
    'postgres://h/db?sslmode=prefer',
    'postgres://h/db?sslmode=verify-full&sslrootcert=/no',
  ].map((url) => ['database.url', { database: { url } }] as const),
  ...[
    'https://example.com',
    'example.com:443',
    'Example.com',
    'com',
    'co.uk',
    'github.io',
    '127.0.0.1',
    '::1',
    'other.example.com',
    'notexample.com',
  ].map((rpId) => ['webauthn.rpId', { issuer: 'https://id.example.com', webauthn: { rpId } }] as const),
  ...['https://app.example.com', 'android:apk-key-hash:', 'android:apk-key-hash:a b'].map(
    (origin) => ['webauthn.nativeOrigins.0', { webauthn: { nativeOrigins: [origin] } }] as const,
  ),
  ...['http://0.0.0.0', '0.0.0.0:9000', '[::]', '10.0.0', '300.1.1.1', '', 'a b'].map(
    (host) => ['http.host', { http: { host } }] as const,
  ),
  ...[
    'not-an-ip',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0.0/',
    '::/129',
    '10.0.0.0/255.0.255.0',
    '10.0.0.0/8/8',
    '',
  ].map((range) => ['http.trustedProxies.0', { http: { trustedProxies: [range] } }] as const),
  ...[
    'ftp://x',
    'mail.example.com',
    'mail.example.com:587',
    'smtp:mail.example.com',
    'smtp://',
    'smtp://:587',
    'smtp://h:70000',
    'smtp://h/path',
    'smtp://u:pa#ss@h',
    'smtp://u:pa/ss@h',
    'smtp://u:pa%zz@h',
    'smtp://$SMTP_HOST',
    'smtp://h?requireTsl=true',
    '"smtp://h"',
    '',
  ].map((url) => ['mail.url', { mail: { url } }] as const),
  ...[
    '',
    'no-reply',
    '@example.com',
    'a@',
    'a@b@example.com',
    'a@example.com, b@example.com',
    'Acme no-reply@example.com',
    'Acme <no-reply>',
    'Acme\r\nBcc: x <a@example.com>',
    'no-reply@example.com\u200b',
    'no-reply@.example.com',
  ].map((from) => ['mail.from', { mail: { from } }] as const),
  ...[
    'http://hooks.example.com/',
    'https://user:password@hooks.example.com/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/',
    'hooks.example.com',
  ].map((url) => ['telephony.hook.url', { telephony: { hook: { url } } }] as const),
  ['telephony.hook.secret', { telephony: { hook: { secret: 'a secret with\r\nX-Other: x' } } }],
  ['telephony.hook.headerName', { telephony: { hook: { headerName: 'x key' } } }],
  ['captcha.verifyUrl', { captcha: { verifyUrl: 'https://127.0.0.1/siteverify' } }],
  ['captcha.verifyUrl', { captcha: { verifyUrl: 'http://api.example.com/siteverify' } }],
  ['captcha.type', { captcha: { type: 'GEETEST', siteKey: 'key', secret: 'a secret' } }],
  ['captcha.siteKey', { captcha: { type: 'HCAPTCHA', secret: 'a secret' } }],
  ['captcha.secret', { captcha: { type: 'HCAPTCHA', siteKey: 'key' } }],
  ['captcha.secret', { captcha: { type: 'HCAPTCHA', siteKey: 'key', secret: 'a secret\n' } }],
  ['captcha.forms.0', { captcha: { forms: ['signIn'] } }],
  ['captcha.hostnames.0', { captcha: { hostnames: ['https://example.com'] } }],
  ['telephony.countries.0', { telephony: { countries: ['Austria'] } }],
  ['mail.fromName', { mail: { fromName: 'Acme\nBcc: x' } }],
  ['org.name', { org: { name: ' ' } }],
  ['org.name', { org: { name: 'Example\n' } }],
  ['lifetimes.code', { lifetimes: { code: '0s' } }],
  ['lifetimes.session', { lifetimes: { session: '99999999d' } }],
  ['lifetimes.idToken', { lifetimes: { idToken: `${'9'.repeat(400)}d` } }],
  ['http.shutdownDelay', { http: { shutdownDelay: '9999d' } }],
  ['http.shutdownDelay', { http: { shutdownDelay: '5h' } }],
  ['http.keepAlive', { http: { keepAlive: '0s' } }],
  ['http.keepAlive', { http: { keepAlive: '25d' } }],
  ['http.headersTimeout', { http: { headersTimeout: '0s' } }],
  ['http.headersTimeout', { http: { headersTimeout: '40s' } }],
  ['http.headersTimeout', { http: { headersTimeout: '9s', requestTimeout: '8s' } }],
  ['http.requestTimeout', { http: { requestTimeout: '0s' } }],
  ['http.requestTimeout', { http: { requestTimeout: '999999d' } }],
  ['mail.suppression', { mail: { suppression: '99999999d' } }],
  ['events.retention', { events: { retention: '0s' } }],
  ['events.retention', { events: { retention: '999999999999d' } }],
  ['events.unknownRetention', { events: { unknownRetention: '0s' } }],
  ['events.unknownRetention', { events: { unknownRetention: '999999999999d' } }],
  ...['not_an/ip', '127.0.0.1:9464', '[::]', ''].map(
    (host) => ['metrics.host', { metrics: { host } }] as const,
  ),
  ['metrics.port', { http: { port: 9000 }, metrics: { port: 9000 } }],
  ['metrics.port', { http: { host: '0.0.0.0', port: 9000 }, metrics: { port: 9000 } }],
  ['metrics.port', { http: { host: '10.0.0.1', port: 9000 }, metrics: { host: '::', port: 9000 } }],
  ...['$REKEY_SECRET_FOR_TESTS', '${REKEY_SECRET_FOR_TESTS}', '"a secret in quotation marks"'].flatMap(
    (secret) => [
      ['secrets.0', { secrets: [secret] }] as const,
      ['management.apiToken', { management: { apiToken: secret.padEnd(32, secret.slice(-1)) } }] as const,
    ],
  ),
  ['secrets.1', { secrets: ['a secret of these tests', '<the secret to put in>'] }],
  ['password.memoryKiB', { password: { memoryKiB: 8, lanes: 2 } }],
  ['password.memoryKiB', { password: { memoryKiB: 99_999_999 } }],
  ['password.passes', { password: { passes: 1000 } }],
  ['password.lanes', { password: { lanes: 1000 } }],
  ['limits.codesPerDay', { limits: { codesPerDay: 1e15 } }],
  ['limits.appFactor', { limits: { appFactor: 1e15 } }],
  ['limits.requests.idx', { limits: { requests: { idx: 1e15 } } }],
  ['management.recoveryPage', { management: { recoveryPage: 'https:///{token}' } }],
  ['management.recoveryPage', { management: { recoveryPage: '/recover/{token}' } }],
  ['signUp.terms.version', { signUp: { terms: { url: 'https://example.com/terms' } } }],
  ['signUp.terms.url', { signUp: { terms: { version: '1' } } }],
  ...['example.com/terms', 'javascript:alert(1)', 'https://', 'https://a b'].map(
    (url) => ['signUp.terms.url', { signUp: { terms: { version: '1', url } } }] as const,
  ),
  ['signUp.terms.version', { signUp: { terms: { version: ' ', url: 'https://example.com/terms' } } }],
  ...['@example.com', 'https://example.com', 'example.com:25', '', '*', 'a b', '10.0.0.1', 'a.*.com'].map(
    (domain) => ['signUp.domains.allowed.0', { signUp: { domains: { allowed: [domain] } } }] as const,
  ),
  ...['*.example.com', 'mary@example.com', ' '].map(
    (domain) => ['signUp.domains.blocked.0', { signUp: { domains: { blocked: [domain] } } }] as const,
  ),
  [
    'signUp.domains.allowed.0',
    { signUp: { domains: { allowed: ['Example.com'], blocked: ['example.com'] } } },
  ],
  ...[
    'app.example.com',
    'https://*.example.com',
    'https://app.example.com/x',
    'https://',
    'null',
    '*',
    '',
  ].map((origin) => ['trustedOrigins.0', { trustedOrigins: [origin] }] as const),
]

test.each(useless)('a useless %s is refused: %j', (option, settings) => {
  expect(optionsOf(settings)).toEqual([option])
})

test('accepted forms are shown', () => {
  const problems = problemsOf({
    database: { url: 'rekey-db:5432' },
    http: { host: '0.0.0.0:9000', trustedProxies: ['10.0.0.0/33'] },
    mail: { url: 'ftp://x', from: 'no-reply' },
    issuer: 'id.example.com',
    trustedOrigins: ['app.example.com'],
  })
  expect(problems).toEqual([
    expect.stringMatching(/^issuer: .*https:\/\/id\.example\.com/),
    expect.stringMatching(/^database\.url: .*postgres:\/\/.*sqlite:PATH.*memory/),
    expect.stringMatching(/^http\.host: .*0\.0\.0\.0/),
    expect.stringMatching(/^http\.trustedProxies\.0: .*10\.0\.0\.0\/8/),
    expect.stringMatching(/^mail\.url: .*smtp:\/\/.*smtps:\/\//),
    expect.stringMatching(/^mail\.from: .*Example <no-reply@example\.com>/),
    expect.stringMatching(/^trustedOrigins\.0: .*https:\/\/app\.example\.com/),
  ])
})

test.each([
  ['issuer', 'https://id.example.com/'],
  ['issuer', 'HTTPS://id.example.com:8443/a/b'],
  ['issuer', 'http://[::1]:9000'],
])('%s %s is taken', (name, value) => {
  expect(problemsOf({ [name]: value })).toEqual([])
})

test.each([
  ['example.com', { issuer: 'https://id.example.com' }],
  ['id.example.com', { issuer: 'https://id.example.com' }],
  ['localhost', { issuer: 'http://localhost:9000' }],
  ['app.example.org', { issuer: 'https://id.example.com', trustedOrigins: ['https://app.example.org'] }],
  // The apps are registered in the database.
  ['example.com', {}],
])('the domain of passkeys %s is taken with %j', (rpId, settings) => {
  const nativeOrigins = ['android:apk-key-hash:xSIIR2Rz8wPOJPPqWZKZpFkvbJQlNjOCKq-mGMV5pPM']
  expect(problemsOf({ ...settings, webauthn: { rpId, nativeOrigins } })).toEqual([])
})

test.each(['0.0.0.0', '::', 'localhost', 'fe80::1%eth0', 'node-1.internal', '127.0.0.1'])(
  'the host %s is taken',
  (host) => {
    expect(problemsOf({ http: { host } })).toEqual([])
  },
)

test.each(['10.0.0.1', '10.0.0.0/8', 'fd00::/8', '::1', '::ffff:10.0.0.1', '10.0.0.0/255.0.0.0', 'loopback'])(
  'the proxy %s is taken',
  (range) => {
    expect(problemsOf({ http: { trustedProxies: [range] } })).toEqual([])
  },
)

test.each([
  'smtp://h',
  'SMTP://h:587/',
  'smtps://u:p%23%2F@mail.example.com:465?requireTLS=true&name=id.example.com',
  'smtp://[::1]:25',
])('the mail server %s is taken', (url) => {
  expect(problemsOf({ mail: { url } })).toEqual([])
})

test('values of the wrong type do not hide the others', () => {
  const client = { id: 'a', label: 'A', redirectUris: [3, 'app.example.com/cb'], secret: 5 }
  const settings = {
    http: 'x',
    mail: { deliver: 'x', from: 'no-reply' },
    clients: [client, 'x', { ...client, id: 'b', redirectUris: ['/cb'], secret: undefined }],
    people: [{ login: 4 }, { login: 'ada' }],
    database: { url: 'x' },
  }
  expect(optionsOf(settings).toSorted()).toEqual([
    'clients.0.redirectUris.0',
    'clients.0.redirectUris.1',
    'clients.0.secret',
    'clients.1',
    'clients.2.redirectUris.0',
    'database.url',
    'http',
    'mail.deliver',
    'mail.from',
    'people.0.login',
    'people.1.login',
  ])
})

test('an origin is taken as browsers send it', () => {
  const { trustedOrigins } = checkConfig({
    trustedOrigins: ['https://app.example.com/', 'HTTPS://App.Example.com:443', 'http://localhost:3000'],
  })
  expect(trustedOrigins).toEqual([
    'https://app.example.com',
    'https://app.example.com',
    'http://localhost:3000',
  ])
})

test.each([
  ['Acme <no-reply@acme.example>', 'no-reply@acme.example', 'Acme'],
  ['"Acme, Inc. \\"A\\"" <no-reply@acme.example>', 'no-reply@acme.example', 'Acme, Inc. "A"'],
  ['Acme, Inc. <no-reply@acme.example>', 'no-reply@acme.example', 'Acme, Inc.'],
  ['<no-reply@acme.example>', 'no-reply@acme.example', undefined],
  [' no-reply@acme.example ', 'no-reply@acme.example', undefined],
  ['Amélie <a@münchen.example>', 'a@münchen.example', 'Amélie'],
])('the sender %s is an address and a name', (from, address, name) => {
  const { mail } = checkConfig({ mail: { from } })
  expect([mail.from, mail.fromName]).toEqual([address, name])
})

test('a name of the sender that is set apart wins', () => {
  const { mail } = checkConfig({ mail: { from: 'Acme <a@acme.example>', fromName: 'Other' } })
  expect(mail.fromName).toBe('Other')
})

test('an issuer by its IPv6 address leaves the sender as it is', () => {
  expect(checkConfig({ issuer: 'http://[::1]:9000' }).mail.from).toBe('no-reply@rekey.localhost')
})

test('memory by any of its names is refused in production', () => {
  for (const url of ['memory', ':memory:', 'sqlite::memory:']) {
    expect(optionsOf({ mode: 'production', database: { url } })).toContain('database.url')
  }
})

const client = { id: 'shop', label: 'Shop', redirectUris: ['https://shop.example.com/cb'] }

test.each([
  ['id', { id: 'a/b' }],
  ['id', { id: 'a b' }],
  ['label', { label: '  ' }],
  ['label', { label: 'Shop\n' }],
  ['label', { label: 'x'.repeat(101) }],
  ['secret', { secret: 'a secret with its line break\n' }],
  ['secret', { secret: 'ünïcödé-secret' }],
  ['redirectUris.0', { redirectUris: ['app.example.com/cb'] }],
  ['redirectUris.0', { redirectUris: ['/cb'] }],
  ['redirectUris.0', { redirectUris: ['https://app.example.com/cb#x'] }],
  ['redirectUris.0', { redirectUris: ['https://*.example.com/cb'] }],
  ['redirectUris.0', { redirectUris: ['javascript:alert(1)'] }],
  ['redirectUris.0', { redirectUris: [' https://app.example.com/cb'] }],
  ['redirectUris.0', { redirectUris: ['https:app.example.com/cb'] }],
  ['redirectUris', { redirectUris: Array.from({ length: 201 }, (_, n) => `https://a.example/${n}`) }],
  ['postLogoutRedirectUris.0', { postLogoutRedirectUris: ['app.example.com'] }],
  ['emailMagicLinkRedirectUri', { emailMagicLinkRedirectUri: '/login/callback' }],
  ['emailMagicLinkRedirectUri', { emailMagicLinkRedirectUri: '' }],
  ['grantTypes', { grantTypes: [] }],
  ['grantTypes', { grantTypes: ['refresh_token'] }],
])('a client with a useless %s is refused: %j', (field, part) => {
  expect(optionsOf({ clients: [{ ...client, ...part }] })).toEqual([`clients.0.${field}`])
})

test('a client is taken with addresses of apps, and once', () => {
  const redirectUris = ['com.example:/cb', 'http://127.0.0.1/cb', 'https://app.example.com']
  expect(problemsOf({ clients: [{ ...client, redirectUris, emailMagicLinkRedirectUri: null }] })).toEqual([])
  expect(problemsOf({ clients: [{ ...client, grantTypes: ['authorization_code'] }] })).toEqual([])
  expect(optionsOf({ clients: [client, client] })).toEqual(['clients.1.id'])
})

test.each([
  [['login'], { login: 'ada' }],
  [['login'], { login: '', email: 'ada@example.com' }],
  [['login'], { login: 'x'.repeat(101), email: 'ada@example.com' }],
  [['login'], { login: 'ada@example.com\u200b' }],
  [['login'], { login: 'a\u00adda', email: 'ada@example.com' }],
  [['email'], { login: 'ada', email: 'ada' }],
  [['email'], { login: 'ada', email: 'ada@example.com\u2060' }],
  [['email'], { login: 'ada', email: 'Ada <ada@example.com>' }],
  [['firstName'], { login: 'ada@example.com', firstName: 'x'.repeat(51) }],
  [['locale'], { login: 'ada@example.com', locale: 'x'.repeat(36) }],
  [['password'], { login: 'ada@example.com', password: '' }],
])('a user with a useless %j is refused: %j', (fields, person) => {
  expect(optionsOf({ people: [person] })).toEqual(fields.map((field) => `people.0.${field}`))
})

test('a secret stands in a file of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-values-'))
  const file = (name: string, bytes: string | Buffer) => {
    writeFileSync(join(folder, name), bytes)
    return join(folder, name)
  }
  try {
    const config = checkConfig({
      secretsFile: file('secrets', '\ufeffthe newest secret\r\nthe older secret\r\n'),
      database: { urlFile: file('database', 'sqlite:/x/rekey.db\n') },
      mail: { urlFile: file('mail', '\ufeffsmtp://u:p@h\r\n') },
      management: { apiTokenFile: file('token', 'a token of thirty-two characters or more\n') },
      clients: [{ ...client, secretFile: file('client', 'the secret of the client\n') }],
      people: [{ login: 'ada@example.com', passwordFile: file('password', 'Tangerine-Kettle-42\n') }],
    } as unknown as Settings)
    expect(config).toMatchObject({
      secrets: ['the newest secret', 'the older secret'],
      database: { url: 'sqlite:/x/rekey.db' },
      mail: { url: 'smtp://u:p@h' },
      management: { apiToken: 'a token of thirty-two characters or more' },
      clients: [{ id: 'shop', secret: 'the secret of the client' }],
      people: [{ login: 'ada@example.com', password: 'Tangerine-Kettle-42' }],
    })
    expect(JSON.stringify(config)).not.toContain('File"')
    expect(
      problemsOf({
        database: { urlFile: folder, url: 'memory' },
        mail: { urlFile: join(folder, 'gone') },
        management: { apiTokenFile: file('empty', '\n') },
        clients: [
          { ...client, secretFile: file('two', 'canary one\ncanary two\n') },
          { ...client, id: 'b', secretFile: file('utf16', Buffer.from('\ufeffcanary', 'utf16le')) },
          { ...client, id: 'c', secretFile: folder },
        ],
      }),
    ).toEqual([
      'database.urlFile: set url or urlFile, not both',
      `mail.urlFile: the file ${join(folder, 'gone')} cannot be read: there is no such file`,
      `management.apiTokenFile: the file ${join(folder, 'empty')} is empty`,
      `clients.0.secretFile: the file ${join(folder, 'two')} must hold one line`,
      `clients.1.secretFile: the file ${join(folder, 'utf16')} is not in UTF-8 (UTF-16?): save it as UTF-8`,
      `clients.2.secretFile: the file ${folder} cannot be read: it is a folder`,
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  { http: { shutdownDelay: '0s' }, mail: { suppression: '0s' } },
  { http: { shutdownDelay: '1h', keepAlive: '24h', headersTimeout: '1h', requestTimeout: '1h' } },
  { http: { headersTimeout: '10s', requestTimeout: '10s' } },
  { events: { retention: '36500d', unknownRetention: '36500d' }, mail: { suppression: '36500d' } },
  { http: { host: '10.0.0.1', port: 9000 }, metrics: { port: 9000 } },
  { http: { port: 0 }, metrics: { port: 0 } },
  { password: { memoryKiB: 1_048_576 } },
  { secrets: ['$2y is how a hash begins, and this is none'] },
])('%j is taken', (settings) => {
  expect(problemsOf(settings)).toEqual([])
})

test('every span has a least and a most, and its default is between them', () => {
  const spans = leavesOf().filter(
    ([, { pattern, hint = '' }]) => pattern?.includes('ms|s|m|h|d') || hint.startsWith('a span'),
  )
  expect(spans.length).toBeGreaterThan(10)
  for (const [option, { span, default: value }] of spans) {
    expect([option, span]).toEqual([option, { least: expect.any(String), most: expect.any(String) }])
    if (value !== undefined)
      expect([option, durationProblem(value as string, span)]).toEqual([option, undefined])
  }
})

test('every number has a least and a most', () => {
  const numbers = leavesOf().filter(([, { type }]) => type === 'integer')
  expect(numbers.length).toBeGreaterThan(30)
  for (const [option, { minimum, maximum }] of numbers) {
    expect([option, minimum, maximum]).toEqual([option, expect.any(Number), expect.any(Number)])
  }
})
