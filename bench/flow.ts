// The cost of a recovery: flows per second, CPU time of the engine per flow, and the latency of each step at 80 % load.
import { createHasher } from '../src/passwords/index.ts'
import { startSmtpServer } from '../test/support/smtp-server.ts'
import { type BenchDatabase, createDatabase, openBenchStorage } from './support/databases.ts'
import { type EngineProcess, startEngineProcess } from './support/engine.ts'
import { createAgent } from './support/http.ts'
import { loadAverage } from './support/load.ts'
import { addPeople, lanes, loginOf, memoryKiB, passes, unmatchedHash } from './support/people.ts'
import { option, percentile, print, printTable, report, verdict } from './support/report.ts'
import { signatureCpuMs } from './support/signature.ts'
import { recover, type StepName, stepNames } from './support/visitor.ts'

const flows = Number(option('flows', '1000'))
const parallel = Number(option('parallel', '16'))
const kinds = option('databases', 'sqlite,postgres').split(',') as BenchDatabase['name'][]
const hashKinds = option('hashes', 'free,standard').split(',') as ('free' | 'standard')[]

/** CPU time of the engine per flow in ms, without hash and mail; and the p99 of a step at 80 % load with the free hash. */
const limits = { sqlite: { gate: 12, goal: 8 }, postgres: { gate: 18, goal: 12 }, p99: 50 }

interface Measurement {
  readonly database: BenchDatabase['name']
  readonly hash: string
  readonly flowsPerSecond: number
  readonly cpuMsPerFlow: number
  readonly databaseCpuMsPerFlow: number
  readonly hashesPerFlow: number
  readonly hashCpuMsPerFlow: number
  readonly mailCpuMsPerFlow: number
  readonly startMs: number
  readonly rssMb: number
  readonly steps: Readonly<
    Record<string, { readonly p50: number; readonly p95: number; readonly p99: number }>
  >
}

let nextPerson = 0
const noCode = async () => '000000'

