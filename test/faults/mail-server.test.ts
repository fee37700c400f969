import { setTimeout as pause } from 'node:timers/promises'
import { setDefaultCACertificates } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  createLogger,
  createSecrets,
  type Logger,
  silentLogger,
  systemClock,
  systemRandom,
  VirtualClock,
} from '../../src/base/index.ts'
import type { Settings } from '../../src/config/index.ts'
import {
  createSmtpTransport,
  type DeliveryOptions,
  listSuppressions,
  loadTemplates,
  MailRefused,
  type NewMail,
  type OutgoingMail,
  queueMail,
  type Renderer,
  removeSuppression,
  type SmtpOptions,
  startDelivery,
  type Transport,
} from '../../src/delivery/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { atTheCode, manyMails } from '../support/attacks.ts'
import { onThisMachine } from '../support/machine.ts'
import { startNode } from '../support/nodes.ts'
import {
  outerAddress,
  type ScriptedSmtpOptions,
  type ScriptedSmtpServer,
  type SmtpAnswer,
  type SmtpMoment,
  startScriptedSmtp,
  testCertificate,
} from '../support/smtp-server.ts'

const from = { address: 'no-reply@acme.example', name: 'Acme' }
const mail: OutgoingMail = {
  id: 'maiAAAAAAAAAAAAAAAAA',
  to: 'mary@example.com',
  subject: 'Reset your password',
  text: 'Enter a code instead: 123456\n',
  html: '<p>Enter a code instead: 123456</p>',
  template: 'ForgotPassword',
  language: 'en',
}

const serverWith = async (options: ScriptedSmtpOptions = {}): Promise<ScriptedSmtpServer> => {
  const server = await startScriptedSmtp(options)
  onTestFinished(() => server.close())
  return server
}
const transportTo = (url: string, options: Partial<SmtpOptions> = {}): Transport => {
  const transport = createSmtpTransport({ url, from, ...options })
  onTestFinished(() => transport.close())
  return transport
}
const refusedBy = async (transport: Transport, signal?: AbortSignal): Promise<MailRefused> => {
  const error = await transport.send(mail, signal).then(
    () => new Error('it was sent'),
    (refused: unknown) => refused,
  )
  expect(error).toBeInstanceOf(MailRefused)
  return error as MailRefused
}
const at =
  (where: SmtpMoment, answer: SmtpAnswer) =>
  (moment: SmtpMoment): SmtpAnswer =>
    moment === where ? answer : undefined

