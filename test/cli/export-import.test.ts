import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openStorage } from '../../src/storage/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { databases, type TestDatabase } from '../support/postgres.ts'
import { sdk } from '../support/sdk.ts'
import { start } from './rekey.ts'
import { callCommand } from './terminal.ts'

// What the kit's engines are made with: the hashes of apps' secrets hang on it.
const secret = 'only for tests: everybody knows this secret'
const password = 'Lighthouse-Biscuit-77'

let folder: string
const made: TestDatabase[] = []
let there: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-export-'))
  there = await filled()
})
afterEach(async () => {
  for (const database of made.splice(0)) await database.drop()
})
afterAll(() => rmSync(folder, { recursive: true }))

const rekey = (line: string, url: string, env: Readonly<Record<string, string>> = {}) =>
  callCommand(line.split(' '), { folder, env: { DATABASE_URL: url, REKEY_SECRET: secret, ...env } })

/** An installation with people, groups, apps and policies of its own, exported to a file. */
async function filled(): Promise<string> {
  const url = `sqlite:${join(folder, 'first.db')}`
  const idp = await startEngine({ database: url, settings: { signUp: { open: false } } })
  const api = apiOf(idp)
  const { id: staff } = (await api('POST', '/groups', { profile: { name: 'Staff' } })).body
  for (const name of ['ada', 'grace', 'Ångström']) {
    const login = `${name}@example.com`
    const profile = {
      login,
      email: `${name === 'Ångström' ? 'angstrom' : name}@example.com`,
      firstName: name,
    }
    await api('POST', '/users', {
      profile,
      credentials: { password: { value: password } },
      groupIds: [staff],
    })
  }
  const policy = await api('POST', '/policies', {
    type: 'PASSWORD',
    name: 'Staff',
    conditions: { people: { groups: { include: [staff] } } },
    settings: { password: { complexity: { minLength: 20 } } },
  })
  const selfServicePasswordReset = {
    access: 'ALLOW',
    requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
  }
  const rule = { type: 'PASSWORD', name: 'By mail', actions: { selfServicePasswordReset } }
  await api('POST', `/policies/${policy.body.id}/rules`, rule)
  const { id: app } = (
    await api('POST', '/apps', {
      label: 'Portal',
      signOnMode: 'OPENID_CONNECT',
      profile: { team: 'x' },
      settings: { oauthClient: { redirect_uris: [], grant_types: ['implicit'], consent_method: 'REQUIRED' } },
    })
  ).body
  await api('POST', `/apps/${app}/grants`, { scopeId: 'okta.myAccount.profile.read' })
  await api('POST', '/trustedOrigins', {
    name: 'Shop',
    origin: 'https://shop.example.com',
    scopes: [{ type: 'CORS' }],
  })
  await api('POST', '/meta/schemas/user/default', {
    definitions: { custom: { properties: { shoeSize: { title: 'Shoe size', type: 'integer' } } } },
  })
  await idp.close()
  const { code, stderr } = await rekey('export first.jsonl', url)
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/^exported: [34] settings, 2 groups, 4 users, 4 enrollments, /),
  ])
  return url
}

const linesOf = (file: string) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')
const sorted = (file: string) => linesOf(file).slice(1).toSorted()

/** A database with nothing in it. */
async function empty(name: string): Promise<string> {
  const kind = databases.find((database) => database.name === name)
  if (kind === undefined || kind.skipped !== undefined) throw new Error(`there is no ${name}`)
  const database = await kind.create()
  made.push(database)
  return database.url
}

async function signsIn(url: string, login: string): Promise<string> {
  const idp: Kit = await startEngine({ database: url, people: [] })
  const { status } = await sdk(idp).idx.authenticate({ username: login, password })
  await idp.close()
  return status
}

const hasPostgres = databases.some(({ name, skipped }) => name === 'postgres' && skipped === undefined)
const route = hasPostgres ? ['postgres', 'sqlite'] : ['sqlite', 'sqlite']

