import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../base/index.ts'
import { effectiveSettings, maskUrl } from './effective.ts'
import { type LoadOptions, loadSettings } from './load.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
const load = (options: Partial<LoadOptions> = {}) => loadSettings({ folder, env: {}, ...options })

async function problemsOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error = await work.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).problems
}

describe('the file', () => {
  test.each([
    ['rekey.config.ts', "export default { org: { name: 'Example' as string } }"],
    ['rekey.config.mjs', "export default { org: { name: 'Example' } }"],
    ['rekey.config.json', '{ "org": { "name": "Example" } }'],
    ['rekey.config.yaml', 'org:\n  name: Example\n'],
    ['rekey.config.yml', 'org: { name: Example }'],
  ])('%s is found and read', async (name, text) => {
    write(name, text)
    const { settings, sourceOf } = await load()
    expect(settings).toEqual({ org: { name: 'Example' } })
    expect(sourceOf('org.name')).toBe(name)
    expect(sourceOf('http.port')).toBeUndefined()
  })

  test('that is named wins over the one in the folder', async () => {
    write('rekey.config.json', '{ "org": { "name": "Example" } }')
    write('other.json', '{ "org": { "name": "Other" } }')
    expect((await load({ file: 'other.json' })).settings).toEqual({ org: { name: 'Other' } })
  })

  test('that is named must be there', async () => {
    expect(await problemsOf(load({ file: 'gone.yaml' }))).toEqual(['gone.yaml: there is no such file'])
  })

  test('is refused where there are two of them', async () => {
    write('rekey.config.json', '{}')
    write('rekey.config.yaml', '')
    expect(await problemsOf(load())).toEqual([
      'rekey.config.json and rekey.config.yaml: only one is allowed; select one with --config',
    ])
  })

  test.each([
    ['rekey.config.json', '{ "org": '],
    ['rekey.config.json', '[]'],
    ['rekey.config.yaml', 'a: b: c'],
    ['rekey.config.mjs', 'export const name = 1'],
    ['rekey.config.ts', 'export default {'],
  ])('%s with %j is refused by its name', async (name, text) => {
    write(name, text)
    expect(await problemsOf(load())).toEqual([expect.stringContaining(join(folder, name))])
  })

  test.each([
    ['rekey.config.json', '{ "secrets": ["canary"], oops }'],
    ['rekey.config.json', '{ "secrets": [canary] }'],
    ['rekey.config.yaml', 'secrets: [canary\nother: canary: canary'],
  ])('%s that cannot be read reveals nothing of its content', async (name, text) => {
    write(name, text)
    const [problem] = await problemsOf(load())
    expect(problem).toMatch(/cannot be read( \(line \d+, column \d+\))?$/)
    expect(problem).not.toContain('canary')
  })

  test.each([
    ['rekey.config.json', '{ "org": { "name": "Example" } }'],
    ['rekey.config.yaml', 'org:\n  name: Example\n'],
  ])('%s may begin with a byte order mark', async (name, text) => {
    write(name, `\ufeff${text}`)
    expect((await load()).settings).toEqual({ org: { name: 'Example' } })
  })

  test('says why it cannot be read', async () => {
    writeFileSync(join(folder, 'utf16.json'), Buffer.from('\ufeff{}', 'utf16le'))
    expect(await problemsOf(load({ file: 'utf16.json' }))).toEqual([
      expect.stringMatching(/utf16\.json: is not in UTF-8/),
    ])
    mkdirSync(join(folder, 'folder.json'))
    expect(await problemsOf(load({ file: 'folder.json' }))).toEqual([
      `${join(folder, 'folder.json')}: cannot be read: it is a folder`,
    ])
    write('broken.json', '{ "org": ')
    expect(await problemsOf(load({ file: 'broken.json' }))).toEqual([
      expect.stringMatching(/broken\.json: is not valid JSON/),
    ])
  })

  test('names the files of secrets, which are read from the working folder', async () => {
    write('secret-of-shop', 'the secret of the shop\n')
    const client = { id: 'shop', label: 'Shop', redirectUris: [], secretFile: 'secret-of-shop' }
    write('rekey.config.json', JSON.stringify({ clients: [client], database: { urlFile: 'gone' } }))
    const loaded = await load()
    expect(loaded.unread).toEqual([
      'database.urlFile: the file gone cannot be read: there is no such file (from rekey.config.json)',
    ])
    const ignoring = await load({ ignored: ['database.url'] })
    expect(ignoring.check('development').clients).toMatchObject([{ secret: 'the secret of the shop' }])
    expect(effectiveSettings(ignoring.check('development'), () => undefined)).toContainEqual(
      expect.objectContaining({
        option: 'clients',
        value: [expect.objectContaining({ secret: '[hidden]' })],
      }),
    )
  })

  test('may be empty, and there may be none', async () => {
    expect((await load()).settings).toEqual({})
    write('rekey.config.yaml', '# empty\n')
    expect((await load()).settings).toEqual({})
  })
})

