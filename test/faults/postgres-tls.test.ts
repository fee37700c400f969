import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import {
  clusterIn,
  findPostgresPrograms,
  giveAway,
  noPostgres,
  removeCluster,
} from '../support/postgres-cluster.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const has = findPostgresPrograms() !== undefined && hasOpenssl
if (!has)
  console.warn(`TLS to PostgreSQL is skipped: ${hasOpenssl ? noPostgres : 'no openssl on this machine'}`)

describe.skipIf(!has && process.env.REKEY_REQUIRE_POSTGRES !== '1')('TLS to PostgreSQL', () => {
  let folder: string
  let files: string
  let port: number
  const file = (name: string) => join(files, name)

  function openssl(...args: readonly string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { cwd: files, encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }

  beforeAll(async () => {
    files = mkdtempSync(join(tmpdir(), 'rekey-tls-'))
    for (const name of ['ca', 'other']) {
      const subject = ['-subj', `/CN=The ${name} of a test`, '-days', '1']
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
        ...subject,
      )
    }
    writeFileSync(file('names'), 'subjectAltName=DNS:localhost')
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'server.key',
      '-out',
      'server.csr',
      '-subj',
      '/CN=db',
    )
    const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'names']
    openssl('x509', '-req', '-in', 'server.csr', ...signer, '-out', 'server.pem')
    chmodSync(files, 0o755)
    chmodSync(file('server.key'), 0o600)
    giveAway(file('server.key'))

    folder = mkdtempSync(join(tmpdir(), 'rekey-pg-tls-'))
    port = await freePort()
    await clusterIn(folder, {
      settings: {
        listen_addresses: '127.0.0.1',
        port: String(port),
        ssl: 'on',
        ssl_cert_file: file('server.pem'),
        ssl_key_file: file('server.key'),
      },
    })
  })
  afterAll(() => {
    removeCluster(folder)
    rmSync(files, { recursive: true })
  })

  const opened = async <T>(
    host: string,
    parameters: string,
    work: (storage: Storage) => Promise<T>,
  ): Promise<T> => {
    const storage = await openStorage({ url: `postgres://rekey@${host}:${port}/postgres?${parameters}` })
    try {
      return await work(storage)
    } finally {
      await storage.close()
    }
  }
  const cipherOf = async ({ db }: Storage) =>
    (
      await sql<{ ssl: boolean; version: string }>`
        select ssl, version from pg_stat_ssl where pid = pg_backend_pid()`.execute(db)
    ).rows[0]

  test('with the authority that signed the certificate: encrypted, the checks of readiness as well', () =>
    opened('localhost', `sslmode=verify-full&sslrootcert=${file('ca.pem')}`, async (storage) => {
      expect(await cipherOf(storage)).toMatchObject({ ssl: true, version: 'TLSv1.3' })
      expect(await storage.checks.database()).toBe('ok')
    }))

  test.each([
    ['another authority', 'localhost', 'other.pem', /verify|signature|self/i],
    ['a name that is not in the certificate', '127.0.0.1', 'ca.pem', /altnames|does not match/i],
  ])('with %s: refused, and never in clear', async (_what, host, authority, message) => {
    const parameters = `sslmode=verify-full&sslrootcert=${file(authority)}`
    await opened(host, parameters, async (storage) => {
      const error = await cipherOf(storage).catch((reason) => reason)
      expect(error).toMatchObject({ status: 503, detail: expect.stringMatching(message) })
      expect(await storage.checks.database()).toBe('unreachable')
    })
  })
})

/** One that is free at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
