import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { DatabaseUrlError, openStorage, parseDatabaseUrl, tlsOptions } from './index.ts'

/** The words that an address is refused with. */
function problemOf(url: string): string {
  try {
    const address = parseDatabaseUrl(url)
    if (address.kind === 'postgres') tlsOptions(address.tls)
  } catch (error) {
    expect(error).toBeInstanceOf(DatabaseUrlError)
    return (error as Error).message
  }
  throw new Error(`${url} was taken`)
}

test.each([
  ['memory', { kind: 'memory' }],
  [':memory:', { kind: 'memory' }],
  ['sqlite::memory:', { kind: 'memory' }],
  ['sqlite:rekey.db', { kind: 'sqlite', path: 'rekey.db' }],
  ['sqlite:/var/lib/rekey/rekey.db', { kind: 'sqlite', path: '/var/lib/rekey/rekey.db' }],
  ['sqlite:///var/lib/rekey.db', { kind: 'sqlite', path: '/var/lib/rekey.db' }],
  ['SQLite:data/what is this?/rekey.db', { kind: 'sqlite', path: 'data/what is this?/rekey.db' }],
  [' sqlite:rekey.db\n', { kind: 'sqlite', path: 'rekey.db' }],
])('%j is a database', (url, address) => {
  expect(parseDatabaseUrl(url)).toEqual(address)
})

test.each([
  '',
  '   ',
  'rekey-db:5432',
  'rekey.db',
  './rekey.db',
  '/var/lib/rekey/rekey.db',
  'localhost',
  '$DATABASE_URL',
  '${DATABASE_URL}',
  'postgres://$DATABASE_HOST',
  '%DATABASE_URL%',
  '<the address>',
  '"postgres://u:canary@h/db"',
  "'sqlite:rekey.db'",
  'jdbc:postgresql://h/db',
  'mysql://u:canary@h/db',
  'file:rekey.db',
  'postgres',
  'postgres:u:canary@h/db',
  'postgresq://u:canary@h/db',
  'sqlite',
  'sqlite:',
  'sqlite: ',
  'sqlite:/var/lib/',
  'sqlite://rekey.db',
  'sqlite:file:x?mode=memory',
  'sqlite:rekey.db?mode=memory',
  'MEMORY',
])('%j is no database, and makes no file', async (url) => {
  expect(problemOf(url)).not.toContain('canary')
  await expect(openStorage({ url })).rejects.toThrow(DatabaseUrlError)
})

test('an address that is none is told the three forms', () => {
  expect(problemOf('rekey-db:5432')).toMatch(/postgres:\/\/.*sqlite:PATH.*memory/)
})

const at = (host: string, port = 5432) => ({ host, port })

test.each([
  ['postgres://u:p@h/db', [at('h')], 'any', { user: 'u', password: 'p', database: 'db' }],
  ['POSTGRES://u@h/db', [at('h')], 'any', { user: 'u', database: 'db' }],
  ['postgresql://h', [at('h')], 'any', {}],
  [
    'postgres://u:p%40%2F%25@h:6432/d%20b',
    [at('h', 6432)],
    'any',
    { user: 'u', password: 'p@/%', database: 'd b' },
  ],
  ['postgres://u:p@ss@h/db', [at('h')], 'any', { user: 'u', password: 'p@ss', database: 'db' }],
  ['postgres://[::1]:5433/db', [at('::1', 5433)], 'any', { database: 'db' }],
  ['postgres://%2Frun%2Fpostgresql/db', [at('/run/postgresql')], 'any', { database: 'db' }],
  ['postgres://u@localhost/db?host=/tmp/a%2Db', [at('/tmp/a-b')], 'any', { user: 'u', database: 'db' }],
  ['postgres:///db?host=h1,h2&port=1,2', [at('h1', 1), at('h2', 2)], 'read-write', { database: 'db' }],
  [
    'postgres://h1,h2:6000/db?target_session_attrs=any',
    [at('h1'), at('h2', 6000)],
    'any',
    { database: 'db' },
  ],
  ['postgres://h1,h2/db?port=6000', [at('h1', 6000), at('h2', 6000)], 'read-write', { database: 'db' }],
  [
    'postgres://h1:1,[::1]:2,h3:3/db',
    [at('h1', 1), at('::1', 2), at('h3', 3)],
    'read-write',
    { database: 'db' },
  ],
  ['postgres://h/db?target_session_attrs=primary', [at('h')], 'primary', { database: 'db' }],
  [
    'postgres://h/db?connect_timeout=3&application_name=a%20b&options=-c%20search_path%3Dx&statement_timeout=9',
    [at('h')],
    'any',
    {
      database: 'db',
      connectionTimeoutMillis: 3000,
      application_name: 'a b',
      options: '-c search_path=x',
      statement_timeout: 9,
    },
  ],
])('%s names servers', (url, hosts, session, settings) => {
  expect(parseDatabaseUrl(url)).toMatchObject({ kind: 'postgres', hosts, session })
  expect(parseDatabaseUrl(url)).toHaveProperty('settings', settings)
})

