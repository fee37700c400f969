import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type SmtpSink, startSmtpSink } from '../../src/devtools/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { mary, type Visitor } from '../../src/testing/index.ts'
import { end, rekey, start, until } from '../cli/rekey.ts'
import { visit } from '../support/attacks.ts'
import { type HostClock, hostClock, noFaketime } from '../support/faketime.ts'
import { onEachDatabase } from '../support/postgres.ts'

// Real processes, whose host's clock is moved by libfaketime while their monotonic clock runs on.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const minute = 60_000
const day = 1440 * minute
const codeMs = 6000
const client = {
  id: 'shop',
  label: 'Shop',
  secret: 'a client secret for this test only',
  redirectUris: ['https://shop.example.com/login/callback'],
}

let folder: string
let sink: SmtpSink
const over: (() => unknown)[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-clock-'))
  sink = await startSmtpSink()
  over.push(() => rmSync(folder, { recursive: true }), sink.close)
  const limits = { mailsPerRecipient: 100 }
  const lifetimes = { code: `${codeMs}ms` }
  writeFileSync(
    join(folder, 'rekey.config.json'),
    JSON.stringify({ clients: [client], people: [{ ...mary }], lifetimes, limits, mail: { spreadMs: 0 } }),
  )
})
afterEach(async () => {
  for (const close of over.splice(0).reverse()) await close()
})

const envOf = (url: string) => ({
  DATABASE_URL: url,
  REKEY_SECRET: 'a master secret of 32 characters or more',
  REKEY_ISSUER: 'https://id.example.com',
  SMTP_URL: sink.url,
  REKEY_HOST: '127.0.0.1',
  REKEY_PORT: '0',
  REKEY_METRICS_PORT: '0',
})

/** A node, with the lines of its log. */
async function serve(url: string, clock?: HostClock) {
  const child: ChildProcessWithoutNullStreams = start(['serve'], {
    folder,
    env: { ...envOf(url), ...clock?.env },
  })
  over.push(() => end(child, 'SIGKILL'))
  const log: Record<string, unknown>[] = []
  createInterface({ input: child.stderr }).on('line', (line) =>
    log.push(line.startsWith('{') ? JSON.parse(line) : { msg: line }),
  )
  const ended = once(child, 'exit')
  await Promise.race([until(() => log.some(({ msg }) => msg === 'ready')), ended])
  const ready = log.find(({ msg }) => msg === 'ready')
  if (ready === undefined) throw new Error(`rekey serve did not start: ${JSON.stringify(log)}`)
  const engineUrl = `http://127.0.0.1:${ready.port}`
  const target = {
    engineUrl,
    issuer: `${engineUrl}/oauth2/default`,
    clientId: client.id,
    clientSecret: client.secret,
    redirectUri: client.redirectUris[0] ?? '',
    outbox: sink.messages,
  }
  return { target, log, end: () => end(child) }
}
type Target = Awaited<ReturnType<typeof serve>>['target']

/** A recovery up to the code, whose mail has come. */
async function codeFor(target: Target): Promise<{ visitor: Visitor; code: string }> {
  const after = sink.messages.latest({ to: mary.login })?.id
  const visitor = await (await visit(target)).atTheCode(mary.login)
  const mail = await sink.messages.waitFor({ to: mary.login, timeoutMs: 60_000, ...(after && { after }) })
  return { visitor, code: mail?.code ?? 'no code' }
}

/** Whether the mailed code is good at once, and wrong when its time is over: by the time that passes here. */
async function expectLifetimes(target: Target): Promise<void> {
  const late = await codeFor(target)
  const fresh = await codeFor(target)
  expect((await fresh.visitor.answers(fresh.code)).remediations).toContain('reset-authenticator')
  await pause(codeMs + 500)
  expect((await late.visitor.answers(late.code)).remediations).not.toContain('reset-authenticator')
}

/** When a token that is got now says that it was issued. */
async function issuedAt(target: Target): Promise<number> {
  const visitor = await visit(target)
  await visitor.signsIn(mary.login, mary.password)
  const { body } = await visitor.redeems()
  return Number(decodeJwt(String(body.access_token)).iat) * 1000
}

