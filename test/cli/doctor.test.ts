import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDevData } from '../../src/cli/dev/data.ts'
import { openStorage } from '../../src/storage/index.ts'
import { startEngine } from '../../src/testing/index.ts'
import { visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { startNode } from '../support/nodes.ts'
import { rekey } from './rekey.ts'
import { callCommand } from './terminal.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const asks = 'the users of an app are distinguished'

async function findings(database: string): Promise<readonly { asks: string; result: string; why: string }[]> {
  const env = { DATABASE_URL: database, REKEY_SECRET: 'a secret of tests only: 0123456789 0123456789' }
  const { stdout } = await rekey(['doctor', '--json'], { folder, env })
  return JSON.parse(stdout)
}

test('names the apps that vouch for no address of their users', async () => {
  const database = `sqlite:${join(folder, 'rekey.db')}`
  const idp = await startEngine({ database })
  await visit(idp, { headers: { 'x-forwarded-for': '192.0.2.1' } })
  await visit(idp, { client: idp.publicClientId })
  const own = async () => (await findings(database)).find((finding) => finding.asks.startsWith(asks))
  expect(await own()).toMatchObject({ result: 'met' })

  await visit(idp)
  await idp.close()
  expect(await own()).toMatchObject({ result: 'deviates', why: expect.stringContaining(`${idp.clientId};`) })
})

test('says nothing of apps where there is no database yet, and makes none', async () => {
  const own = await findings(`sqlite:${join(folder, 'missing.db')}`)
  expect(own.filter((finding) => finding.asks.startsWith(asks))).toEqual([])
  expect(own.length).toBeGreaterThan(10)
})

const env = (database: string) => ({
  DATABASE_URL: database,
  REKEY_SECRET: 'a secret of tests only: 0123456789 0123456789',
  REKEY_ISSUER: 'https://id.example.com',
  SMTP_URL: 'smtp://127.0.0.1:1',
  REKEY_HOST: '127.0.0.1',
})
const call = (line: string, settings: Readonly<Record<string, string>>) =>
  callCommand(line.split(' '), { folder, env: settings })

test('says once, and in the words of migrate, why the database cannot be asked', async () => {
  const settings = env('postgres://u:canary@127.0.0.1:1/x')
  const migrated = await call('migrate', settings)
  const reason = migrated.stderr.replace(/^rekey: /, '').trim()
  expect(reason).toMatch(/^no server answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)/)
  for (const line of ['doctor', 'config --check']) {
    const { code, stderr } = await call(line, settings)
    expect([line, code, stderr]).toEqual([line, 0, `rekey: the database could not be asked: ${reason}\n`])
  }
})

test('opens the database once', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const settings = env(`postgres://u:canary@127.0.0.1:${port}/x`)
  const opened = async (line: string) => {
    connections = 0
    const { stderr } = await call(line, settings)
    expect(stderr.match(/could not be asked/g)).toHaveLength(1)
    return connections
  }
  try {
    const least = await opened('config --check')
    expect(least).toBeGreaterThan(0)
    expect(await opened('doctor')).toBe(least)
  } finally {
    server.close()
  }
})