describe('a mail server that refuses', () => {
  const modes: readonly (readonly [SmtpMoment, SmtpAnswer, string])[] = [
    ['greeting', '421 4.3.2 not now', 'deferred'],
    ['greeting', '554 5.3.2 no service', 'connection'],
    ['greeting', 'drop', 'connection'],
    ['EHLO', '421 4.7.0 who are you', 'deferred'],
    ['EHLO', 'drop', 'connection'],
    ['AUTH', '535 5.7.8 wrong', 'policy'],
    ['AUTH', '454 4.7.0 later', 'deferred'],
    ['MAIL', '451 4.3.0 later', 'deferred'],
    ['MAIL', '421 4.3.2 closing', 'deferred'],
    ['MAIL', '550 5.7.1 not you', 'policy'],
    ['RCPT', '450 4.7.1 greylisted for 300 seconds', 'deferred'],
    ['RCPT', '421 4.3.2 closing', 'deferred'],
    ['RCPT', '554 5.7.1 Relay access denied', 'policy'],
    ['RCPT', '552 5.2.2 mailbox full', 'policy'],
    ['DATA', '451 4.3.0 later', 'deferred'],
    ['DATA', 'drop', 'connection'],
    ['message', '451 4.3.0 later', 'deferred'],
    ['message', '550 5.7.1 spam', 'policy'],
    ['message', '421 4.3.2 closing', 'deferred'],
  ]
  test.each(modes)(
    'at %s with %j is tried again, and gets the mail once it is well',
    async (where, answer, reason) => {
      for (const extensions of [['AUTH PLAIN'], ['AUTH PLAIN', 'PIPELINING']]) {
        const server = await serverWith({ extensions, answer: at(where, answer) })
        const transport = transportTo(server.url.replace('//', '//user:secret@'))
        expect(await refusedBy(transport)).toMatchObject({ permanent: false, reason })
        server.answers(() => undefined)
        await transport.send(mail)
        expect(server.received).toHaveLength(1)
      }
    },
  )

  test.each([
    ['RCPT', '550 5.1.1 unknown', 'address'],
    ['RCPT', '550 unknown user', 'address'],
    ['RCPT', '550', 'refused'],
    ['message', '554 no', 'content'],
  ] as const)('at %s with %j is final, and the session goes on', async (where, answer, reason) => {
    const server = await serverWith({ answer: at(where, answer) })
    const transport = transportTo(server.url)
    expect(await refusedBy(transport)).toMatchObject({ permanent: true, reason })
    server.answers(() => undefined)
    // The session goes on once the server has answered it.
    await vi.waitFor(() => expect(server.lines.at(-1)?.line).toBe('RSET'), 5000)
    await pause(50)
    await transport.send(mail)
    expect(server.connections).toBe(1)
  })

  test('or is not there, or has no name, is tried again', async () => {
    const server = await startScriptedSmtp()
    await server.close()
    expect(await refusedBy(transportTo(server.url))).toMatchObject({ permanent: false, reason: 'connection' })
    expect(await refusedBy(transportTo('smtp://mail.invalid'))).toMatchObject({ reason: 'connection' })
  })

  test('to go on with an idle session gets the mail in a new one', async () => {
    const server = await serverWith()
    const transport = transportTo(server.url)
    await transport.send(mail)
    let dropped = 0
    server.answers((moment) => (moment === 'MAIL' && dropped++ === 0 ? 'drop' : undefined))
    await transport.send(mail)
    expect([server.received.length, server.connections]).toEqual([2, 2])
    // Once: a server that drops every session is tried again later.
    server.answers(at('MAIL', 'drop'))
    expect(await refusedBy(transport)).toMatchObject({ reason: 'connection' })
    expect(server.connections).toBe(3)
  })
})

describe('a mail server that takes its time', () => {
  const afterMs = (ms: number, reply: string) => ({ afterMs: ms, reply }) as const
  const timesOf = (ms: number) => ({ greeting: ms, command: ms, data: ms, block: ms, dot: ms })
  /** Where a server may take its time, with the time that it has there, its last answer, and what silence is. */
  const moments = [
    ['greeting', 'greeting', '220 at last', 'connection'],
    ['EHLO', 'command', '250 at last', 'connection'],
    ['MAIL', 'command', '250 at last', 'connection'],
    ['RCPT', 'command', '250 at last', 'connection'],
    ['DATA', 'data', '354 at last', 'connection'],
    ['message', 'dot', '250 at last', 'unanswered'],
  ] as const

  test('is waited for at each moment, for longer than at any other', async () => {
    const received = moments.map(async ([where, own, reply]) => {
      const server = await serverWith({ answer: at(where, afterMs(2500, reply)) })
      await transportTo(server.url, { timeouts: { ...timesOf(2000), [own]: 60_000 } }).send(mail)
      return [where, server.received.length]
    })
    expect(await Promise.all(received)).toEqual(moments.map(([where]) => [where, 1]))
  })

  test.each(moments)(
    'for ever at %s is given up when the time for its %s is over',
    async (where, own, _, reason) => {
      for (const extensions of [[], ['PIPELINING']]) {
        const server = await serverWith({ extensions, answer: at(where, 'silence') })
        const began = performance.now()
        // Where DATA is sent along with what comes before it, the time that it has counts for all of them.
        const timeouts = { ...timesOf(60_000), ...(extensions.length > 0 && { data: 500 }), [own]: 500 }
        expect(await refusedBy(transportTo(server.url, { timeouts }))).toMatchObject({
          permanent: false,
          reason,
        })
        expect(performance.now() - began).toBeGreaterThan(450)
        expect(performance.now() - began).toBeLessThan(50_000)
      }
    },
  )

  test('is waited for as long as RFC 5321, 4.5.3.2 says', async () => {
    const { rfcTimeouts } = await import('../../src/delivery/email/smtp-dialogue.ts')
    const minutes = Object.fromEntries(Object.entries(rfcTimeouts).map(([name, ms]) => [name, ms / 60_000]))
    expect(minutes).toEqual({ connect: 0.5, greeting: 5, command: 5, data: 2, block: 3, dot: 10 })
  })
})