/** Closed loop: `parallel` visitors at a time, as fast as the engine answers. */
async function closedLoop(engine: EngineProcess, count: number): Promise<number> {
  const agent = createAgent(parallel)
  const end = nextPerson + count
  const begun = performance.now()
  const work = async () => {
    while (nextPerson < end) {
      const login = loginOf(nextPerson++)
      await recover({ engineUrl: engine.url, agent, login, password: 'Lighthouse-Biscuit-77', code: noCode })
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  agent.destroy()
  return performance.now() - begun
}

/** Open loop: visitors arrive at a fixed rate, whether or not earlier ones are done. Measures the latency of the steps. */
async function openLoop(engine: EngineProcess, count: number, perSecond: number) {
  const agent = createAgent(256)
  const times = Object.fromEntries(stepNames.map((name) => [name, [] as number[]])) as Record<
    StepName,
    number[]
  >
  const begun = performance.now()
  const visits: Promise<unknown>[] = []
  for (let index = 0; index < count; index++) {
    const due = begun + (index * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    visits.push(
      recover({
        engineUrl: engine.url,
        agent,
        login: loginOf(nextPerson++),
        password: 'Lighthouse-Biscuit-77',
        code: noCode,
        onStep: (step, ms) => void times[step].push(ms),
      }),
    )
  }
  await Promise.all(visits)
  agent.destroy()
  return Object.fromEntries(
    stepNames.map((name) => [
      name,
      {
        p50: percentile(times[name], 0.5),
        p95: percentile(times[name], 0.95),
        p99: percentile(times[name], 0.99),
      },
    ]),
  )
}

/** CPU time for delivering the queued mails over real SMTP, in a process that does nothing else. */
async function mailCpuMs(database: BenchDatabase): Promise<number> {
  const smtp = await startSmtpServer()
  const engine = await startEngineProcess({ database: database.url, hash: 'free', smtpUrl: smtp.url })
  const before = await engine.ask('usage')
  // Mails that have expired in the meantime are closed without being sent.
  const after = await engine.ask('idle')
  await engine.close()
  await smtp.close()
  return after.cpuMs - before.cpuMs
}

/** CPU time of one argon2id hash with the parameters of production. */
async function hashCpuMs(): Promise<number> {
  const hasher = createHasher({ parameters: { memoryKiB, passes, lanes }, concurrency: 1, queue: 1 })
  await hasher.hash('warm')
  const before = process.cpuUsage()
  for (let time = 0; time < 20; time++) await hasher.hash('Lighthouse-Biscuit-77')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / 20
}

async function measure(kind: BenchDatabase['name'], hash: 'free' | 'standard'): Promise<Measurement> {
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const order = { database: database.url, hash, knownCodes: true } as const
  const engine = await startEngineProcess(order)
  nextPerson = 0
  const count = hash === 'free' ? flows : Math.ceil(flows / 4)
  await addPeople(storage, count * 3 + 200, await unmatchedHash(hash))
  await closedLoop(engine, Math.min(200, count))

  const before = { ...(await engine.ask('collect')), database: database.cpuMs() }
  const ms = await closedLoop(engine, count)
  const after = { ...(await engine.ask('usage')), database: database.cpuMs() }
  const flowsPerSecond = (count / ms) * 1000
  const steps = await openLoop(engine, count, flowsPerSecond * 0.8)
  await engine.close()

  const waiting = await storage.db
    .selectFrom('outbox')
    .select((eb) => eb.fn.countAll<number | string>().as('mails'))
    .where('status', '=', 'queued')
    .executeTakeFirstOrThrow()
  const mails = Number(waiting.mails)
  const mail = hash === 'free' ? (await mailCpuMs(database)) / (mails / 2) : Number.NaN
  await storage.close()
  await database.drop()
  const hashesPerFlow = (after.hashes - before.hashes) / count
  return {
    database: kind,
    hash,
    flowsPerSecond,
    cpuMsPerFlow: (after.cpuMs - before.cpuMs) / count,
    databaseCpuMsPerFlow: (after.database - before.database) / count,
    hashesPerFlow,
    hashCpuMsPerFlow: hash === 'free' ? 0 : hashesPerFlow * oneHash,
    mailCpuMsPerFlow: mail,
    startMs: engine.startMs,
    rssMb: after.rss / 1e6,
    steps,
  }
}

const rows: Measurement[] = []
const signatures = await signatureCpuMs(2)
const oneHash = await hashCpuMs()
const load = loadAverage()
print(
  `Two RSA signatures, which every flow has, take ${signatures.toFixed(2)} ms of CPU time now. One hash: ${oneHash.toFixed(1)} ms.`,
)
print(`Machine load ${load}.`)
for (const kind of kinds) {
  for (const hash of hashKinds) {
    const row = await measure(kind, hash)
    rows.push(row)
    print(`${kind}, ${hash} hash: ${row.cpuMsPerFlow.toFixed(1)} ms of CPU time per flow`)
  }
}

printTable(
  'Recoveries, from the start to the tokens (mails queued, not delivered)',
  rows.map(({ steps: _, ...row }) => ({
    database: row.database,
    hash: row.hash === 'free' ? 'free' : 'argon2id',
    'flows/s': row.flowsPerSecond,
    'engine CPU ms/flow': row.cpuMsPerFlow,
    'database CPU ms/flow': row.databaseCpuMsPerFlow,
    'hashes/flow': row.hashesPerFlow,
    'of it hash ms': row.hashCpuMsPerFlow,
    'mail CPU ms/flow': Number.isNaN(row.mailCpuMsPerFlow) ? '' : row.mailCpuMsPerFlow,
    'start ms': row.startMs,
    'RSS MB': row.rssMb,
  })),
)
for (const row of rows) {
  printTable(
    `Steps at 80 % load, ms (${row.database}, ${row.hash === 'free' ? 'free hash' : 'argon2id'})`,
    Object.entries(row.steps).map(([step, times]) => ({ step, ...times })),
  )
}
print('')
for (const { database, hash, cpuMsPerFlow, steps } of rows) {
  if (hash !== 'free') continue
  const { gate, goal } = limits[database]
  const of = (limit: number) => `${limit} ms ${verdict(cpuMsPerFlow <= limit)}`
  print(`${database}: ${cpuMsPerFlow.toFixed(1)} ms of CPU time per flow: gate ${of(gate)}, goal ${of(goal)}`)
  const p99 = Math.max(...Object.values(steps).map((times) => times.p99))
  print(
    `${database}: slowest p99 of a step ${p99.toFixed(0)} ms: ${limits.p99} ms ${verdict(p99 <= limits.p99)}`,
  )
}
report('flow', {
  limits,
  load,
  twoSignaturesCpuMs: signatures,
  flows,
  parallel,
  rows,
})
