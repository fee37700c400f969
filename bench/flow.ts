// What a recovery costs: flows a second, CPU of the engine's process a flow, and how long each step takes at 80 % load.
import { startSmtpServer } from '../test/support/smtp-server.ts'
import { type BenchDatabase, createDatabase, openBenchStorage } from './support/databases.ts'
import { type EngineProcess, startEngineProcess } from './support/engine.ts'
import { createAgent } from './support/http.ts'
import { addPeople, loginOf, nobodysHash } from './support/people.ts'
import { option, percentile, printTable, report, say } from './support/report.ts'
import { signatureCpuMs } from './support/signature.ts'
import { recover, type StepName, stepNames } from './support/visitor.ts'

const flows = Number(option('flows', '1000'))
const parallel = Number(option('parallel', '16'))
const kinds = option('databases', 'sqlite,postgres').split(',') as BenchDatabase['name'][]
const hashKinds = option('hashes', 'free,standard').split(',') as ('free' | 'standard')[]

interface Figures {
  readonly database: string
  readonly hash: string
  readonly flowsPerSecond: number
  readonly cpuMsPerFlow: number
  readonly databaseCpuMsPerFlow: number
  readonly hashesPerFlow: number
  readonly mailCpuMsPerFlow: number
  readonly startMs: number
  readonly rssMb: number
  readonly steps: Readonly<
    Record<string, { readonly p50: number; readonly p95: number; readonly p99: number }>
  >
}

let nextPerson = 0
const noCode = async () => '000000'

/** One visitor after the other, `parallel` at a time, as fast as the engine answers. */
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

/** Visitors that come when they come, whether or not those before them are done: what a step takes under that load. */
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

/** What delivering the queued mails costs a process that does nothing else, over real SMTP. */
async function mailCpuMs(database: BenchDatabase): Promise<number> {
  const smtp = await startSmtpServer()
  const engine = await startEngineProcess({ database: database.url, hash: 'free', smtpUrl: smtp.url })
  const before = await engine.ask('usage')
  // Those whose time was over meanwhile are closed without being sent.
  const after = await engine.ask('idle')
  await engine.close()
  await smtp.close()
  return after.cpuMs - before.cpuMs
}

async function measure(kind: BenchDatabase['name'], hash: 'free' | 'standard'): Promise<Figures> {
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const order = { database: database.url, hash, knownCodes: true } as const
  const engine = await startEngineProcess(order)
  nextPerson = 0
  const count = hash === 'free' ? flows : Math.ceil(flows / 4)
  await addPeople(storage, count * 3 + 200, await nobodysHash(hash))
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
  return {
    database: kind,
    hash,
    flowsPerSecond,
    cpuMsPerFlow: (after.cpuMs - before.cpuMs) / count,
    databaseCpuMsPerFlow: (after.database - before.database) / count,
    hashesPerFlow: (after.hashes - before.hashes) / count,
    mailCpuMsPerFlow: mail,
    startMs: engine.startMs,
    rssMb: after.rss / 1e6,
    steps,
  }
}

const rows: Figures[] = []
const signatures = await signatureCpuMs(2)
say(`Two RSA signatures cost ${signatures.toFixed(2)} ms of CPU now: every flow has them.`)
for (const kind of kinds) for (const hash of hashKinds) rows.push(await measure(kind, hash))

printTable(
  'Recoveries, start to tokens (mails queued, delivered by nobody)',
  rows.map(({ steps: _, ...row }) => ({
    database: row.database,
    hash: row.hash === 'free' ? 'free' : 'argon2id',
    'flows/s': row.flowsPerSecond,
    'engine CPU ms/flow': row.cpuMsPerFlow,
    'database CPU ms/flow': row.databaseCpuMsPerFlow,
    'hashes/flow': row.hashesPerFlow,
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
report('flow', { twoSignaturesCpuMs: signatures, flows, parallel, rows })
