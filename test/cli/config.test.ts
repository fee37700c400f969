import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { openCore } from '../../src/engine/index.ts'
import { startEngine } from '../../src/testing/index.ts'
import { writeWidgetPackage } from '../support/widget-package.ts'
import { callCommand } from './terminal.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const sound = (): Record<string, string> => ({
  DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
  REKEY_SECRET: 'a master secret of 32 characters or more',
  REKEY_ISSUER: 'https://id.example.com',
  SMTP_URL: 'smtp://127.0.0.1:1',
  REKEY_HOST: '127.0.0.1',
  REKEY_PORT: '0',
})
const call = (line: string, env: Record<string, string>) => callCommand(line.split(' '), { folder, env })

const commands = [
  'serve',
  'config --check',
  'config',
  'migrate',
  'doctor',
  'user list',
  'export x.jsonl',
  'events',
]

/** A slip for each variable, and what its message must say: the option, the variable, an accepted form. */
const slips: readonly (readonly [variable: string, value: string, option: string, form: string])[] = [
  ['DATABASE_URL', 'rekey-db:5432', 'database.url', 'sqlite:PATH'],
  ['DATABASE_URL', '$DATABASE_URL', 'database.url', 'sqlite:PATH'],
  ['DATABASE_URL', '"postgres://u:canary@h/db"', 'database.url', 'sqlite:PATH'],
  ['DATABASE_URL', 'jdbc:postgresql://h/db', 'database.url', 'sqlite:PATH'],
  ['DATABASE_URL', 'mysql://u:canary@h/db', 'database.url', 'sqlite:PATH'],
  ['DATABASE_URL', '   ', 'database.url', 'sqlite:PATH'],
  ['DATABASE_URL', 'postgres://u:canary@h:x/db', 'database.url', 'port'],
  ['REKEY_TRUSTED_PROXIES', 'not-an-ip', 'http.trustedProxies.0', '10.0.0.0/8'],
  ['REKEY_TRUSTED_PROXIES', '10.0.0.0/33', 'http.trustedProxies.0', '10.0.0.0/8'],
  ['REKEY_TRUSTED_ORIGINS', 'app.example.com', 'trustedOrigins.0', 'https://app.example.com'],
  ['SMTP_URL', 'ftp://canary', 'mail.url', 'smtp://'],
  ['REKEY_MAIL_FROM', 'no-reply', 'mail.from', 'Example <no-reply@example.com>'],
  ['REKEY_ISSUER', 'id.example.com', 'issuer', 'https://id.example.com'],
  ['REKEY_HOST', '0.0.0.0:9000', 'http.host', '0.0.0.0'],
  ['REKEY_METRICS_HOST', 'not_an/ip', 'metrics.host', '0.0.0.0'],
  ['REKEY_SHUTDOWN_DELAY', '9999d', 'http.shutdownDelay', '1h'],
  ['REKEY_SECRET', '$REKEY_SECRET_OF_THIS_INSTALLATION', 'secrets.0', 'placeholder'],
  ['REKEY_PORT', 'tcp://10.0.0.1:9000', 'http.port', 'whole number'],
]

describe.each(slips)('%s=%s', (variable, value, option, form) => {
  test('is refused alike by all commands, in words, and makes no file', async () => {
    for (const command of commands) {
      const { code, stdout, stderr } = await call(command, { ...sound(), [variable]: value })
      expect([command, code, stdout]).toEqual([command, 1, ''])
      const lines = stderr.split('\n').filter((line) => line.startsWith(`  - ${option}: `))
      expect(lines).toHaveLength(1)
      expect(lines[0]).toContain(form)
      expect(lines[0]).toContain(`(from ${variable})`)
      expect(stderr).not.toMatch(/should not have happened|unexpected error|^ {4}at |canary/m)
    }
    expect(readdirSync(folder)).toEqual([])
  })
})

test('everything that is wrong is reported in one round', async () => {
  const env = {
    ...Object.fromEntries(slips.map(([variable, value]) => [variable, value])),
    REKEY_SECRET: '',
    REKEY_SECRET_FILE: 'gone',
    REKEY_API_TOKEN: 'short',
    REKEY_LOG_LEVEL: 'loud',
    REKEY_MAIL_TEMPLATES: 'nowhere',
  }
  const clients = [{ id: 'shop', label: 'Shop', redirectUris: ['/cb'], emailMagicLinkRedirectUri: '/cb' }]
  const people = [{ login: 'ada' }]
  writeFileSync(
    join(folder, 'rekey.config.json'),
    JSON.stringify({ clients, people, lifetimes: { code: '0s' } }),
  )
  const named = async (command: string) => {
    const { stderr } = await call(command, env)
    return new Set(stderr.split('\n').flatMap((line) => /^ {2}- ([\w.]+)/.exec(line)?.[1] ?? []))
  }
  const values = [
    ...slips.flatMap(([variable, , option]) => (variable === 'REKEY_SECRET' ? [] : [option])),
    'secrets',
    'management.apiToken',
    'log.level',
    'clients.0.redirectUris.0',
    'clients.0.emailMagicLinkRedirectUri',
    'people.0.login',
    'lifetimes.code',
  ]
  for (const command of ['serve', 'config --check', 'migrate'])
    expect(await named(command)).toEqual(new Set([...values, 'mail.templates']))
  for (const command of ['doctor', 'user list']) expect(await named(command)).toEqual(new Set(values))
})

