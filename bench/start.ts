// Measures the start of `rekey serve`: the time until it is ready, and its memory. Runs the built command in a separate
// process, on SQLite, with a real mail server. Only prints the results.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startSmtpSink } from '../src/devtools/index.ts'
import { loadAverage } from './support/load.ts'
import { median, option, printTable, report } from './support/report.ts'

const bin = join(import.meta.dirname, '../bin/rekey.cjs')
const runs = Number(option('runs', '7'))
/** The upper limits for `rekey serve`. */
const goal = { readyMs: 500, memoryMb: 170 }

interface Run {
  readonly readyMs: number
  /** CPU time until ready, which is more reliable on a busy machine; NaN if the system does not provide it. */
  readonly cpuMs: number
  readonly memoryMb: number
  /** The memory a second later, after the code for the first sign-in was loaded. */
  readonly warmMb: number
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const memoryMb = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]) / 1024 / 1024
}

/** The CPU time of a process (proc(5): utime and stime, in hundredths of a second). */
function cpuMs(pid: number | undefined): number {
  const stat = `/proc/${pid}/stat`
  if (!existsSync(stat)) return Number.NaN
  const fields = readFileSync(stat, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function run(
  folder: string,
  smtpUrl: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const port = await freePort()
  const metricsPort = await freePort()
  const [url, metricsUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${metricsPort}`]
  const began = performance.now()
  const child = spawn(process.execPath, [bin, 'serve'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
      REKEY_SECRET: 'a master secret that is for benchmarks only',
      REKEY_ISSUER: 'https://id.example.com',
      REKEY_HOST: '127.0.0.1',
      REKEY_PORT: String(port),
      REKEY_METRICS_PORT: String(metricsPort),
      REKEY_SHUTDOWN_DELAY: '0s',
      REKEY_LOG_LEVEL: 'error',
      SMTP_URL: smtpUrl,
      ...more,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  try {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`rekey serve ended with ${code}`)
    })
    const readyMs = await Promise.race([untilReady(url, began), ended])
    const ready = { readyMs, cpuMs: cpuMs(child.pid), memoryMb: await memoryMb(metricsUrl) }
    // The keys are read, or created at the first start, and the signing code is loaded in the background.
    await (await fetch(`${url}/oauth2/default/v1/keys`)).arrayBuffer()
    await pause(1000)
    ended.catch(() => {})
    return { ...ready, warmMb: await memoryMb(metricsUrl) }
  } finally {
    const gone = once(child, 'exit')
    if (child.kill('SIGTERM')) await gone
  }
}

/** The reference: the CPU of a process until a Fastify with one route listens, and nothing else. */
function bareFastifyCpuMs(): number {
  const script = `
    import { fastify } from 'fastify'
    const app = fastify()
    app.get('/', () => 'ready')
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { user, system } = process.cpuUsage()
    console.log((user + system) / 1000)
    process.exit()`
  const args = ['--input-type=module', '--eval', script]
  return Number(execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' }))
}

async function untilReady(url: string, began: number): Promise<number> {
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.status === 200) return performance.now() - began
    await pause(2)
  }
}

if (!existsSync(join(import.meta.dirname, '../dist/cli/main.js')))
  throw new Error('npm run build comes first')
const sink = await startSmtpSink()
const first: Run[] = []
const later: Run[] = []
const uncached: Run[] = []
const bare: number[] = []
for (let round = 0; round < runs; round++) {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-bench-start-'))
  first.push(await run(folder, sink.url))
  later.push(await run(folder, sink.url))
  uncached.push(await run(folder, sink.url, { NODE_DISABLE_COMPILE_CACHE: '1' }))
  bare.push(bareFastifyCpuMs())
  rmSync(folder, { recursive: true })
}
await sink.close()

const summary = (all: readonly Run[]) => ({
  readyMs: median(all.map(({ readyMs }) => readyMs)),
  slowestMs: Math.max(...all.map(({ readyMs }) => readyMs)),
  cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
  memoryMb: median(all.map(({ memoryMb }) => memoryMb)),
  warmMb: median(all.map(({ warmMb }) => warmMb)),
})
const result = {
  runs,
  goal,
  firstStart: summary(first),
  laterStart: summary(later),
  /** Without what earlier starts have compiled, as in a container that is read-only. */
  uncachedStart: summary(uncached),
  bareFastifyCpuMs: median(bare),
  load: loadAverage(),
}
const names = {
  firstStart: 'first (creates the database)',
  laterStart: 'later',
  uncachedStart: 'later, without the compile cache',
}
printTable(
  `rekey serve on SQLite, ${runs} starts each; goal: ready below ${goal.readyMs} ms, below ${goal.memoryMb} MB; a bare Fastify listens after ${Math.round(result.bareFastifyCpuMs)} ms of CPU (machine load ${result.load})`,
  (['firstStart', 'laterStart', 'uncachedStart'] as const).map((name) => ({
    start: names[name],
    'ready ms (median)': result[name].readyMs,
    'ready ms (slowest)': result[name].slowestMs,
    'CPU ms until ready': result[name].cpuMs,
    'MB at ready': result[name].memoryMb,
    'MB a second later': result[name].warmMb,
  })),
)
report('start', result)
