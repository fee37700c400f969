import { execFileSync, spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
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
function runAs(): { readonly uid: number; readonly gid: number } | Record<string, never> {
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

/** The address of the cluster in a folder; started by the first caller, the others wait for it. */
export async function clusterIn(
  folder: string,
  options: { readonly durable?: boolean } = {},
): Promise<string> {
  const ready = join(folder, 'ready')
  const failed = join(folder, 'failed')
  if (!existsSync(ready) && isFirst(folder)) {
    try {
      startCluster(folder, options.durable ?? false)
      writeFileSync(ready, '')
    } catch (error) {
      writeFileSync(failed, String(error))
    }
  }
  for (let waited = 0; !existsSync(ready); waited += 20) {
    if (existsSync(failed)) throw new Error(readFileSync(failed, 'utf8'))
    if (waited > 60_000) throw new Error('PostgreSQL did not start within a minute')
    await pause(20)
  }
  return `postgres://rekey@localhost/postgres?host=${encodeURIComponent(folder)}`
}

function isFirst(folder: string): boolean {
  try {
    closeSync(openSync(join(folder, 'starting'), 'wx'))
    return true
  } catch {
    return false
  }
}

function startCluster(folder: string, durable: boolean): void {
  const programs = findPostgresPrograms()
  if (programs === undefined) throw new Error('there is no PostgreSQL on this machine')
  const { uid, gid } = runAs()
  if (uid !== undefined && gid !== undefined) {
    chownSync(folder, uid, gid)
    writeFileSync(join(folder, 'log'), '')
    chownSync(join(folder, 'log'), uid, gid)
  }
  const data = join(folder, 'data')
  run(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'rekey', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    folder,
  )
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    max_connections: '200',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`)
  writeFileSync(join(data, 'postgresql.auto.conf'), lines.join(''))
  control(folder, 'start')
}

/** Starts or stops the server of a folder; stopping breaks off whatever is under way, as a restart of the host would. */
export function control(folder: string, order: 'start' | 'stop'): void {
  const programs = findPostgresPrograms()
  if (programs === undefined) throw new Error('there is no PostgreSQL on this machine')
  const how = order === 'start' ? ['-t', '60'] : ['-m', 'fast']
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
