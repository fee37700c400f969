import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStorage } from '../../src/storage/index.ts'
import { migrations } from '../../src/storage/migrations/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { databases, onEachDatabase } from '../support/postgres.ts'
import { findPostgresPrograms } from '../support/postgres-cluster.ts'
import { sdk } from '../support/sdk.ts'
import { callCommand } from './terminal.ts'

// What docs/deploy.md says about backup, restore, upgrade and rollback, done.

// What the kit's engines are made with.
const secret = 'only for tests: everybody knows this secret'
const password = 'Lighthouse-Biscuit-77'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-backup-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const add = (idp: Kit, login: string) =>
  apiOf(idp)('POST', '/users', {
    profile: { login, email: login },
    credentials: { password: { value: password } },
  })

/** Whether users sign in at an engine that is started on a database: `SUCCESS`, or what they get instead. */
async function signIns(url: string, logins: readonly string[]): Promise<readonly string[]> {
  const idp = await startEngine({ database: url, people: [] })
  const statuses: string[] = []
  for (const username of logins) {
    statuses.push((await sdk(idp).idx.authenticate({ username, password })).status)
  }
  await idp.close()
  return statuses
}

describe('a SQLite file that an engine is running on', () => {
  let path: string
  let idp: Kit
  beforeAll(async () => {
    path = join(folder, 'live.db')
    const url = `sqlite:${path}`
    const first = await startEngine({ database: url })
    await add(first, 'early@example.com')
    await first.close()
    idp = await startEngine({ database: url })
    await add(idp, 'late@example.com')
  })
  afterAll(() => idp.close())
  const both = ['early@example.com', 'late@example.com']
  const hasSqlite3 = spawnSync('sqlite3', ['--version']).status === 0

  const ways: Readonly<Record<string, (to: string) => unknown>> = {
    'sqlite3 .backup': (to) => execFileSync('sqlite3', [path, `.backup '${to}'`]),
    'VACUUM INTO': (to) => {
      const database = new DatabaseSync(path, { readOnly: true })
      database.exec(`vacuum into '${to}'`)
      database.close()
    },
    'the online backup of SQLite': async (to) => {
      const database = new DatabaseSync(path, { readOnly: true })
      await backup(database, to)
      database.close()
    },
  }
  for (const [index, [name, copy]] of Object.entries(ways).entries()) {
    const skipped = name === 'sqlite3 .backup' && !hasSqlite3
    test.skipIf(skipped)(
      `is backed up by ${name}${skipped ? ' (skipped: no sqlite3)' : ''}, users of the copy sign in`,
      async () => {
        const to = join(folder, `copy-${index}.db`)
        await copy(to)
        expect(await signIns(`sqlite:${to}`, both)).toEqual(['SUCCESS', 'SUCCESS'])
      },
    )
  }

  test('is not backed up by a copy of the file alone: what is in its -wal is missing', async () => {
    const to = join(folder, 'cp.db')
    copyFileSync(path, to)
    const [early, late] = await signIns(`sqlite:${to}`, both)
    expect([early, late === 'SUCCESS']).toEqual(['SUCCESS', false])
  })

  test('may be copied once the engine has ended: nothing is left in its -wal', async () => {
    const stopped = join(folder, 'stopped.db')
    const there = await startEngine({ database: `sqlite:${stopped}` })
    await add(there, 'late@example.com')
    await there.close()
    const to = join(folder, 'stopped-copy.db')
    copyFileSync(stopped, to)
    expect(await signIns(`sqlite:${to}`, ['late@example.com'])).toEqual(['SUCCESS'])
  })
})

const postgres = databases.find(({ name }) => name === 'postgres')
/** A program beside the server's, or of the machine. */
const program = (name: string): string | undefined =>
  [join(findPostgresPrograms() ?? '', name), name].find((path) => spawnSync(path, ['--version']).status === 0)
const [dumps, restores] = [program('pg_dump'), program('pg_restore')]
const noDump =
  postgres?.skipped ??
  (dumps === undefined || restores === undefined ? 'no pg_dump and pg_restore' : undefined)

