import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { alone } from '../support/alone.ts'
import { atTheCode, manyMails } from '../support/attacks.ts'
import { type Node, startNode } from '../support/nodes.ts'
import { type ScriptedSmtpServer, startScriptedSmtp } from '../support/smtp-server.ts'
import { rekey } from './rekey.ts'
import { callCommand } from './terminal.ts'

const mary = 'mary@example.com'
let folder: string
let server: ScriptedSmtpServer
let node: Node
const codeOf = (source: string) => /Enter a code instead: (\w+)/.exec(source)?.[1] ?? 'no code'

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-mail-'))
  server = await startScriptedSmtp()
  const url = `sqlite:${join(folder, 'rekey.db')}`
  node = await startNode({
    settings: { database: { url }, mail: { url: server.url, spreadMs: 0 }, limits: manyMails },
  })
})
afterEach(async () => {
  await node.close()
  await server.close()
  rmSync(folder, { recursive: true })
})

const mail = (...words: readonly string[]) =>
  callCommand(['mail', ...words], {
    folder,
    env: {
      DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
      REKEY_SECRET: 'only for tests: everybody knows this secret',
    },
  })
const listed = async (...words: readonly string[]) =>
  JSON.parse((await mail('list', '--json', ...words)).stdout) as readonly Record<string, unknown>[]

/** Queues a recovery mail and lets it be tried. */
async function tried(identifier = mary): Promise<void> {
  await atTheCode(node, identifier)
  await node.engine.delivery.idle()
}
const relayDenied = '554 5.7.1 Relay access denied'
const unknownUser = '550 5.1.1 unknown user'
const refuse = (reply: string) => server.answers((moment) => (moment === 'RCPT' ? reply : undefined))
/** The command has the host's clock; that of the engine here stands still until it is moved. */
async function delivered(): Promise<void> {
  node.clock.advance(60_000)
  await node.engine.delivery.idle()
}
const wellAgain = () => server.answers(() => undefined)

test('lists what waits and what was refused, with the reason, and shows one of them', async () => {
  refuse(relayDenied)
  await tried()
  await tried('unknown@example.com')
  const all = await listed()
  expect(all).toHaveLength(1)
  expect(all[0]).toMatchObject({
    status: 'waiting',
    template: 'ForgotPassword',
    to: mary,
    attempts: 1,
    reason: expect.stringContaining(relayDenied),
  })
  const { code, stdout } = await mail('list')
  expect([code, stdout]).toEqual([0, expect.stringContaining(relayDenied)])
  const id = String(all[0]?.id)
  expect((await mail('show', id)).stdout).toMatch(/status +waiting/)
  expect(JSON.parse((await mail('show', id, '--json')).stdout)).toEqual(all[0])
  // One for an unknown user is closed.
  expect(await listed('--status', 'dropped')).toMatchObject([{ to: null }])
  expect(await mail('show', 'maiNONE')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no mail "maiNONE"'),
  })
  expect(await mail('list', '--status', 'lost')).toMatchObject({ code: 2 })
})

test('prints nothing of what a mail says', async () => {
  refuse(unknownUser)
  await tried()
  const [{ id } = {}] = await listed('--status', 'dead')
  const outputs = [
    await mail('list'),
    await mail('list', '--json'),
    await mail('show', String(id)),
    await mail('show', String(id), '--json'),
  ]
  wellAgain()
  await mail('retry', String(id))
  await delivered()
  const source = server.received[0]?.source ?? ''
  expect(codeOf(source)).toMatch(/^\d{6}$/)
  for (const { stdout, stderr } of outputs) {
    expect(stdout + stderr).not.toMatch(alone(codeOf(source)))
    expect(stdout + stderr).not.toMatch(/token=|sealed|https?:/)
  }
})

test('prints nothing that a terminal obeys, of what a server said to an earlier release either', async () => {
  refuse(unknownUser)
  await tried()
  const { db } = node.engine.storage
  const error = '550 \u001b]0;owned\u0007 \u009b2J \u202euser'
  await db.updateTable('outbox').set({ error }).execute()
  await db.updateTable('mail_suppressions').set({ reason: error }).execute()
  const [{ id, reason } = {}] = await listed('--status', 'dead')
  expect(reason).toBe(error)
  const calls = [['list'], ['show', String(id)], ['suppressions', 'list']]
  for (const words of calls.flatMap((call) => [call, [...call, '--json']])) {
    const { stdout } = await mail(...words)
    expect(stdout).toContain('\\u001b]0;owned')
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
  }
})

test('points to its own help where it is called in a wrong way', async () => {
  for (const [words, name] of [
    [['list', '--status', 'lost'], 'list'],
    [['list', '--limit', '0'], 'list'],
    [['list', 'more'], 'list'],
    [['show'], 'show'],
    [['retry'], 'retry'],
    [['suppressions', 'remove'], 'suppressions remove'],
  ] as const)
    expect(await mail(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`see: rekey mail ${name} --help`),
    })
})

