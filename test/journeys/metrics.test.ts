import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { countExpiredTransactions } from '../../src/flow/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { atTheCode, mailTo, newPassword, parallel, visit, wrongCode } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { type Nodes, startNode, startNodes } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { newBrowser, sdk } from '../support/sdk.ts'
import { parsePrometheus, scrape } from './prometheus.ts'

const mary = 'mary@example.com'
const flows = 'rekey_flow_outcomes_total'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** By how much each figure of a counter grew, those that did not left out. */
async function grown(name: string, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const read = async () =>
    new Map(
      (await scrape(idp.engineUrl)).families
        .get(name)
        ?.samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]),
    )
  const before = await read()
  await work()
  const after = await read()
  return Object.fromEntries(
    [...after].flatMap(([key, value]) => {
      const more = value - (before.get(key) ?? 0)
      return more === 0 || key.includes('/metrics') ? [] : [[key, more]]
    }),
  )
}

/** A whole recovery, over the wire. */
async function recover(identifier = mary): Promise<void> {
  const visitor = await atTheCode(idp, identifier)
  await visitor.answers((await mailTo(idp, identifier)).code)
  const done = await visitor.answers(newPassword)
  expect((await visitor.redeems(done.interactionCode ?? '')).status).toBe(200)
  await idp.engine.delivery.idle()
}

describe('GET /metrics', () => {
  test('is the text format to the letter, each figure with its help and type', async () => {
    await recover()
    // How late timers are is measured from one question to the next.
    await scrape(idp.engineUrl)
    const { type, families } = await scrape(idp.engineUrl)
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect([...families.keys()]).toEqual(
      expect.arrayContaining([
        flows,
        'rekey_mails_total',
        'rekey_http_requests_total',
        'rekey_http_request_duration_seconds',
        'rekey_mail_queue_length',
        'rekey_mail_queue_oldest_age_seconds',
        'rekey_mail_queue_oldest_due_seconds',
        'rekey_password_hashes_running',
        'rekey_password_hashes_waiting',
        'rekey_password_hashes_refused_total',
        'rekey_event_loop_lag_seconds',
        'process_cpu_seconds_total',
        'process_heap_used_bytes',
        'process_resident_memory_bytes',
        'process_uptime_seconds',
      ]),
    )
  })

  test('counts a recovery: its requests by route, its beginning and end, its two mails', async () => {
    const requests = await grown('rekey_http_requests_total', () => recover())
    expect(requests).toEqual({
      'POST /oauth2/default/v1/interact 200': 1,
      'POST /idp/idx/introspect 200': 1,
      'POST /idp/idx/recover 200': 1,
      'POST /idp/idx/identify 200': 1,
      'POST /idp/idx/challenge 200': 1,
      'POST /idp/idx/challenge/answer 200': 2,
      'POST /oauth2/default/v1/token 200': 1,
    })
    await idp.reset()
    expect(await grown(flows, () => recover())).toEqual({ 'recovery started': 1, 'recovery granted': 1 })
    await idp.reset()
    expect(await grown('rekey_mails_total', () => recover())).toEqual({ sent: 2 })
  })

  test('counts what else becomes of one: too many wrong answers, cancelled, run out', async () => {
    const locked = await grown(flows, async () => {
      const visitor = await atTheCode(idp, mary)
      const wrong = wrongCode((await mailTo(idp, mary)).code)
      for (let guess = 0; guess < 5; guess++) await visitor.answers(wrong)
    })
    expect(locked).toEqual({ 'recovery started': 1, 'recovery too_many_attempts': 1 })

    const cancelled = await grown(flows, async () => (await atTheCode(idp, mary)).submits('cancel'))
    expect(cancelled).toEqual({ 'recovery started': 1, 'recovery cancelled': 1 })

    const expired = await grown(flows, async () => {
      await idp.engine.maintain()
      // Opened and left: no user was named in it, so it is no sign-in that has failed.
      await visit(idp)
      await atTheCode(idp, mary)
      const signIn = await visit(idp)
      await signIn.submits('identify', { identifier: mary, credentials: { passcode: 'not her password' } })
      idp.clock.advance('3h')
      await idp.engine.maintain()
      await idp.engine.maintain()
    })
    expect(expired).toMatchObject({ 'recovery started': 1, 'recovery expired': 1 })
    expect(expired).not.toHaveProperty('recovery granted')
    expect(expired['sign-in started'] ?? 0).toBe(expired['sign-in expired'] ?? 0)
  })

  test('counts a recovery that begins with a token', async () => {
    const api = apiOf(idp)
    const { id } = (await api('GET', `/users/${mary}`)).body
    const { body } = await api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=false`)
    const recoveryToken = String(body.resetPasswordUrl).split('/').at(-1) ?? ''
    const counted = await grown(flows, async () => {
      const auth = sdk(idp, { major: 8, browser: newBrowser() })
      await auth.idx.recoverPassword({ recoveryToken })
      expect((await auth.idx.proceed({ password: newPassword })).status).toBe('SUCCESS')
    })
    expect(counted).toEqual({ 'recovery started': 1, 'recovery granted': 1 })
  })

  test('counts the same for people there are not', async () => {
    const walk = (identifier: string) => async () => {
      const visitor = await atTheCode(idp, identifier)
      for (let guess = 0; guess < 5; guess++) await visitor.answers('AAAAAAAAAA')
      await idp.engine.delivery.idle()
    }
    for (const name of [flows, 'rekey_mails_total']) {
      expect(await grown(name, walk('nobody@example.com'))).toEqual(await grown(name, walk(mary)))
    }
  })

  test('tells how long mails wait, and that attempts fail, while the mail server refuses', async () => {
    await idp.reset()
    await fetch(`${idp.controlUrl}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ smtp: 'refuse', times: 1 }),
    })
    const attempts = await grown('rekey_mails_total', async () => {
      await atTheCode(idp, mary)
      await idp.engine.delivery.idle()
    })
    expect(attempts).toEqual({ postponed: 1 })
    const waiting = await scrape(idp.engineUrl)
    expect(waiting.value('rekey_mail_queue_length')).toBe(1)
    expect(waiting.value('rekey_mail_queue_oldest_due_seconds')).toBe(0)
    expect(waiting.value('rekey_mail_queue_oldest_age_seconds')).toBeLessThan(60)

    expect(
      await grown('rekey_mails_total', async () => {
        idp.clock.advance('5s')
        await idp.engine.delivery.idle()
      }),
    ).toEqual({ sent: 1 })
    const over = await scrape(idp.engineUrl)
    expect(over.value('rekey_mail_queue_length')).toBe(0)
    expect(over.value('rekey_mail_queue_oldest_age_seconds')).toBe(0)
  })

  test('names routes by their pattern: a stranger can make up no label and no person is in one', async () => {
    const odd = (at: number) => [
      `/nowhere/${at}`,
      `/email/verify/made-up-${at}?token=t${at}`,
      `/api/v1/users/00u${at}`,
    ]
    const knock = async (from: number) => {
      await Promise.all(
        Array.from({ length: 20 }, (_, at) => odd(from + at))
          .flat()
          .map((path) => fetch(idp.engineUrl + path)),
      )
      for (const method of ['PROPFIND', `X${from}`]) await fetch(`${idp.engineUrl}/nowhere`, { method })
      return (await scrape(idp.engineUrl)).text
    }
    await knock(100)
    const before = await knock(200)
    const text = await knock(300)
    expect(text.split('\n')).toHaveLength(before.split('\n').length)
    expect(text).not.toMatch(/made-up|00u\d|t\d\d|mary|@|127\.0\.0\.1/)
  })
})

