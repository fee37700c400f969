import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig } from '../../src/config/index.ts'
import { type Engine, openEngine } from '../../src/engine/index.ts'
import { newVisitor, type VisitorTarget } from '../../src/testing/index.ts'
import { type Attacked, atTheCode, manyMails, scale } from '../support/attacks.ts'
import { onThisMachine } from '../support/machine.ts'
import { nodeSettings } from '../support/nodes.ts'
import { fillsIn } from '../support/sign-up.ts'
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server.ts'

let smtp: TestSmtpServer
let engine: Engine
let clock: VirtualClock
let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-queue-'))
  smtp = await startSmtpServer()
  clock = new VirtualClock({ frozen: true })
})
afterEach(async () => {
  await engine.close()
  await smtp.close()
  rmSync(folder, { recursive: true })
})

async function start(limits: object, deliver: boolean): Promise<Attacked> {
  const settings = nodeSettings(smtp.url, {
    database: { url: `sqlite:${join(folder, 'rekey.db')}` },
    mail: { url: smtp.url, deliver },
    limits: { ...manyMails, ...limits },
    signUp: { open: true },
  })
  engine = await openEngine(checkConfig(settings), { clock, log: silentLogger })
  const [client] = settings.clients ?? []
  const target: VisitorTarget = {
    issuer: engine.issuers.default,
    engineUrl: engine.baseUrl,
    clientId: client?.id ?? '',
    clientSecret: client?.secret ?? '',
    redirectUri: client?.redirectUris?.[0] ?? '',
  }
  return { ...target, engine } as Attacked
}

async function addUsers(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const login = `user${index}@example.com`
    await engine.people.add({ profile: { login, email: login } })
  }
}

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })

const fills = {
  recoveries: (idp: Attacked, index: number) =>
    atTheCode(idp, `user${index % 50}@example.com`, from('203.0.113.7')),
  'sign-ups': (idp: Attacked, index: number) =>
    fillsIn(newVisitor(idp, from('203.0.113.7')), {
      email: `new${index}@example.com`,
      firstName: 'Nina',
      lastName: 'Nowak',
    }),
} as const

test.each(Object.entries(fills))(
  'A57: while one source fills the queue of mails by %s, the codes of others arrive within five seconds',
  async (_, fill) => {
    const many = { requests: { mailsPerSource: 1e9, mailsPerClient: 1e9 } }
    const idp = await start(many, false)
    await addUsers(60)
    const flood = scale(60, 2000)
    for (let index = 0; index < flood; index++) {
      await fill(idp, index)
    }
    await atTheCode(idp, 'user55@example.com', from('198.51.100.1'))
    await atTheCode(idp, 'user56@example.com', from('198.51.100.2'))
    await engine.close()

    // Only now is there a worker to deliver them.
    const begun = performance.now()
    await start(many, true)
    const isHere = (address: string) => smtp.received.some(({ to }) => to.includes(address))
    while (!isHere('user55@example.com') || !isHere('user56@example.com')) {
      if (performance.now() - begun > 120_000) break
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(performance.now() - begun).toBeLessThan(onThisMachine(5000))
    expect([isHere('user55@example.com'), isHere('user56@example.com')]).toEqual([true, true])
    // Not because all of them were sent.
    expect(smtp.received.length).toBeLessThan(flood / 2)
  },
)

test('A57: one source causes so many mails a minute, and is refused openly, whatever names it uses', async () => {
  const idp = await start({ requests: { mailsPerSource: 5 } }, true)
  await addUsers(10)
  const told = async (name: (index: number) => string, address: string) => {
    const lines = []
    for (let index = 0; index < 7; index++) {
      const { response: last } = await atTheCode(idp, name(index), from(address))
      lines.push([last.status, last.headers.get('retry-after'), ...last.messages, last.remediations[0]])
    }
    return lines
  }
  const known = await told((index) => `user${index}@example.com`, '203.0.113.7')
  expect(known.slice(5)).toEqual(
    Array(2).fill([429, '60', 'tooManyRequests', 'select-authenticator-authenticate']),
  )
  expect(known.slice(0, 5).map(([status]) => status)).toEqual([200, 200, 200, 200, 200])
  expect(await told((index) => `nobody${index}@example.com`, '203.0.113.8')).toEqual(known)
  // Others are not held back, and neither is this source a minute later.
  expect((await atTheCode(idp, 'user9@example.com', from('198.51.100.1'))).response.status).toBe(200)
  clock.advance(60_000)
  expect((await atTheCode(idp, 'user9@example.com', from('203.0.113.7'))).response.status).toBe(200)
})
