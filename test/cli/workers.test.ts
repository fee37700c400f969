import { type ChildProcessWithoutNullStreams, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { recover, redirectUri } from '../../bench/support/visitor.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server.ts'
import { end, start, until } from './rekey.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 480_000, hookTimeout: 240_000 })

const users = 60
const clientSecret = 'a client secret that is for benchmarks only'
let folder: string
let smtp: TestSmtpServer
let env: Record<string, string>
const children: ChildProcessWithoutNullStreams[] = []

beforeAll(async () => {
  smtp = await startSmtpServer()
})
afterAll(() => smtp.close())

/** A folder and an environment of a node's own, with a database of its own. */
function prepare(settings: object = {}): void {
  folder = mkdtempSync(join(tmpdir(), 'rekey-workers-'))
  smtp.forget()
  env = {
    DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
    REKEY_SECRET: 'a master secret of 32 characters or more',
    REKEY_ISSUER: 'https://id.example.com',
    SMTP_URL: smtp.url,
    REKEY_HOST: '127.0.0.1',
    REKEY_PORT: '0',
    REKEY_METRICS_PORT: '0',
    REKEY_SHUTDOWN_DELAY: '0s',
    REKEY_ACCESS_LOG: 'true',
  }
  configure(settings)
}

async function tidyUp(): Promise<void> {
  for (const child of children.splice(0)) await end(child, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

function configure(settings: object): void {
  const client = { id: 'bench', label: 'Shop', secret: clientSecret, redirectUris: [redirectUri] }
  const people = Array.from({ length: users }, (_, index) => ({ login: loginOf(index) }))
  const hash = { waitMs: 60_000 }
  const all = { clients: [client], people, password: hash, ...settings }
  writeFileSync(join(folder, 'rekey.config.json'), JSON.stringify(all))
}

const loginOf = (index: number) => `user${index}@example.com`

interface Line {
  readonly msg?: string
  readonly worker?: number
  readonly pid?: number
  readonly [name: string]: unknown
}

/** A node with workers that is ready, and what it logs. */
async function node(args: readonly string[] = ['--workers', '2']) {
  const child = start(['serve', ...args], { folder, env })
  children.push(child)
  const log: Line[] = []
  createInterface({ input: child.stderr }).on('line', (line) =>
    log.push(line.startsWith('{') ? (JSON.parse(line) as Line) : { msg: line }),
  )
  const gone = once(child, 'exit')
  await Promise.race([until(() => log.some(({ msg }) => msg === 'ready')), gone])
  const ready = log.find(({ msg }) => msg === 'ready')
  if (ready === undefined) throw new Error(`rekey serve did not start: ${JSON.stringify(log)}`)
  const url = `http://127.0.0.1:${ready.port}`
  return {
    ...{ child, log, gone, url, metricsUrl: `http://${ready.metrics}/metrics` },
    /** The process of a worker, the newest that has its number. */
    pidOf: (worker: number) =>
      log.findLast((line) => line.worker === worker && line.pid !== undefined)?.pid ?? 0,
    answeredBy: () =>
      new Set(log.filter(({ msg }) => msg === 'a request was answered').map(({ worker }) => worker)),
  }
}
type Node = Awaited<ReturnType<typeof node>>

/** Each request over a connection of its own. */
const own = { headers: { connection: 'close' } }

/** Every request has a connection of its own: which worker gets it is not foreseen. */
const alone = () => new Agent({ keepAlive: false })

/** The code of the newest mail to a user. */
async function codeFor(login: string): Promise<string> {
  const mail = () => smtp.received.findLast(({ to }) => to.includes(login))
  const codeOf = () => /\b(\d{6})\b/.exec(mail()?.source.split('\r\n\r\n').slice(1).join('\n') ?? '')?.[1]
  await until(() => codeOf() !== undefined)
  return codeOf() ?? ''
}

function visit(url: string, index: number) {
  const login = loginOf(index)
  const agent = alone()
  const code = () => codeFor(login)
  return recover({ engineUrl: url, agent, login, password: `Lighthouse-Biscuit-${index}`, code })
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function metric({ metricsUrl }: Node, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl, { headers: { connection: 'close' } })).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** What takes a minute runs where all long tests do. */
const world = process.env.REKEY_TEST_WORLD === '1'

const health = 'GET /health/live HTTP/1.1\r\nhost: rekey\r\n\r\n'

/** A connection that has asked something. */
function caller(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let answers = 0
  let isOver = false
  socket.on('data', (data) => (answers += data.toString().split('HTTP/1.1 200').length - 1))
  socket.on('error', () => (isOver = true))
  socket.on('close', () => (isOver = true))
  socket.write(health)
  return {
    ask: () => socket.write(health),
    answers: () => answers,
    isOver: () => isOver,
    end: () => socket.destroy(),
  }
}

onEachDatabase('two workers', ({ name, create }) => {
  let all: Node
  let database: { readonly url: string; drop(): Promise<void> } | undefined
  beforeAll(async () => {
    database = name === 'sqlite' ? undefined : await create()
    prepare({ limits: { requests: { othersPerAddress: 25 } } })
    if (database !== undefined) env.DATABASE_URL = database.url
    all = await node()
  })
  afterAll(async () => {
    await tidyUp()
    await database?.drop()
  })

  test('say how many they are in the first line', () => {
    const [first] = all.log
    expect(first).toMatchObject({ msg: 'starting several workers: one node on one port', workers: 2 })
    expect(all.log.find(({ msg }) => msg === 'ready')).toMatchObject({ workers: 2 })
  })

  test('answer recoveries together, and send each mail once', async () => {
    await Promise.all(Array.from({ length: 4 }, (_, index) => visit(all.url, index)))
    await until(() => all.answeredBy().size === 2)
    await until(() => smtp.received.length >= 8)
    expect(await metric(all, 'rekey_flow_outcomes_total{intent="recovery",outcome="granted"}')).toBe(4)
    expect(await metric(all, 'rekey_workers')).toBe(2)
  })

  test('have one budget: of N it is N, however the requests fall on them (A45)', async () => {
    const keys = async () => (await fetch(`${all.url}/oauth2/default/v1/keys`, own)).status
    const answers = await Promise.all(Array.from({ length: 40 }, keys))
    expect(answers.filter((status) => status === 200)).toHaveLength(25)
    expect(answers.filter((status) => status === 429)).toHaveLength(15)
    expect(await metric(all, 'rekey_budget_refusals_total{budget="othersPerAddress"}')).toBe(15)
  })

  test('count what each of them has answered, at each of them', async () => {
    const answered = () => all.log.filter(({ msg }) => msg === 'a request was answered').length
    const counted = () => metric(all, 'rekey_http_requests_total')
    await until(async () => (await counted()) === answered())
    for (let time = 0; time < 4; time++) expect(await counted()).toBe(answered())
  })

  test('leave no connection open without an answer: not at one that hangs, not at one that is killed', async () => {
    const before = await metric(all, 'rekey_http_requests_total')
    const victim = all.pidOf(1)
    const old = Array.from({ length: 16 }, () => caller(all.url))
    await until(() => old.every(({ answers }) => answers() === 1))
    process.kill(victim, 'SIGSTOP')
    // It accepts nothing any more, so all that come now are the other one's.
    const fresh = Array.from({ length: 16 }, () => caller(all.url))
    await until(() => fresh.every(({ answers }) => answers() === 1), 10_000)
    for (const { ask } of old) ask()
    process.kill(victim, 'SIGKILL')
    const late = Array.from({ length: 16 }, () => caller(all.url))
    await until(() => late.every(({ answers }) => answers() === 1), 10_000)
    await until(() => old.every(({ answers, isOver }) => answers() === 2 || isOver()), 10_000)
    for (const { end } of [...old, ...fresh, ...late]) end()

    await until(() => all.log.some(({ msg }) => msg === 'a worker is ready again'))
    expect(all.log.find(({ msg }) => msg?.startsWith('a worker has ended by itself'))).toMatchObject({
      ...{ worker: 1, pid: victim, exitCode: null, signal: 'SIGKILL', restartInMs: 0 },
    })
    expect(await metric(all, 'rekey_worker_exits_total')).toBe(1)
    // Nothing that was shown before is taken back: a counter that falls would be counted once more.
    expect(await metric(all, 'rekey_http_requests_total')).toBeGreaterThanOrEqual(before)
  })

  test('end together on SIGTERM', async () => {
    // Two of each recovery, none of them twice.
    expect(smtp.received).toHaveLength(8)
    const pids = [1, 2].map(all.pidOf)
    const begun = performance.now()
    all.child.kill('SIGTERM')
    expect(await all.gone).toEqual([0, null])
    expect(performance.now() - begun).toBeLessThan(12_000)
    expect(pids.map(isAlive)).toEqual([false, false])
  })
})

describe('workers', () => {
  test('are replaced one by one on SIGHUP: no connection is refused, and no worker outlives the primary', async () => {
    prepare()
    const all = await node()
    const before = [1, 2].map(all.pidOf)
    let stopped = false
    let asked = 0
    const load = Promise.all(
      Array.from({ length: 2 }, async () => {
        for (; !stopped; asked++) expect((await fetch(`${all.url}/health/live`, own)).status).toBe(200)
      }),
    )
    await until(() => asked > 0)
    all.child.kill('SIGHUP')
    await until(() =>
      all.log.some(({ msg }) => msg === 'all workers run with the configuration as it is now'),
    )
    stopped = true
    await load
    const after = [1, 2].map(all.pidOf)
    expect(after.some((pid) => before.includes(pid))).toBe(false)
    expect(before.map(isAlive)).toEqual([false, false])

    // One that is broken changes nothing.
    writeFileSync(join(folder, 'rekey.config.json'), '{ "clients": 3 }')
    all.child.kill('SIGHUP')
    await until(() => all.log.some(({ msg }) => msg?.startsWith('the new configuration cannot be used')))
    expect((await fetch(`${all.url}/health/live`, own)).status).toBe(200)
    expect([1, 2].map(all.pidOf)).toEqual(after)

    // Whatever ends the primary, no worker is left.
    process.kill(all.child.pid ?? 0, 'SIGKILL')
    await until(() => !after.some(isAlive))
    await tidyUp()
  })

  test.runIf(world)('are replaced under recoveries: no step is lost', async () => {
    prepare()
    const all = await node()
    let stopped = false
    let next = 0
    let done = 0
    const load = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (!stopped && next < users) {
          await visit(all.url, next++)
          done++
        }
      }),
    )
    await until(() => done > 0)
    all.child.kill('SIGHUP')
    await until(() =>
      all.log.some(({ msg }) => msg === 'all workers run with the configuration as it is now'),
    )
    stopped = true
    await load
    await tidyUp()
  })

  test('whose primary has gone while they started end, and are no node of their own', async () => {
    prepare()
    const orphan = { ...env, NODE_UNIQUE_ID: '1', REKEY_INTERNAL_PRIMARY: '1' }
    const child = start(['serve'], { folder, env: orphan })
    children.push(child)
    let said = ''
    child.stderr.on('data', (text) => (said += text))
    expect(await Promise.race([once(child, 'exit'), until(() => said.includes('ready'))])).toEqual([1, null])
    expect(said).toBe('')
    await tidyUp()
  })

  test('that cannot start end the node with the reason', async () => {
    prepare()
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    env.REKEY_PORT = String(typeof address === 'object' && address !== null ? address.port : 0)
    const child = start(['serve', '--workers=2'], { folder, env })
    children.push(child)
    let said = ''
    child.stderr.on('data', (text) => (said += text))
    expect(await once(child, 'exit')).toEqual([1, null])
    other.close()
    expect(said).toContain(`port ${env.REKEY_PORT}`)
    expect(said).toContain('rekey: worker 1 ended before it was ready (exit code 1)')
    expect(spawnSync('pgrep', ['-P', String(child.pid)]).stdout.toString()).toBe('')
    await tidyUp()
  })
})
