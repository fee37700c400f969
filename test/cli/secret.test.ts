import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createSecrets } from '../../src/base/index.ts'
import { commands } from '../../src/cli/commands.ts'
import { openStorage } from '../../src/storage/index.ts'
import { secret as corpusSecret, unpacked } from '../corpus/installation.ts'
import { dumpOf } from '../support/dump.ts'
import { type Ran, rekey } from './rekey.ts'
import { callCommand } from './terminal.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const right = 'a master secret of 32 characters or more'
const newer = 'a newer master secret of 32 characters or more'
const wrong = 'the master secret of another installation'
const versionOf = (secret: string) => createSecrets([secret]).version

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-secret-'))
  file = join(folder, 'rekey.db')
  const client = {
    id: 'shop',
    label: 'Shop',
    secret: 'a client secret for this test only',
    redirectUris: ['https://shop.example.com/login/callback'],
  }
  writeFileSync(
    join(folder, 'rekey.config.json'),
    JSON.stringify({ clients: [client], people: [{ login: 'ada@example.com' }] }),
  )
})
afterEach(() => rmSync(folder, { recursive: true }))

const env = (secret: string) => ({
  DATABASE_URL: `sqlite:${file}`,
  REKEY_SECRET: secret,
  REKEY_ISSUER: 'https://id.example.com',
  SMTP_URL: 'smtp://127.0.0.1:1',
  REKEY_HOST: '127.0.0.1',
  REKEY_PORT: '0',
})
/** The built command in a process of its own. */
const spawned = (words: string, secret: string, input?: string): Promise<Ran> =>
  rekey(words.split(' '), { folder, env: env(secret), ...(input !== undefined && { input }) })
const called = (words: string, secret: string) => callCommand(words.split(' '), { folder, env: env(secret) })

async function dump(): Promise<string> {
  const storage = await openStorage({ url: `sqlite:${file}` })
  try {
    return await dumpOf(storage)
  } finally {
    await storage.close()
  }
}

const refusal = {
  code: 1,
  stdout: '',
  stderr: expect.stringMatching(/REKEY_SECRET is not the secret of this database, and nothing was written/),
}

/** Every command that opens the database; `serve` and `migrate` run as processes of their own. */
const refused = [
  'user add eve@example.com --no-password',
  'invite eve@example.com --url http://localhost:3000',
  'user list',
  'user remove ada@example.com --yes',
  'user erase ada@example.com --yes',
  'user set-password ada@example.com',
  'user activate ada@example.com',
  'user factors list ada@example.com',
  'user factors remove ada@example.com x --yes',
  'user factors keep ada@example.com x',
  'user factors settle ada@example.com x',
  'user factors reset ada@example.com --yes',
  'token add ci',
  'token list',
  'token revoke x',
  'apply more.json --yes',
  'pull',
  'export again.jsonl',
  'import people.jsonl',
  'import --okta people.jsonl',
  'keys list',
  'keys rotate',
  'keys revoke x',
  'mail list',
  'mail show x',
  'mail retry x',
  'mail suppressions list',
  'mail suppressions remove ada@example.com',
  'clock',
  'clock --reset',
  'events',
  'trace x',
  'config --check',
]
/** `dev` makes its own secret; `doctor` shows everything else and has a test of its own. */
const others = ['dev', 'serve', 'migrate', 'doctor', 'completion']

