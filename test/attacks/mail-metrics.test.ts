import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scrape } from '../journeys/prometheus.ts'
import { atTheCode, manyMails } from '../support/attacks.ts'
import { type Node, startNode } from '../support/nodes.ts'
import { type ScriptedSmtpServer, type SmtpMoment, startScriptedSmtp } from '../support/smtp-server.ts'

// A62: the operator's channel as an oracle. A caller starts recoveries and reads the metrics meanwhile.

const stepMs = 120
const slowly: Partial<Record<SmtpMoment, string>> = {
  greeting: '220 mail.test ESMTP',
  MAIL: '250 ok',
  RCPT: '250 ok',
  message: '250 taken',
}
let server: ScriptedSmtpServer
let node: Node

async function started(): Promise<void> {
  server = await startScriptedSmtp({
    answer: (moment) => {
      const reply = slowly[moment]
      return reply === undefined ? undefined : { afterMs: stepMs, reply }
    },
  })
  node = await startNode({ settings: { mail: { url: server.url, spreadMs: 0 }, limits: manyMails } })
}
beforeEach(started)
afterEach(async () => {
  await node.close()
  await server.close()
})

const mary = 'mary@example.com'
const nameOf = (known: boolean, round: number) => (known ? mary : `unknown${round}@example.com`)

/** Every figure of mails that /metrics has. */
async function figures(): Promise<Record<string, number>> {
  const { families } = await scrape(node.engine.baseUrl)
  return Object.fromEntries(
    [...families.values()]
      .filter(({ name }) => name.startsWith('rekey_mail'))
      .flatMap(({ name, samples }) =>
        samples.map(({ labels, value }) => [`${name} ${Object.values(labels)}`, value]),
      ),
  )
}

const sent = async () => (await figures())['rekey_mails_total sent'] ?? 0

/** Milliseconds from the answer to a recovery until its mail counts as sent. */
async function untilCounted(identifier: string): Promise<number> {
  const before = await sent()
  await atTheCode(node, identifier)
  const began = performance.now()
  while ((await sent()) === before) {
    if (performance.now() - began > 60_000) throw new Error('the mail is never counted')
    await pause(2)
  }
  return performance.now() - began
}

/** What the engine takes, without what a busy machine adds now and then: an attacker would look at the same. */
const least = (values: readonly number[]) => Math.min(...values)

test('A62: a mail for an unknown user is in hand for as long as a real one', async () => {
  await untilCounted(mary)
  const times = { known: [] as number[], unknown: [] as number[] }
  for (let round = 0; round < 6; round++) {
    times.unknown.push(await untilCounted(nameOf(false, round)))
    times.known.push(await untilCounted(nameOf(true, round)))
  }
  expect(least(times.unknown)).toBeGreaterThan(2.5 * stepMs)
  expect(least(times.unknown)).toBeGreaterThan(least(times.known) * 0.6)
  expect(least(times.unknown)).toBeLessThan(least(times.known) * 1.6)
})

test('A62: nor does the first mail of an engine, or a connection left open, show which it was', async () => {
  const walk = async (known: boolean) => {
    const first = await untilCounted(nameOf(known, 0))
    const open = server.connections
    await untilCounted(nameOf(known, 1))
    return { first, connections: [open, server.connections] }
  }
  const ofUnknown = await walk(false)
  await node.close()
  await server.close()
  await started()
  const ofKnown = await walk(true)
  expect(ofUnknown.connections).toEqual(ofKnown.connections)
  // It opens the connection as well: at least the greeting's time.
  expect(Math.min(ofUnknown.first, ofKnown.first)).toBeGreaterThan(stepMs)
})

test.each([
  ['is away', async () => server.close()],
  [
    'greets with 421',
    async () => server.answers((moment) => (moment === 'greeting' ? '421 4.3.2 no' : undefined)),
  ],
] as const)('A62: every figure moves alike while the mail server %s', async (_, misbehave) => {
  await misbehave()
  const moved = async (identifier: string) => {
    const before = await figures()
    await atTheCode(node, identifier)
    await node.engine.delivery.idle()
    node.clock.advance(2000)
    await node.engine.delivery.idle()
    const after = await figures()
    node.clock.advance(6 * 60_000)
    await node.engine.delivery.idle()
    const end = await figures()
    const rest = (one: Record<string, number>) =>
      Object.fromEntries(Object.entries(one).map(([name, value]) => [name, value - (before[name] ?? 0)]))
    return [rest(after), rest(end)]
  }
  const ofUnknown = await moved(nameOf(false, 0))
  expect(ofUnknown[0]).toMatchObject({ 'rekey_mails_total sent': 0, 'rekey_mails_total postponed': 2 })
  expect(ofUnknown[1]).toMatchObject({ 'rekey_mails_total expired': 1 })
  expect(await moved(nameOf(true, 0))).toEqual(ofUnknown)
})

test('A62: an address that the mail server has refused for good counts as one of an unknown user, from the second mail on', async () => {
  server.answers((moment) => (moment === 'RCPT' ? '550 5.1.1 unknown user' : undefined))
  await atTheCode(node, mary)
  await node.engine.delivery.idle()
  server.answers(() => undefined)
  const moved = async (identifier: string) => {
    const before = await figures()
    await atTheCode(node, identifier)
    await node.engine.delivery.idle()
    const after = await figures()
    return Object.entries(after).filter(([name, value]) => value !== before[name])
  }
  expect((await moved(mary)).map(([name]) => name)).toEqual(
    (await moved(nameOf(false, 0))).map(([name]) => name),
  )
  expect(server.received).toEqual([])
})