test('flags win over the environment, which wins over the file, which wins over a command’s own defaults', async () => {
  write('rekey.config.json', '{ "http": { "host": "file", "port": 1 }, "log": { "level": "warn" } }')
  const { settings, sourceOf } = await load({
    env: { REKEY_PORT: '2', REKEY_LOG_LEVEL: 'error', REKEY_ORG_NAME: '' },
    flags: { 'log.level': { value: 'debug', source: '--log-level' }, 'org.name': undefined },
    defaults: { 'http.host': '0.0.0.0', 'database.poolSize': 3 },
  })
  expect(settings).toEqual({
    http: { host: 'file', port: 2 },
    log: { level: 'debug' },
    database: { poolSize: 3 },
  })
  expect(['http.host', 'http.port', 'log.level', 'database.poolSize', 'org.name'].map(sourceOf)).toEqual([
    'rekey.config.json',
    'REKEY_PORT',
    '--log-level',
    undefined,
    undefined,
  ])
})

describe('the environment', () => {
  test('sets strings, numbers, lists and booleans', async () => {
    const { settings } = await load({
      env: {
        REKEY_ISSUER: 'https://id.example.com',
        REKEY_PORT: '8443',
        REKEY_MIGRATE: 'false',
        REKEY_TRUSTED_PROXIES: '10.0.0.0/8, 192.168.1.1\n',
        DATABASE_URL: 'sqlite:rekey.db',
        SMTP_URL: 'smtp://mail.example.com',
      },
    })
    expect(settings).toEqual({
      issuer: 'https://id.example.com',
      http: { port: 8443, trustedProxies: ['10.0.0.0/8', '192.168.1.1'] },
      database: { url: 'sqlite:rekey.db', migrate: false },
      mail: { url: 'smtp://mail.example.com' },
    })
  })

  test('sets what the page is, the widget as the page, and the name of the admin page', async () => {
    const { settings, warnings } = await load({
      env: {
        ...{ REKEY_PAGES: 'widget', REKEY_WIDGET_PACKAGE: '/srv/widget', REKEY_WIDGET_GENERATION: '3' },
        ...{ REKEY_WIDGET_LANGUAGE: 'de', REKEY_MANAGEMENT_HOST: 'admin.example.com' },
      },
    })
    expect(settings).toEqual({
      pages: 'widget',
      widget: { package: '/srv/widget', generation: 3, language: 'de' },
      management: { host: 'admin.example.com' },
    })
    expect(warnings).toEqual([])
  })

  test('sets several secrets, newest first, by value and by file', async () => {
    write('new', 'the newest secret\n')
    write('old', 'an older one\nthe oldest\n')
    const byValue = await load({ env: { REKEY_SECRET: 'the newest secret,an older one' } })
    expect(byValue.settings).toEqual({ secrets: ['the newest secret', 'an older one'] })
    const byFile = await load({ env: { REKEY_SECRET_FILE: 'new,old' } })
    expect(byFile.settings).toEqual({ secrets: ['the newest secret', 'an older one', 'the oldest'] })
  })

  test('is refused in one go with everything else, never with a secret in the words', async () => {
    const loaded = await load({
      env: {
        REKEY_PORT: 'tcp://10.0.0.1:9000',
        REKEY_MIGRATE: 'no',
        REKEY_SECRET: 'a secret that stays one, tiny',
        REKEY_SECRET_FILE: 'gone',
        REKEY_LOG_LEVEL: 'loud',
      },
    })
    const problems = await problemsOf(Promise.resolve().then(() => loaded.check('production')))
    expect(problems).toEqual(
      expect.arrayContaining([
        'http.port: must be a whole number, not "tcp://10.0.0.1:9000" (from REKEY_PORT)',
        'database.migrate: must be true or false, not "no" (from REKEY_MIGRATE)',
        'secrets: set REKEY_SECRET or REKEY_SECRET_FILE, not both',
        expect.stringMatching(/^secrets: .*gone cannot be read/),
        'secrets.1: must have 16 characters or more (from REKEY_SECRET)',
        expect.stringMatching(/^log\.level: must be one of fatal, .* \(from REKEY_LOG_LEVEL\)$/),
        expect.stringMatching(/^issuer: set REKEY_ISSUER/),
      ]),
    )
    expect(problems.join('\n')).not.toMatch(/stays one|tiny/)
  })

  test('sets each secret value by a file of its own', async () => {
    write('database', '\ufeffsqlite:canary.db\r\n')
    write('smtp', 'smtp://u:canary@mail.example.com\n\n')
    write('token', 'canary of the token, long enough for one\n')
    const { settings, sourceOf } = await load({
      env: { DATABASE_URL_FILE: 'database', SMTP_URL_FILE: 'smtp', REKEY_API_TOKEN_FILE: 'token' },
    })
    expect(settings).toEqual({
      database: { url: 'sqlite:canary.db' },
      mail: { url: 'smtp://u:canary@mail.example.com' },
      management: { apiToken: 'canary of the token, long enough for one' },
    })
    expect(sourceOf('database.url')).toBe('DATABASE_URL_FILE')
  })

  test('reports what is wrong with such a file, and nothing in it', async () => {
    write('two', 'canary\ncanary')
    write('empty', ' \n')
    write('slip', 'canary:canary')
    const env = {
      DATABASE_URL_FILE: 'slip',
      SMTP_URL_FILE: 'two',
      REKEY_API_TOKEN_FILE: 'empty',
      REKEY_SECRET_FILE: '.',
    }
    const loaded = await load({ env })
    const problems = await problemsOf(Promise.resolve().then(() => loaded.check('development')))
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^database\.url: must be postgres:.* \(from DATABASE_URL_FILE\)$/),
        'mail.url: the file two must hold one line (from SMTP_URL_FILE)',
        'management.apiToken: the file empty is empty (from REKEY_API_TOKEN_FILE)',
        'secrets: the file . cannot be read: it is a folder (from REKEY_SECRET_FILE)',
      ]),
    )
    expect(problems.join('\n')).not.toContain('canary')
    const both = await load({ env: { DATABASE_URL: 'memory', DATABASE_URL_FILE: 'slip' } })
    expect(both.unread).toEqual(['database.url: set DATABASE_URL or DATABASE_URL_FILE, not both'])
    const unset = await load({ env: { DATABASE_URL: '', DATABASE_URL_FILE: 'slip' } })
    expect(unset.unread).toEqual([])
  })

  test('drops white space around a value', async () => {
    const { settings } = await load({
      env: {
        REKEY_ISSUER: ' https://id.example.com\r',
        DATABASE_URL: 'sqlite:rekey.db\r\n',
        REKEY_PORT: '1 ',
      },
    })
    expect(settings).toMatchObject({
      issuer: 'https://id.example.com',
      database: { url: 'sqlite:rekey.db' },
      http: { port: 1 },
    })
  })

  test.each([
    ['REKEY_DATABASE_URL', 'DATABASE_URL'],
    ['REKEY_SMTP_URL', 'SMTP_URL'],
    ['rekey_issuer', 'REKEY_ISSUER'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['SMTPURL', 'SMTP_URL'],
    ['REKEY_TRUSTED_PROXY', 'REKEY_TRUSTED_PROXIES'],
  ])('%s is probably %s', async (name, meant) => {
    expect((await load({ env: { [name]: 'x' } })).warnings).toEqual([
      `${name} sets nothing; did you mean ${meant}?`,
    ])
  })

  test('gives no warning about a variable of another program where ours is set', async () => {
    expect((await load({ env: { DATABASE_URL: 'memory', DATABASE_URI: 'x' } })).warnings).toEqual([])
  })

  test('gives a warning about a mistyped variable', async () => {
    const { warnings } = await load({
      env: { REKEY_ISUER: 'x', REKEY_SOMETHING_ELSE: 'x', HOME: '/', REKEY_DATA: 'memory' },
    })
    expect(warnings).toEqual(['REKEY_ISUER sets nothing; did you mean REKEY_ISSUER?'])
  })
})