describe('what leaves this machine', () => {
  const host = outerAddress()
  beforeAll(() => setDefaultCACertificates([testCertificate.cert]))
  const outer = (options: ScriptedSmtpOptions = {}) => serverWith({ host: host ?? '', ...options })
  const withUser = (url: string) => url.replace('//', '//user:canary-password@')
  const skipped = host === undefined ? 'this machine has no address besides loopback' : undefined
  if (skipped) console.warn(`skipped: ${skipped}`)

  test.skipIf(skipped)(
    'says nothing to a server without STARTTLS: no password, no address, no code',
    async () => {
      const server = await outer({ extensions: ['AUTH PLAIN LOGIN'] })
      const transport = transportTo(withUser(server.url))
      const refusal = await refusedBy(transport)
      expect(refusal).toMatchObject({ permanent: false, reason: 'connection' })
      expect(refusal.message).toMatch(/offers no STARTTLS.*mail\.insecurePlainSmtp/)
      expect(server.lines.map(({ line }) => line.split(' ')[0])).toEqual(['EHLO', 'STARTTLS'])
      await expect(transport.verify()).rejects.toThrow('STARTTLS')
    },
  )

  test.skipIf(skipped)('nor after HELO, which has no STARTTLS', async () => {
    const server = await outer({ answer: at('EHLO', '500 what?') })
    expect(await refusedBy(transportTo(server.url))).toMatchObject({ reason: 'connection' })
    expect(server.received).toEqual([])
  })

  test.skipIf(skipped)('nor with a certificate that is for another name', async () => {
    const server = await outer({ extensions: ['STARTTLS'] })
    const refusal = await refusedBy(transportTo(withUser(server.url)))
    expect(refusal.message).toMatch(/altnames|certificate/i)
    expect(server.lines.filter(({ tls }) => tls)).toEqual([])
  })

  test.skipIf(skipped)(
    'goes out in clear where insecurePlainSmtp allows it, and over TLS where that is offered',
    async () => {
      for (const extensions of [[], ['STARTTLS']]) {
        const server = await outer({ extensions })
        await transportTo(server.url, { insecurePlain: true }).send(mail)
        expect(server.received.map(({ tls }) => tls)).toEqual([extensions.length > 0])
      }
      const stripped = await outer({ extensions: ['STARTTLS'] })
      expect(
        await refusedBy(transportTo(`${stripped.url}?requireTLS=true`, { insecurePlain: true })),
      ).toMatchObject({ reason: 'connection' })
    },
  )

  test('smtps is TLS from the first byte', async () => {
    const server = await serverWith({ implicitTls: true, extensions: ['AUTH PLAIN'] })
    await transportTo(withUser(server.url)).send(mail)
    expect(server.received.map(({ tls }) => tls)).toEqual([true])
    expect(server.lines.every(({ tls }) => tls)).toBe(true)
  })

  test('requireTLS=true insists on loopback too, and AUTH comes behind STARTTLS', async () => {
    const plain = await serverWith()
    expect(await refusedBy(transportTo(`${plain.url}?requireTLS=true`))).toMatchObject({
      reason: 'connection',
    })
    const server = await serverWith({ extensions: ['STARTTLS', 'AUTH PLAIN'] })
    await transportTo(withUser(`${server.url}?requireTLS=true`)).send(mail)
    expect(server.lines.filter(({ tls }) => !tls).map(({ line }) => line.split(' ')[0])).toEqual([
      'EHLO',
      'STARTTLS',
    ])
    expect(server.lines.find(({ line }) => line.startsWith('AUTH'))?.tls).toBe(true)
  })

  test('a certificate that no authority has signed is refused, on loopback too', async () => {
    setDefaultCACertificates([])
    onTestFinished(() => setDefaultCACertificates([testCertificate.cert]))
    for (const options of [{ implicitTls: true }, { extensions: ['STARTTLS'] }]) {
      const server = await serverWith(options)
      const refusal = await refusedBy(transportTo(server.url))
      expect(refusal).toMatchObject({ permanent: false, reason: 'connection' })
      expect(refusal.message).toMatch(/self-signed|certificate/i)
      expect(server.received).toEqual([])
    }
  })
})

