import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  createLogger,
  createSecrets,
  silentLogger,
  systemRandom,
  VirtualClock,
} from '../../src/base/index.ts'
import {
  backlogOf,
  type ClosedMail,
  createMemoryTransport,
  createSmtpTransport,
  type Delivery,
  type DeliveryOptions,
  forgetMailsOf,
  listMails,
  listSuppressions,
  loadTemplates,
  type MemoryTransport,
  mailStatuses,
  type NewMail,
  purgeMails,
  queueMail,
  type Renderer,
  removeSuppressionsOf,
  retryMail,
  startDelivery,
} from '../../src/delivery/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { alone } from '../support/alone.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server.ts'

const minute = 60_000
const master = 'a secret of the tests'
const secrets = createSecrets([master])
const from = { address: 'no-reply@acme.example', name: 'Acme' }
const code = '428571'
const token = 'ftZXCVBNMASDFGHJKLQWERTYUIOP'

let renderer: Renderer
beforeAll(async () => {
  renderer = await loadTemplates()
})

onEachDatabase('the outbox', (database) => {
  let place: TestDatabase
  let storage: Storage
  let clock: VirtualClock
  let mailbox: MemoryTransport
  let events: { readonly mail: ClosedMail; readonly outcome: string }[]
  const running: Delivery[] = []

  beforeEach(async () => {
    place = await database.create()
    storage = await openStorage({ url: place.url })
    await storage.migrate()
    clock = new VirtualClock({ frozen: true })
    mailbox = createMemoryTransport({ from, clock })
    events = []
  })
  afterEach(async () => {
    for (const delivery of running.splice(0)) await delivery.close()
    await storage.close()
    await place.drop()
  })

  const aMail = (mail: Partial<NewMail> = {}): NewMail => ({
    template: 'ForgotPassword',
    recipient: 'mary@example.com',
    personId: '00uMARY',
    transactionId: 'trsONE',
    endsAt: clock.now() + 5 * minute,
    variables: {
      oneTimePassword: code,
      resetPasswordLink: `https://id.acme.example/email/verify/0oa1?token=${token}`,
      'user.profile.login': 'mary@example.com',
      'org.name': 'Acme',
    },
    ...mail,
  })
  const queue = (mail: Partial<NewMail> = {}): Promise<string> =>
    storage.transaction((tx) =>
      queueMail(tx, aMail(mail), { secrets, random: systemRandom, now: clock.now() }),
    )
  const start = (options: Partial<DeliveryOptions> = {}): Delivery => {
    const delivery = startDelivery({
      storage,
      secrets,
      random: systemRandom,
      clock,
      transport: mailbox,
      renderer,
      log: silentLogger,
      onClosed: async (_tx, ends) => void events.push(...ends),
      ...options,
    })
    running.push(delivery)
    return delivery
  }
  const row = (id: string) =>
    storage.db.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  /** A worker that sends through a real server, which can be made to refuse. */
  const startWithServer = async (
    options: Partial<DeliveryOptions> = {},
  ): Promise<{ server: TestSmtpServer; delivery: Delivery }> => {
    const server = await startSmtpServer()
    const transport = createSmtpTransport({ url: server.url, from })
    onTestFinished(async () => {
      await transport.close()
      await server.close()
    })
    return { server, delivery: start({ transport, ...options }) }
  }

  test('a mail leaves soon after it was queued and the worker was woken', async () => {
    const arrived = Promise.withResolvers<string>()
    const transport = createMemoryTransport({ from, onMail: ({ to }) => arrived.resolve(to) })
    const delivery = start({ transport, pollMs: 60_000 })
    await delivery.idle()

    await queue()
    delivery.wake()

    expect(await arrived.promise).toBe('mary@example.com')
  })

  test('a transaction that rolls back leaves no mail', async () => {
    const work = storage.transaction(async (tx) => {
      await queueMail(tx, aMail(), { secrets, random: systemRandom, now: clock.now() })
      throw new Error('changed my mind')
    })
    await expect(work).rejects.toThrow('changed my mind')

    await start().idle()
    expect(mailbox.mails).toEqual([])
  })

  test('a waiting mail gives neither its code nor its link away, and a delivered one holds nothing at all', async () => {
    const id = await queue()
    const waiting = await row(id)
    expect(JSON.stringify(waiting)).not.toMatch(alone(code))
    expect(JSON.stringify(waiting)).not.toContain(token)
    expect(waiting.sealed).not.toBeNull()

    await start().idle()

    expect(mailbox.mails[0]?.text).toContain(code)
    expect(await row(id)).toMatchObject({ status: 'sent', sealed: null, done_at: clock.now(), error: null })
  })

  test('a delivered mail is told of once, without its secrets', async () => {
    const id = await queue()
    await start().idle()

    expect(events).toEqual([
      {
        outcome: 'sent',
        mail: {
          id,
          channel: 'email',
          template: 'ForgotPassword',
          recipient: 'mary@example.com',
          personId: '00uMARY',
          transactionId: 'trsONE',
          attempts: 1,
          createdAt: clock.now(),
          error: null,
        },
      },
    ])
  })

  test('a mail to nobody is the same write, is not sent, and its end is told like any other', async () => {
    const [real, phantom] = [await queue(), await queue({ recipient: null, personId: null })]
    const shapes = [await row(real), await row(phantom)].map((waiting) => ({
      ...waiting,
      id: waiting.id.length,
      sealed: waiting.sealed?.length,
      recipient: '',
      person_id: '',
    }))
    expect(shapes[0]).toEqual(shapes[1])

    await start().idle()

    expect(mailbox.mails).toHaveLength(1)
    expect(events.map(({ mail }) => mail.id).sort()).toEqual([real, phantom].sort())
    expect(events.map(({ mail }) => mail.recipient)).toContain(null)
    expect(await row(phantom)).toMatchObject({ status: 'dropped', sealed: null, attempts: 1 })
  })

  test('an event that cannot be written leaves the mail open: they are one transaction', async () => {
    const id = await queue()
    const delivery = start({
      onClosed: async () => {
        throw new Error('the event could not be written')
      },
    })
    await delivery.idle()
    expect(await row(id)).toMatchObject({ status: 'queued', done_at: null })
  })

  test('a refused mail is tried again after 2, 4 and 8 seconds, then leaves', async () => {
    const { server, delivery } = await startWithServer()
    server.refuse('message', 451, 3)
    const id = await queue()

    await delivery.idle()
    const attempts = [server.attempts]
    for (const pause of [2000, 4000, 8000]) {
      clock.advance(pause - 1)
      await delivery.idle()
      attempts.push(server.attempts)
      clock.advance(1)
      await delivery.idle()
      attempts.push(server.attempts)
    }

    expect(attempts).toEqual([1, 1, 2, 2, 3, 3, 4])
    expect(server.received).toHaveLength(1)
    expect(await row(id)).toMatchObject({ status: 'sent', attempts: 4, error: null, sealed: null })
  })

  test('a mail whose time is over is closed as expired with an event, and never sent late', async () => {
    const { server, delivery } = await startWithServer()
    server.refuse('message', 451, 1000)
    const id = await queue()
    await delivery.idle()

    for (let second = 0; second < 300; second += 20) {
      clock.advance(20_000)
      await delivery.idle()
    }
    const { attempts } = server
    clock.advance(60 * minute)
    await delivery.idle()

    expect(server.received).toEqual([])
    expect(server.attempts).toBe(attempts)
    expect(events.map(({ outcome }) => outcome)).toEqual(['expired'])
    expect(events[0]?.mail.error).toContain('451')
    expect(await row(id)).toMatchObject({ status: 'expired', sealed: null, done_at: expect.any(Number) })
  })

  test('a mail that no worker looked at in time is closed unsent, to the millisecond', async () => {
    await queue({ endsAt: clock.now() + 1 })
    clock.advance(1)
    await start().idle()

    expect(mailbox.mails).toEqual([])
    expect(events.map(({ outcome }) => outcome)).toEqual(['expired'])
  })

  test('a notice is tried for as long as its sender wants, at last every quarter of an hour', async () => {
    const { server, delivery } = await startWithServer()
    server.refuse('message', 451, 1000)
    await queue({ template: 'PasswordChanged', variables: {}, endsAt: clock.now() + 3 * 24 * 60 * minute })
    await delivery.idle()
    for (let hour = 0; hour < 71; hour++) {
      clock.advance(60 * minute)
      await delivery.idle()
    }
    const { attempts } = server
    clock.advance(15 * minute - 1)
    await delivery.idle()
    expect(server.attempts).toBe(attempts)
    clock.advance(1)
    await delivery.idle()
    expect(server.attempts).toBe(attempts + 1)
    expect(events).toEqual([])

    clock.advance(45 * minute)
    await delivery.idle()
    expect(events.map(({ outcome }) => outcome)).toEqual(['expired'])
  })

  test('a mailbox that does not exist ends the mail at once, with an event; what it would say stays sealed', async () => {
    const { server, delivery } = await startWithServer()
    server.refuse('recipient', 550)
    const id = await queue()
    await delivery.idle()
    clock.advance(minute)
    await delivery.idle()

    expect(events.map(({ outcome }) => outcome)).toEqual(['dead'])
    const refused = await row(id)
    expect(refused).toMatchObject({ status: 'dead', attempts: 1 })
    expect(JSON.stringify(refused)).not.toMatch(alone(code))
    expect(JSON.stringify(events)).not.toMatch(alone(code))
  })

  test('a mail that was sealed with another secret waits for a node that has it, is logged once, and expires', async () => {
    const lost = await storage.transaction((tx) =>
      queueMail(tx, aMail(), { secrets: createSecrets(['lost']), random: systemRandom, now: clock.now() }),
    )
    await queue()
    const lines: string[] = []
    const attempts: string[] = []
    const log = createLogger({ level: 'error', stream: { write: (line) => void lines.push(line) } })
    const worker = start({ log, onAttempt: (outcome) => attempts.push(outcome) })
    for (let attempt = 0; attempt < 4; attempt++) {
      await worker.idle()
      clock.advance(5000)
    }

    expect(mailbox.mails).toHaveLength(1)
    expect(await row(lost)).toMatchObject({
      status: 'queued',
      sealed: expect.any(String),
      error: expect.stringContaining('REKEY_SECRET'),
    })
    expect([attempts.filter((outcome) => outcome === 'postponed'), lines]).toEqual([
      ['postponed'],
      [expect.stringContaining('a mail cannot be opened')],
    ])

    // A node that has its secret delivers it.
    await start({ secrets: createSecrets([master, 'lost']) }).idle()
    expect(mailbox.mails).toHaveLength(2)
    expect(await row(lost)).toMatchObject({ status: 'sent', sealed: null })
  })

  test('a mail that no node can open ends when its time is over', async () => {
    const lost = await storage.transaction((tx) =>
      queueMail(tx, aMail(), { secrets: createSecrets(['lost']), random: systemRandom, now: clock.now() }),
    )
    const worker = start()
    await worker.idle()
    clock.advance(2 * 3_600_000)
    await worker.idle()
    expect(await row(lost)).toMatchObject({ status: 'expired', sealed: null })
  })

  test('a mail that was sealed before the secret was rotated leaves', async () => {
    await queue()
    await start({ secrets: createSecrets(['new', master]) }).idle()
    expect(mailbox.mails).toHaveLength(1)
  })

  test('a lease that runs out lets another worker take the mail over', async () => {
    const started = Promise.withResolvers<void>()
    const stuck = Promise.withResolvers<void>()
    const deadWorker = start({
      transport: {
        ...mailbox,
        async send() {
          started.resolve()
          await stuck.promise
        },
      },
    })
    await queue()
    deadWorker.wake()
    await started.promise

    const other = start()
    await other.idle()
    clock.advance(14_999)
    await other.idle()
    expect(mailbox.mails).toEqual([])

    clock.advance(1)
    await other.idle()
    expect(mailbox.mails).toHaveLength(1)
    stuck.resolve()
    await deadWorker.idle()
    expect(events.map(({ outcome }) => outcome)).toEqual(['sent'])
  })

  test('a worker never sends what it still has in hand, even when its own lease ran out', async () => {
    const stuck = Promise.withResolvers<void>()
    let sends = 0
    const started = Promise.withResolvers<void>()
    const slow = start({
      transport: {
        ...mailbox,
        async send() {
          sends++
          started.resolve()
          await stuck.promise
        },
      },
    })
    await queue()
    slow.wake()
    await started.promise
    clock.advance(2 * minute)
    slow.wake()
    await queue({ recipient: null })
    stuck.resolve()
    await slow.idle()

    expect(sends).toBe(1)
  })

  test('no more than five mails are in hand at once', async () => {
    let inHand = 0
    let most = 0
    const full = Promise.withResolvers<void>()
    const transport = createMemoryTransport({
      from,
      onMail: async () => {
        inHand++
        most = Math.max(most, inHand)
        // The first ones wait until there are five: how fast the database hands them out does not count.
        if (inHand === 5) full.resolve()
        await full.promise
        await new Promise((resolve) => setImmediate(resolve))
        inHand--
      },
    })
    for (let index = 0; index < 20; index++) await queue()
    await start({ transport }).idle()

    expect(transport.mails).toHaveLength(20)
    expect(most).toBe(5)
  })

  test('closing waits for what is in hand and takes nothing new', async () => {
    const started = Promise.withResolvers<void>()
    const mayEnd = Promise.withResolvers<void>()
    const transport = createMemoryTransport({
      from,
      onMail: async () => {
        started.resolve()
        await mayEnd.promise
      },
    })
    const delivery = start({ transport, parallel: 1 })
    const first = await queue()
    delivery.wake()
    await started.promise
    const second = await queue()
    const closing = delivery.close()
    mayEnd.resolve()
    await closing

    expect(await row(first)).toMatchObject({ status: 'sent' })
    expect(await row(second)).toMatchObject({ status: 'queued', attempts: 0 })
  })

  test('the backlog tells how many wait since when, and closed mails are purged', async () => {
    const none = { waiting: 0, oldestAt: null, codeAt: null, dueAt: null }
    expect(await backlogOf(storage.db, clock.now())).toEqual(none)
    const queuedAt = clock.now()
    await queue({ template: 'PasswordChanged', variables: {} })
    expect(await backlogOf(storage.db, clock.now())).toMatchObject({ waiting: 1, codeAt: null })
    clock.advance(10)
    await queue()
    clock.advance(10)
    await queue({ template: 'EmailChallenge', variables: { verificationToken: '428571' } })
    const queued = { waiting: 3, oldestAt: queuedAt, codeAt: queuedAt + 10 }
    expect(await backlogOf(storage.db, clock.now())).toEqual({ ...queued, dueAt: queuedAt })
    expect(await backlogOf(storage.db, queuedAt - 1)).toEqual({ ...queued, dueAt: null })

    await start().idle()
    expect(await backlogOf(storage.db, clock.now())).toEqual(none)
    expect(await purgeMails(storage.db, clock.now())).toBe(0)
    expect(await purgeMails(storage.db, clock.now() + 1)).toBe(3)
  })

  test('an address that was refused for good is suppressed for a while, by time, user or address', async () => {
    const { server, delivery } = await startWithServer({ suppressionMs: 60 * minute })
    const suppressed = async () =>
      (await listSuppressions(storage.db, { now: clock.now(), limit: 10 })).map(({ address }) => address)
    const refusedOnce = async (recipient: string) => {
      server.refuse('recipient', 550)
      await queue({ recipient })
      await delivery.idle()
      expect(await suppressed()).toEqual([recipient])
    }
    await refusedOnce('mary@example.com')
    clock.advance(60 * minute)
    expect(await suppressed()).toEqual([])

    await refusedOnce('mary@example.com')
    await removeSuppressionsOf(storage.db, '00uMARY', [])
    await refusedOnce('Mary@EXAMPLE.com')
    await removeSuppressionsOf(storage.db, '00uOTHER', ['mary@example.com'])
    expect(await suppressed()).toEqual([])
  })

  test('a refused mail is listed, retried and delivered; the mails of a user are removed', async () => {
    const { server, delivery } = await startWithServer()
    server.refuse('recipient', 550)
    const id = await queue()
    await delivery.idle()
    const [mail] = await listMails(storage.db, { statuses: ['dead'], limit: 10 })
    expect(mail).toMatchObject({ id, status: 'dead', attempts: 1, inHand: false, doneAt: clock.now() })
    if (mail === undefined) throw new Error('it is not listed')
    expect(await storage.transaction((tx) => retryMail(tx, mail, clock.now()))).toBeUndefined()
    await delivery.idle()
    expect(server.received).toHaveLength(1)
    const [sent] = await listMails(storage.db, { statuses: mailStatuses, ids: [id], limit: 1 })
    expect(sent).toMatchObject({ status: 'sent', attempts: 2, error: null })
    if (sent === undefined) throw new Error('it is not listed')
    expect(await storage.transaction((tx) => retryMail(tx, sent, clock.now()))).toBe('sent')
    await queue()
    await forgetMailsOf(storage.db, '00uMARY', [])
  })

  test('the lease of a mail in hand is renewed', async () => {
    const started = Promise.withResolvers<void>()
    const stuck = Promise.withResolvers<void>()
    const transport = createMemoryTransport({
      from,
      clock,
      onMail: async () => {
        started.resolve()
        await stuck.promise
      },
    })
    const id = await queue()
    const delivery = start({ transport, leaseMs: 300 })
    delivery.wake()
    await started.promise
    clock.advance(5000)
    await expect.poll(async () => (await row(id)).next_at).toBe(clock.now() + 300)
    stuck.resolve()
    await delivery.idle()
    expect(await row(id)).toMatchObject({ status: 'sent' })
  })

  test('four workers in processes of their own send 500 mails once each', async () => {
    const server = await startSmtpServer()
    const endsAt = clock.now() + 60 * minute
    const workers = await Promise.all(Array.from({ length: 4 }, () => startWorker(place.url, server.url)))
    await storage.transaction(async (tx) => {
      for (let index = 0; index < 500; index++) {
        const mail = aMail({ recipient: `person${index}@example.com`, endsAt })
        await queueMail(tx, mail, { secrets, random: systemRandom, now: clock.now() })
      }
    })
    await expect.poll(() => server.received.length, { timeout: 200_000 }).toBeGreaterThanOrEqual(500)
    await Promise.all(workers.map((worker) => worker.stop()))

    const recipients = server.received.flatMap(({ to }) => to)
    expect(recipients).toHaveLength(500)
    expect(new Set(recipients).size).toBe(500)
    const rows = await storage.db.selectFrom('outbox').select(['status', 'attempts']).execute()
    expect(rows.every(({ status, attempts }) => status === 'sent' && attempts === 1)).toBe(true)
    await server.close()
  })

  test('a worker that is killed in the middle of sending loses no mail', async () => {
    const server = await startSmtpServer()
    server.hang(true)
    const victim = await startWorker(place.url, server.url)
    for (let index = 0; index < 8; index++) await queue({ endsAt: clock.now() + 60 * minute })
    await expect.poll(() => server.attempts).toBeGreaterThanOrEqual(5)
    await victim.kill()
    server.hang(false)
    clock.advance(2 * minute)

    const transport = createSmtpTransport({ url: server.url, from })
    await start({ transport }).idle()

    expect(server.received).toHaveLength(8)
    expect(await backlogOf(storage.db, clock.now())).toMatchObject({ waiting: 0 })
    await transport.close()
    await server.close()
  })
})

const workerFile = fileURLToPath(new URL('./mail-worker.ts', import.meta.url))

async function startWorker(url: string, smtpUrl: string) {
  const child = spawn(process.execPath, [workerFile, url, smtpUrl, master], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await once(child.stdout, 'data')
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  return { stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}
