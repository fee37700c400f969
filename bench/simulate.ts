// What 10,000 sign-ins a second would take: the measured costs of a flow, put through a model of queues. Reads
// bench/results/flow.json and mails.json where they are, else takes the documented figures. Prints, for each rate, how busy each resource is,
// how long a request takes, and which resource is the first at its end. It is arithmetic, not a measurement of such an installation.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Station, simulate } from './support/queueing.ts'
import { median, option, percentile, print, printTable, report } from './support/report.ts'

const rates = option('rates', '100,500,1000,2000,5000,10000').split(',').map(Number)
const cores = Number(option('cores', '16'))
const databaseCores = Number(option('database-cores', '64'))
const recoveries = Number(option('recoveries', '0.02'))
/** How long a commit waits for the disk. Commits that come meanwhile share the next one. */
const syncMs = Number(option('sync-ms', '1'))
/** How busy a resource may be on average. */
const mostBusy = Number(option('most-busy', '0.6'))
/** Commits that one sync of the disk takes with it. */
const commitsPerSync = Number(option('commits-per-sync', '40'))

interface Costs {
  readonly source: string
  /** Of a recovery, without hashes and mails, in ms of CPU. */
  readonly engineMs: number
  readonly databaseMs: number
  readonly hashMs: number
  readonly mailMs: number
}

const documented: Costs = {
  source: 'docs/performance.md',
  engineMs: 14.5,
  databaseMs: 9.9,
  hashMs: 13.9,
  mailMs: 1,
}

function costs(): Costs {
  const read = (name: string): unknown => {
    const file = join(import.meta.dirname, 'results', `${name}.json`)
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  }
  const flow = read('flow') as { rows?: Record<string, number | string>[] } | undefined
  const mails = read('mails') as { mails?: { database: string; here: number[] }[] } | undefined
  const free = flow?.rows?.find((row) => row.database === 'postgres' && row.hash === 'free')
  const standard = flow?.rows?.find((row) => row.database === 'postgres' && row.hash === 'standard')
  const mail = mails?.mails?.find(({ database }) => database === 'postgres')
  const given = {
    ...(free && { engineMs: Number(free.cpuMsPerFlow), databaseMs: Number(free.databaseCpuMsPerFlow) }),
    ...(standard && { hashMs: Number(standard.hashCpuMsPerFlow) / Number(standard.hashesPerFlow) }),
    ...(mail && { mailMs: median(mail.here) }),
  }
  const source =
    Object.keys(given).length === 0 ? documented.source : 'bench/results, else docs/performance.md'
  return { ...documented, ...given, source }
}

const cost = costs()
/** A sign-in with a password: five of the eight requests of a recovery, one hash, four of seven commits, and no mail. */
const share = 5 / 8
const signIn = { requests: 5, commits: 4, hashes: 1, mails: 0 }
const recovery = { requests: 8, commits: 7, hashes: 2, mails: 2 }
const mixed = (name: keyof typeof signIn) => signIn[name] * (1 - recoveries) + recovery[name] * recoveries
const perFlow = {
  requests: mixed('requests'),
  commits: mixed('commits'),
  mails: mixed('mails'),
  hashMs: mixed('hashes') * cost.hashMs,
  engineMs: cost.engineMs * (share * (1 - recoveries) + recoveries) + mixed('mails') * cost.mailMs,
  databaseMs: cost.databaseMs * (share * (1 - recoveries) + recoveries),
}

const rows = rates.map((perSecond) => {
  const nodes = Math.ceil((perSecond * (perFlow.engineMs + perFlow.hashMs)) / 1000 / (cores * mostBusy))
  const engine = new Station('engine', nodes * cores)
  const database = new Station('database', databaseCores)
  const disk = new Station('disk', commitsPerSync)
  // Of a few seconds: a resource that is past its end shows it by then.
  const seconds = Math.min(10, 40_000 / perSecond / perFlow.requests + 1)
  const took = simulate({ perSecond: perSecond * perFlow.requests, seconds, seed: 17 }, [
    { station: engine, meanMs: (perFlow.engineMs + perFlow.hashMs) / perFlow.requests },
    { station: database, meanMs: perFlow.databaseMs / perFlow.requests },
    { station: disk, meanMs: (syncMs * perFlow.commits) / perFlow.requests },
  ])
  const busy = (demandMs: number, servers: number) => (perSecond * demandMs) / 1000 / servers
  const used = {
    engine: busy(perFlow.engineMs + perFlow.hashMs, nodes * cores),
    database: busy(perFlow.databaseMs, databaseCores),
    disk: busy(syncMs * perFlow.commits, commitsPerSync),
  }
  const [first] = Object.entries(used).sort(([, one], [, other]) => other - one)
  const overloaded = Object.entries(used).filter(([, share]) => share >= 1)
  return {
    perSecond,
    nodes,
    used,
    mailsPerSecond: perSecond * perFlow.mails,
    p50: percentile(took, 0.5),
    p99: percentile(took, 0.99),
    busiest: first?.[0] ?? '',
    overloaded: overloaded.map(([name]) => name),
  }
})

print(
  `Costs from ${cost.source}: engine ${cost.engineMs.toFixed(1)} ms, database ${cost.databaseMs.toFixed(1)} ms a recovery; a hash ${cost.hashMs.toFixed(1)} ms; a mail ${cost.mailMs.toFixed(2)} ms.`,
)
printTable(
  `Sign-ins, of them ${recoveries * 100} % recoveries; nodes of ${cores} cores at most ${mostBusy * 100} % busy, a database of ${databaseCores} cores`,
  rows.map((row) => ({
    'sign-ins/s': row.perSecond,
    nodes: row.nodes,
    'engine %': row.used.engine * 100,
    'database %': row.used.database * 100,
    'disk %': row.used.disk * 100,
    'mails/s': row.mailsPerSecond,
    'p50 ms': row.overloaded.length > 0 ? 'grows' : row.p50,
    'p99 ms': row.overloaded.length > 0 ? 'grows' : row.p99,
    'past its end': row.overloaded.join(', '),
  })),
)
const limits = {
  database: (databaseCores * 1000 * mostBusy) / perFlow.databaseMs,
  disk: (commitsPerSync * 1000 * mostBusy) / (syncMs * perFlow.commits),
}
const [first] = Object.entries(limits).sort(([, one], [, other]) => one - other)
print(
  `\nNodes can be added. What cannot: ${Object.entries(limits)
    .map(([name, most]) => `${name} up to ${Math.round(most)} sign-ins/s`)
    .join(', ')} (at ${mostBusy * 100} %). First at its end: ${first?.[0]}.`,
)
report('simulate', {
  cost,
  perFlow,
  cores,
  databaseCores,
  syncMs,
  commitsPerSync,
  mostBusy,
  recoveries,
  limits,
  first: first?.[0],
  rows,
})
