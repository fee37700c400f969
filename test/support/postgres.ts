import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, inject, test } from 'vitest'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { clusterIn, hasPostgres, noPostgres } from './postgres-cluster.ts'

/** An empty database of one test's own. */
export interface TestDatabase {
  /** For `openStorage`, also in other processes. */
  readonly url: string
  drop(): Promise<void>
}

export interface DatabaseKind {
  readonly name: 'sqlite' | 'postgres'
  /** Why it cannot be had here, and how to get it. */
  readonly skipped?: string
  /** An empty database without tables. */
  create(): Promise<TestDatabase>
  /** An empty migrated database; closing it drops it. */
  open(): Promise<Storage>
}

const given = process.env.DATABASE_URL

/** Both databases. Contract suites iterate over them, best with `onEachDatabase`. */
export const databases: readonly DatabaseKind[] = [
  kind('sqlite', createSqlite),
  { ...kind('postgres', createPostgres), ...(hasPostgres() ? {} : { skipped: noPostgres }) },
]

/**
 * Describes the same facts for each database. Without a PostgreSQL its part is skipped, or fails where it is required.
 * In the pass that runs everything on one database (REKEY_TEST_DATABASE) it describes nothing: the first pass has run both.
 */
export function onEachDatabase(title: string, facts: (database: DatabaseKind) => void): void {
  if (process.env.REKEY_TEST_DATABASE) return
  for (const database of databases) {
    if (database.skipped === undefined) {
      describe(`${title} (${database.name})`, () => facts(database))
    } else if (process.env.REKEY_REQUIRE_POSTGRES === '1') {
      test(`${title} (${database.name})`, () => {
        throw new Error(database.skipped)
      })
    } else {
      describe.skip(`${title} (${database.name}; skipped, ${database.skipped})`, () => facts(database))
    }
  }
}

function kind(name: DatabaseKind['name'], create: () => Promise<TestDatabase>): DatabaseKind {
  return {
    name,
    create,
    async open() {
      const { url, drop } = await create()
      const storage = await openStorage({ url })
      await storage.migrate()
      const close = async (): Promise<void> => {
        await storage.close()
        await drop()
      }
      return { ...storage, close }
    },
  }
}

async function createSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-sqlite-'))
  return {
    url: `sqlite:${join(folder, 'rekey.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function createPostgres(): Promise<TestDatabase> {
  const server = given ?? (await clusterIn(inject('postgresFolder')))
  const name = `rekey_test_${randomBytes(8).toString('hex')}`
  await administer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(server, `drop database if exists ${name} with (force)`) }
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