describe('what is said to the server', () => {
  test('EHLO with a real name, never an address of loopback', async () => {
    const helos = async (options: Partial<SmtpOptions>, query = '') => {
      const server = await serverWith()
      await transportTo(server.url + query, options).send(mail)
      return server.lines[0]?.line
    }
    expect(await helos({})).toBe('EHLO acme.example')
    expect(await helos({ from: { ...from, address: 'no-reply@exämple.example' } })).toBe(
      'EHLO xn--exmple-cua.example',
    )
    expect(await helos({}, '?name=relay.example')).toBe('EHLO relay.example')
    expect(await helos({ name: 'id.acme.example' })).toBe('EHLO id.acme.example')
  })

  test('an address in another script with SMTPUTF8 alone; a domain in ASCII', async () => {
    const send = async (to: string, extensions: readonly string[]) => {
      const server = await serverWith({ extensions })
      const result = await transportTo(server.url)
        .send({ ...mail, to })
        .catch((error: MailRefused) => [error.reason, error.permanent, error.message])
      return [result, server.lines.filter(({ line }) => /^(MAIL|RCPT)/.test(line)).map(({ line }) => line)]
    }
    const [refused, lines] = await send('josé@example.com', ['PIPELINING'])
    expect(refused).toEqual(['content', true, expect.stringContaining('SMTPUTF8')])
    expect(lines).toEqual([])
    expect((await send('josé@example.com', ['SMTPUTF8']))[1]).toEqual([
      expect.stringMatching(/^MAIL FROM:<no-reply@acme.example>.* ?SMTPUTF8/),
      'RCPT TO:<josé@example.com>',
    ])
    expect((await send('jose@exämple.example', []))[1]).toEqual([
      'MAIL FROM:<no-reply@acme.example>',
      'RCPT TO:<jose@xn--exmple-cua.example>',
    ])
  })

  test('the bare address of a sender with a name; the name stands in the header', async () => {
    const server = await serverWith()
    await transportTo(server.url, { from: { ...from, name: 'Acme, Inc. “Ümläut”' } }).send(mail)
    expect(server.lines.map(({ line }) => line)).toContain('MAIL FROM:<no-reply@acme.example>')
    expect(server.received[0]?.source).toMatch(/^From: [^:]*<no-reply@acme\.example>\r$/m)
  })
})