/** The latest time that the database holds, of every kind that the engine reads or shows. */
async function latestIn(url: string): Promise<number> {
  const storage = await openStorage({ url })
  try {
    const { db } = storage
    const settings = await db.selectFrom('settings').selectAll().where('key', '=', 'clock.highest').execute()
    const event = await db
      .selectFrom('events')
      .select((eb) => eb.fn.max('published_at').as('at'))
      .executeTakeFirst()
    const latest = [await storage.highestTime(), Number(settings[0]?.value ?? 0), Number(event?.at ?? 0)]
    return Math.max(...latest)
  } finally {
    await storage.close()
  }
}

describe.skipIf(noFaketime !== undefined)(
  `a host whose clock jumps${noFaketime === undefined ? '' : ` (skipped: ${noFaketime})`}`,
  () => {
    onEachDatabase('by a day, for two seconds', (database) => {
      test('O-H3: nothing that lasts has changed, forward or back, on this node and on the next', async () => {
        const { url, drop } = await database.create()
        over.push(drop)
        const clock = hostClock()
        const node = await serve(url, clock)
        const before = await codeFor(node.target)
        const beforeEnds = pause(codeMs + 500)

        for (const off of ['+1d', '-1d']) {
          clock.set(off)
          const iat = await issuedAt(node.target)
          const during = await codeFor(node.target)
          await pause(1500)
          clock.set('+0')
          expect(Math.abs(iat - Date.now())).toBeLessThan(10 * minute)
          expect((await during.visitor.answers(during.code)).remediations).toContain('reset-authenticator')
        }
        await beforeEnds
        expect((await before.visitor.answers(before.code)).remediations).not.toContain('reset-authenticator')
        expect(Math.abs((await latestIn(url)) - Date.now())).toBeLessThan(10 * minute)

        await node.end()
        const again = await serve(url, clock)
        await expectLifetimes(again.target)
        expect(Math.abs((await latestIn(url)) - Date.now())).toBeLessThan(10 * minute)
        expect(again.log.filter(({ msg }) => /time|clock/.test(String(msg)))).toEqual([])
      })
    })

    test('O-H3, report 20: after 400 days ahead an engine on SQLite runs on, warns, and is set right by a command', async () => {
      const url = `sqlite:${join(folder, 'rekey.db')}`
      const ahead = await serve(url, hostClock('+400d'))
      await codeFor(ahead.target)
      await ahead.end()

      const node = await serve(url)
      await until(() => node.log.some(({ aheadSeconds }) => Math.round(Number(aheadSeconds) / 8640) === 4000))
      await expectLifetimes(node.target)
      expect(Math.abs((await issuedAt(node.target)) - Date.now())).toBeLessThan(10 * minute)
      expect((await latestIn(url)) - Date.now()).toBeGreaterThan(399 * day)

      const run = (...args: string[]) => rekey(args, { folder, env: envOf(url) })
      const shown = await run('clock')
      expect(shown.code).toBe(0)
      expect(shown.stdout).toMatch(/400d ahead/)
      expect(shown.stderr).toMatch(/rekey clock --reset/)
      const findings = JSON.parse((await run('doctor', '--json')).stdout) as Record<string, string>[]
      const finding = findings.find(({ id }) => id === 'clock')
      expect(finding).toMatchObject({ result: 'deviates', why: expect.stringMatching(/400d ahead/) })
      await node.end()

      const sessionEnd = async () => {
        const storage = await openStorage({ url })
        const row = await storage.db
          .selectFrom('sessions')
          .select((eb) => eb.fn.max('expires_at').as('at'))
          .executeTakeFirstOrThrow()
        await storage.close()
        return Number(row.at)
      }
      const livesUntil = await sessionEnd()
      const reset = JSON.parse((await run('clock', '--reset', '--json')).stdout)
      expect(reset.setBackSeconds).toBeGreaterThan(399 * 86_400)
      expect(reset.aheadSeconds).toBe(0)
      expect(Math.round((livesUntil - (await sessionEnd())) / 1000)).toBe(Math.round(reset.setBackSeconds))
      expect((await run('clock', '--reset')).stderr).toMatch(/nothing was changed/)

      const healed = await serve(url)
      await expectLifetimes(healed.target)
      expect(healed.log.filter(({ msg }) => /time|clock/.test(String(msg)))).toEqual([])
      expect(JSON.parse((await run('clock', '--json')).stdout).aheadSeconds).toBe(0)
    })
  },
)
