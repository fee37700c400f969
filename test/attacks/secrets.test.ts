import { createHash, createHmac } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { startSmtpSink } from '../../src/devtools/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { startEngine } from '../../src/testing/index.ts'
import { atTheCode, atTheReset, isFull, mailTo, scale, startTarget, visit } from '../support/attacks.ts'
import { nodeSettings, startNode } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'

const victim = 'mary@example.com'
let close: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const work of close.reverse()) await work()
  close = []
})

/** Every value of every table, as a thief of the database has it. */
async function dumpOf(
  storage: Awaited<ReturnType<typeof startTarget>>['engine']['storage'],
): Promise<string> {
  const tables = (await storage.db.introspection.getTables()).map(({ name }) => name)
  expect(tables.length).toBeGreaterThan(15)
  let dump = ''
  for (const table of tables) {
    const rows = await storage.db
      .selectFrom(table as 'people')
      .selectAll()
      .execute()
    dump += `${table}\n${rows.map((row) => JSON.stringify(row)).join('\n')}\n`
  }
  return dump
}

describe('somebody with every door of the engine', () => {
  test('A40: no endpoint answers with a live code, and the control API does not exist on the engine', async () => {
    const idp = await startTarget()
    close.push(idp.close)
    const replies: string[] = []
    const visitor = await atTheCode(idp, victim)
    const { code, link } = await mailTo(idp, victim)
    const token = new URL(link ?? '').searchParams.get('token') ?? ''
    for (const path of [
      'introspect',
      'challenge/poll',
      'challenge/resend',
      'recover',
      'identify',
      'challenge',
    ]) {
      const { headers, body } = await visitor.submits(path, {
        identifier: victim,
        returnCode: true,
        sendEmail: false,
      })
      replies.push(JSON.stringify([[...headers], body]))
    }
    const { code: second } = await mailTo(idp, victim)
    const doors = [
      '/messages',
      '/inbox',
      '/clock',
      '/reset',
      '/people',
      '/faults',
      '/events',
      '/transactions',
      '/metrics',
      '/health/ready',
      '/api/v1/users',
      `/api/v1/users/${victim}/lifecycle/reset_password?sendEmail=false`,
      `/api/v1/users/${victim}/credentials/forgot_password?sendEmail=false`,
      '/api/v1/authn/recovery/password',
      '/api/v1/logs',
    ]
    for (const door of doors) {
      for (const method of ['GET', 'POST']) {
        const init = method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}
        const reply = await fetch(`${idp.engineUrl}${door}`, { method, ...init })
        const isOpen = door === '/metrics' || door === '/health/ready'
        if (!isOpen) expect([door, [401, 403, 404, 405].includes(reply.status)]).toEqual([door, true])
        replies.push(await reply.text())
      }
    }
    const secrets = [token, `"${code}"`, `"${second}"`]
    for (const secret of secrets) expect(replies.filter((text) => text.includes(secret))).toEqual([])
  })

  test('A40: what is for tests refuses to start where production is asked for', async () => {
    const production = {
      mode: 'production' as const,
      secrets: ['a secret of production with many letters'],
      issuer: 'https://id.example.com',
      database: { url: 'sqlite:/nonexistent/rekey.db' },
      mail: { url: 'smtp://mail.example.com' },
    }
    expect(checkConfig(production).mode).toBe('production')
    await expect(startEngine({ settings: production })).rejects.toThrow(/insecureLocalhostRedirects/)
    await expect(startEngine({ settings: { mode: 'production' } })).rejects.toThrow(/issuer/)
    const unsafe: readonly (readonly [Settings, RegExp])[] = [
      [{ secrets: [] }, /secrets/],
      [{ secrets: ['seventeen letters'] }, /secrets/],
      [{ issuer: 'http://id.example.com' }, /issuer/],
      [{ mail: {} }, /mail\.url/],
      [{ database: { url: 'memory' } }, /database\.url/],
      [{ password: { memoryKiB: 8, passes: 1, lanes: 1 } }, /password/],
    ]
    for (const [part, problem] of unsafe) {
      expect(() => checkConfig({ ...production, ...part })).toThrow(problem)
    }
  })
})

