// Kills the process of an engine at random times under load, starts it again, and checks that no acknowledged step or
// mail was lost. With `--workers=N` a worker, which its primary replaces meanwhile, or the primary. The last line is parsed by programs.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Agent } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Storage } from '../src/storage/index.ts'
import { startSmtpServer, type TestSmtpServer } from '../test/support/smtp-server.ts'
import { type BenchDatabase, createDatabase, openBenchStorage } from './support/databases.ts'
import { type EngineProcess, startEngineProcess } from './support/engine.ts'
import { createAgent, post } from './support/http.ts'
import { addPeople, loginOf } from './support/people.ts'
import { option, print, printTable, report } from './support/report.ts'
import {
  authorization,
  interactionCodeIn,
  recover,
  redirectUri,
  type StepName,
  verifier,
} from './support/visitor.ts'

const quick = process.argv.includes('--quick')
const rounds = Number(option('rounds', quick ? '10' : '100'))
const kinds = option('databases', 'sqlite,postgres').split(',') as BenchDatabase['name'][]
const visitors = 8
const workers = Number(option('workers', '1'))
const longestLifeMs = 1500

/** What the engine acknowledged to one visitor before it was killed. */
interface Visit {
  readonly login: string
  readonly password: string
  readonly acknowledged: Set<StepName>
  interactionHandle: string
  stateHandle: string
  code: string
  accessToken: string
}

interface Losses {
  readonly steps: string[]
  readonly mails: string[]
  readonly secondPasswords: string[]
}

const hashOf = (password: string): string =>
  `free$${createHash('sha256').update(password).digest('base64url')}`
const ask = async (agent: Agent, url: string, path: string, body: object) =>
  post(agent, `${url}/idp/idx/${path}`, { type: 'application/json', body: JSON.stringify(body) })
const asForm = (parameters: Record<string, string>) => ({
  type: 'application/x-www-form-urlencoded',
  body: new URLSearchParams(parameters).toString(),
  headers: { authorization },
})

/** Runs recoveries one after the other, each with another user, until the engine is killed or it is enough. */
async function visitUntilKilled(
  url: string,
  next: () => number,
  visits: Visit[],
  isEnough: () => boolean,
): Promise<void> {
  const agent = createAgent(1)
  try {
    while (!isEnough()) {
      const number = next()
      const visit: Visit = {
        login: loginOf(number),
        password: `Lighthouse-Biscuit-${number}`,
        acknowledged: new Set(),
        interactionHandle: '',
        stateHandle: '',
        code: '',
        accessToken: '',
      }
      visits.push(visit)
      await recover({
        engineUrl: url,
        agent,
        login: visit.login,
        password: visit.password,
        code: async () => '000000',
        onStep(step, _ms, body) {
          visit.acknowledged.add(step)
          if (step === 'interact') visit.interactionHandle = String(body.interaction_handle)
          if (step === 'introspect') visit.stateHandle = String(body.stateHandle)
          if (step === 'answer password') visit.code = interactionCodeIn(body) ?? ''
          if (step === 'token') visit.accessToken = String(body.access_token)
        },
      })
    }
  } catch (error) {
    // Broken connections are expected; unexpected responses are not.
    if (!(error instanceof Error && 'code' in error)) throw error
  } finally {
    agent.destroy()
  }
}

const formsOf = (body: Record<string, unknown>): readonly string[] => {
  const { remediation } = body as { remediation?: { value: readonly { name: string }[] } }
  return remediation?.value.map(({ name }) => name) ?? []
}

/** After an acknowledged step, one of these forms must be offered: its own, or those of the next step. */
const possibleForms: Readonly<Partial<Record<StepName, readonly string[]>>> = {
  introspect: ['identify', 'identify-recovery'],
  recover: ['identify-recovery', 'select-authenticator-authenticate'],
  identify: ['select-authenticator-authenticate', 'challenge-authenticator'],
  challenge: ['challenge-authenticator', 'reset-authenticator'],
  'answer code': ['reset-authenticator'],
}

/** Checks that everything that was acknowledged to a visitor still holds on the restarted engine. */
async function checkVisit(url: string, agent: Agent, storage: Storage, visit: Visit, lost: Losses) {
  const last = [...visit.acknowledged].at(-1)
  if (last === undefined) return
  const lose = (what: string) => void lost.steps.push(`${visit.login}: ${what} after ${last}`)
  if (last === 'interact') {
    const { status } = await ask(agent, url, 'introspect', { interactionHandle: visit.interactionHandle })
    if (status !== 200) lose('the interaction is gone')
    return
  }
  const expected = possibleForms[last]
  const { stateHandle } = visit
  const person = await storage.db
    .selectFrom('people')
    .innerJoin('enrollments', 'enrollments.person_id', 'people.id')
    .select(['people.id', 'enrollments.data'])
    .where('people.login_key', '=', visit.login)
    .executeTakeFirstOrThrow()
  const isReset = (JSON.parse(person.data) as { hash: string }).hash === hashOf(visit.password)
  if (expected !== undefined) {
    const { status, body } = await ask(agent, url, 'introspect', { stateHandle })
    const isKept = status === 200 && formsOf(body).some((name) => expected.includes(name))
    // The password may have been set by a step whose response was lost.
    if (!isKept && !(last === 'answer code' && isReset))
      lose(`the offered forms are ${formsOf(body)} (${status})`)
    return
  }
  if (!isReset) lose('the new password is gone')
  const again = await ask(agent, url, 'challenge/answer', {
    stateHandle,
    credentials: { passcode: 'Another-Password-4711' },
  })
  if (again.status === 200) lost.secondPasswords.push(visit.login)
  if (last === 'token') {
    const { body } = await post(
      agent,
      `${url}/oauth2/default/v1/introspect`,
      asForm({ token: visit.accessToken }),
    )
    if (body.active !== true) lose('the session is gone')
  }
  const grant = asForm({
    grant_type: 'interaction_code',
    interaction_code: visit.code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  })
  const redeemed = await post(agent, `${url}/oauth2/default/v1/token`, grant)
  if (last === 'token' && redeemed.status === 200) lose('the code was redeemed twice')
  if (last === 'answer password' && redeemed.status !== 200) {
    const { code_used_at } = await storage.db
      .selectFrom('interactions')
      .innerJoin('transactions', 'transactions.interaction_id', 'interactions.id')
      .select('interactions.code_used_at')
      .where('transactions.person_id', '=', person.id)
      .executeTakeFirstOrThrow()
    if (code_used_at === null) lose('the interaction code is gone')
  }
}