test(`an installation moves from SQLite to ${route.join(' to ')}, and nothing of it changes but the moment of the export`, async () => {
  let file = 'first.jsonl'
  for (const name of route) {
    const url = await empty(name)
    const { code, stdout, stderr } = await rekey(`import ${file}`, url)
    expect([code, stderr, stdout]).toEqual([
      0,
      '',
      expect.stringMatching(/^added \d+, replaced 0, unchanged 0, refused 0\n$/),
    ])
    const next = `after-${name}.jsonl`
    expect((await rekey(`export ${next} --force`, url)).code).toBe(0)
    expect(sorted(next)).toEqual(sorted(file))

    // Once more changes nothing; no user is there twice.
    expect((await rekey(`import ${file}`, url)).stdout).toMatch(
      /^added 0, replaced 0, unchanged \d+, refused 0\n$/,
    )
    for (const login of ['ada@example.com', 'ångström@example.com'])
      expect(await signsIn(url, login)).toBe('SUCCESS')
    expect(await signsIn(url, 'nobody@example.com')).not.toBe('SUCCESS')
    file = next
  }
})

test('what administrators changed of the default policies holds after a move, until the configuration changes', async () => {
  const url = await empty(route[0] ?? 'sqlite')
  const from = `sqlite:${join(folder, 'edited.db')}`
  const settings = { resources: { groups: [{ profile: { name: 'Guests', description: 'of the file' } }] } }
  const idp = await startEngine({ database: from, people: [], settings })
  const api = apiOf(idp)
  const rulesOf = async (of: Kit, type: string) => {
    const [policy] = (await apiOf(of)('GET', `/policies?type=${type}`)).list
    const path = `/policies/${policy?.id}/rules`
    return { path, rule: (await apiOf(of)('GET', path)).list[0] }
  }
  const edits = {
    OKTA_SIGN_ON: {
      signon: { access: 'ALLOW', session: { usePersistentCookie: false, maxSessionIdleMinutes: 7 } },
    },
    PROFILE_ENROLLMENT: { profileEnrollment: { access: 'ALLOW', unknownUserAction: 'DENY' } },
  }
  for (const [type, actions] of Object.entries(edits)) {
    const { path, rule } = await rulesOf(idp, type)
    const { status, text } = await api('PUT', `${path}/${rule?.id}`, { ...rule, actions })
    expect([status, text]).toEqual([200, expect.any(String)])
  }
  const { list } = await api('GET', '/groups?q=Guests')
  const edited = { profile: { name: 'Guests', description: 'of an administrator' } }
  expect((await api('PUT', `/groups/${list[0]?.id}`, edited)).status).toBe(200)
  await idp.close()

  expect((await rekey('export edited.jsonl', from)).code).toBe(0)
  expect((await rekey('import edited.jsonl', url)).stdout).toMatch(/refused 0/)
  const seen = async (more: object) => {
    const there = await startEngine({ database: url, people: [], settings: { ...settings, ...more } })
    const signOn = (await rulesOf(there, 'OKTA_SIGN_ON')).rule
    const signUp = (await rulesOf(there, 'PROFILE_ENROLLMENT')).rule
    const groups = (await apiOf(there)('GET', '/groups?q=Guests')).text
    await there.close()
    return [
      JSON.stringify(signOn).includes('"maxSessionIdleMinutes":7'),
      JSON.stringify(signUp).includes('"unknownUserAction":"DENY"'),
      groups.includes('of an administrator'),
    ]
  }
  expect(await seen({})).toEqual([true, true, true])
  expect(await seen({ policies: { password: { complexity: { minLength: 12 } } } })).toEqual([
    false,
    true,
    true,
  ])
})