test.each(['memory', ':memory:', 'sqlite::memory:', ''])(
  'DATABASE_URL=%s is refused where data must stay',
  async (url) => {
    for (const command of ['serve', 'config --check', 'migrate', 'user list']) {
      const { code, stderr } = await call(command, { ...sound(), DATABASE_URL: url })
      expect([command, code]).toEqual([command, 1])
      expect(stderr).toContain('DATABASE_URL')
    }
    expect(readdirSync(folder)).toEqual([])
  },
)

test('an empty DATABASE_URL does not mean the data of rekey dev', async () => {
  const data = join(folder, '.rekey')

  mkdirSync(data)
  await (await startEngine({ database: `sqlite:${join(data, 'rekey.db')}` })).close()
  const { code, stderr } = await call('user list', { DATABASE_URL: '' })
  expect([code, stderr]).toEqual([1, expect.stringContaining('DATABASE_URL is set and empty')])
})

describe('an address to listen on that is not of this machine', () => {
  const foreign = '203.0.113.77'

  test('is refused by serve and by its check, in words', async () => {
    expect(JSON.stringify(networkInterfaces())).not.toContain(foreign)
    for (const [command, host] of [
      ['serve', foreign],
      ['migrate', foreign],
      ['config --check', foreign],
      ['config --check', 'no-such-host.invalid'],
    ] as const) {
      const { code, stdout, stderr } = await call(command, { ...sound(), REKEY_HOST: host })
      expect((await call(command, { ...sound(), REKEY_METRICS_HOST: host })).stderr).toMatch(
        /- metrics\.host: this machine cannot listen on \S+ \(E\w+\);.* \(from REKEY_METRICS_HOST\)/,
      )
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(
        /- http\.host: this machine cannot listen on \S+ \(E\w+\);.* \(from REKEY_HOST\)/,
      )
      expect(stderr).not.toMatch(/^ {4}at /m)
    }
    expect(existsSync(join(folder, 'rekey.db'))).toBe(false)
  })
})

