// Checks for memory leaks: runs recoveries and measures the heap after a garbage collection at intervals. The slope must
// be near zero: a flow leaves rows in the database, but no objects in memory.
import { startSmtpServer } from '../test/support/smtp-server.ts'
import { type BenchDatabase, createDatabase, openBenchStorage } from './support/databases.ts'
import { type EngineProcess, startEngineProcess } from './support/engine.ts'
import { createAgent } from './support/http.ts'
import { addPeople, loginOf } from './support/people.ts'
import { option, print, printTable, report } from './support/report.ts'
import { recover } from './support/visitor.ts'

const flows = Number(option('flows', process.argv.includes('--quick') ? '1000' : '20000'))
const every = Number(option('every', String(Math.max(1, Math.min(1000, Math.floor(flows / 10))))))
const kinds = option('databases', 'sqlite').split(',') as BenchDatabase['name'][]
const visitors = 4
/** The limit of bytes per flow: enough for counters, not for objects. */
const limit = 200

interface Sample {
  readonly flows: number
  readonly heapUsed: number
  readonly rss: number
}

/** The slope of the least squares line through the samples: bytes per flow. */
function slopeOf(samples: readonly Sample[]): number {
  const mean = (read: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + read(sample), 0) / samples.length
  const [x, y] = [mean((sample) => sample.flows), mean((sample) => sample.heapUsed)]
  const over = samples.reduce((sum, sample) => sum + (sample.flows - x) * (sample.heapUsed - y), 0)
  return over / samples.reduce((sum, sample) => sum + (sample.flows - x) ** 2, 0)
}

async function sample(engine: EngineProcess, done: number): Promise<Sample> {
  // Queued mails are not a leak: wait until they are sent.
  await engine.ask('idle')
  await engine.ask('collect')
  const { heapUsed, rss } = await engine.ask('collect')
  return { flows: done, heapUsed, rss }
}

async function walk(engine: EngineProcess, from: number, to: number): Promise<void> {
  let next = from
  const agent = createAgent(visitors)
  const visit = async () => {
    for (let number = next++; number < to; number = next++) {
      await recover({
        engineUrl: engine.url,
        agent,
        login: loginOf(number),
        password: `Lighthouse-Biscuit-${number}`,
        code: async () => '000000',
      })
    }
  }
  await Promise.all(Array.from({ length: visitors }, visit))
  agent.destroy()
}

async function measure(kind: BenchDatabase['name']) {
  const database = await createDatabase(kind)
  const smtp = await startSmtpServer()
  const storage = await openBenchStorage(database)
  const engine = await startEngineProcess({
    database: database.url,
    hash: 'free',
    smtpUrl: smtp.url,
    knownCodes: true,
  })
  await addPeople(storage, flows, 'free$none')
  await storage.close()
  const samples: Sample[] = []
  for (let done = 0; done < flows; ) {
    const to = Math.min(done + every, flows)
    await walk(engine, done, to)
    done = to
    samples.push(await sample(engine, done))
    smtp.forget()
  }
  await engine.close()
  await smtp.close()
  await database.drop()
  // The first tenth is skipped: code, caches and prepared statements are loaded once.
  const settled = samples.slice(Math.min(samples.length - 2, Math.ceil(samples.length / 10)))
  const row = { database: kind, flows, 'bytes a flow': slopeOf(settled), limit }
  return { samples: samples.map((one) => ({ database: kind, ...one })), row }
}

const measured: Awaited<ReturnType<typeof measure>>[] = []
for (const kind of kinds) measured.push(await measure(kind))
const samples = measured.flatMap((one) => one.samples)
const rows = measured.map(({ row }) => row)
const mb = (bytes: number) => (bytes / 1024 / 1024).toFixed(2)
printTable(
  'The heap after a collection',
  samples.map(({ database, flows: done, heapUsed, rss }) => ({
    database,
    flows: done,
    'heap MB': mb(heapUsed),
    'resident MB': mb(rss),
  })),
)
printTable('What a flow leaves behind', rows)
report('memory', { flows, every, samples, rows })
process.exitCode = rows.every((row) => row['bytes a flow'] <= limit) ? 0 : 1
print(process.exitCode === 0 ? 'memory is flat' : `memory grows by more than ${limit} bytes per flow`)