test('the queue of password hashes is told: who runs, who waits, who was sent away', async () => {
  const node = await startNode({ settings: { password: { concurrency: 1, queue: 2 } } })
  const visitors = await Promise.all(Array.from({ length: 12 }, () => visit(node)))
  const credentials = { passcode: 'Tangerine-Kettle-42' }
  const replies = await Promise.all(
    visitors.map((visitor) => visitor.submits('identify', { identifier: mary, credentials })),
  )
  const { value, families } = await scrape(node.engineUrl)
  const away = replies.filter(({ status }) => status === 503).length
  expect(away).toBeGreaterThan(0)
  expect(value('rekey_password_hashes_refused_total')).toBe(away)
  expect([value('rekey_password_hashes_running'), value('rekey_password_hashes_waiting')]).toEqual([0, 0])
  expect(value(flows, { intent: 'sign-in', outcome: 'granted' })).toBe(12 - away)
  for (const name of ['rekey_password_hash_duration_seconds', 'rekey_password_hash_wait_seconds']) {
    const own = (end: string) =>
      families.get(name)?.samples.find((sample) => sample.name === name + end)?.value
    expect(own('_count')).toBe(12 - away)
    expect(own('_sum')).toBeGreaterThan(0)
  }
  await node.close()
})

test('budgets that refuse are counted by name, from 0 on, and an attack on all is shown', async () => {
  const limits = { requests: { interactPerAddress: 3 }, appFactor: 1, sprayEverywhere: 2 }
  const node = await startNode({ settings: { limits } })
  const refused = async (budget: string) =>
    (await scrape(node.engineUrl)).value('rekey_budget_refusals_total', { budget })
  for (const budget of [
    'interactPerAddress',
    'idxPerAddress',
    'passwords-per-hour-by-source',
    'spray-everywhere',
  ]) {
    expect(await refused(budget), budget).toBe(0)
  }
  expect((await scrape(node.engineUrl)).value('rekey_under_attack')).toBe(0)
  for (let guess = 0; guess < 3; guess++) {
    const visitor = await visit(node)
    await visitor.submits('identify', { identifier: mary, credentials: { passcode: 'not the password' } })
  }
  expect((await scrape(node.engineUrl)).value('rekey_under_attack')).toBe(1)
  for (let time = 0; time < 2; time++) await visit(node).catch(() => {})
  expect(await refused('interactPerAddress')).toBe(2)
  await node.close()
})