test('the policy of a group holds after a move, whatever ids the other installation had made for what is built in', async () => {
  const url = `sqlite:${join(folder, 'second.db')}`
  // An engine has been here already: Everyone and the built-in policies have ids of their own.
  await (await startEngine({ database: url, people: [] })).close()
  const { stdout, stderr } = await rekey('import first.jsonl --replace', url)
  expect([stdout, stderr]).toEqual([expect.stringMatching(/refused 0\n$/), ''])

  const idp = await startEngine({ database: url, people: [] })
  const groups = await apiOf(idp)('GET', '/groups')
  const named = (groups.body as unknown as { profile: { name: string } }[]).map(({ profile }) => profile.name)
  expect(named.toSorted()).toEqual(['Everyone', 'Staff'])
  const auth = sdk(idp)
  await auth.idx.recoverPassword({ username: 'ada@example.com', authenticators: ['okta_email'] })
  const { code } = await idp.outbox.waitFor({ to: 'ada@example.com' })
  await auth.idx.proceed({ verificationCode: code ?? '' })
  expect((await auth.idx.proceed({ password: 'Umbrella-Rocket-31' })).status).toBe('PENDING')
  expect((await auth.idx.proceed({ password: 'Umbrella-Rocket-of-the-31st' })).status).toBe('SUCCESS')
  await idp.close()
})

test('a file is readable by its owner alone, is not written over by accident, and holds no secret in clear', async () => {
  expect(statSync(join(folder, 'first.jsonl')).mode & 0o777).toBe(0o600)
  expect(await rekey('export first.jsonl', there)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/--force/),
  })
  const text = readFileSync(join(folder, 'first.jsonl'), 'utf8')
  for (const clear of [password, 'Tangerine-Kettle-42', 'rekey-web-secret', secret])
    expect(text).not.toContain(clear)
  for (const kind of ['session', 'event', 'transaction', 'artifact', 'signing', 'apiToken']) {
    expect(text).not.toContain(`"kind":"${kind}`)
  }
})

test('a line that differs from the database is refused with its number, unless --replace is given', async () => {
  const url = await empty('sqlite')
  expect((await rekey('import first.jsonl', url)).code).toBe(0)
  const changed = linesOf('first.jsonl').map((line) => line.replace('"firstName":"ada"', '"firstName":"Ada"'))
  const number = changed.findIndex((line) => line.includes('"firstName":"Ada"')) + 1
  writeFileSync(join(folder, 'changed.jsonl'), changed.join('\n'))

  const { code, stderr, stdout } = await rekey('import changed.jsonl', url)
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(/^added 0, replaced 0, unchanged \d+, refused 1\n$/),
  ])
  expect(stderr).toContain(`changed.jsonl:${number}: differs from the row in the database\n`)

  const dry = await rekey('import changed.jsonl --replace --dry-run', url)
  expect(dry.stdout).toMatch(/^would be added 0, replaced 1, /)
  expect((await rekey('import changed.jsonl --replace', url)).stdout).toMatch(/^added 0, replaced 1, /)
  expect((await rekey('import changed.jsonl', url)).stdout).toMatch(
    /^added 0, replaced 0, unchanged \d+, refused 0/,
  )
})

test.each(route)('a dry run says what the run then does, and leaves an empty %s empty', async (name) => {
  const [head = '', ...rest] = linesOf('first.jsonl')
  const person = JSON.parse(rest.find((line) => line.includes('"firstName":"ada"')) ?? '')
  const more = [
    JSON.stringify({ ...person, id: '00uother' }),
    '{"kind":"membership","group_id":"00gnone","person_id":"00unone"}',
    ...rest.slice(0, 3),
  ]
  writeFileSync(join(folder, 'some.jsonl'), [head, ...rest, ...more].join('\n'))
  const url = await empty(name)
  const file = url.replace('sqlite:', '')
  const tables = async () => {
    const storage = await openStorage({ url })
    const { pending } = await storage.schemaState()
    await storage.close()
    return pending.length
  }
  const migrations = name === 'postgres' ? await tables() : 0

  const dry = await rekey('import some.jsonl --dry-run', url)
  if (name === 'sqlite') expect(existsSync(file)).toBe(false)
  else expect(await tables()).toBe(migrations)
  const run = await rekey('import some.jsonl', url)
  expect([run.code, run.stdout]).toEqual([1, `added ${rest.length}, replaced 0, unchanged 3, refused 2\n`])
  expect([dry.code, dry.stdout, dry.stderr]).toEqual([1, `would be ${run.stdout}`, run.stderr])

  // The same of a database that has something in it, of which nothing is changed.
  expect((await rekey('export before.jsonl --force', url)).code).toBe(0)
  const people = [0, 1].map((n) => {
    const login = `new${n}@example.com`
    return JSON.stringify({
      ...person,
      id: `00unew${n}`,
      profile: { ...person.profile, login, email: login },
    })
  })
  writeFileSync(join(folder, 'more.jsonl'), [head, ...people, ...more].join('\n'))
  const second = await rekey('import more.jsonl --dry-run', url)
  expect((await rekey('export after.jsonl --force', url)).code).toBe(0)
  expect(sorted('after.jsonl')).toEqual(sorted('before.jsonl'))
  expect(second.stdout).toBe(`would be ${(await rekey('import more.jsonl', url)).stdout}`)
  expect(second.stdout).toBe('would be added 2, replaced 0, unchanged 3, refused 2\n')
})