test('says whether this version runs on the schema, as config --check does', async () => {
  const settings = env(`sqlite:${join(folder, 'rekey.db')}`)
  const storage = await openStorage({ url: settings.DATABASE_URL })
  const schema = async (more = {}) => {
    const [{ code, stdout }, checked] = [
      await call('doctor --json', { ...settings, ...more }),
      await call('config --check', { ...settings, ...more }),
    ]
    const found = (JSON.parse(stdout) as { id: string; result: string; why: string }[]).find(
      ({ id }) => id === 'schema',
    )
    return { code, checked: [checked.code, checked.stderr], result: found?.result, why: found?.why }
  }
  try {
    // Makes the file; it has no tables yet.
    await sql`pragma user_version`.execute(storage.db)
    const pending = await schema()
    expect(pending).toMatchObject({ code: 0, result: 'deviates' })
    expect(pending.why).toMatch(/^database: not up to date \(0001-initial, .*rekey serve migrates it/)
    expect(pending.checked).toEqual([0, `rekey: ${pending.why}\n`])
    const refused = await schema({ REKEY_MIGRATE: 'false' })
    expect(refused).toMatchObject({ code: 1, checked: [1, `rekey: ${refused.why}\n`], result: 'deviates' })

    await call('migrate', settings)
    expect(await schema()).toEqual({ code: 0, checked: [0, ''], result: 'met', why: 'it is up to date' })

    await sql`insert into kysely_migration values ('9999-newer', '2026-01-02')`.execute(storage.db)
    const newer = await schema()
    expect(newer).toMatchObject({ code: 1, checked: [1, `rekey: ${newer.why}\n`], result: 'deviates' })
    expect(newer.why).toMatch(/migrated by a newer version of Rekey \(9999-newer\)/)
  } finally {
    await storage.close()
  }
})

test('reads the policies, apps and notices of the database, not what the configuration began with', async () => {
  const database = `sqlite:${join(folder, 'rekey.db')}`
  const idp = await startEngine({ database })
  const of = async (id: string) => {
    const { stdout } = await call('doctor --json', { ...env(database), SMTP_URL: '' })
    const all = JSON.parse(stdout) as { id: string; result: string; why: string; shownBy: string }[]
    const found = all.find((finding) => finding.id === id)
    return [found?.result, found?.why, found?.shownBy]
  }
  try {
    expect(await of('6.2.1')).toEqual(['met', 'at least 12', 'system'])
    const settings = { password: { complexity: { minLength: 4 }, age: {} } }
    const api = apiOf(idp)
    const { id } = (await api('GET', '/policies?type=PASSWORD')).list[0] ?? {}
    const { body } = await api('GET', `/policies/${id}`)
    expect((await api('PUT', `/policies/${id}`, { ...body, settings })).status).toBe(200)
    expect(await of('6.2.1')).toEqual(['deviates', 'a password policy allows 4', 'system'])
    expect(await of('4.1.3')).toEqual([
      'deviates',
      `insecureLocalhostRedirects: ${idp.publicClientId}`,
      'system',
    ])
    expect((await of('2.3.1'))[2]).toBe('tests')

    const { stdout } = await call('doctor --json', {
      ...env(database),
      SMTP_URL: 'smtp://127.0.0.1:1',
    })
    const lost = JSON.parse(stdout) as { id: string; result: string; why: string }[]
    expect(lost.find((finding) => finding.id === '6.3.7')).toMatchObject({
      result: 'deviates',
      why: expect.stringMatching(/^no notice can leave: mail\.url: /),
    })
  } finally {
    await idp.close()
  }
})

test('in a folder of rekey dev it asks the database there, and says so', async () => {
  const none = await call('doctor --json', {})
  expect(none.stderr).toContain('no database is configured here, so the settings alone are checked')
  const data = await openDevData(folder, '.rekey', 'rekey dev')
  const settings = { database: { url: data.databaseUrl }, secrets: [data.secret] }
  await (await startNode({ settings })).close()
  await data.release()
  const asked = async (line: string, settings: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await call(line, settings)
    const own = JSON.parse(stdout) as { id: string; result: string; why: string }[]
    return { code, stderr, ofPolicies: own.find(({ id }) => id === '6.2.1') }
  }
  const found = await asked('doctor --json')
  expect(found.code).toBe(0)
  expect(found.stderr).toContain('asks the database of rekey dev in .rekey/')
  expect(found.ofPolicies?.why).not.toContain('no database was asked')
  // A configured one comes first, unless the folder is named.
  const configured = env(`sqlite:${join(folder, 'missing.db')}`)
  expect(await asked('doctor --json', configured)).toMatchObject({
    stderr: expect.not.stringContaining('rekey dev'),
    ofPolicies: { why: expect.stringContaining('no database was asked') },
  })
  expect((await asked('doctor --json --data .rekey', configured)).ofPolicies?.why).not.toContain(
    'no database',
  )
  const wrong = await call('doctor --data elsewhere', {})
  expect([wrong.code, wrong.stderr]).toEqual([1, 'rekey: rekey dev has stored no data in elsewhere\n'])
})