test('the build, the database and the connections are shown', async () => {
  const node = await startNode()
  const { families, value } = await scrape(node.engineUrl)
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(value('rekey_build_info', { version, node: process.version })).toBe(1)
  expect(value('rekey_database_up')).toBe(1)
  expect(value('rekey_http_connections')).toBeGreaterThan(0)
  expect(value('rekey_http_connections_refused_total')).toBe(0)
  expect(families.has('rekey_database_up')).toBe(true)
  for (const check of ['database', 'disk', 'secret']) expect(value('rekey_ready', { check }), check).toBe(1)
  await node.engine.storage.close()
  expect((await scrape(node.engineUrl)).value('rekey_database_up')).toBe(0)
  await node.close().catch(() => {})
})

onEachDatabase('figures of several nodes', (database) => {
  let nodes: Nodes
  beforeAll(async () => {
    nodes = await startNodes(database, 2)
    for (const engine of nodes.engines) await engine.maintain()
  })
  afterAll(() => nodes.close())

  const tell = () => Promise.all(nodes.engines.map(({ port }) => scrape(`http://localhost:${port}`)))

  /** Recoveries that are left until they have expired. */
  async function leave(count: number): Promise<void> {
    for (let time = 0; time < count; time++) {
      const visitor = await visit(nodes.balancer)
      await visitor.submits('recover')
      await visitor.submits('identify', { identifier: mary })
    }
    nodes.clock.advance(3 * 3_600_000)
  }

  test('count what has run out once among them', async () => {
    await leave(3)
    await Promise.all(nodes.engines.map((engine) => engine.maintain()))
    const expired = (await tell()).map(({ value }) =>
      value(flows, { intent: 'recovery', outcome: 'expired' }),
    )
    expect(expired.reduce<number>((sum, count) => sum + (count ?? Number.NaN), 0)).toBe(3)
  })

  test('however many ask in the same moment, one gets the span of time', async () => {
    await leave(2)
    const now = nodes.clock.now()
    const taken = await parallel(10, (at) => {
      const engine = nodes.engines[at % 2]
      if (engine === undefined) throw new Error('there are two')
      return countExpiredTransactions(engine.storage, now)
    })
    expect(taken.reduce((sum, { recovery }) => sum + recovery, 0)).toBe(2)
    expect(taken.filter(({ recovery }) => recovery > 0)).toHaveLength(1)
  })

  test('tell of connections where there are any', async () => {
    for (const { value } of await tell()) {
      const busy = value('rekey_database_connections', { state: 'busy' })
      const most = value('rekey_database_connections_max')
      if (database.name === 'sqlite') expect([busy, most]).toEqual([undefined, undefined])
      else {
        expect(most).toBe(10)
        expect(busy).toBeLessThanOrEqual(10)
        expect(value('rekey_database_waiting')).toBeLessThanOrEqual(10)
      }
    }
  })
})

test('figures that cannot be read are left out, and the rest are told', async () => {
  const node = await startNode()
  await node.engine.storage.db.schema.dropTable('outbox').execute()
  const { value } = await scrape(node.engineUrl)
  expect(value('rekey_mail_queue_length')).toBeUndefined()
  expect(value('process_uptime_seconds')).toBeGreaterThan(0)
  await node.close()
})

test.each([
  ['a figure without its type', 'a 1\n'],
  ['a figure twice', '# HELP a_total x\n# TYPE a_total counter\na_total 1\na_total 2\n'],
  ['a counter by another name', '# HELP a x\n# TYPE a counter\na 1\n'],
  ['a bare quote in a label', '# HELP a x\n# TYPE a gauge\na{b="c"d"} 1\n'],
  ['no end of the last line', '# HELP a x\n# TYPE a gauge\na 1'],
])('the reader of these tests refuses %s', (_, text) => {
  expect(() => parsePrometheus(text)).toThrow()
})
