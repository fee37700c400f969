import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

// A PostgreSQL of the test run's own, made from the machine's programs: it listens on a socket in its own folder only,
// and, unless asked, forgets durability. The first worker that needs it starts it; the run's end stops it.

const debianFolder = '/usr/lib/postgresql'

/** Where the machine's PostgreSQL programs are, the newest where there are several, or undefined. */
export function findPostgresPrograms(): string | undefined {
  const installed = existsSync(debianFolder)
    ? readdirSync(debianFolder)
        .sort((left, right) => Number(right) - Number(left))
        .map((version) => join(debianFolder, version, 'bin'))
    : []
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...installed]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')))
}

export const hasPostgres = (): boolean =>
  process.env.DATABASE_URL !== undefined || findPostgresPrograms() !== undefined

export const noPostgres =
  'no PostgreSQL: set DATABASE_URL to one where databases may be created, or install it (apt-get install postgresql)'

/** PostgreSQL refuses to run as root, so root switches to another user for it. */
export function runAs(): { readonly uid: number; readonly gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = (
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find((line) => line.startsWith(`${name}:`)) ?? ''
    ).split(':')
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('root needs a user named postgres or nobody to run PostgreSQL')
}

function run(program: string, args: readonly string[], cwd: string): void {
  // No pipes: the server that pg_ctl leaves behind would keep them open, and this would wait for it.
  const log = openSync(join(cwd, 'log'), 'a')
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', log, log], ...runAs() })
  closeSync(log)
  if (error !== undefined) throw error
  if (status !== 0)
    throw new Error(`${program} failed:\n${readFileSync(join(cwd, 'log'), 'utf8').slice(-2000)}`)
}

export interface ClusterOptions {
  readonly durable?: boolean
  /** Settings of the server besides those of a cluster for tests. */
  readonly settings?: Readonly<Record<string, string>>
  /** The folder of the cluster that this one follows as a standby. */
  readonly follows?: string
}

/** The address of the cluster in a folder; started by the first caller, the others wait for it. */
export async function clusterIn(folder: string, options: ClusterOptions = {}): Promise<string> {
  const ready = join(folder, 'ready')
  const failed = join(folder, 'failed')
  if (!existsSync(ready) && isFirst(folder)) {
    try {
      startCluster(folder, options)
      writeFileSync(ready, '')
    } catch (error) {
      writeFileSync(failed, String(error))
    }
  }
  for (let waited = 0; !existsSync(ready); waited += 20) {
    if (existsSync(failed)) throw new Error(readFileSync(failed, 'utf8'))
    if (waited > 180_000) throw new Error('PostgreSQL did not start within three minutes')
    await pause(20)
  }
  return addressOf(folder)
}

/** The address of the cluster in a folder, whether it runs or not. */
export const addressOf = (folder: string, database = 'postgres'): string =>
  `postgres://rekey@localhost/${database}?host=${encodeURIComponent(folder)}`

/** The path of its Unix socket. */
export const socketOf = (folder: string): string => join(folder, '.s.PGSQL.5432')

function isFirst(folder: string): boolean {
  try {
    closeSync(openSync(join(folder, 'starting'), 'wx'))
    return true
  } catch {
    return false
  }
}

function startCluster(folder: string, { durable = false, settings = {}, follows }: ClusterOptions): void {
  const programs = findPostgresPrograms()
  if (programs === undefined) throw new Error('there is no PostgreSQL on this machine')
  giveAway(folder)
  writeFileSync(join(folder, 'log'), '')
  giveAway(join(folder, 'log'))
  const data = join(folder, 'data')
  if (follows === undefined) {
    const args = ['-D', data, '-U', 'rekey', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C']
    run(join(programs, 'initdb'), args, folder)
  } else {
    const args = ['-D', data, '-h', follows, '-U', 'rekey', '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
    // Links to some of the programs may stand elsewhere.
    run(join(dirname(realpathSync(join(programs, 'initdb'))), 'pg_basebackup'), args, folder)
  }
  const all = {
    listen_addresses: '',
    unix_socket_directories: folder,
    max_connections: '200',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`)
  // Of two lines the later one counts; it names a standby's primary.
  appendFileSync(join(data, 'postgresql.auto.conf'), lines.join(''))
  control(folder, 'start')
}

/** Makes a file or folder that of the user who runs the servers. */
export function giveAway(path: string): void {
  const { uid, gid } = runAs()
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

/**
 * Starts or stops the server of a folder, or makes a standby the primary. Stopping breaks off whatever is under way, as a
 * restart of the host would; `crash` is its sudden death.
 */
export function control(folder: string, order: 'start' | 'stop' | 'crash' | 'promote'): void {
  const programs = findPostgresPrograms()
  if (programs === undefined) throw new Error('there is no PostgreSQL on this machine')
  if (order === 'crash') {
    run(join(programs, 'pg_ctl'), ['stop', '-D', join(folder, 'data'), '-w', '-m', 'immediate'], folder)
    return
  }
  const how = order === 'stop' ? ['-m', 'fast'] : ['-t', '180']
  run(join(programs, 'pg_ctl'), [order, '-D', join(folder, 'data'), '-w', ...how], folder)
}

/** Stops the cluster of a folder, where one was started, and removes the folder. */
export function removeCluster(folder: string): void {
  const programs = findPostgresPrograms()
  if (programs !== undefined && existsSync(join(folder, 'data', 'postmaster.pid'))) {
    const args = ['stop', '-D', join(folder, 'data'), '-m', 'immediate', '-w']
    execFileSync(join(programs, 'pg_ctl'), args, { cwd: folder, stdio: 'ignore', ...runAs() })
  }
  rmSync(folder, { recursive: true, force: true })
}
