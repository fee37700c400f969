// What a recovery costs: flows a second, CPU of the engine's process a flow, the least that it could be, and how long
// each step takes at 80 % load. With `--beside PATH` this checkout beside another one, in turns in one run; with
// `--workers=N` as many workers beside one process.
import { createHasher } from '../src/passwords/index.ts'
import { paired } from './support/beside.ts'
import { type BenchDatabase, createDatabase, openBenchStorage } from './support/databases.ts'
import { type EngineProcess, startEngineProcess } from './support/engine.ts'
import { startFloor } from './support/floor.ts'
import { measureHosted } from './support/hosted.ts'
import { createAgent } from './support/http.ts'
import { loadAverage } from './support/load.ts'
import { closedLoop, noCode, password, type Users } from './support/loop.ts'
import { type MailFigures, measureMails, mediansOf } from './support/mails.ts'
import { addPeople, lanes, loginOf, memoryKiB, passes, unmatchedHash } from './support/people.ts'
import { argument, median, option, percentile, print, printTable, report, verdict } from './support/report.ts'
import { secondFactorCpuMs } from './support/second-factors.ts'
import { signatureCpuMs } from './support/signature.ts'
import { recover, type StepName, stepNames } from './support/visitor.ts'
import { measureWorkers } from './support/workers.ts'

const flows = Number(option('flows', '1000'))
const parallel = Number(option('parallel', '16'))
const kinds = option('databases', 'sqlite,postgres').split(',') as BenchDatabase['name'][]
const hashKinds = option('hashes', 'free,standard').split(',') as ('free' | 'standard')[]

/**
 * CPU of the engine's process a flow, without hash and mail, in ms; a step's p99 at 80 % load with the free hash; what a
 * flow may cost of what it costs in another checkout.
 */
const limits = {
  sqlite: { gate: 12, goal: 8 },
  postgres: { gate: 18, goal: 12 },
  ofFloor: { gate: 3, goal: 2 },
  p99: 50,
  ratio: 1.1,
  /** CPU ms of the engine's process a mail. */
  mail: { gate: 1.5, goal: 1 },
}

/** The engine and the floor take so many turns. */
const floorTurns = 5

interface Figures {
  readonly database: BenchDatabase['name']
  readonly hash: string
  readonly flowsPerSecond: number
  readonly cpuMsPerFlow: number
  /**
   * CPU ms a flow of a bare server with the same requests, commits and signatures, which took turns with the engine; with the free
   * hash only. A median, as is `cpuMsPerFlow` then.
   */
  readonly floor: number | undefined
  /** How many times the floor a flow costs, mails excluded: the ratio of the medians. */
  readonly ofFloor: number | undefined
  /** What each turn cost, the engine and the floor. */
  readonly turns: readonly { readonly engine: number; readonly floor: number }[]
  readonly databaseCpuMsPerFlow: number
  readonly hashesPerFlow: number
  readonly hashCpuMsPerFlow: number
  readonly startMs: number
  readonly rssMb: number
  readonly steps: Readonly<
    Record<string, { readonly p50: number; readonly p95: number; readonly p99: number }>
  >
}

