// Compares Rekey with better-auth in its usual setup: request a reset by mail, enter the code, set the password, sign in.
// Same machine, databases and hash, with alternating rounds; the result is the ratio.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Agent } from 'node:http'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createHasher } from '../src/passwords/index.ts'
import { startSmtpServer, type TestSmtpServer } from '../test/support/smtp-server.ts'
import { type BenchDatabase, createDatabase, openBenchStorage } from './support/databases.ts'
import { type EngineProcess, startEngineProcess, startProcess } from './support/engine.ts'
import { createAgent, post } from './support/http.ts'
import { loadAverage } from './support/load.ts'
import { addPeople, lanes, loginOf, memoryKiB, passes, unmatchedHash } from './support/people.ts'
import { median, option, print, printTable, report, verdict } from './support/report.ts'
import { signatureCpuMs } from './support/signature.ts'
import { nextAddress, recover } from './support/visitor.ts'

const rounds = Number(option('rounds', '7'))
const flows = Number(option('flows', '60'))
const kinds = option('databases', 'sqlite,postgres').split(',') as BenchDatabase['name'][]
const hashKinds = option('hashes', 'free,standard').split(',') as Hash[]
const parallel = 8
const password = 'Lighthouse-Biscuit-77'
/** The first two are ratios to the peer, the third is the ratio to the throughput of the hash alone. */
const goals = { cpu: 0.5, flows: 2, ofHash: 0.8 }

type Hash = 'free' | 'standard'
const peers = join(import.meta.dirname, 'peers')

interface Subject {
  readonly name: string
  readonly database: BenchDatabase
  readonly process: EngineProcess
  visit(agent: Agent, login: string): Promise<unknown>
  /** Starts again on the existing database, to measure the start. */
  restart(): Promise<EngineProcess>
}

async function rekey(
  kind: BenchDatabase['name'],
  hash: Hash,
  people: number,
  smtp?: TestSmtpServer,
): Promise<Subject> {
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const order = { database: database.url, hash, knownCodes: true, ...(smtp && { smtpUrl: smtp.url }) }
  const engine = await startEngineProcess(order)
  await addPeople(storage, people, await unmatchedHash(hash))
  await storage.close()
  return {
    name: smtp === undefined ? 'Rekey, mails queued only' : 'Rekey',
    database,
    process: engine,
    visit: (agent, login) =>
      recover({ engineUrl: engine.url, agent, login, password, code: async () => '000000' }),
    restart: () => startEngineProcess(order),
  }
}

async function betterAuth(kind: BenchDatabase['name'], hash: Hash, people: number): Promise<Subject> {
  const database = await createDatabase(kind)
  const passwordHash = await unmatchedHash(hash)
  const start = (count: number) =>
    startProcess(join(peers, 'better-auth.ts'), {
      database: database.url,
      hash,
      people: count,
      passwordHash,
      argon2: { memoryKiB, passes, lanes },
    })
  const peer = await start(people)
  return {
    name: 'better-auth',
    database,
    process: peer,
    async visit(agent, email) {
      const headers = { origin: peer.url, 'x-forwarded-for': nextAddress() }
      const ask = async (path: string, body: object) => {
        const reply = await post(agent, `${peer.url}/api/auth/${path}`, {
          type: 'application/json',
          body: JSON.stringify(body),
          headers,
        })
        if (reply.status !== 200)
          throw new Error(`${path} was answered ${reply.status}: ${JSON.stringify(reply.body)}`)
        return reply.body
      }
      await ask('email-otp/request-password-reset', { email })
      await ask('email-otp/reset-password', { email, otp: '000000', password })
      const { token } = await ask('sign-in/email', { email, password })
      if (typeof token !== 'string') throw new Error('the user was not signed in')
    },
    restart: () => start(0),
  }
}

interface Round {
  readonly cpuMs: number
  readonly databaseCpuMs: number
  readonly perSecond: number
  readonly hashes: number
  readonly rss: number
}

const next = new WeakMap<Subject, number>()

async function run(subject: Subject, agent: Agent, count: number): Promise<Round> {
  const { process: peer, database } = subject
  const before = await peer.ask('usage')
  const databaseBefore = database.cpuMs()
  const begun = performance.now()
  let at = next.get(subject) ?? 0
  const end = at + count
  next.set(subject, end)
  const work = async () => {
    while (at < end) await subject.visit(agent, loginOf(at++))
  }
  await Promise.all(Array.from({ length: parallel }, work))
  const ms = performance.now() - begun
  // Rekey delivers its mails as part of the job; the mails of the peer go to a hook.
  const after = await peer.ask(subject.name === 'Rekey' ? 'idle' : 'usage')
  return {
    cpuMs: (after.cpuMs - before.cpuMs) / count,
    databaseCpuMs: (database.cpuMs() - databaseBefore) / count,
    perSecond: (count / ms) * 1000,
    hashes: (after.hashes - before.hashes) / count,
    rss: after.rss,
  }
}

/** The largest number of hashes per second: the upper limit of every server. */
async function hashesPerSecond(count: number): Promise<number> {
  const concurrency = availableParallelism()
  const hasher = createHasher({ parameters: { memoryKiB, passes, lanes }, concurrency, queue: count })
  const begun = performance.now()
  await Promise.all(Array.from({ length: count }, () => hasher.hash(password)))
  return (count / (performance.now() - begun)) * 1000
}

