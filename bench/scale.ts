// Checks whether a step costs more with more data: users and open transactions. The rounds alternate between the sizes, so
// that other load of the machine affects all of them. Measures the CPU time of the engine per step.
import type { Agent } from 'node:http'
import { type BenchDatabase, createDatabase, openBenchStorage } from './support/databases.ts'
import { type EngineProcess, startEngineProcess } from './support/engine.ts'
import { createAgent } from './support/http.ts'
import { loadAverage } from './support/load.ts'
import { addPeople, addTransactions, loginOf } from './support/people.ts'
import { median, option, print, printTable, report, verdict } from './support/report.ts'
import { type StepName, stepNames, walk } from './support/visitor.ts'

const quick = process.argv.includes('--quick')
const kinds = option('databases', 'sqlite,postgres').split(',') as BenchDatabase['name'][]
const sizes = option('people', quick ? '1000,100000' : '1000,100000,1000000')
  .split(',')
  .map(Number)
const openCounts = option('open', '0,100000').split(',').map(Number)
const rounds = Number(option('rounds', quick ? '9' : '15'))
/** The number of visitors per step: a single step is too short to be measured. */
const visitors = Number(option('visitors', '16'))
/** The largest ratio of the cost of a step to its cost at the smallest size. */
const goal = 1.3
const password = 'Lighthouse-Biscuit-77'

interface Place {
  readonly people: number
  readonly open: number
  readonly database: BenchDatabase
  readonly engine: EngineProcess
  readonly seedMs: number
  readonly cpu: Readonly<Record<StepName, number[]>>
  readonly databaseCpu: number[]
  visited: number
}

/** One database per size, and a copy of each with open transactions. */
async function places(kind: BenchDatabase['name']): Promise<readonly Place[]> {
  const all: Omit<Place, 'engine'>[] = []
  for (const people of sizes) {
    const begun = performance.now()
    const empty = await createDatabase(kind)
    const storage = await openBenchStorage(empty)
    // The first start creates the groups that users belong to.
    await (await startEngineProcess({ database: empty.url, hash: 'free', knownCodes: true })).close()
    await addPeople(storage, people, 'free$none')
    await storage.close()
    const seedMs = performance.now() - begun
    print(`${kind}: ${people} users after ${(seedMs / 1000).toFixed(1)} s`)
    for (const [index, open] of openCounts.entries()) {
      const database = index === 0 ? empty : await empty.copy()
      if (open > 0) {
        const filled = await openBenchStorage(database)
        await addTransactions(filled, open, people)
        await filled.close()
      }
      all.push({ people, open, database, seedMs, ...fresh() })
    }
  }
  const started: Place[] = []
  for (const place of all) {
    const order = { database: place.database.url, hash: 'free', knownCodes: true } as const
    started.push({ ...place, engine: await startEngineProcess(order) })
  }
  return started
}

const fresh = () => ({
  cpu: Object.fromEntries(stepNames.map((step): [StepName, number[]] => [step, []])) as Place['cpu'],
  databaseCpu: [] as number[],
  visited: 0,
})

/** A prime number, which spreads the visitors over all users. */
const stride = 7919

/** Runs all visitors through one step before the next one. */
async function round(place: Place, agent: Agent, isMeasured: boolean): Promise<void> {
  const { engine, people, database } = place
  const walks = Array.from({ length: visitors }, () => {
    const login = loginOf((place.visited++ * stride) % people)
    return walk({ engineUrl: engine.url, agent, login, password, code: async () => '000000' })
  })
  const databaseBefore = database.cpuMs()
  for (const step of stepNames) {
    const before = await engine.ask('usage')
    await Promise.all(walks.map((one) => one.next()))
    const after = await engine.ask('usage')
    if (isMeasured) place.cpu[step].push((after.cpuMs - before.cpuMs) / visitors)
  }
  if (isMeasured) place.databaseCpu.push((database.cpuMs() - databaseBefore) / visitors)
}

async function measure(kind: BenchDatabase['name']) {
  const all = await places(kind)
  const agent = createAgent(visitors)
  for (let warm = 0; warm < 4; warm++) for (const place of all) await round(place, agent, false)
  for (let start = 0; start < rounds; start++) {
    // Every place is the first one in some rounds, because the first one is affected by the last one of the round before.
    for (let index = 0; index < all.length; index++) {
      const place = all[(start + index) % all.length]
      if (place !== undefined) await round(place, agent, true)
    }
  }
  agent.destroy()
  for (const { engine } of all) await engine.close()
  for (const { database } of all.toReversed()) await database.drop()
  return all.map(({ people, open, seedMs, cpu, databaseCpu }) => ({
    people,
    open,
    seedMs,
    cpuMs: Object.fromEntries(stepNames.map((step) => [step, median(cpu[step])])) as Record<StepName, number>,
    databaseCpuMsPerFlow: median(databaseCpu),
  }))
}

const results = []
for (const kind of kinds) {
  const rows = await measure(kind)
  const [smallest] = rows
  if (smallest === undefined) continue
  const worst = Object.fromEntries(
    stepNames.map((step) => [step, Math.max(...rows.map(({ cpuMs }) => cpuMs[step] / smallest.cpuMs[step]))]),
  ) as Record<StepName, number>
  printTable(
    `${kind}: CPU ms of the engine a step, median of ${rounds} rounds of ${visitors} visitors`,
    rows.map(({ people, open, cpuMs, databaseCpuMsPerFlow }) => ({
      people: String(people),
      open: String(open),
      ...cpuMs,
      flow: stepNames.reduce((sum, step) => sum + cpuMs[step], 0),
      'database, a flow': databaseCpuMsPerFlow,
    })),
  )
  printTable(
    `${kind}: the dearest, of the smallest size's (goal: ${goal} at most)`,
    stepNames.map((step) => ({ step, ratio: worst[step], goal: verdict(worst[step] <= goal) })),
  )
  results.push({ database: kind, rows, worst })
}
print(`machine load ${loadAverage()}`)
report('scale', { rounds, visitors, goal, load: loadAverage(), results })