describe('O-H1: with a wrong REKEY_SECRET', () => {
  test('every command is tried', () => {
    const untried = commands
      .map(({ name }) => name)
      .filter(
        (name) => !others.includes(name) && !refused.some((words) => `${words} `.startsWith(`${name} `)),
      )
    expect(untried).toEqual([])
  })

  test('no command starts, migrates, seeds or writes anything, and the message says which secret is meant', async () => {
    expect(await spawned('migrate', right)).toMatchObject({ code: 0 })
    expect(await called('keys rotate', right)).toMatchObject({ code: 0 })
    writeFileSync(
      join(folder, 'more.json'),
      JSON.stringify({ resources: { groups: [{ profile: { name: 'New' } }] } }),
    )
    expect(await called('export people.jsonl', right)).toMatchObject({ code: 0 })
    const before = await dump()

    for (const words of ['serve', 'serve --migrate=false', 'migrate']) {
      const ran = await spawned(words, wrong)
      expect(ran, words).toMatchObject(refusal)
      expect(ran.stderr).toContain(versionOf(right))
      expect(ran.stderr).toContain(versionOf(wrong))
      expect(ran.stderr).not.toContain(wrong)
    }
    expect(await spawned('user add bob@example.com', wrong, 'Tangerine-Kettle-42\n')).toMatchObject(refusal)
    for (const words of refused) {
      expect(await called(words, wrong), words).toMatchObject({ code: 1, stdout: '', stderr: refusal.stderr })
    }
    expect(await dump()).toBe(before)
    // Two secrets, of which none is it.
    expect(await called('token add ci', `${wrong},${newer}`)).toMatchObject(refusal)
    expect(await called('token list', `${wrong},${right}`)).toMatchObject({ code: 0 })
  })

  test('rekey clock --reset writes nothing into a database that this version must not write to either', async () => {
    const storage = await openStorage({ url: `sqlite:${file}` })
    const refusedWith = async (words: RegExp) => {
      const before = await dumpOf(storage)
      for (const command of ['clock', 'clock --reset']) {
        const ran = await called(command, right)
        expect(ran, command).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(words) })
      }
      expect(await dumpOf(storage)).toBe(before)
    }
    try {
      // Without tables, with migrations that are pending, and migrated by a version that says nothing of this one.
      await sql`pragma user_version`.execute(storage.db)
      await refusedWith(/database: not up to date \(0001-.*run rekey migrate/)
      await called('migrate', right)
      const ran = await called('clock --reset', right)
      expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing was changed') })
      await sql`delete from kysely_migration where name like '0010-%'`.execute(storage.db)
      await refusedWith(/database: not up to date \(0010-.*run rekey migrate/)
      await sql`insert into kysely_migration values ('0010-contracts', '2026-01-01'), ('9999-newer', '2026-01-02')`.execute(
        storage.db,
      )
      await refusedWith(/migrated by a newer version of Rekey \(9999-newer\)/)
    } finally {
      await storage.close()
    }
  })

  test('rekey doctor fails, and shows everything else', async () => {
    await called('migrate', right)
    const ran = await called('doctor --json', wrong)
    expect(ran).toMatchObject({ code: 1, stderr: refusal.stderr })
    const findings = JSON.parse(ran.stdout) as { id: string; result: string; why: string }[]
    expect(findings.find(({ id }) => id === 'REKEY_SECRET')).toMatchObject({
      result: 'deviates',
      why: expect.stringContaining(versionOf(right)),
    })
    expect(findings.length).toBeGreaterThan(10)
  })

  test('a database of an earlier version is not migrated', async () => {
    writeFileSync(file, unpacked('sqlite'))
    const before = await dump()

    expect(await spawned('migrate', wrong)).toMatchObject(refusal)
    expect(await spawned('serve', wrong)).toMatchObject(refusal)
    expect(await dump()).toBe(before)

    expect(await spawned('migrate', corpusSecret)).toMatchObject({ code: 0 })
    expect(await called('token list', corpusSecret)).toMatchObject({ code: 0 })
    expect(await called('token list', wrong)).toMatchObject(refusal)
  })
})