test('retries a refused mail once the server is mended, and ends the suppression of its address', async () => {
  refuse(unknownUser)
  await tried()
  const [{ id } = {}] = await listed('--status', 'dead')
  wellAgain()
  expect(JSON.parse((await mail('suppressions', 'list', '--json')).stdout)).toMatchObject([
    { address: mary, reason: expect.stringContaining('5.1.1') },
  ])
  expect(await mail('retry', String(id), '--json')).toMatchObject({ code: 0 })
  await delivered()
  expect(server.received.map(({ to }) => to)).toEqual([[mary]])
  expect(await mail('suppressions', 'list')).toMatchObject({ code: 0, stdout: '' })
  expect(await mail('retry', String(id))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('was accepted'),
  })
})

test('retries what waits at once, and all dead mails together', async () => {
  refuse(relayDenied)
  await tried()
  wellAgain()
  const [{ id } = {}] = await listed()
  expect(await mail('retry', String(id))).toMatchObject({ code: 0, stdout: `${id} is due now\n` })
  await delivered()
  expect(server.received).toHaveLength(1)

  refuse('550 no such user')
  await tried()
  wellAgain()
  expect((await mail('retry', '--all-dead')).stdout).toMatch(/^mai\w+ is due now\n$/)
  await delivered()
  expect(server.received).toHaveLength(2)
  expect(await mail('retry')).toMatchObject({ code: 2 })
  expect(await mail('retry', 'maiNONE')).toMatchObject({ code: 1 })
})

test('refuses to retry a mail whose code is dead, with the reason', async () => {
  refuse(unknownUser)
  await tried()
  const [{ id, ends } = {}] = await listed('--status', 'dead')
  node.clock.advance(5 * 60_000)
  // The command has the host's clock, which an engine's is not behind.
  await node.engine.maintain()
  const refused = await mail('retry', String(id))
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain(`its code or link was valid until ${ends}`)
})

test('ends a suppression, which is an event; a new email of the user ends it too', async () => {
  refuse(unknownUser)
  await tried()
  await tried()
  expect(server.lines.filter(({ line }) => line.startsWith('RCPT'))).toHaveLength(1)
  expect((await mail('suppressions', 'list')).stdout).toContain(mary)
  expect(await mail('suppressions', 'remove', 'MARY@example.com')).toMatchObject({ code: 0 })
  expect(await mail('suppressions', 'remove', mary)).toMatchObject({ code: 1 })
  const events = await node.engine.events()
  expect(events.map(({ eventType }) => eventType)).toContain('system.email.bounce.removal')
  expect(events.find(({ outcome }) => outcome.reason === 'DEAD')?.debugContext.debugData).toMatchObject({
    error: expect.stringContaining('5.1.1'),
  })

  await tried()
  const person = await node.engine.people.find(mary)
  await node.engine.people.change(person?.id ?? '', { profile: { email: 'mary@new.example' } })
  await node.engine.people.change(person?.id ?? '', { profile: { email: mary } })
  wellAgain()
  await tried()
  // Besides the notices of both changes, to both addresses.
  const recoveries = server.received.filter(({ source }) =>
    /^X-Rekey-Template: ForgotPassword\r?$/im.test(source),
  )
  expect(recoveries.map(({ to }) => to)).toEqual([[mary]])
})

test('rekey doctor says whether the mail server takes mails', async () => {
  const mailRow = async (env: Readonly<Record<string, string>>) => {
    const { stdout } = await rekey(['doctor', '--json'], { folder, env: { DATABASE_URL: 'memory', ...env } })
    const rows = JSON.parse(stdout) as readonly {
      readonly asks: string
      readonly result: string
      readonly why: string
    }[]
    return rows.find(({ asks }) => asks.startsWith('mails leave over TLS'))
  }
  expect(await mailRow({ SMTP_URL: server.url })).toMatchObject({ result: 'met' })
  expect(await mailRow({ SMTP_URL: `${server.url}?requireTLS=true` })).toMatchObject({
    result: 'deviates',
    why: expect.stringContaining('STARTTLS'),
  })
  expect(await mailRow({ SMTP_URL: server.url, REKEY_MAIL_INSECURE_PLAIN_SMTP: 'true' })).toMatchObject({
    result: 'deviates',
    why: expect.stringContaining('insecurePlainSmtp'),
  })
  const auth = server.url.replace('//', '//user:wrong@')
  await server.close()
  expect(await mailRow({ SMTP_URL: auth })).toMatchObject({
    result: 'deviates',
    why: expect.stringContaining('ECONNREFUSED'),
  })
})

test('rekey serve warns at its start where no mail could leave, and starts', async () => {
  writeFileSync(join(folder, 'rekey.config.json'), '{}')
  await server.close()
  const { start, end, until } = await import('./rekey.ts')
  const child = start(['serve'], {
    folder,
    env: {
      DATABASE_URL: `sqlite:${join(folder, 'serve.db')}`,
      REKEY_SECRET: 'a master secret of 32 characters or more',
      REKEY_ISSUER: 'https://id.example.com',
      SMTP_URL: server.url.replace('//', '//user:canary@'),
      REKEY_MAIL_INSECURE_PLAIN_SMTP: 'true',
      REKEY_HOST: '127.0.0.1',
      REKEY_PORT: '0',
    },
  })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  await until(() => log.includes('"ready"') && log.includes('the mail server does not take mails'))
  expect(log).toContain('mail.insecurePlainSmtp is set')
  expect(log).toContain('ECONNREFUSED')
  expect(log).not.toContain('canary')
  expect(await end(child)).toMatchObject({ code: 0 })
})