async function compare(kind: BenchDatabase['name'], hash: Hash) {
  const count = hash === 'free' ? flows : Math.ceil(flows / 2)
  const people = count * (rounds + 3)
  const smtp = await startSmtpServer()
  const subjects = [
    await rekey(kind, hash, people, smtp),
    await rekey(kind, hash, people),
    await betterAuth(kind, hash, people),
  ]
  const agent = createAgent(parallel)
  for (const subject of subjects) await run(subject, agent, count * 2)
  const measured = subjects.map((): Round[] => [])
  const alone: number[] = []
  for (let round = 0; round < rounds; round++) {
    if (hash === 'standard') alone.push(await hashesPerSecond(40))
    for (let offset = 0; offset < subjects.length; offset++) {
      const index = (round + offset) % subjects.length
      const subject = subjects[index]
      if (subject !== undefined) measured[index]?.push(await run(subject, agent, count))
      smtp.forget()
    }
  }
  agent.destroy()
  for (const { process: one } of subjects) await one.close()
  const rows = []
  for (const [index, subject] of subjects.entries()) {
    const starts: number[] = []
    for (let time = 0; time < 3; time++) {
      const again = await subject.restart()
      starts.push(again.startMs)
      await again.close()
    }
    rows.push(summary(subject.name, measured[index] ?? [], median(starts)))
    await subject.database.drop()
  }
  await smtp.close()
  const [ours = [], , theirs = []] = measured
  const ratio = (of: (round: Round) => number) =>
    median(ours.map((round, index) => of(round) / of(theirs[index] ?? round)))
  const ofHash = (those: readonly Round[]) =>
    median(those.map((round, index) => (round.perSecond * round.hashes) / (alone[index] ?? Number.NaN)))
  return {
    database: kind,
    hash,
    rows,
    ratios: { cpu: ratio(({ cpuMs }) => cpuMs), flows: ratio(({ perSecond }) => perSecond) },
    ...(hash === 'standard' && {
      hashesPerSecondAlone: median(alone),
      ofHash: { rekey: ofHash(ours), betterAuth: ofHash(theirs) },
    }),
  }
}

function summary(name: string, all: readonly Round[], startMs: number) {
  const of = (pick: (round: Round) => number) => median(all.map(pick))
  return {
    name,
    cpuMsPerFlow: of(({ cpuMs }) => cpuMs),
    databaseCpuMsPerFlow: of(({ databaseCpuMs }) => databaseCpuMs),
    flowsPerSecond: of(({ perSecond }) => perSecond),
    hashesPerFlow: of(({ hashes }) => hashes),
    startMs,
    rssMb: Math.max(...all.map(({ rss }) => rss)) / 1e6,
  }
}

const installed = spawnSync('npm', ['ci', '--prefix', peers, '--ignore-scripts', '--no-audit', '--no-fund'], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
if (installed.status !== 0) throw new Error('npm ci in bench/peers failed')
const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(peers, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version
const version = versionOf('better-auth')

print(`better-auth ${version}, Node ${process.version}, ${rounds} rounds of ${flows} flows each, alternating`)
print(
  `Two RSA signatures cost ${(await signatureCpuMs(2)).toFixed(2)} ms of CPU now; machine load ${loadAverage()}.`,
)
const results = []
for (const kind of kinds) {
  for (const hash of hashKinds) {
    const result = await compare(kind, hash)
    results.push(result)
    const { cpu, flows: perSecond } = result.ratios
    print(`${kind}, ${hash} hash: ${cpu.toFixed(2)} of its CPU, ${perSecond.toFixed(2)} of its flows/s`)
  }
}

for (const { database, hash, rows, ratios, ofHash, hashesPerSecondAlone } of results) {
  printTable(
    `${database}, ${hash === 'free' ? 'free hash' : 'argon2id'} (medians)`,
    rows.map((row) => ({
      '': row.name,
      'CPU ms/flow': row.cpuMsPerFlow,
      'database CPU ms/flow': row.databaseCpuMsPerFlow,
      'flows/s': row.flowsPerSecond,
      'hashes/flow': row.hashesPerFlow,
      'start ms': row.startMs,
      'RSS MB': row.rssMb,
    })),
  )
  if (ofHash === undefined) {
    print(
      `engine CPU, of better-auth's: ${ratios.cpu.toFixed(2)} (goal ${goals.cpu}: ${verdict(ratios.cpu <= goals.cpu)})`,
    )
    print(
      `flows/s, of better-auth's: ${ratios.flows.toFixed(2)} (goal ${goals.flows}: ${verdict(ratios.flows >= goals.flows)})`,
    )
  } else {
    print(
      `of what the hash alone allows (${hashesPerSecondAlone?.toFixed(0)} hashes/s): Rekey ${ofHash.rekey.toFixed(2)} ` +
        `(goal ${goals.ofHash}: ${verdict(ofHash.rekey >= goals.ofHash)}), better-auth ${ofHash.betterAuth.toFixed(2)}`,
    )
  }
}
report('peers', { betterAuth: version, rounds, flows, parallel, goals, load: loadAverage(), results })