test.skipIf(noDump !== undefined)(
  `a PostgreSQL database is backed up by pg_dump while an engine runs on it, users of the restored one sign in${noDump ? ` (skipped: ${noDump})` : ''}`,
  async () => {
    const [from, to] = await Promise.all([postgres?.create(), postgres?.create()])
    if (from === undefined || to === undefined || dumps === undefined || restores === undefined)
      throw new Error('there is no PostgreSQL')
    const idp = await startEngine({ database: from.url })
    await add(idp, 'ada@example.com')
    const dump = join(folder, 'rekey.dump')
    execFileSync(dumps, ['--format=custom', `--file=${dump}`, from.url])
    // What comes after the dump is not in it.
    await add(idp, 'later@example.com')
    await idp.close()
    execFileSync(restores, ['--no-owner', `--dbname=${to.url}`, dump])
    const [ada, later] = await signIns(to.url, ['ada@example.com', 'later@example.com'])
    expect([ada, later === 'SUCCESS']).toEqual(['SUCCESS', false])
    await Promise.all([from.drop(), to.drop()])
  },
)

onEachDatabase('after an upgrade', (database) => {
  const newer = (contract?: string) => ({
    ...migrations,
    '0098-of-a-newer-version': {
      ...(contract !== undefined && { contract }),
      up: async (db: Kysely<unknown>) => {
        await db.schema.alterTable('people').addColumn('shoe', 'text').execute()
      },
    },
  })
  const rekey = (line: string, url: string) =>
    callCommand(line.split(' '), { folder, env: { DATABASE_URL: url, REKEY_SECRET: secret } })

  test('the version before runs on where the newer one only expanded: its nodes serve, restart, and migrate nothing', async () => {
    const { url, drop } = await database.create()
    const idp = await startEngine({ database: url })
    await add(idp, 'ada@example.com')
    // Six at once, so that several connections have prepared what they run.
    const signIn = async () =>
      (await sdk(idp).idx.authenticate({ username: 'ada@example.com', password })).status
    const six = () => Promise.all(Array.from({ length: 6 }, signIn))
    expect(await six()).toEqual(Array(6).fill('SUCCESS'))
    const storage = await openStorage({ url })
    await storage.migrate({ migrations: newer() })
    await storage.close()
    // The node that still runs, and below one that restarts.
    expect(await six()).toEqual(Array(6).fill('SUCCESS'))
    expect((await add(idp, 'grace@example.com')).status).toBe(200)
    await idp.close()
    expect(await signIns(url, ['ada@example.com', 'grace@example.com'])).toEqual(['SUCCESS', 'SUCCESS'])

    const migrated = await rekey('migrate', url)
    expect(migrated).toMatchObject({ code: 0, stdout: 'up to date\n' })
    expect(migrated.stderr).toContain(
      'a newer version has migrated the database (0098-of-a-newer-version); this one can run on it',
    )
    expect((await rekey('user list', url)).code).toBe(0)
    await drop()
  })

  test('the version before says which migration shuts it out, whatever it is asked to do, and changes nothing', async () => {
    const { url, drop } = await database.create()
    await (await startEngine({ database: url })).close()
    const storage = await openStorage({ url })
    await storage.migrate({ migrations: newer('0098-of-a-newer-version') })
    // `user list` opens the database as `serve --migrate=false` does.
    for (const line of ['migrate', 'user list', 'import nothing.jsonl']) {
      const { code, stdout, stderr } = await rekey(line, url)
      expect([line, code, stdout]).toEqual([line, 1, ''])
      expect(stderr).toMatch(
        /^rekey: the database was migrated by a newer version of Rekey \(0098-of-a-newer-version\), and this one, .* cannot run on it: 0098-of-a-newer-version needs a version that knows 0098-of-a-newer-version\. Start the newer version again, or restore the backup from before the upgrade; see docs\/deploy\.md, "Upgrade and rollback"\n$/,
      )
    }
    await expect(startEngine({ database: url })).rejects.toThrow(/was migrated by a newer version/)
    await storage.close()
    await drop()
  })
})