onEachDatabase('somebody with a dump of the database', (database) => {
  test('A43: trying codes against everything in it finds none', async () => {
    const { url, drop } = await database.create()
    close.push(drop)
    const idp = await startTarget({ database: url })
    close.push(idp.close)
    await atTheCode(idp, victim)
    const { code, link } = await mailTo(idp, victim)
    const token = new URL(link ?? '').searchParams.get('token') ?? ''
    const dump = await dumpOf(idp.engine.storage)
    const transaction = (await idp.engine.transactions())[0]
    const { id = '' } = transaction ?? {}

    // What a thief knows, and every plain way to hash it with a code: no key is in the dump.
    const texts = [...new Set(dump.match(/[\w+/=-]{20,}/g))]
    const prefixes = ['', `${id}:`, id, 'code', 'code:', victim, `${victim}:`]
    const hashes = [
      (text: string) => createHash('sha256').update(text).digest(),
      (text: string) => createHash('sha1').update(text).digest(),
      (text: string) => createHmac('sha256', '').update(text).digest(),
      (text: string) => createHmac('sha256', id).update(text).digest(),
    ]
    const stored = new Set(texts.flatMap((text) => [text, text.split('.').at(-1) ?? '']))
    const finds = (candidate: string): boolean =>
      prefixes.some((prefix) =>
        hashes.some((hash) => {
          const digest = hash(prefix + candidate)
          return stored.has(digest.toString('base64url')) || stored.has(digest.toString('hex'))
        }),
      )
    // The search itself is able to find: a hash without a key is found at once.
    stored.add(createHash('sha256').update(`${id}:424242`).digest('base64url'))
    expect(finds('424242')).toBe(true)
    expect(finds(code ?? '')).toBe(false)
    // Codes in the plainest way: by default those around the right one, all of them under `--full`.
    let found = 0
    const first = isFull ? 0 : Math.max(0, Number(code) - 10_000)
    for (let number = first; number < first + scale(20_000, 1_000_000); number++) {
      const candidate = String(number).padStart(6, '0')
      if (candidate === '424242') continue
      const digest = createHash('sha256').update(`${id}:${candidate}`).digest('base64url')
      if (stored.has(digest)) found++
    }
    expect(found).toBe(0)

    // Nor does the link: what is stored of it is a hash of 256 random bits.
    expect(dump).not.toContain(token)
    expect(dump).not.toContain(token.slice(19))
    const { stateHandle } = await visit(idp)
    expect(stateHandle).not.toBe('')
    // An engine with another secret is all that a thief can start, and it does not start.
    const settings = nodeSettings('smtp://127.0.0.1:9', {
      database: { url },
      secrets: ['the secret of a thief who has no other'],
      mail: { deliver: false },
    })
    const startThief = () => openEngine(checkConfig(settings), { log: silentLogger })
    await expect(startThief()).rejects.toThrow(/is not the secret of this database/)
  })
})

onEachDatabase('a clock that is set back', (database) => {
  test('A44: no code, link, transaction or token that had expired comes back to life', async () => {
    const { url, drop } = await database.create()
    const node = await startNode({ settings: { database: { url } }, ports: { tokens: 'virtual' } })
    close.push(drop, node.close)
    const visitor = await atTheCode(node, victim)
    const { code, link } = await mailTo(node, victim)
    node.clock.advance(300_000)
    await visitor.submits('challenge/poll')

    node.clock.advance(-3_600_000)

    expect((await fetch(link ?? '', { redirect: 'manual' })).status).toBe(200)
    expect((await visitor.answers(code)).status).toBe(401)
    expect(node.engine.clock.now()).toBeGreaterThan(node.clock.now() + 3_500_000)
  })

  test('A44: neither does a restart on a host whose clock was set back', async () => {
    const { url, drop } = await database.create()
    const sink = await startSmtpSink()
    close.push(drop, sink.close)
    const clock = new VirtualClock({ frozen: true })
    const start = async (on: VirtualClock) => {
      const config = checkConfig(nodeSettings(sink.url, { database: { url } }))
      const engine = await openEngine(config, { clock: on, log: silentLogger })
      const target = { ...(await targetOf(engine)), engine, outbox: sink.messages }
      return { engine, target }
    }
    const targetOf = async (engine: Awaited<ReturnType<typeof openEngine>>) => ({
      issuer: engine.issuers.default,
      engineUrl: engine.baseUrl,
      clientId: 'rekey-web',
      clientSecret: 'rekey-web-secret-for-tests-only',
      redirectUri: 'http://localhost:8080/login/callback',
    })
    const before = await start(clock)
    const visitor = await atTheCode(before.target, victim)
    const { code, link } = await mailTo(before.target, victim)
    clock.advance(301_000)
    // No row of a user holds this moment: the engine itself takes note of the time.
    await before.engine.maintain()
    await before.engine.close()

    const earlier = new VirtualClock({ frozen: true, startAt: clock.now() - 3_600_000 })
    const after = await start(earlier)
    close.push(() => after.engine.close())
    const page = await fetch(
      `${after.target.engineUrl}${new URL(link ?? '').pathname}${new URL(link ?? '').search}`,
      { redirect: 'manual' },
    )
    expect(page.status).toBe(200)
    const guessed = await fetch(`${after.target.engineUrl}/idp/idx/challenge/answer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stateHandle: visitor.stateHandle, credentials: { passcode: code } }),
    })
    expect(guessed.status).toBe(401)
    // New ones work: time stands still for them until the host has caught up.
    const next = await atTheReset(after.target, victim)
    expect((await next.submits('introspect')).remediations).toEqual(['reset-authenticator'])
  })
})
