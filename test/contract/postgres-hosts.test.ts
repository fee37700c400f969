import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openStorage, run, type Storage } from '../../src/storage/index.ts'
import { callCommand } from '../cli/terminal.ts'
import {
  clusterIn,
  control,
  findPostgresPrograms,
  noPostgres,
  removeCluster,
} from '../support/postgres-cluster.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const found = findPostgresPrograms()
// A link to one program stands alone; the others are beside its target.
const programs = found && dirname(realpathSync(join(found, 'pg_ctl')))
const title = 'an address with several PostgreSQL servers'

/** What `control` runs the programs of PostgreSQL as: the owner of the data. */
const ownerOf = (folder: string) => {
  const { uid, gid } = statSync(join(folder, 'data'))
  return process.getuid?.() === 0 ? { uid, gid } : {}
}

/** Runs a program of PostgreSQL as the owner of a cluster. */
function postgres(program: string, args: readonly string[], folder: string): void {
  execFileSync(join(programs ?? '', program), args, { cwd: folder, stdio: 'ignore', ...ownerOf(folder) })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe.skipIf(programs === undefined)(
  programs === undefined ? `${title} (skipped, ${noPostgres})` : title,
  () => {
    let primary: string
    let standby: string
    const opened: Storage[] = []

    beforeAll(async () => {
      primary = mkdtempSync(join(tmpdir(), 'rekey-primary-'))
      standby = mkdtempSync(join(tmpdir(), 'rekey-standby-'))
      await clusterIn(primary)
      const { uid, gid } = statSync(join(primary, 'data'))
      mkdirSync(join(standby, 'data'), { mode: 0o700 })
      for (const path of [standby, join(standby, 'data')]) chownSync(path, uid, gid)
      writeFileSync(join(standby, 'log'), '')
      chownSync(join(standby, 'log'), uid, gid)
      const from = ['-h', primary, '-U', 'rekey', '-D', join(standby, 'data')]
      postgres('pg_basebackup', [...from, '-R', '-X', 'stream', '-c', 'fast'], standby)
      appendFileSync(
        join(standby, 'data', 'postgresql.auto.conf'),
        `unix_socket_directories = '${standby}'\nhot_standby = on\n`,
      )
      control(standby, 'start')
    })
    afterAll(async () => {
      for (const storage of opened.splice(0)) await storage.close()
      for (const folder of [primary, standby]) if (folder !== undefined) removeCluster(folder)
    })

    const open = async (query: string, authority = 'rekey@') => {
      const storage = await openStorage({ url: `postgres://${authority}/postgres?${query}`, poolSize: 3 })
      opened.push(storage)
      return storage
    }
    const note = (storage: Storage, key: string) =>
      storage.transaction(async (tx) => {
        await tx.insertInto('settings').values({ key, value: '' }).execute()
      })
    const isStandby = async ({ db }: Storage) => {
      const [row] = await run<{ standby: boolean }>(db, 'select pg_is_in_recovery() as standby', [])
      return row?.standby
    }

    test('writes to the primary, wherever it stands among them', async () => {
      const storage = await open(`host=${standby},${primary}`)
      await storage.migrate()
      await note(storage, 'first')
      expect(await isStandby(storage)).toBe(false)
      const other = await open(`host=/nowhere,${standby},${primary}&target_session_attrs=primary`)
      await note(other, 'second')
    })

    test('takes the first that answers where any is asked for, as libpq does', async () => {
      const storage = await open(`host=/nowhere,${standby},${primary}&target_session_attrs=any`)
      expect(await isStandby(storage)).toBe(true)
    })

    test('is an outage where no server takes writes', async () => {
      const storage = await open(`host=${standby},/nowhere`)
      await expect(note(storage, 'never')).rejects.toMatchObject({ status: 503 })
    })

    /** What a command on a database says of its address. */
    const saidOf = async (url: string) => {
      const env = { DATABASE_URL: url, REKEY_SECRET: 'a master secret of 32 characters or more' }
      const { code, stderr } = await callCommand(['migrate'], { folder: tmpdir(), env })
      expect(code).toBe(1)
      expect(stderr).not.toMatch(/unexpected error|temporarily/)
      return stderr
    }

    test('is explained by a command where no server takes writes', async () => {
      // Replayed: a standby that lacks a migration refuses to run it, in other words.
      const replica = await openStorage({ url: `postgres://rekey@/postgres?host=${standby}` })
      opened.push(replica)
      await expect.poll(async () => (await replica.schemaState()).pending).toEqual([])
      for (const query of [`host=${standby},/nowhere`, `host=${standby}`]) {
        expect(await saidOf(`postgres://rekey@/postgres?${query}`)).toMatch(
          /takes no writes|no server answers/,
        )
      }
    })

    test('does not try the next server where the first refuses the user', async () => {
      const storage = await open(`host=${primary},${standby}`, 'unknown@')
      const error = await note(storage, 'never').catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ status: 503, cause: { code: '28000' } })
    })

    test('goes on at the standby once it is promoted and the primary is gone', async () => {
      const storage = await open(`host=${primary},${standby}`)
      await Promise.all(['a', 'b', 'c'].map((key) => note(storage, `before-${key}`)))
      postgres('pg_ctl', ['stop', '-D', join(primary, 'data'), '-m', 'immediate', '-w'], primary)
      postgres('pg_ctl', ['promote', '-D', join(standby, 'data'), '-w'], standby)
      const began = performance.now()
      for (;;) {
        const error = await note(storage, 'after').then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        if (error === undefined) break
        expect(error).toMatchObject({ status: 503 })
        if (performance.now() - began > 120_000) throw error
        await pause(50)
      }
      expect(await isStandby(storage)).toBe(false)
    })

    describe('with TLS', () => {
      let port: number
      let root: string

      beforeAll(async () => {
        port = await freePort()
        const data = join(standby, 'data')
        root = join(data, 'server.crt')
        const key = join(data, 'server.key')
        const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
        execFileSync(
          'openssl',
          [
            'req',
            '-x509',
            '-newkey',
            'rsa:2048',
            '-nodes',
            '-days',
            '2',
            ...subject,
            '-keyout',
            key,
            '-out',
            root,
          ],
          { stdio: 'ignore' },
        )
        const { uid, gid } = statSync(data)
        for (const path of [root, key]) chownSync(path, uid, gid)
        chmodSync(key, 0o600)
        appendFileSync(
          join(data, 'postgresql.auto.conf'),
          `listen_addresses = '127.0.0.1'\nport = ${port}\nssl = on\n`,
        )
        control(standby, 'stop')
        control(standby, 'start')
      })

      /** Whether a connection is encrypted, or the error that it ends with. */
      async function encrypted(host: string, query: string): Promise<unknown> {
        const storage = await open(query, `rekey@${host}:${port}`)
        try {
          const [row] = await run<{ ssl: boolean }>(
            storage.db,
            'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
            [],
          )
          return row?.ssl
        } catch (error) {
          return (error as { cause?: Error }).cause ?? error
        }
      }

      test('a certificate that is not verified is explained by a command', async () => {
        expect(await saidOf(`postgres://rekey@localhost:${port}/postgres?sslmode=verify-full`)).toMatch(
          /^rekey: the TLS connection fails \(DEPTH_ZERO_SELF_SIGNED_CERT\).*sslrootcert/,
        )
      })

      test('sslmode does what libpq documents', async () => {
        expect(await encrypted('127.0.0.1', 'sslmode=disable')).toBe(false)
        expect(await encrypted('127.0.0.1', 'sslmode=require')).toBe(true)
        expect(await encrypted('localhost', 'sslmode=verify-full')).toHaveProperty(
          'code',
          'DEPTH_ZERO_SELF_SIGNED_CERT',
        )
        expect(await encrypted('localhost', `sslmode=verify-full&sslrootcert=${root}`)).toBe(true)
        expect(await encrypted('127.0.0.1', `sslmode=verify-ca&sslrootcert=${root}`)).toBe(true)
        // As libpq: with a root certificate it is verify-ca.
        expect(await encrypted('127.0.0.1', `sslmode=require&sslrootcert=${root}`)).toBe(true)
        expect(await encrypted('127.0.0.1', `sslmode=verify-full&sslrootcert=${root}`)).toMatchObject({
          code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        })
      })
    })
  },
)
