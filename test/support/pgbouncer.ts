import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { giveAway, hasPostgres, noPostgres, runAs } from './postgres-cluster.ts'

/** Why no PgBouncer can be started here, or undefined. */
export function noPgBouncer(): string | undefined {
  if (spawnSync('pgbouncer', ['--version']).status !== 0) {
    return 'no PgBouncer on this machine (apt-get install pgbouncer)'
  }
  return hasPostgres() && process.env.DATABASE_URL === undefined ? undefined : noPostgres
}

/** A PgBouncer of a test's own. */
export interface PgBouncer {
  /** The address of a database through it. */
  url(database: string): string
  close(): Promise<void>
}

/** Starts one before the cluster whose socket is in `cluster`, with nothing set that it does not need. */
export async function startPgBouncer(
  cluster: string,
  mode: 'session' | 'transaction',
  settings: Readonly<Record<string, string | number>> = {},
): Promise<PgBouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-pgbouncer-'))
  const port = await freePort()
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: join(folder, 'users'),
    pool_mode: mode,
    max_client_conn: 200,
    default_pool_size: 20,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  writeFileSync(join(folder, 'users'), '"rekey" ""\n')
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    ['[databases]', `* = host=${cluster}`, '[pgbouncer]', ...lines, ''].join('\n'),
  )
  // It refuses to run as root.
  for (const path of [folder, join(folder, 'users'), join(folder, 'pgbouncer.ini')]) giveAway(path)
  const child = spawn('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], { stdio: 'ignore', ...runAs() })
  for (let waited = 0; !(await answers(port)); waited += 20) {
    if (waited > 60_000 || child.exitCode !== null) throw new Error('PgBouncer did not start')
    await pause(20)
  }
  return {
    url: (database) => `postgres://rekey@127.0.0.1:${port}/${database}`,
    async close() {
      if (child.exitCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        // A first signal waits for its clients, a second one does not.
        const timer = setTimeout(() => child.kill('SIGKILL'), 1000)
        await exited
        clearTimeout(timer)
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('a port has a number')
  return address.port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