test.each([
  ['postgres:///db', /names no host/],
  ['postgres://u:canary@/db', /names no host/],
  ['postgres://h1,,h2/db', /names no host/],
  ['postgres://h1:5432,h2/db?host=a', /names hosts twice/],
  ['postgres://h1/db?host=h2', /names hosts twice/],
  ['postgres://h1/db?host=h1,h2', /names hosts twice/],
  ['postgres://h:0/db', /port/],
  ['postgres://h:65536/db', /port/],
  ['postgres://h:5432x/db', /port/],
  ['postgres://u:can/ary@h/db', /%2F/],
  ['postgres://u:can#ary@h/db', /%23/],
  ['postgres://u:can%zz@h/db', /%25/],
  ['postgres://u:p@${DB_HOST}/db', /a host that is neither/],
  ['postgres://h1,h2/db?port=1,2,3', /as many ports as hosts/],
  ['postgres://h/db?sslmod=require', /parameter sslmod, .* did you mean sslmode/],
  ['postgres://h/db?sslmode=require&sslmode=disable', /sslmode twice/],
  ['postgres://h/db?sslmode=prefer', /sslmode=prefer, which sends .* in clear/],
  ['postgres://h/db?sslmode=allow', /sslmode=allow, which sends .* in clear/],
  [
    'postgres://h/db?sslmode=canary',
    /unknown sslmode; supported: disable, require, verify-ca, verify-full \(and no-verify, which is require\)/,
  ],
  ['postgres://h/db?sslmode=verify-ca', /needs sslrootcert/],
  ['postgres://h/db?sslmode=require&sslrootcert=system', /needs sslmode=verify-full/],
  ['postgres://h/db?sslrootcert=/x', /add sslmode=verify-full/],
  ['postgres://h/db?sslmode=verify-full&sslcert=/x', /sslcert and sslkey together/],
  [
    'postgres://h/db?sslmode=verify-full&sslrootcert=/no/such',
    /sslrootcert=\/no\/such, which cannot be read \(ENOENT\)/,
  ],
  ['postgres://h/db?channel_binding=require', /channel_binding with a value .* disable, prefer/],
  ['postgres://h/db?gssencmode=require', /gssencmode/],
  ['postgres://h/db?connect_timeout=2147484', /connect_timeout, at most 86400/],
  ['postgres://h/db?keepalives_idle=999999999', /keepalives_idle, at most 86400/],
  ['postgres://h/db?connect_timeout=soon', /whole number of seconds as connect_timeout/],
  ['postgres://h1,h2/db?target_session_attrs=standby', /but the engine writes/],
  ['postgres://h1,h2/db?target_session_attrs=canary', /unknown target_session_attrs/],
  ['postgres://u:can?ary@h/db', /parameter/],
])('%s is refused in words, without its password', (url, words) => {
  expect(problemOf(url)).toMatch(words)
  expect(problemOf(url)).not.toMatch(/canary|can.ary/)
})

test('application_name has its fallback', () => {
  const nameOf = (query: string) => {
    const address = parseDatabaseUrl(`postgres://h/db?${query}`)
    return address.kind === 'postgres' ? address.settings.application_name : undefined
  }
  expect(nameOf('fallback_application_name=one')).toBe('one')
  expect(nameOf('fallback_application_name=one&application_name=two')).toBe('two')
})

describe('PGSSLMODE', () => {
  afterEach(() => void vi.unstubAllEnvs())
  const tls = (mode: string, query = '') => {
    vi.stubEnv('PGSSLMODE', mode)
    const address = parseDatabaseUrl(`postgres://h/db${query}`)
    return address.kind === 'postgres' ? tlsOptions(address.tls) : undefined
  }

  test('means what sslmode means, which overrides it', () => {
    expect(tls('')).toBeUndefined()
    expect(tls('disable')).toBe(false)
    expect(tls('require')).toMatchObject({ rejectUnauthorized: false })
    expect(tls('no-verify')).toMatchObject({ rejectUnauthorized: false })
    expect(tls('verify-full')).toMatchObject({ rejectUnauthorized: true })
    expect(tls('verify_full', '?sslmode=disable')).toBe(false)
    expect(tls('verify_full', '?ssl=true')).toMatchObject({ rejectUnauthorized: true })
  })

  test.each([
    ['verify_full', /^has an unknown PGSSLMODE; supported: disable, require, verify-ca, verify-full/],
    ['prefer', /^has PGSSLMODE=prefer, which sends .* in clear/],
    ['verify-ca', /^has PGSSLMODE=verify-ca, which needs sslrootcert/],
  ])('%s is refused, not taken for no TLS', (mode, words) => {
    vi.stubEnv('PGSSLMODE', mode)
    expect(problemOf('postgres://h/db')).toMatch(words)
  })
})

test('sslmode means what libpq documents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-pem-'))
  const file = join(folder, 'root.pem')
  try {
    writeFileSync(file, 'a secret in the wrong place')
    expect(problemOf(`postgres://h/db?sslmode=verify-ca&sslrootcert=${file}`)).toMatch(/is no file in PEM/)
    expect(problemOf(`postgres://h/db?sslmode=verify-ca&sslrootcert=${file}`)).not.toContain('secret')
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n')
    expect(problemOf(`postgres://h/db?sslmode=require&sslcert=${file}&sslkey=${file}`)).toMatch(
      /cannot be used/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
  const options = (query: string) => {
    const address = parseDatabaseUrl(`postgres://h/db${query}`)
    return address.kind === 'postgres' ? tlsOptions(address.tls) : undefined
  }
  expect(options('')).toBeUndefined()
  expect(options('?sslmode=disable')).toBe(false)
  expect(options('?sslmode=require')).toMatchObject({ rejectUnauthorized: false })
  expect(options('?sslmode=verify-full')).toMatchObject({ rejectUnauthorized: true })
  expect(options('?ssl=true')).toMatchObject({ rejectUnauthorized: true })
  expect(options('?ssl=0')).toBe(false)
})