describe('the path of an SQLite database', () => {
  const refusedBy = async (path: string, commands: readonly string[], env: Record<string, string> = {}) => {
    const said = new Set<string>()
    for (const command of commands) {
      const { code, stdout, stderr } = await call(command, {
        ...sound(),
        ...env,
        DATABASE_URL: `sqlite:${path}`,
      })
      expect([command, code, stdout]).toEqual([command, 1, ''])
      said.add(stderr)
    }
    return [...said]
  }

  test('is refused in one sentence where it can be no database, and nothing is made or written', async () => {
    const text = join(folder, 'passwd')
    writeFileSync(text, 'root:x:0:0:root:/root:/bin/sh\n')
    const cases = [
      [folder, `${folder} is a folder, and must be a file`],
      [text, `${text} is not an SQLite database`],
      ['/dev/null', '/dev/null is no file'],
      [join(folder, 'no/such/rekey.db'), `the folder of the file does not exist: ${join(folder, 'no/such')}`],
      [join(text, 'rekey.db'), `the folder of the file does not exist: ${text}`],
    ] as const
    for (const [path, words] of cases) {
      expect(await refusedBy(path, ['serve', 'config --check', 'migrate', 'user list', 'clock'])).toEqual([
        `rekey: the configuration cannot be used:\n  - database.url: ${words} (from DATABASE_URL)\n`,
      ])
    }
    expect(readdirSync(folder)).toEqual(['passwd'])
    expect(readFileSync(text, 'utf8')).toBe('root:x:0:0:root:/root:/bin/sh\n')
  })

  test('may name a file that is not there yet only where the command migrates', async () => {
    const path = join(folder, 'new.db')
    const [said, ...others] = await refusedBy(path, ['serve', 'config --check'], { REKEY_MIGRATE: 'false' })
    expect(said).toContain(
      `${path} does not exist, and without migrating none is made: run rekey migrate first`,
    )
    expect(others).toEqual([])
    expect(await refusedBy(path, ['serve --migrate=false'])).toEqual([said])
    expect(readdirSync(folder)).toEqual([])
    const migrated = await call('migrate', {
      ...sound(),
      DATABASE_URL: `sqlite:${path}`,
      REKEY_MIGRATE: 'false',
    })
    expect(migrated).toMatchObject({ code: 0 })
    const checked = await call('config --check', {
      ...sound(),
      DATABASE_URL: `sqlite:${path}`,
      REKEY_MIGRATE: 'false',
    })
    expect(checked).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('a first secret that serve refuses', () => {
  const short = 'of twenty characters'
  const way = /secrets: the first must have 32 characters or more; .* put a new one before it/

  test('is refused by every command that could bind a database to it, and nothing is made', async () => {
    writeFileSync(join(folder, 'x.jsonl'), '')
    for (const command of [
      'serve',
      'config --check',
      'migrate',
      'import x.jsonl',
      'user list',
      'clock --reset',
    ]) {
      const { code, stderr } = await call(command, { ...sound(), REKEY_SECRET: short })
      expect([command, code, stderr]).toEqual([command, 1, expect.stringMatching(way)])
    }
    expect(readdirSync(folder)).toEqual(['x.jsonl'])
  })

  test('has a way out where a database is bound to it: a new one in front', async () => {
    const settings = {
      database: { url: sound().DATABASE_URL ?? '' },
      secrets: [short],
      mode: 'development' as const,
    } satisfies Settings
    const core = await openCore(checkConfig(settings), { log: silentLogger })
    await core.seed()
    await core.storage.close()
    const both = { ...sound(), REKEY_SECRET: `a new secret of 32 characters or more,${short}` }
    expect(await call('migrate', both)).toMatchObject({ code: 0 })
    expect(await call('config --check', both)).toMatchObject({ code: 0, stderr: '' })
    expect(await call('user list', sound())).toMatchObject({ code: 1 })
  })
})

test('migrate needs no address and no mail server, but what is set must be what serve takes', async () => {
  const { DATABASE_URL = '', REKEY_SECRET = '' } = sound()
  const unsafe = {
    ...sound(),
    REKEY_ISSUER: 'http://id.example.com',
    REKEY_SECRET: `insecure-dev-only-${REKEY_SECRET}`,
  }
  const { code, stderr } = await call('migrate', unsafe)
  expect([code, stderr.match(/^ {2}- \w+/gm)]).toEqual([1, ['  - secrets', '  - issuer']])
  expect(readdirSync(folder)).toEqual([])
  expect(await call('migrate', { DATABASE_URL, REKEY_SECRET })).toMatchObject({ code: 0, stderr: '' })
})

test('the widget as the page is refused where its package is not there, and taken where it is', async () => {
  const write = (widget: object) =>
    writeFileSync(join(folder, 'rekey.config.json'), JSON.stringify({ pages: 'widget', widget }))
  write({})
  for (const command of ['serve', 'config --check']) {
    const { code, stderr } = await call(command, sound())
    expect([command, code]).toEqual([command, 1])
    expect(stderr).toContain(
      '  - widget.package: is not set, and @okta/okta-signin-widget is not installed here: `npm install @okta/okta-signin-widget` (pages: widget)',
    )
  }
  const installed = writeWidgetPackage()
  write({ package: installed, generation: 4 })
  expect((await call('config --check', sound())).stderr).toContain('widget.generation: must be 3 or less')
  write({ package: installed, language: 'xx' })
  expect((await call('config --check', sound())).stderr).toContain(
    'widget.language: is none that the widget has',
  )
  write({ package: installed, language: 'de' })
  expect((await call('config --check', sound())).code).toBe(0)
  rmSync(installed, { recursive: true })
})

test('doctor and config count what serve would refuse', async () => {
  const wrong = { ...sound(), REKEY_HOST: '203.0.113.77', REKEY_MAIL_TEMPLATES: 'nowhere', REKEY_ISSUER: '' }
  const { stderr } = await call('serve', wrong)
  const reasons = stderr.match(/^ {2}- /gm)?.length ?? 0
  expect(reasons).toBeGreaterThan(2)
  for (const command of ['doctor', 'config']) {
    expect((await call(command, wrong)).stderr).toContain(`would refuse this for ${reasons} reasons`)
  }
})

test('a sound configuration passes', async () => {
  const { code, stderr } = await call('config --check', {
    ...sound(),
    REKEY_MAIL_FROM: 'Acme <no-reply@acme.example>',
    REKEY_TRUSTED_ORIGINS: 'https://App.Example.com/',
    REKEY_TRUSTED_PROXIES: '10.0.0.0/8,::1',
  })
  expect([code, stderr]).toEqual([0, ''])
})

test('several PostgreSQL servers pass, and are shown without the password', async () => {
  const { code, stdout } = await call('config --check', {
    ...sound(),
    DATABASE_URL: 'POSTGRES://rekey:canary@h1:5432,h2:5432/db?target_session_attrs=read-write',
  })
  expect(code).toBe(0)
  expect(stdout).toContain('POSTGRES://rekey:hidden@h1:5432,h2:5432/db?target_session_attrs=read-write')
})

test('the API token of --url may stand in a file', async () => {
  const idp = await startEngine()
  try {
    writeFileSync(join(folder, 'token'), `\ufeff${idp.apiToken}\r\n`)
    const line = `pull --url ${idp.engineUrl}`
    const pulled = await call(line, { REKEY_API_TOKEN_FILE: 'token' })
    expect([pulled.code, pulled.stdout]).toEqual([0, expect.stringContaining('resources:')])
    const both = await call(line, { REKEY_API_TOKEN: idp.apiToken, REKEY_API_TOKEN_FILE: 'token' })
    expect([both.code, both.stderr]).toEqual([1, expect.stringContaining('not both')])
    const gone = await call(line, { REKEY_API_TOKEN_FILE: 'gone' })
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('(from REKEY_API_TOKEN_FILE)')])
  } finally {
    await idp.close()
  }
})