test('O-H2: rekey doctor shows what needs a secret that was replaced, and when it can be removed', async () => {
  const about = async (secret: string) => {
    const { code, stdout } = await called('doctor --json', secret)
    const findings = JSON.parse(stdout) as { id: string; result: string; why: string }[]
    const { result, why } = findings.find(({ id }) => id === 'REKEY_SECRET') ?? {}
    return { code, result, why }
  }
  await called('migrate', right)
  const added = JSON.parse((await called('token add ci --json', right)).stdout)
  expect(await about(right)).toEqual({
    code: 0,
    result: 'met',
    why: `the secret ${versionOf(right)} is the current one`,
  })
  expect((await about(`${right},${newer}`)).why).toContain(
    `the secret ${versionOf(newer)} can be put first once all nodes have it`,
  )

  await called('migrate', `${newer},${right}`)
  expect(await about(`${newer},${right}`)).toEqual({
    code: 0,
    result: 'met',
    why: `the secret ${versionOf(newer)} is the current one; keep the secret ${versionOf(right)} behind it, which is still needed (API tokens 1)`,
  })
  // Removed too early: the start is possible, and it is visible what was lost.
  expect(await about(newer)).toMatchObject({
    result: 'deviates',
    why: expect.stringContaining(`put the secret ${versionOf(right)} back`),
  })
  await called(`token revoke ${added.id}`, `${newer},${right}`)
  expect((await about(`${newer},${right}`)).why).toContain(
    `nothing needs the secret ${versionOf(right)} any more: remove it from REKEY_SECRET`,
  )
  expect(await called('migrate', newer)).toMatchObject({ code: 0 })
  expect(await called('migrate', right)).toMatchObject(refusal)
})

test('an export of an installation that has rotated its secret: what cannot be checked any more is refused by its line', async () => {
  await called('migrate', right)
  await called('export people.jsonl', right)
  const path = join(folder, 'people.jsonl')
  const replaced = `"hash":"${versionOf(newer)}.`
  const lines = readFileSync(path, 'utf8').replace(`"hash":"${versionOf(right)}.`, replaced)
  expect(lines).toContain(replaced)
  writeFileSync(path, lines)
  file = join(folder, 'other.db')

  const ran = await called('import people.jsonl', right)
  expect(ran.code).toBe(1)
  expect(ran.stderr).toMatch(/^people\.jsonl:\d+: secrets: are hashed with another REKEY_SECRET/m)
  expect(await called('import people.jsonl', `${right},${newer}`)).toMatchObject({ code: 0 })
})

test('an import that is refused leaves a new database to whichever secret comes first', async () => {
  writeFileSync(join(folder, 'noise.jsonl'), 'noise')
  expect(await called('import noise.jsonl', wrong)).toMatchObject({ code: 1 })
  expect(await called('migrate', right)).toMatchObject({ code: 0 })
  expect(await called('migrate', wrong)).toMatchObject(refusal)
})

test('a signing key that has leaked is ended by a command', async () => {
  await called('migrate', right)
  const { kid: first } = JSON.parse((await called('keys rotate --now --json', right)).stdout)
  const next = await called('keys rotate', right)
  expect(next.stderr).toMatch(/^published now; it signs in (60|5\d) s\n$/)
  const keys = async () =>
    (JSON.parse((await called('keys list --json', right)).stdout) as { kid: string; state: string }[]).map(
      ({ kid, state }) => ({ kid, state }),
    )
  const [, , retired] = await keys()
  expect(await keys()).toEqual([
    { kid: first, state: 'current' },
    { kid: next.stdout.trim(), state: 'next' },
    { kid: retired?.kid, state: 'retired' },
  ])

  const revoked = await called(`keys revoke ${first}`, right)
  expect(revoked).toMatchObject({ code: 0, stdout: next.stdout })
  expect(await keys()).toEqual([{ kid: next.stdout.trim(), state: 'current' }, retired])
  expect(await called(`keys revoke ${first}`, right)).toMatchObject({
    code: 1,
    stderr: `rekey: there is no key "${first}"; see: rekey keys list\n`,
  })
  expect((await called('events --type app.oauth2.as.key.revoke', right)).stdout).toContain(
    'app.oauth2.as.key.revoke',
  )
})