test.each([
  [
    'postgres://u:canary@h1,h2:5433/db?target_session_attrs=any',
    'postgres://u:hidden@h1,h2:5433/db?target_session_attrs=any',
  ],
  ['POSTGRES://u:can@ary@h/db', 'POSTGRES://u:hidden@h/db'],
  ['postgres://h/db?password=canary&sslmode=disable', 'postgres://h/db?password=hidden&sslmode=disable'],
  ['smtp://u:can/ary@h', '[hidden]'],
  ['smtp://u:can#ary@h', '[hidden]'],
  ['sqlite:/x/rekey.db', 'sqlite:/x/rekey.db'],
])('%s is shown as %s', (url, masked) => {
  expect(maskUrl(url)).toBe(masked)
})

test('the effective settings have their sources, and contain no secret', async () => {
  write(
    'rekey.config.json',
    JSON.stringify({
      clients: [
        {
          id: 'shop',
          label: 'Shop',
          secret: 'canary of a client',
          redirectUris: ['https://shop.example/in'],
        },
      ],
      people: [{ login: 'ada', email: 'ada@example.com', password: 'canary of a user' }],
    }),
  )
  const loaded = await load({
    env: {
      REKEY_SECRET: 'canary of the master,canary of the older one',
      DATABASE_URL: 'postgres://rekey:canary@db.example.com/rekey?sslpassword=canary',
      SMTP_URL: 'smtp://user:canary@mail.example.com',
      REKEY_API_TOKEN: 'canary of the token, long enough for one',
    },
  })
  const settings = effectiveSettings(loaded.check('development'), loaded.sourceOf)
  expect(JSON.stringify(settings)).not.toContain('canary')
  const of = (option: string) => settings.find((setting) => setting.option === option)
  expect(of('secrets')).toEqual({
    option: 'secrets',
    value: ['[hidden]', '[hidden]'],
    source: 'REKEY_SECRET',
  })
  expect(of('database.url')).toMatchObject({
    value: 'postgres://rekey:hidden@db.example.com/rekey?sslpassword=hidden',
    source: 'DATABASE_URL',
  })
  expect(of('clients')).toMatchObject({
    value: [{ id: 'shop', secret: '[hidden]' }],
    source: 'rekey.config.json',
  })
  expect(of('people')).toMatchObject({ value: [{ login: 'ada', password: '[hidden]' }] })
  expect(of('http.port')).toEqual({ option: 'http.port', value: 9000, source: 'default' })
  expect(of('issuer')).toBeUndefined()
})
