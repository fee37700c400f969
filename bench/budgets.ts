// What budgets cost answers that come at once: right and wrong passwords of twelve clients on PostgreSQL, from one address
// and from twelve, with how often a statement on budgets was found waiting for a lock.
import pg from 'pg'
import { startEngine } from '../src/testing/index.ts'
import { createDatabase } from './support/databases.ts'
import { option, printTable, report } from './support/report.ts'

const clients = Number(option('clients', '12'))
const seconds = Number(option('seconds', '8'))
const password = 'Marmalade-Harbour-31'

interface Figures {
  readonly answers: 'right' | 'wrong'
  readonly from: 'one address' | 'an address each'
  readonly perSecond: number
  /** Of samples of all connections, how many had a statement on budgets that waited for a lock. */
  readonly waiting: string
}

const database = await createDatabase('postgres')
const { url } = database
const many = 1_000_000_000
const people = Array.from({ length: clients }, (_, index) => ({
  login: `user${index}@example.com`,
  password,
}))
const kit = await startEngine({
  database: url,
  people,
  settings: {
    database: { url, poolSize: 16 },
    limits: {
      requests: { idxPerAddress: many, interactPerAddress: many, perClient: many, perStateHandle: many },
      sprayPerAddressMinute: many,
      sprayPerAddressHour: many,
      passwordsPerHour: many,
    },
  } as never,
})
const watcher = new pg.Client({ connectionString: url })
await watcher.connect()

async function measure(answers: Figures['answers'], from: Figures['from']): Promise<Figures> {
  let done = 0
  let [samples, waiting] = [0, 0]
  const until = performance.now() + seconds * 1000
  const loop = async (client: number) => {
    const address = from === 'one address' ? '192.0.2.1' : `192.0.2.${client + 1}`
    for (let round = 0; performance.now() < until; round++) {
      const visitor = kit.visitor({ headers: { 'x-forwarded-for': address } })
      const name = answers === 'right' ? `user${client}` : `nobody${client}-${round}`
      await visitor.signsIn(`${name}@example.com`, answers === 'right' ? password : 'wrong')
      done++
    }
  }
  const watch = async () => {
    while (performance.now() < until) {
      const { rows } = await watcher.query(
        "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%budgets%'",
      )
      samples++
      if (rows[0].n > 0) waiting++
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await Promise.all([watch(), ...people.map((_, client) => loop(client))])
  return { answers, from, perSecond: done / seconds, waiting: `${waiting} of ${samples}` }
}

const figures: Figures[] = []
for (const from of ['one address', 'an address each'] as const) {
  for (const answers of ['right', 'wrong'] as const) figures.push(await measure(answers, from))
}
await watcher.end()
await kit.close()
await database.drop()
printTable(
  `twelve clients on PostgreSQL, ${seconds} s each`,
  figures.map(({ answers, from, perSecond, waiting }) => ({
    answers,
    from,
    'a second': perSecond,
    'samples with a budget waiting': waiting,
  })),
)
report('budgets', { figures })