/** Visitors that come when they come, whether or not those before them are done: what a step takes under that load. */
async function openLoop(engine: EngineProcess, users: Users, count: number, perSecond: number) {
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
        login: loginOf(users.next++),
        password,
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

/** CPU of one argon2id hash as production makes it. */
async function hashCpuMs(): Promise<number> {
  const hasher = createHasher({ parameters: { memoryKiB, passes, lanes }, concurrency: 1, queue: 1 })
  await hasher.hash('warm')
  const before = process.cpuUsage()
  for (let time = 0; time < 20; time++) await hasher.hash('Lighthouse-Biscuit-77')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / 20
}

async function measure(kind: BenchDatabase['name'], hash: 'free' | 'standard'): Promise<Figures> {
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const order = { database: database.url, hash, knownCodes: true } as const
  const engine = await startEngineProcess(order)
  const users = { next: 0 }
  const count = hash === 'free' ? flows : Math.ceil(flows / 4)
  await addPeople(storage, count * 3 + 200, await unmatchedHash(hash))
  await closedLoop(engine, users, { count: Math.min(200, count), parallel })

  const floor =
    hash === 'free' ? await startFloor(kind, { count: Math.min(200, count), parallel }) : undefined
  const parts = floor === undefined ? 1 : floorTurns
  const turns: { readonly engine: number; readonly floor: number }[] = []
  const each = Math.ceil(count / parts)
  const used = { ms: 0, cpuMs: 0, hashes: 0, databaseMs: 0, rss: 0 }
  for (let part = 0; part < parts; part++) {
    const before = { ...(await engine.ask('collect')), database: database.cpuMs() }
    used.ms += await closedLoop(engine, users, { count: each, parallel })
    const after = { ...(await engine.ask('usage')), database: database.cpuMs() }
    used.cpuMs += after.cpuMs - before.cpuMs
    used.hashes += after.hashes - before.hashes
    used.databaseMs += after.database - before.database
    used.rss = after.rss
    const engineMs = (after.cpuMs - before.cpuMs) / each
    if (floor !== undefined) {
      turns.push({ engine: engineMs, floor: await floor.cpuMsPerFlow({ count: each, parallel }) })
    }
  }
  await floor?.close()
  const done = each * parts
  const flowsPerSecond = (done / used.ms) * 1000
  const steps = await openLoop(engine, users, count, flowsPerSecond * 0.8)
  await engine.close()

  await storage.close()
  await database.drop()
  const hashesPerFlow = used.hashes / done
  const floorMs = floor && median(turns.map((turn) => turn.floor))
  const cpuMsPerFlow = floor ? median(turns.map((turn) => turn.engine)) : used.cpuMs / done
  return {
    database: kind,
    hash,
    flowsPerSecond,
    cpuMsPerFlow,
    floor: floorMs,
    ofFloor: floorMs && cpuMsPerFlow / floorMs,
    turns,
    databaseCpuMsPerFlow: used.databaseMs / done,
    hashesPerFlow,
    hashCpuMsPerFlow: hash === 'free' ? 0 : hashesPerFlow * oneHash,
    startMs: engine.startMs,
    rssMb: used.rss / 1e6,
    steps,
  }
}

/** This checkout beside another one, as a ratio: what other work the machine does counts for both. */
async function compare(other: string): Promise<void> {
  const turns = Number(option('turns', '5'))
  const load = loadAverage()
  const pairings = []
  for (const kind of kinds) pairings.push(await paired(kind, other, { turns, count: flows, parallel }))
  for (const { database, here, beside, ratioOfMedians } of pairings) {
    printTable(
      `${database}: CPU ms a flow in turns of ${flows} flows`,
      here.map((ms, turn) => ({ turn: String(turn + 1), here: ms, beside: beside[turn] ?? '' })),
    )
    print(
      `${database}: ratio of medians ${ratioOfMedians.toFixed(3)}: ${limits.ratio} ${verdict(ratioOfMedians <= limits.ratio)}`,
    )
  }
  report('flow-beside', { beside: other, load, flows, parallel, turns, pairings })
}

/** The most that a redirect may cost, in ms of CPU. */
const redirectLimit = 5

/** Browsers with a session that are sent back to an app, and the page where one without a session signs in. */
async function hosted(): Promise<void> {
  const load = loadAverage()
  const turns = Number(option('turns', '5'))
  const rows = []
  for (const kind of kinds) rows.push(await measureHosted(kind, { turns, count: flows, parallel }))
  printTable(
    `Redirects with a session: authorize, a code, tokens (${turns} turns of ${flows})`,
    rows.map(({ database, cpuMsPerRedirect, redirectsPerSecond }) => ({
      database,
      'engine CPU ms/redirect': median(cpuMsPerRedirect),
      least: Math.min(...cpuMsPerRedirect),
      'redirects/s': redirectsPerSecond,
    })),
  )
  const [{ page } = { page: undefined }] = rows
  if (page !== undefined) {
    const { requests, bytes, unpackedBytes, firstPaintMs, loadedMs } = page
    printTable('The sign-in page in Chromium, nothing stored (medians)', [
      {
        requests,
        'bytes over the wire': bytes,
        'bytes unpacked': unpackedBytes,
        'first paint ms': firstPaintMs,
        'loaded ms': loadedMs,
      },
    ])
  }
  for (const { database, cpuMsPerRedirect } of rows) {
    const ms = median(cpuMsPerRedirect)
    print(
      `${database}: ${ms.toFixed(2)} ms of CPU a redirect: ${redirectLimit} ms ${verdict(ms <= redirectLimit)}`,
    )
  }
  report('flow-hosted', { load, limit: redirectLimit, flows, parallel, turns, rows })
}

/** What a mail costs, a line of its own for each database. */
async function mailsOf(beside?: string): Promise<readonly MailFigures[]> {
  const options = { turns: Number(option('turns', '5')), mails: Number(option('count', '400')), beside }
  const figures = []
  for (const kind of kinds) figures.push(await measureMails(kind, options))
  printTable(
    'A mail, from the outbox to the answer of the mail server: CPU ms (medians of turns)',
    figures.map((one) => {
      const { here, server, floor, ...others } = mediansOf(one)
      return {
        database: one.database,
        engine: here,
        server,
        'nodemailer, composed already': floor,
        ...others,
      }
    }),
  )
  for (const one of figures) {
    const { here, floor } = mediansOf(one)
    const of = (limit: number) => `${limit.toFixed(1)} ms ${verdict(here <= limit)}`
    const { gate, goal } = limits.mail
    print(
      `${one.database}: a mail costs ${here.toFixed(2)} ms of CPU: gate ${of(gate)}, goal ${of(goal)}; handed to nodemailer's pool, composed already: ${floor.toFixed(2)} ms`,
    )
  }
  return figures
}

if (process.argv.includes('--mails')) {
  const load = loadAverage()
  report('mails', { load, limits: limits.mail, mails: await mailsOf(argument('beside')) })
  process.exit(0)
}

/** What several workers may cost of what one process does. */
const workersLimit = 1.15

/** Several workers beside one process: CPU is a gate, the speed-up of this machine is not. */
async function severalWorkers(workers: number): Promise<void> {
  const load = loadAverage()
  print(`Machine load ${load}.`)
  const turns = Number(option('turns', '5'))
  const rows = []
  for (const kind of kinds) {
    const row = await measureWorkers(kind, workers, { turns, count: Math.ceil(flows / turns), parallel })
    rows.push(row)
    const ratios = row.several.map((ms, turn) => ms / (row.one[turn] ?? Number.NaN))
    const ratio = median(ratios)
    const { one, several } = row.flowsPerSecond
    print(
      `${kind}: a flow costs ${median(row.one).toFixed(1)} ms of CPU with one process, ${median(row.several).toFixed(1)} with ${workers} workers: ${ratio.toFixed(2)} times that (${ratios.map((one) => one.toFixed(2)).join(', ')}), ${workersLimit} ${verdict(ratio <= workersLimit)}`,
    )
    print(
      `${kind}: ${one.toFixed(0)} and ${several.toFixed(0)} flows a second: ${(several / one).toFixed(2)} times`,
    )
    if (row.busyWaits !== undefined) {
      const { perFlow, shareOfTime } = row.busyWaits
      print(
        `${kind}: ${perFlow.toFixed(2)} writes a flow waited for another worker, ${(100 * shareOfTime).toFixed(1)} % of the wall time of a worker`,
      )
    }
    if (row.lockShare !== undefined) {
      print(`${kind}: ${(100 * row.lockShare).toFixed(1)} % of the time in statements waits for locks`)
    }
  }
  report('flow-workers', { load, workers, limit: workersLimit, flows, parallel, turns, rows })
}

const workers = Number(option('workers', '1'))
if (workers > 1) {
  await severalWorkers(workers)
  process.exit(0)
}

if (process.argv.includes('--hosted')) {
  await hosted()
  process.exit(0)
}

const other = argument('beside')
if (other !== undefined) {
  await compare(other)
  process.exit(0)
}

const rows: Figures[] = []
const signatures = await signatureCpuMs(2)
const oneHash = await hashCpuMs()
const load = loadAverage()
print(
  `Two RSA signatures cost ${signatures.toFixed(2)} ms of CPU now: every flow has them. One hash: ${oneHash.toFixed(1)} ms.`,
)
print(`Machine load ${load}.`)
for (const kind of kinds) {
  for (const hash of hashKinds) {
    const row = await measure(kind, hash)
    rows.push(row)
    print(`${kind}, ${hash} hash: ${row.cpuMsPerFlow.toFixed(1)} ms of CPU a flow`)
  }
}

const secondFactors = await secondFactorCpuMs(Math.ceil(flows / 10))

printTable(
  'Recoveries, start to tokens (mails queued, delivered by nobody)',
  rows.map(({ steps: _, turns: __, ...row }) => ({
    database: row.database,
    hash: row.hash === 'free' ? 'free' : 'argon2id',
    'flows/s': row.flowsPerSecond,
    'engine CPU ms/flow': row.cpuMsPerFlow,
    floor: row.floor ?? '',
    'of floor': row.ofFloor ?? '',
    'database CPU ms/flow': row.databaseCpuMsPerFlow,
    'hashes/flow': row.hashesPerFlow,
    'of it hash ms': row.hashCpuMsPerFlow,
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
printTable(
  'Sign-ins with a second factor, to the interaction code (SQLite, engine and caller in one process)',
  secondFactors.map(({ factor, cpuMsPerSignIn }) => ({ factor, 'CPU ms/sign-in': cpuMsPerSignIn })),
)
print('')
for (const { database, hash, cpuMsPerFlow, floor, ofFloor, steps } of rows) {
  if (hash !== 'free') continue
  const times = (limit: number) => `${limit.toFixed(1)} ${verdict((ofFloor ?? Infinity) <= limit)}`
  print(
    `${database}: the floor (bare server, same requests, commits and signatures) is ${floor?.toFixed(1)} ms; a flow costs ${ofFloor?.toFixed(2)} times that: gate ${times(limits.ofFloor.gate)}, goal ${times(limits.ofFloor.goal)}`,
  )
  const { gate, goal } = limits[database]
  const of = (limit: number) => `${limit} ms ${verdict(cpuMsPerFlow <= limit)}`
  print(`${database}: ${cpuMsPerFlow.toFixed(1)} ms of CPU a flow: gate ${of(gate)}, goal ${of(goal)}`)
  const p99 = Math.max(...Object.values(steps).map((times) => times.p99))
  print(
    `${database}: slowest p99 of a step ${p99.toFixed(0)} ms: ${limits.p99} ms ${verdict(p99 <= limits.p99)}`,
  )
}
const mails = await mailsOf()
report('flow', {
  limits,
  load,
  twoSignaturesCpuMs: signatures,
  mails,
  flows,
  parallel,
  rows,
  secondFactors,
})
