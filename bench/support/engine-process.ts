// An engine in a separate process, controlled over IPC, so that its CPU time and memory can be measured alone.
import cluster from 'node:cluster'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createLogger, type Random, systemRandom } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { createHasher, type PasswordHasher } from '../../src/passwords/index.ts'
import { joinNode, startPrimary } from '../../src/workers/index.ts'
import type { EngineOrder, Question, Usage } from './engine.ts'

const order = JSON.parse(process.argv[2] ?? '{}') as EngineOrder

/** An insecure hash without cost, to measure everything else. */
const insecureFreeHash: PasswordHasher = {
  hash: async (password) => `free$${createHash('sha256').update(password).digest('base64url')}`,
  verify: async (password, hash) =>
    hash === `free$${createHash('sha256').update(password).digest('base64url')}`,
  isOutdated: () => false,
  load: () => ({ running: 0, waiting: 0, refused: 0, dropped: 0, computed: 0 }),
}

let hashes = 0
function counted(hasher: PasswordHasher): PasswordHasher {
  return {
    ...hasher,
    hash: (password, caller) => {
      hashes++
      return hasher.hash(password, caller)
    },
    verify: (password, hash, caller) => {
      hashes++
      return hasher.verify(password, hash, caller)
    },
  }
}

/** Makes every mailed code 000000, so that the load generator needs no mailbox; all other random values are real. */
const insecureKnownCodes: Random = {
  bytes: (length) => (length === 12 ? Buffer.alloc(12) : systemRandom.bytes(length)),
}

const settings: Settings = {
  mode: 'test',
  secrets: ['a master secret that is for benchmarks only'],
  // One app sends everything here, as fast as it is answered.
  limits: {
    requests: {
      mailsPerSource: 1_000_000_000,
      mailsPerClient: 1_000_000_000,
      interactPerAddress: 1_000_000_000,
      interactPerAddressHour: 1_000_000_000,
      perClient: 1_000_000_000,
    },
  },
  ...order.settings,
  database: { ...order.settings?.database, url: order.database },
  http: { port: 0, ...order.settings?.http },
  mail: {
    deliver: order.smtpUrl !== undefined,
    ...(order.smtpUrl && { url: order.smtpUrl }),
    ...order.settings?.mail,
  },
  clients: [
    {
      id: 'bench',
      secret: 'a client secret that is for benchmarks only',
      label: 'Bench',
      applicationType: 'web',
      redirectUris: ['https://app.example/callback'],
      ...(order.grantTypes && { grantTypes: [...order.grantTypes] }),
      postLogoutRedirectUris: [],
    },
  ],
}
const member = await joinNode(process.env)
const config = member?.config ?? checkConfig(settings)
const { memoryKiB, passes, lanes, concurrency, queue } = config.password
const hasher = counted(
  order.hash === 'free'
    ? insecureFreeHash
    : createHasher({
        ...{ parameters: { memoryKiB, passes, lanes }, concurrency, queue },
        hashes: member?.shared.hashes,
      }),
)
const log = createLogger({ level: order.logLevel ?? 'error' })

async function startEngine() {
  const engine = await openEngine(config, {
    ...{ hasher, log, shared: member?.shared },
    ...(order.knownCodes && { random: insecureKnownCodes }),
  })
  return { port: engine.port, idle: engine.delivery.idle, close: () => engine.close() }
}

/** Several workers, and this process their primary. */
async function startWorkers(workers: number) {
  const asked = new Promise<void>(() => {})
  const plan = { workers, config, endsWithinMs: 20_000 }
  const primary = await startPrimary({ plan, asked, reread: async () => plan, log })
  return { port: primary?.ready.port, idle: async () => {}, close: async () => void (await primary?.end()) }
}

if (member !== undefined) {
  const { port, close } = await startEngine()
  member.ready({ port })
  await member.ended
  await close()
  await member.leave()
  process.exit(0)
}

const { workers = 1 } = order
const engine = await (workers > 1 ? startWorkers(workers) : startEngine())

/** CPU of another process in milliseconds (proc(5): utime, stime). */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function usage(): Usage {
  const pids = Object.values(cluster.workers ?? {}).flatMap((worker) => worker?.process.pid ?? [])
  const own = ownUsage()
  if (workers === 1) return own
  return { ...own, cpuMs: pids.reduce((sum, pid) => sum + cpuOf(pid), own.cpuMs), pids }
}

function ownUsage(): Usage {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpuMs: (user + system) / 1000, rss, heapUsed, hashes }
}

// The parent process is gone, even if it was killed.
process.on('disconnect', () => process.exit(0))
process.on('message', async (question: Question) => {
  if (question === 'collect') globalThis.gc?.()
  if (question === 'idle') await engine.idle()
  if (question === 'close') {
    await engine.close()
    process.disconnect()
    // Exit even if the benchmark has left something open.
    process.exit(0)
  }
  process.send?.(usage())
})
// The local address, which may differ from the public one.
process.send?.({ url: `http://localhost:${engine.port}` })