describe('the outbox', () => {
  const secrets = createSecrets(['a secret of the tests'])
  let storage: Storage
  let renderer: Renderer
  beforeAll(async () => {
    renderer = await loadTemplates()
  })
  beforeEach(async () => {
    storage = await openStorage({ url: 'memory' })
    await storage.migrate()
  })
  afterEach(() => storage.close())

  const minute = 60_000
  const queue = (now: number, changes: Partial<NewMail> = {}) =>
    storage.transaction((tx) =>
      queueMail(
        tx,
        {
          template: 'ForgotPassword',
          recipient: 'mary@example.com',
          personId: '00uMARY',
          transactionId: null,
          endsAt: now + 5 * minute,
          variables: { oneTimePassword: '428571', resetPasswordLink: 'https://id.acme.example/x' },
          ...changes,
        },
        { secrets, random: systemRandom, now },
      ),
    )
  const notice = (now: number) =>
    ({ template: 'PasswordChanged', variables: {}, endsAt: now + 3 * 24 * 60 * minute }) as const
  const worker = (transport: Transport, options: Partial<DeliveryOptions> = {}) => {
    const delivery = startDelivery({
      storage,
      secrets,
      random: systemRandom,
      clock: systemClock,
      transport,
      renderer,
      log: silentLogger,
      ...options,
    })
    onTestFinished(() => delivery.close({ graceMs: 0 }))
    return delivery
  }
  const rows = () => storage.db.selectFrom('outbox').selectAll().orderBy('created_at').execute()

  test('delivers once to a server that takes longer than the lease, beside other workers', async () => {
    const server = await serverWith({ answer: at('message', { afterMs: 4500, reply: '250 ok' }) })
    const taken = () => server.lines.filter(({ line }) => line === 'DATA').length
    const workers = [1, 2, 3].map(() =>
      worker(transportTo(server.url), { leaseMs: 3000, pollMs: 50, slowMs: 200 }),
    )
    await queue(systemClock.now())
    for (const one of workers) one.wake()
    await pause(4000)
    expect(taken()).toBe(1)
    await Promise.all(workers.map((one) => one.idle()))
    expect(taken()).toBe(1)
    expect(await rows()).toMatchObject([{ status: 'sent', attempts: 1 }])
  })

  test('has a mail of a worker that died taken over within a quarter of a minute', async () => {
    const clock = new VirtualClock({ frozen: true })
    const stuck = await serverWith({ answer: at('message', 'silence') })
    // No heartbeat comes to its end here: real time hardly passes.
    const dead = worker(transportTo(stuck.url), { clock })
    await queue(clock.now())
    dead.wake()
    await expect.poll(() => stuck.lines.length).toBe(4)
    const server = await serverWith()
    const other = worker(transportTo(server.url), { clock })
    clock.advance(15_000)
    await other.idle()
    expect(server.received).toHaveLength(1)
  })

  test('does not let a slow server hold back the mails of others', async () => {
    let slow = 0
    const server = await serverWith({
      answer: (moment, line) => {
        if (moment !== 'RCPT' || !line.includes('slow')) return undefined
        slow++
        return 'silence'
      },
    })
    const delivery = worker(transportTo(server.url, { connections: 2 }), {
      parallel: 2,
      slowMs: 100,
      pollMs: 50,
    })
    for (let count = 0; count < 6; count++)
      await queue(systemClock.now(), { recipient: 'slow@tarpit.example' })
    for (let count = 0; count < 4; count++) await queue(systemClock.now(), { recipient: 'quick@example.com' })
    delivery.wake()
    await expect.poll(() => server.received.length).toBe(4)
    await expect.poll(() => slow).toBe(6)
  })

  test('waits long with what was sent whole and not answered, and sends at most five copies of a notice', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await serverWith({ answer: at('message', 'silence') })
    const delivery = worker(transportTo(server.url, { timeouts: { dot: 30 } }), { clock })
    await queue(clock.now(), notice(clock.now()))
    await delivery.idle()
    const copies = () => server.lines.filter(({ line }) => line === 'DATA').length
    expect(copies()).toBe(1)
    expect(await rows()).toMatchObject([
      { status: 'queued', unanswered: 1, error: expect.stringContaining('may have been') },
    ])
    clock.advance(15 * minute - 1)
    await delivery.idle()
    expect(copies()).toBe(1)
    for (let quarter = 0; quarter < 4 * 24 * 3; quarter++) {
      clock.advance(15 * minute)
      await delivery.idle()
    }
    expect(copies()).toBe(5)
    expect(await rows()).toMatchObject([{ status: 'expired' }])
  })

  test('tries once more soon where a session broke off behind the message, then rarely', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await serverWith({ answer: at('message', 'drop') })
    const delivery = worker(transportTo(server.url), { clock })
    await queue(clock.now(), notice(clock.now()))
    const copies = () => server.lines.filter(({ line }) => line === 'DATA').length
    for (let second = 0; second < 60; second++) {
      await delivery.idle()
      clock.advance(1000)
    }
    expect(copies()).toBe(2)
  })

  test('puts off at its end what the server has whole, and gives the rest to other nodes at once', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await serverWith({
      answer: (moment, line) =>
        moment === 'message' || (moment === 'RCPT' && line.includes('early')) ? 'silence' : undefined,
    })
    const delivery = worker(transportTo(server.url), { clock })
    await queue(clock.now(), { ...notice(clock.now()), recipient: 'late@example.com' })
    await queue(clock.now(), { ...notice(clock.now()), recipient: 'early@example.com' })
    delivery.wake()
    await expect.poll(() => server.lines.length).toBe(7)
    await pause(50)
    const began = performance.now()
    await delivery.close({ graceMs: 100 })
    expect(performance.now() - began).toBeLessThan(onThisMachine(1000))
    const stored = await rows()
    expect(stored.find(({ recipient }) => recipient?.startsWith('late'))).toMatchObject({
      status: 'queued',
      lease_owner: null,
      next_at: clock.now() + 15 * minute,
      unanswered: 1,
    })
    expect(stored.find(({ recipient }) => recipient?.startsWith('early'))).toMatchObject({
      status: 'queued',
      lease_owner: null,
      next_at: clock.now(),
      unanswered: 0,
    })
  })

  test('counts a code that its node had sent whole when it ended not as lost: it may have arrived', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await serverWith({ answer: at('message', 'silence') })
    const delivery = worker(transportTo(server.url), { clock })
    await queue(clock.now())
    delivery.wake()
    await expect.poll(() => server.lines.length).toBe(4)
    await pause(50)
    await delivery.close({ graceMs: 100 })
    const attempts: unknown[] = []
    const ends: unknown[] = []
    const next = worker(transportTo(server.url), {
      clock,
      onAttempt: (outcome) => attempts.push(outcome),
      onClosed: async (_tx, [end]) => void ends.push([end?.outcome ?? '', end?.mail.error ?? null]),
    })
    clock.advance(5 * minute)
    await next.idle()
    expect(attempts).toEqual(['unanswered'])
    expect(ends).toEqual([['expired', expect.stringContaining('may have been delivered')]])
  })

  /** A server that takes mails for an address from five minutes after the first attempt on (Postgrey's default). */
  const greylisting = (clock: VirtualClock) => {
    let since: number | undefined
    return serverWith({
      answer(moment) {
        if (moment !== 'RCPT') return undefined
        since ??= clock.now()
        return clock.now() - since >= 5 * minute
          ? undefined
          : '450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/'
      },
    })
  }
  const untilArrived = async (
    clock: VirtualClock,
    server: ScriptedSmtpServer,
    delivery: { idle(): Promise<void> },
  ) => {
    const began = clock.now()
    while (server.received.length === 0 && clock.now() - began < 60 * minute) {
      await delivery.idle()
      clock.advance(1000)
    }
    return (clock.now() - began) / 1000
  }

  test('outlives greylisting: a notice, and a code that lives ten minutes, arrive in the sixth minute', async () => {
    for (const endsIn of [72 * 60, 10]) {
      const clock = new VirtualClock({ frozen: true })
      const server = await greylisting(clock)
      const delivery = worker(transportTo(server.url), { clock })
      await queue(clock.now(), { endsAt: clock.now() + endsIn * minute })
      expect(await untilArrived(clock, server, delivery)).toBeLessThan(6 * 60)
      await delivery.close()
    }
  })

  test('outlives greylisting: a code of five minutes is lost, and the next one arrives, when it is asked for', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await greylisting(clock)
    const delivery = worker(transportTo(server.url), { clock })
    await queue(clock.now())
    await delivery.idle()
    clock.advance(2 * minute)
    // The user asks again, in the same transaction or in another one.
    await queue(clock.now())
    expect(await untilArrived(clock, server, delivery)).toBeLessThan(4 * 60)
    expect((await rows()).map(({ status }) => status)).toEqual(['expired', 'sent'])
  })

  test('gives an address that was refused for good no mail for a while, and says so', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await serverWith({ answer: at('RCPT', '550 5.1.1 unknown user') })
    const attempts: unknown[] = []
    const ends: unknown[] = []
    const delivery = worker(transportTo(server.url), {
      clock,
      suppressionMs: 24 * 60 * minute,
      onAttempt: (...attempt) => attempts.push(attempt),
      onClosed: async (_tx, closed) =>
        void ends.push(...closed.map(({ mail, outcome }) => [outcome, mail.suppressedUntil, mail.error])),
    })
    const recipients = () => server.lines.filter(({ line }) => line.startsWith('RCPT')).length
    await queue(clock.now())
    await delivery.idle()
    const until = clock.now() + 24 * 60 * minute
    expect(await listSuppressions(storage.db, { now: clock.now(), limit: 10 })).toEqual([
      expect.objectContaining({
        address: 'mary@example.com',
        personId: '00uMARY',
        reason: expect.stringContaining('550 5.1.1'),
        expiresAt: until,
      }),
    ])
    await queue(clock.now(), { recipient: 'MARY@example.com' })
    await delivery.idle()
    expect(recipients()).toBe(1)
    expect(ends).toEqual([
      ['dead', until, expect.stringContaining('550 5.1.1')],
      ['dead', undefined, expect.stringMatching(/no mail is sent to the address until .*550 5\.1\.1/)],
    ])
    // Nothing of it in the metrics: it counts as one for an unknown user does (A62).
    expect(attempts).toEqual([
      ['dead', 'address', 'email'],
      ['sent', undefined, 'email'],
    ])

    // It ends by itself, or by an administrator.
    server.answers(() => undefined)
    expect(await removeSuppression(storage.db, 'mary@EXAMPLE.com')).toBe(true)
    await queue(clock.now())
    await delivery.idle()
    expect(server.received).toHaveLength(1)
  })

  test.each([
    '554 5.7.1 Relay access denied',
    '550 SPF check failed',
    '550 rejected because 192.0.2.1 is in a black list',
    '550 5.1.0 <no-reply@acme.example> sender rejected',
    '553 sorry, that domain is not in my list of allowed rcpthosts (#5.7.1)',
  ])('suppresses no address for what an administrator can mend: %s', async (reply) => {
    const clock = new VirtualClock({ frozen: true })
    const server = await serverWith({ answer: at('RCPT', reply) })
    const delivery = worker(transportTo(server.url), { clock, suppressionMs: minute })
    await queue(clock.now(), notice(clock.now()))
    await delivery.idle()
    expect(await listSuppressions(storage.db, { now: clock.now(), limit: 10 })).toEqual([])
    server.answers(() => undefined)
    clock.advance(30_000)
    await delivery.idle()
    expect(server.received).toHaveLength(1)
  })

  test('suppresses no address for a bare 550, which is final for its mail', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await serverWith({ answer: at('RCPT', '550') })
    const delivery = worker(transportTo(server.url), { clock, suppressionMs: minute })
    await queue(clock.now())
    await delivery.idle()
    expect(await rows()).toMatchObject([{ status: 'dead', error: expect.stringContaining('550') }])
    expect(await listSuppressions(storage.db, { now: clock.now(), limit: 10 })).toEqual([])
  })

  test('stores, logs and says of a reply nothing of what the mail says, no address and nothing a terminal obeys', async () => {
    const clock = new VirtualClock({ frozen: true })
    const code = 'K7QX2MB9RT'
    const link = 'https://id.acme.example/email/verify/0oa1?token=kZ8aQ1vTq0WcY2mE4nR7pL3s'
    const reply = `550 5.1.1 <mary@example.com> \u001b]0;x\u0007\u202e no such user; got ${code} 428571 ${link}`
    const server = await serverWith({ answer: at('RCPT', reply) })
    const written: string[] = []
    const log = createLogger({ level: 'debug', stream: { write: (line) => void written.push(line) } })
    const said: unknown[] = []
    const delivery = worker(transportTo(server.url), {
      clock,
      log,
      suppressionMs: minute,
      onClosed: async (_tx, ends) => void said.push(...ends.map(({ mail }) => mail.error)),
    })
    await queue(clock.now(), { variables: { oneTimePassword: code, resetPasswordLink: link } })
    await delivery.idle()
    await queue(clock.now())
    await delivery.idle()
    const [suppression] = await listSuppressions(storage.db, { now: clock.now(), limit: 1 })
    const texts = [...written, ...said, ...(await rows()).map(({ error }) => error), suppression?.reason]
    expect(texts).toHaveLength(6)
    for (const text of texts) {
      expect(text).toContain('550 5.1.1 (address) ]0;x no such user; got (hidden) (number) (link)')
      expect(text).not.toMatch(/mary@|K7QX|428571|token|kZ8a|(?!\n)\p{C}/u)
    }
  })

  test('is logged a line a minute for each class of refusal, however many mails wait for a server that is away', async () => {
    const clock = new VirtualClock({ frozen: true })
    const server = await startScriptedSmtp()
    await server.close()
    const written: string[] = []
    const log = createLogger({ level: 'warn', stream: { write: (line) => void written.push(line) } })
    const delivery = worker(transportTo(server.url), { clock, log })
    for (let count = 0; count < 25; count++) await queue(clock.now())
    for (let second = 0; second < 10; second++) {
      await delivery.idle()
      clock.advance(1000)
    }
    expect(written).toHaveLength(1)
    await delivery.close()
    expect(written.map((line) => JSON.parse(line))).toMatchObject([
      { msg: 'a mail was not taken', refusal: 'connection' },
      { msg: 'mails were not taken', refusal: 'connection', count: 74 },
    ])
  })

  test('stores what became of a mail once the database is back, and does not send it again', async () => {
    const server = await serverWith()
    let outages = 2
    const warned: string[] = []
    const log: Logger = {
      ...silentLogger,
      warn: (_data: unknown, text?: string) => void warned.push(text ?? ''),
    }
    const { ProtocolError } = await import('../../src/base/index.ts')
    const delivery = worker(transportTo(server.url), {
      log,
      leaseMs: 600,
      pollMs: 50,
      onClosed: async () => {
        if (outages-- > 0) throw new ProtocolError(503, 'E0000010', 'the database is away')
      },
    })
    await queue(systemClock.now())
    await delivery.idle()
    expect(server.received).toHaveLength(1)
    expect(await rows()).toMatchObject([{ status: 'sent' }])
    expect(warned).toHaveLength(2)
  })
})