/** Checks the mails of all acknowledged steps: each must be sent, queued, or closed with an event. */
async function checkMails(storage: Storage, smtp: TestSmtpServer, visits: readonly Visit[], lost: Losses) {
  const received = smtp.received.map(({ source }) => source.slice(0, source.indexOf('\r\n\r\n'))).join('\n')
  const rows = await storage.db
    .selectFrom('outbox')
    .innerJoin('people', 'people.id', 'outbox.person_id')
    .select(['outbox.id', 'outbox.template', 'outbox.status', 'people.login_key'])
    .execute()
  const events = await storage.db
    .selectFrom('events')
    .select('body')
    .where('type', 'like', 'system.email.%')
    .execute()
  const logged = events.map(({ body }) => body).join('\n')
  const found = new Set<string>()
  for (const { id, template, status, login_key } of rows) {
    const gone = status === 'sent' ? !received.includes(id) : status !== 'queued' && !logged.includes(id)
    if (!gone) found.add(`${login_key} ${template}`)
  }
  for (const { login, acknowledged } of visits) {
    for (const [step, template] of [
      ['challenge', 'ForgotPassword'],
      ['answer password', 'PasswordChanged'],
    ] as const) {
      if (acknowledged.has(step) && !found.has(`${login} ${template}`)) {
        lost.mails.push(`${template} to ${login}`)
      }
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const isAnswered = (url: string): Promise<boolean> =>
  fetch(`${url}/health/live`, { headers: { connection: 'close' } }).then(
    ({ ok }) => ok,
    () => false,
  )

async function crash(kind: BenchDatabase['name']) {
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const smtp = await startSmtpServer()
  const order = {
    database: database.url,
    hash: 'free',
    smtpUrl: smtp.url,
    knownCodes: true,
    workers,
    // Each process has another port; tokens contain the common public address. Workers keep theirs, even if all are killed.
    settings: {
      issuer: 'https://id.example.com',
      ...(workers > 1 && { http: { port: await freePort() } }),
    },
  } as const
  const lost: Losses = { steps: [], mails: [], secondPasswords: [] }
  let engine: EngineProcess = await startEngineProcess(order)
  await addPeople(storage, rounds * 2000, 'free$none')
  let person = 0
  let acknowledged = 0
  let interrupted = 0
  let killedWorkers = 0
  for (let round = 0; round < rounds; round++) {
    const visits: Visit[] = []
    const { url } = engine
    let enough = false
    const visit = () =>
      visitUntilKilled(
        url,
        () => person++,
        visits,
        () => enough,
      )
    const load = Array.from({ length: visitors }, visit)
    await pause(50 + Math.random() * longestLifeMs)
    // Of several workers mostly one of them, whose visitors come again; else all with the primary.
    const pids = workers > 1 && Math.random() < 0.75 ? ((await engine.ask('usage')).pids ?? []) : []
    const victim = pids[Math.floor(Math.random() * pids.length)]
    if (victim === undefined) {
      await engine.kill('SIGKILL')
      await Promise.all(load)
      engine = await startEngineProcess(order)
    } else {
      killedWorkers++
      process.kill(victim, 'SIGKILL')
      await Promise.race([Promise.all(load), pause(Math.random() * longestLifeMs)])
      enough = true
      await Promise.all(load)
    }
    // Where the other worker was killed in the round before, none may be there at the moment.
    while (!(await isAnswered(engine.url))) await pause(50)
    const agent = createAgent(4)
    for (const visit of visits) await checkVisit(engine.url, agent, storage, visit, lost)
    await checkMails(storage, smtp, visits, lost)
    agent.destroy()
    acknowledged += visits.reduce((sum, visit) => sum + visit.acknowledged.size, 0)
    interrupted += visits.filter((visit) => !visit.acknowledged.has('token')).length
  }
  await engine.close()
  await storage.close()
  await smtp.close()
  await database.drop()
  for (const line of [...lost.steps, ...lost.mails, ...lost.secondPasswords]) print(`lost: ${line}`)
  return {
    database: kind,
    'kill -9': rounds,
    ...(workers > 1 && { workers, 'of them a worker': killedWorkers }),
    'steps acknowledged': acknowledged,
    'recoveries cut short': interrupted,
    'mails received': smtp.received.length,
    'steps lost': lost.steps.length,
    'mails lost': lost.mails.length,
    'second passwords': lost.secondPasswords.length,
  }
}

const rows: Awaited<ReturnType<typeof crash>>[] = []
for (const kind of kinds) rows.push(await crash(kind))
printTable('An engine killed at random moments under load', rows)
report('crash', { rounds, workers, rows })
const steps = rows.reduce((sum, row) => sum + row['steps lost'] + row['second passwords'], 0)
const mails = rows.reduce((sum, row) => sum + row['mails lost'], 0)
process.exitCode = steps + mails > 0 ? 1 : 0
print(`steps lost ${steps}, mails lost ${mails}`)
