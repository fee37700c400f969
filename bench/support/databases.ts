import { readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { clusterIn, removeCluster } from '../../test/support/postgres-cluster.ts'

export interface BenchDatabase {
  readonly name: 'sqlite' | 'postgres'
  readonly url: string
  /** The CPU time of the database processes in milliseconds; 0 if the database is part of the engine's process. */
  cpuMs(): number
  /** Creates a copy. The database must not be open. Drop the copy before the original. */
  copy(): Promise<BenchDatabase>
  drop(): Promise<void>
}

/** Creates a database on disk with the durability of production. PostgreSQL: in `DATABASE_URL`, else in a new cluster. */
export const createDatabase = (name: BenchDatabase['name']): Promise<BenchDatabase> =>
  name === 'sqlite' ? createSqlite() : createPostgres()

async function createSqlite(from?: string): Promise<BenchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'rekey-bench-'))
  const file = join(folder, 'rekey.db')
  // Closing the database has moved its write-ahead log into the file.
  if (from !== undefined) await copyFile(from, file)
  return {
    name: 'sqlite',
    url: `sqlite:${file}`,
    cpuMs: () => 0,
    copy: () => createSqlite(file),
    drop: () => rm(folder, { recursive: true, force: true }),
  }
}

async function createPostgres(): Promise<BenchDatabase> {
  const configured = process.env.DATABASE_URL
  const folder = configured === undefined ? await mkdtemp(join(tmpdir(), 'rekey-bench-')) : undefined
  const server = configured ?? (await clusterIn(folder ?? '', { durable: true }))
  const postmaster = folder === undefined ? undefined : postmasterOf(folder)
  const first = await databaseIn(server, postmaster)
  return {
    ...first,
    async drop() {
      await first.drop()
      if (folder !== undefined) removeCluster(folder)
    },
  }
}

let databases = 0

async function databaseIn(
  server: string,
  postmaster: number | undefined,
  template?: string,
): Promise<BenchDatabase> {
  const url = new URL(server)
  const name = `rekey_bench_${process.pid}_${Date.now()}_${++databases}`
  url.pathname = `/${name}`
  await administer(server, `create database ${name} ${template === undefined ? '' : `template ${template}`}`)
  return {
    name: 'postgres',
    url: url.href,
    cpuMs: () => (postmaster === undefined ? 0 : cpuOfFamily(postmaster)),
    copy: () => databaseIn(server, postmaster, name),
    drop: () => administer(server, `drop database ${name} with (force)`),
  }
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

const postmasterOf = (folder: string): number =>
  Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])

/** The CPU time of a process, its children and its ended children (proc(5): utime, stime, cutime, cstime). */
function cpuOfFamily(parent: number): number {
  let ticks = 0
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const fields = statOf(entry)
    if (fields === undefined) continue
    const mine = Number(entry) === parent
    if (!mine && Number(fields[1]) !== parent) continue
    ticks += Number(fields[11]) + Number(fields[12])
    if (mine) ticks += Number(fields[13]) + Number(fields[14])
  }
  return ticks * 10
}

function statOf(pid: string): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // The process has ended in the meantime.
  }
}

/** Opens the database and creates missing tables. */
export async function openBenchStorage({ url }: BenchDatabase): Promise<Storage> {
  const storage = await openStorage({ url })
  await storage.migrate()
  return storage
}