describe('an engine', () => {
  const engineTo = async (server: ScriptedSmtpServer, settings: Settings = {}) => {
    const node = await startNode({
      settings: { ...settings, mail: { url: server.url, spreadMs: 0, ...settings.mail }, limits: manyMails },
    })
    onTestFinished(() => node.close())
    return node
  }

  test('says the host of its issuer to the mail server, and has a sender with a name', async () => {
    const server = await serverWith()
    const node = await engineTo(server, {
      issuer: 'https://id.acme.example',
      mail: { from: '"Acme, Inc." <no-reply@acme.example>' },
    })
    const now = node.clock.now()
    await node.engine.storage.transaction((tx) =>
      queueMail(
        tx,
        {
          template: 'PasswordChanged',
          recipient: 'mary@example.com',
          personId: null,
          transactionId: null,
          endsAt: now + 60_000,
          variables: {},
        },
        {
          secrets: createSecrets(['only for tests: everybody knows this secret']),
          random: systemRandom,
          now,
        },
      ),
    )
    await node.engine.delivery.idle()
    expect(server.lines[0]?.line).toBe('EHLO id.acme.example')
    expect(server.lines.map(({ line }) => line)).toContain('MAIL FROM:<no-reply@acme.example>')
    expect(server.received[0]?.source).toMatch(/^From: "Acme, Inc\." <no-reply@acme\.example>\r$/m)
  })

  test('refuses to start with an address of a mail server that is none', async () => {
    const starting = startNode({ settings: { mail: { url: 'ftp://mail.example.com' } } })
    await expect(starting).rejects.toThrow(/mail\.url: must be smtp:/)
  })

  test('answers the visitor at once while the mail server is silent', async () => {
    const server = await serverWith({ answer: at('greeting', 'silence') })
    const node = await engineTo(server)
    const began = performance.now()
    const visitor = await atTheCode(node, 'mary@example.com')
    expect(visitor.response.remediations).toContain('challenge-authenticator')
    expect(performance.now() - began).toBeLessThan(onThisMachine(4000))
    const closing = performance.now()
    await node.engine.delivery.close({ graceMs: 100 })
    expect(performance.now() - closing).toBeLessThan(onThisMachine(2000))
  })

  test.runIf(process.env.REKEY_TEST_WORLD)(
    'sends one mail to a server that takes 25 seconds over its 250',
    async () => {
      const server = await serverWith({ answer: at('message', { afterMs: 25_000, reply: '250 ok' }) })
      const node = await engineTo(server)
      await atTheCode(node, 'mary@example.com')
      for (let second = 0; second < 90; second++) {
        node.clock.advance(1000)
        await pause(1000)
      }
      expect(server.received).toHaveLength(1)
    },
  )
})