test('an export into a folder that does not exist says so', async () => {
  const { code, stderr } = await rekey('export no/such/x.jsonl', there)
  expect([code, stderr]).toEqual([1, expect.stringContaining('no/such/x.jsonl cannot be written: ')])
  expect(stderr).not.toMatch(/unexpected error|\.part|^ {4}at /m)
})

test('invalid lines are reported one by one without their content; all others are imported', async () => {
  const url = await empty('sqlite')
  const [head = '', ...rest] = linesOf('first.jsonl')
  const person = JSON.parse(rest.find((line) => line.includes('"firstName":"ada"')) ?? '')
  const broken = [
    ['not JSON', 'is not a JSON object'],
    ['[1]', 'is not a JSON object'],
    ['{"kind":"session"}', 'has an unknown kind'],
    ['{"kind":"constructor"}', 'has an unknown kind'],
    [JSON.stringify({ ...person, id: '00uother', status: 'KING' }), 'status: is not a user status'],
    [JSON.stringify({ ...person, id: 7 }), 'id: must be a text'],
    [JSON.stringify({ ...person, surprise: 1 }), 'surprise: there is no such member'],
    [
      JSON.stringify({ ...person, profile: { login: 'x' } }),
      'email: must be in the form of an email address',
    ],
    [JSON.stringify({ ...person, id: '00uother' }), 'a name that must be unique is in use already'],
    ['{"kind":"setting","key":"oidc.signing_key","value":"x"}', 'is a setting that cannot be imported'],
    [
      '{"kind":"membership","group_id":"00gnone","person_id":"00unone"}',
      'refers to a row of groups that does not exist',
    ],
    [`{"kind":"person","id":"${'x'.repeat(10_000_000)}"}`, 'is longer than 1048576 characters'],
    [`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 'has an unknown kind'],
  ]
  writeFileSync(join(folder, 'broken.jsonl'), [head, ...rest, ...broken.map(([line]) => line)].join('\n'))

  const { code, stdout, stderr } = await rekey('import broken.jsonl', url)
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(new RegExp(`^added ${rest.length}, .* refused ${broken.length}\n$`)),
  ])
  for (const [index, [, why]] of broken.entries())
    expect(stderr).toContain(`broken.jsonl:${rest.length + 2 + index}: ${why}\n`)
  expect(stderr.length).toBeLessThan(2000)
})

test('a file that is not an export, of a newer version or of another secret is refused before anything is changed', async () => {
  const url = await empty('sqlite')
  const [head = '', ...rest] = linesOf('first.jsonl')
  const files: readonly (readonly [name: string, text: string, why: RegExp])[] = [
    ['empty.jsonl', '', /is not an export of rekey/],
    ['noise.jsonl', '\u0000\u0001\ufffd', /is not in UTF-8/],
    [
      'newer.jsonl',
      [head.replace('"version":4', '"version":5'), ...rest].join('\n'),
      /newer version of rekey: its format is 5, and this version reads up to 4/,
    ],
  ]
  for (const [name, text, why] of files) {
    writeFileSync(join(folder, name), text)
    expect(await rekey(`import ${name}`, url)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(why),
      stdout: '',
    })
  }
  expect(await rekey('import nowhere.jsonl', url)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no such file/),
  })

  const other = { REKEY_SECRET: 'another secret of another installation' }
  expect(await rekey('import first.jsonl', url, other)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/another REKEY_SECRET/),
  })
  expect((await rekey('import first.jsonl --without-secrets', url, other)).code).toBe(0)
  expect((await rekey('export without.jsonl', url, other)).code).toBe(0)
  expect(
    linesOf('without.jsonl')
      .filter((line) => line.startsWith('{"kind":"client"'))
      .every((line) => line.includes('"secrets":[]')),
  ).toBe(true)
})

test('an import that is killed in the middle leaves whole batches, and is simply run again', async () => {
  const [head = '', ...rest] = linesOf('first.jsonl')
  const person = JSON.parse(rest.find((line) => line.includes('"firstName":"ada"')) ?? '')
  const many = Array.from({ length: 20_000 }, (_, index) => {
    const login = `p${index}@example.com`
    return JSON.stringify({
      ...person,
      id: `00u-${index}`,
      profile: { ...person.profile, login, email: login },
    })
  })
  writeFileSync(join(folder, 'many.jsonl'), [head, ...many].join('\n'))
  const url = await empty('sqlite')
  const child = start(['import', 'many.jsonl'], { folder, env: { DATABASE_URL: url, REKEY_SECRET: secret } })

  const storage = await openStorage({ url })
  const people = async (): Promise<number> => {
    const { rows } = await sql<{ n: number }>`select count(*) as n from people`.execute(storage.db)
    return rows[0]?.n ?? 0
  }
  await expect.poll(() => people().catch(() => 0), { timeout: 30_000, interval: 5 }).toBeGreaterThan(0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const before = await people()
  await storage.close()
  expect(before).toBeLessThan(many.length)
  expect(before % 200).toBe(0)

  const { stdout } = await rekey('import many.jsonl', url)
  expect(stdout).toBe(`added ${many.length - before}, replaced 0, unchanged ${before}, refused 0\n`)
})

test('users in the shape of the Okta API come with the hashes that they have, as an array or one a line', async () => {
  const user = (name: string, hash?: object) => ({
    status: 'ACTIVE',
    profile: { login: `${name}@example.com`, email: `${name}@example.com`, firstName: name },
    ...(hash && { credentials: { password: { hash }, provider: { type: 'OKTA', name: 'OKTA' } } }),
  })
  // SHA-256 of a salt and Tangerine-Kettle-42.
  const hash = {
    algorithm: 'SHA-256',
    salt: 'c29tZXNhbHQxMjM0NTY3OA==',
    saltOrder: 'PREFIX',
    value: 'ODjMbDhvdI0VPYYJNSM3SXPzEbK/pJCR0BZhLgbfiFg=',
  }
  const users = [user('ada', hash), user('grace'), user('eve', { algorithm: 'CRYPT', value: 'x' }), 7]
  writeFileSync(join(folder, 'users.json'), JSON.stringify(users, null, 2))
  writeFileSync(join(folder, 'users.jsonl'), users.map((one) => JSON.stringify(one)).join('\n'))

  for (const file of ['users.json', 'users.jsonl']) {
    const url = `sqlite:${join(folder, `${file}.db`)}`
    const { code, stdout, stderr } = await rekey(`import --okta ${file}`, url)
    expect([code, stdout]).toEqual([1, 'added 2, replaced 0, unchanged 0, refused 2\n'])
    expect(stderr).toContain(`${file}:3: password.hash.algorithm: `)
    expect(stderr).toContain(`${file}:4: is not a user\n`)
    const again = await rekey(`import --okta ${file}`, url)
    expect(again.stdout).toBe('added 0, replaced 0, unchanged 0, refused 4\n')

    const idp = await startEngine({ database: url, people: [] })
    const signIn = sdk(idp).idx.authenticate({ username: 'ada@example.com', password: 'Tangerine-Kettle-42' })
    expect((await signIn).status).toBe('SUCCESS')
    expect((await apiOf(idp)('GET', '/users/grace@example.com')).body.status).toBe('STAGED')
    await idp.close()
  }
})

test('of users with the same name the first line gets it, and a reason that many lines share is printed with their number', async () => {
  // Each login eleven times, among others: the first of them is the one that has a last name.
  const users = Array.from({ length: 660 }, (_, n) => {
    const login = `p${n % 60}@example.com`
    return { profile: { login, email: login, firstName: 'P', ...(n < 60 && { lastName: 'First' }) } }
  })
  writeFileSync(join(folder, 'alike.jsonl'), users.map((user) => JSON.stringify(user)).join('\n'))
  const url = `sqlite:${join(folder, 'alike.db')}`
  const { code, stdout, stderr } = await rekey('import --okta alike.jsonl', url)
  expect([code, stdout]).toEqual([1, 'added 60, replaced 0, unchanged 0, refused 600\n'])
  const taken = 'login: An object with this field already exists in the current organization'
  const lines = stderr.trimEnd().split('\n')
  expect(lines).toHaveLength(5)
  expect(lines.slice(0, 3)).toEqual(
    [61, 62, 63].map((line) => `alike.jsonl:${line}: ${taken}; ${taken.replace('login', 'email')}`),
  )
  expect(lines[3]).toMatch(/^alike\.jsonl:64: login: .*; 597 lines, the last of them 660$/)
  const storage = await openStorage({ url })
  const { rows } = await sql<{ n: number }>`select count(*) as n from people
    where profile like '%"lastName":"First"%'`.execute(storage.db)
  expect(rows[0]?.n).toBe(60)
  await storage.close()
})

test('an export that is interrupted leaves nothing behind, one that is killed a part that its owner alone can read', async () => {
  const url = `sqlite:${join(folder, 'large.db')}`
  const storage = await openStorage({ url })
  await storage.migrate()
  await sql`with recursive n(n) as (select 1 union all select n + 1 from n where n < 150000)
    insert into settings (key, value) select 'schema.' || n, '{}' from n`.execute(storage.db)
  await storage.close()
  const part = join(folder, 'large.jsonl.part')
  const env = { DATABASE_URL: url, REKEY_SECRET: secret }
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const) {
    const child = start(['export', 'large.jsonl'], { folder, env })
    await expect.poll(() => existsSync(part), { timeout: 30_000, interval: 5 }).toBe(true)
    expect(statSync(part).mode & 0o777).toBe(0o600)
    child.kill(signal)
    const [ended] = await once(child, 'exit')
    expect([signal, ended]).toEqual([signal, code])
    expect([signal, existsSync(part)]).toEqual([signal, signal === 'SIGKILL'])
    expect(existsSync(join(folder, 'large.jsonl'))).toBe(false)
  }
  const again = await rekey('export large.jsonl', url)
  expect([again.code, again.stderr]).toEqual([0, 'exported: 150000 settings\n'])
  expect(existsSync(part)).toBe(false)
})

test('a file that Windows wrote is imported, and one in UTF-16 is named as such', async () => {
  const url = await empty('sqlite')
  const user = (name: string) =>
    JSON.stringify({ profile: { login: `${name}@example.com`, email: `${name}@example.com` } })
  const mark = '\uFEFF'
  writeFileSync(join(folder, 'marked.json'), `${mark}[${user('ann')}]`)
  writeFileSync(join(folder, 'marked.jsonl'), `${mark}${user('bob')}\n${user('eve')}\n`)
  writeFileSync(join(folder, 'export.jsonl'), mark + readFileSync(join(folder, 'first.jsonl'), 'utf8'))
  writeFileSync(join(folder, 'utf16.json'), Buffer.from(`${mark}[${user('ann')}]`, 'utf16le'))

  expect((await rekey('import --okta marked.json', url)).stdout).toContain('added 1')
  expect((await rekey('import --okta marked.jsonl', url)).stdout).toContain('added 2')
  expect(await rekey('import export.jsonl', url)).toMatchObject({ code: 0, stderr: '' })
  for (const line of ['import --okta utf16.json', 'import utf16.json']) {
    const { code, stderr } = await rekey(line, url)
    expect([code, stderr]).toEqual([1, expect.stringContaining('utf16.json: is not in UTF-8 (UTF-16?)')])
  }
})
