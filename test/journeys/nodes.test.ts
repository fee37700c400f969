import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { mary } from '../../src/testing/index.ts'
import { startEngineProcess } from '../attacks/engine-process.ts'
import { visit } from '../support/attacks.ts'
import { type Nodes, startNodes } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { startSmtpServer } from '../support/smtp-server.ts'

const newPassword = 'Lighthouse-Biscuit-77'

/** A visitor who asked for the mail of a recovery, each step at the next node. */
async function atTheCode({ balancer, engines, outbox }: Nodes) {
  const before = outbox.latest({ to: mary.login })?.id
  const visitor = await visit(balancer)
  balancer.to(1)
  await visitor.submits('recover')
  balancer.to(engines.length - 1)
  await visitor.submits('identify', { identifier: mary.login })
  balancer.to(0)
  await visitor.selects('okta_email')
  const mail = await outbox.waitFor({ to: mary.login, ...(before !== undefined && { after: before }) })
  return { visitor, mail }
}

onEachDatabase('several nodes on one database', (database) => {
  const count = database.name === 'postgres' ? 3 : 2
  let nodes: Nodes
  beforeAll(async () => {
    nodes = await startNodes(database, count)
  })
  afterAll(() => nodes.close())

  test('a recovery that begins on one node goes on and ends on others', async () => {
    const { balancer, engines } = nodes
    const { visitor, mail } = await atTheCode(nodes)

    // The link of the mail is opened on another node than the one that sent it.
    const link = new URL(mail.link ?? '')
    const opened = await fetch(`http://localhost:${engines[1]?.port}${link.pathname}${link.search}`, {
      redirect: 'manual',
    })
    expect(opened.status).toBe(302)
    expect(new URL(opened.headers.get('location') ?? '').searchParams.get('otp')).toBe(mail.code)

    balancer.to(count - 1)
    const proven = await visitor.submits('challenge/answer', { credentials: { passcode: mail.code } })
    expect(proven.remediations).toEqual(['reset-authenticator'])
    balancer.to(0)
    const done = await visitor.submits('challenge/answer', { credentials: { passcode: newPassword } })
    balancer.to(1)
    const tokens = await visitor.redeems(done.interactionCode ?? '')
    expect(tokens.status).toBe(200)
    expect(tokens.body).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) })
  })

  test('all nodes sign with one key and publish the same ones', async () => {
    const published = await Promise.all(
      nodes.engines.map(async ({ port }) =>
        (await fetch(`http://localhost:${port}/oauth2/default/v1/keys`)).json(),
      ),
    )
    expect(published[0]).toMatchObject({ keys: [{ kty: 'RSA' }] })
    for (const keys of published) expect(keys).toEqual(published[0])
  })

  test('each mail leaves once, whichever node takes it', async () => {
    await Promise.all(nodes.engines.map((engine) => engine.delivery.idle()))
    const before = nodes.outbox.to(mary.login).length
    const { mail } = await atTheCode(nodes)
    // Every node looks at the outbox, again and again; nothing is left for them.
    for (const engine of nodes.engines) engine.delivery.wake()
    await Promise.all(nodes.engines.map((engine) => engine.delivery.idle()))

    expect(nodes.outbox.to(mary.login).length).toBe(before + 1)
    expect(mail.template).toBe('ForgotPassword')
  })

  test('wrong answers on all nodes count together: the fifth closes the conversation', async () => {
    const { visitor, mail } = await atTheCode(nodes)
    const wrong = mail.code === '000000' ? '111111' : '000000'
    for (let guess = 1; guess <= 5; guess++) {
      nodes.balancer.to(guess % count)
      const refused = await visitor.submits('challenge/answer', { credentials: { passcode: wrong } })
      const keys = refused.messages
      expect(keys).toEqual(guess < 5 ? ['api.authn.error.PASSCODE_INVALID'] : ['tooManyRequests'])
    }
    nodes.balancer.to(1)
    const right = await visitor.submits('challenge/answer', { credentials: { passcode: mail.code } })
    expect(right.messages).toEqual(['idx.session.expired'])
  })
})

onEachDatabase('a node that dies', (database) => {
  test('leaves the mail that it had in hand to another node', async () => {
    const smtp = await startSmtpServer()
    const nodes = await startNodes(database, 2, {
      settings: { mail: { url: smtp.url, spreadMs: 0, deliver: false } },
    })
    // The first node takes the mail to a server that never answers, and is killed.
    smtp.hang(true)
    const doomed = await startEngineProcess({
      ...nodes.settings,
      mail: { url: smtp.url, spreadMs: 0 },
      clients: [...(nodes.settings.clients ?? [])],
    })
    const visitor = await visit(nodes.balancer)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: mary.login })
    await visitor.selects('okta_email')
    await expect.poll(() => smtp.attempts).toBeGreaterThanOrEqual(1)
    await doomed.kill()
    smtp.hang(false)

    // Its lease is over a minute later.
    const clock = new VirtualClock()
    clock.advance(61_000)
    const settings = { ...nodes.settings, mail: { url: smtp.url, spreadMs: 0 } }
    const heir = await openEngine(checkConfig(settings), { clock, log: silentLogger })
    await expect.poll(() => smtp.received.length).toBeGreaterThanOrEqual(1)
    await heir.delivery.idle()
    const { source } = smtp.received[0] ?? { source: '' }
    const code = /\b\d{6}\b/.exec(source.replace(/^[\s\S]*?\r\n\r\n/, ''))?.[0]
    const proven = await visitor.submits('challenge/answer', { credentials: { passcode: code } })

    expect(proven.body.remediation?.value[0]?.name).toBe('reset-authenticator')
    expect(smtp.received).toHaveLength(1)
    await heir.close()
    await nodes.close()
    await smtp.close()
  })
})
