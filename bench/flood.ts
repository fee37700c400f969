// Right sign-ins of others while one source guesses 150 times a second: none may be refused, and how long they take is
// shown beside the same sign-ins without a flood, in the same run.
import type { Agent } from 'node:http'
import { createDatabase, openBenchStorage } from './support/databases.ts'
import { startEngineProcess } from './support/engine.ts'
import { createAgent, post, type Reply } from './support/http.ts'
import { loadAverage } from './support/load.ts'
import { addPeople, loginOf, unmatchedHash } from './support/people.ts'
import { median, option, percentile, print, printTable, report, verdict } from './support/report.ts'
import { authorization, interactionCodeIn, nextAddress, redirectUri } from './support/visitor.ts'

const floodPerSecond = Number(option('flood', '150'))
const signInsPerSecond = Number(option('sign-ins', '4'))
const seconds = Number(option('seconds', '20'))
const turns = Number(option('turns', '2'))
const kinds = option('databases', 'sqlite,postgres').split(',') as ('sqlite' | 'postgres')[]

/** What the hash of all people here was made of. */
const right = 'of nobody'
const stranger = '203.0.113.7'

interface Phase {
  readonly database: string
  readonly phase: 'quiet' | 'flood'
  readonly signIns: number
  readonly refused: number
  readonly p50: number
  readonly p95: number
  readonly floodAnswers: Readonly<Record<string, number>>
  readonly hashes: number
}

async function transaction(url: string, agent: Agent, address: string): Promise<string> {
  const begun = await post(agent, `${url}/oauth2/default/v1/interact`, {
    type: 'application/x-www-form-urlencoded',
    body: new URLSearchParams({
      scope: 'openid',
      redirect_uri: redirectUri,
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
      state: 'state',
    }).toString(),
    headers: { authorization, 'x-forwarded-for': address },
  })
  const { interaction_handle: interactionHandle } = begun.body
  const looked = await idx(url, agent, 'introspect', { interactionHandle })
  return String(looked.body.stateHandle)
}

const idx = (url: string, agent: Agent, path: string, body: object): Promise<Reply> =>
  post(agent, `${url}/idp/idx/${path}`, { type: 'application/json', body: JSON.stringify(body) })

const identify = (url: string, agent: Agent, stateHandle: string, identifier: string, passcode: string) =>
  idx(url, agent, 'identify', { stateHandle, identifier, credentials: { passcode } })

/** Calls `work` so often a second for so long, whether or not what was begun before has ended. */
async function openLoop(perSecond: number, work: () => Promise<void>, isOver: () => boolean): Promise<void> {
  const begun = performance.now()
  const all: Promise<void>[] = []
  for (let count = 0; !isOver(); count++) {
    const early = begun + (count * 1000) / perSecond - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    all.push(work())
  }
  await Promise.all(all)
}

async function measure(kind: 'sqlite' | 'postgres'): Promise<readonly Phase[]> {
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const engine = await startEngineProcess({ database: database.url, hash: 'standard' })
  const people = 500
  await addPeople(storage, people, await unmatchedHash('standard'))
  const { url } = engine
  const agent = createAgent(64)
  const strangers = createAgent(256)
  let next = 0

  const signIn = async (times: number[], refused: unknown[]) => {
    const handle = await transaction(url, agent, nextAddress())
    const begun = performance.now()
    const reply = await identify(url, agent, handle, loginOf(next++ % people), right)
    times.push(performance.now() - begun)
    if (interactionCodeIn(reply.body) === undefined) refused.push(reply.status)
  }

  const phase = async (name: Phase['phase']): Promise<Phase> => {
    const end = performance.now() + seconds * 1000
    const isOver = () => performance.now() >= end
    const answers: Record<string, number> = {}
    const times: number[] = []
    const refused: unknown[] = []
    const before = await engine.ask('usage')
    // Three in four with handles that are used over and over, one in four with a transaction of its own.
    const handles = await Promise.all(Array.from({ length: 10 }, () => transaction(url, strangers, stranger)))
    let sent = 0
    const guess = async () => {
      sent++
      const own = sent % 4 === 0
      const handle = own
        ? await transaction(url, strangers, stranger)
        : (handles[sent % handles.length] ?? '')
      const { status } = await identify(url, strangers, handle, loginOf(sent % people), 'Summer2026!!')
      answers[status] = (answers[status] ?? 0) + 1
    }
    await Promise.all([
      openLoop(signInsPerSecond, () => signIn(times, refused), isOver),
      name === 'flood' ? openLoop(floodPerSecond, guess, isOver) : undefined,
    ])
    const after = await engine.ask('usage')
    return {
      database: kind,
      phase: name,
      signIns: times.length,
      refused: refused.length,
      p50: median(times),
      p95: percentile(times, 0.95),
      floodAnswers: answers,
      hashes: after.hashes - before.hashes,
    }
  }

  for (let index = 0; index < 5; index++) await signIn([], [])
  // The budget of the source is spent before anything is measured.
  for (let index = 0; index < 125; index++) {
    const handle = await transaction(url, strangers, stranger)
    await identify(url, strangers, handle, `nobody${index}@example.com`, 'Summer2026!!')
  }
  const phases: Phase[] = []
  for (let turn = 0; turn < turns; turn++) phases.push(await phase('quiet'), await phase('flood'))
  agent.destroy()
  strangers.destroy()
  await engine.close()
  await storage.close()
  await database.drop()
  return phases
}

const load = loadAverage()
print(`Machine load ${load}.`)
const phases: Phase[] = []
for (const kind of kinds) phases.push(...(await measure(kind)))
printTable(
  `Right sign-ins (${signInsPerSecond} a second, each from an address of its own) without and during ${floodPerSecond} guesses a second from one source`,
  phases.map(({ floodAnswers, ...row }) => ({
    database: row.database,
    phase: row.phase,
    'sign-ins': row.signIns,
    refused: row.refused,
    'p50 ms': row.p50,
    'p95 ms': row.p95,
    hashes: row.hashes,
    'answers to the flood': Object.entries(floodAnswers)
      .map(([status, count]) => `${count} x ${status}`)
      .join(', '),
  })),
)
const refused = phases.reduce((sum, phase) => sum + phase.refused, 0)
print(`\nRight sign-ins that were refused: ${refused}: ${verdict(refused === 0)}`)
report('flood', { load, floodPerSecond, signInsPerSecond, seconds, phases })
if (refused > 0) process.exitCode = 1
