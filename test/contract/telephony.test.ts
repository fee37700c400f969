import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecrets, silentLogger, systemRandom, VirtualClock } from '../../src/base/index.ts'
import {
  backlogOf,
  createMemoryTexts,
  createMemoryTransport,
  createNoTexts,
  createTelephonyHook,
  type Delivery,
  listMails,
  loadTemplates,
  mailStatuses,
  type NewText,
  type OutgoingText,
  queueMail,
  queueText,
  renderText,
  retryMail,
  startDelivery,
  startTextDelivery,
  type TextDeliveryOptions,
  type TextTransport,
} from '../../src/delivery/index.ts'
import { languages } from '../../src/i18n/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

const minute = 60_000
const secrets = createSecrets(['a secret of the tests'])
const code = '428571'
const number = '+15551234567'
const variables = {
  code,
  host: 'app.example.com',
  org: 'Acme',
  lifetimeMs: 5 * minute,
  user: { id: '00uMARY', login: 'mary@example.com', firstName: 'Mary' },
}

describe('the words', () => {
  test.each(Object.keys(languages))(
    'of a text in %s carry the code once in words, and bound to the domain',
    (locale) => {
      const { text, language } = renderText('sms', variables, locale)
      expect(language).toBe(locale)
      const [words = '', ...rest] = text.split('\n')
      expect(rest).toEqual(['', `@app.example.com #${code}`])
      expect(words.match(/428571/g)).toHaveLength(1)
      expect(text).not.toMatch(/\$\{/)
      expect(words).toContain('Acme')
    },
  )

  test.each(Object.keys(languages))('of a call in %s say the code digit by digit, twice', (locale) => {
    const { text } = renderText('voice', variables, locale)
    expect(text.match(/4, 2, 8, 5, 7, 1/g)).toHaveLength(2)
    expect(text).not.toContain(code)
    expect(text).not.toMatch(/\$\{|#|@/)
  })

  test('are those that programs search an English text for', () => {
    const { text } = renderText('sms', { ...variables, host: undefined }, 'en-US')
    expect(/Your verification code is (\d+)/.exec(text)?.[1]).toBe(code)
    expect(text).not.toContain('@')
  })
})

interface Call {
  readonly headers: IncomingHttpHeaders
  readonly body: { readonly data: { readonly messageProfile: Record<string, unknown> } } & Record<
    string,
    unknown
  >
}

/** A telephony service that the test answers for. */
async function startService() {
  const calls: Call[] = []
  let answer: { status?: number; body?: unknown; afterMs?: number } = {}
  let connections = 0
  const server: Server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      calls.push({ headers: request.headers, body: JSON.parse(text) })
      const { status = 200, body, afterMs = 0 } = answer
      setTimeout(() => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(body === undefined ? '' : JSON.stringify(body))
      }, afterMs)
    })
  })
  server.on('connection', () => connections++)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/telephony`,
    calls,
    connections: () => connections,
    answers(next: typeof answer) {
      answer = next
    },
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
type Service = Awaited<ReturnType<typeof startService>>

const accepted = {
  commands: [{ type: 'com.okta.telephony.action', value: [{ status: 'SUCCESSFUL', provider: 'X' }] }],
}

describe('the telephony hook', () => {
  let service: Service
  let hook: TextTransport
  beforeEach(async () => {
    service = await startService()
    hook = createTelephonyHook({
      url: service.url,
      header: { name: 'x-telephony-key', value: 'a key of the tests' },
      insecureAddresses: true,
      timeoutMs: 2000,
      baseUrl: () => 'https://id.example.com',
      clock: new VirtualClock({ frozen: true }),
    })
  })
  afterEach(() => service.close())

  const text = (more: Partial<OutgoingText> = {}): OutgoingText => ({
    id: 'txtONE',
    channel: 'sms',
    to: number,
    template: 'PhoneSignIn',
    text: 'Your verification code is 428571.',
    language: 'en',
    variables,
    endsAt: Date.parse('2031-01-02T03:04:05Z'),
    ...more,
  })
  const outcome = (more?: Partial<OutgoingText>) =>
    hook.send(text(more)).then(
      () => 'sent',
      ({ reason, permanent }) => `${reason}${permanent ? ', for good' : ''}`,
    )

  test('is asked in the shape of Okta’s, with the configured header', async () => {
    service.answers({ body: accepted })
    expect(await outcome()).toBe('sent')
    const [{ headers, body } = { headers: {}, body: undefined }] = service.calls
    expect(headers).toMatchObject({ 'x-telephony-key': 'a key of the tests', accept: 'application/json' })
    expect(body).toMatchObject({
      eventType: 'com.okta.telephony.provider',
      eventTypeVersion: '1.0',
      contentType: 'application/json',
      cloudEventVersion: '0.1',
      source: 'https://id.example.com',
      requestType: 'com.okta.user.telephony.authentication',
      data: {
        userProfile: { firstName: 'Mary', lastName: null, login: 'mary@example.com', userId: '00uMARY' },
        messageProfile: {
          msgTemplate: 'Your verification code is 428571.',
          phoneNumber: number,
          otpExpires: '2031-01-02T03:04:05.000Z',
          deliveryChannel: 'SMS',
          otpCode: code,
          locale: 'en',
        },
      },
    })
    await outcome({ channel: 'voice', template: 'PhoneEnrollment' })
    expect(service.calls[1]?.body).toMatchObject({
      requestType: 'com.okta.user.telephony.pre-enrollment',
      data: { messageProfile: { deliveryChannel: 'VOICE CALL' } },
    })
  })

  const action = (status: string) => ({
    commands: [{ type: 'com.okta.telephony.action', value: [{ status }] }],
  })
  test.each([
    ['SUCCESSFUL', { body: action('SUCCESSFUL') }, 'sent'],
    ['PENDING', { body: action('PENDING') }, 'sent'],
    ['nothing at all', { status: 204 }, 'sent'],
    ['no command', { body: {} }, 'sent'],
    ['a command of another kind', { body: { commands: [{ type: 'com.example.other', value: {} }] } }, 'sent'],
    [
      'a command without a list',
      { body: { commands: { type: 'com.okta.telephony.action', value: { status: 'SUCCESSFUL' } } } },
      'sent',
    ],
    ['FAILED', { body: action('FAILED') }, 'refused, for good'],
    ['an error', { body: { error: { errorSummary: 'no such number' } } }, 'refused, for good'],
    ['a list of errors', { body: { error: [{ errorSummary: 'no such number' }] } }, 'refused, for good'],
    ['401', { status: 401 }, 'policy'],
    ['a redirect', { status: 302 }, 'policy'],
    ['429', { status: 429 }, 'deferred'],
    ['503', { status: 503 }, 'deferred'],
    ['nothing in time', { afterMs: 4000 }, 'unanswered'],
    ['what is no object', { body: [1, 'two', null] }, 'sent'],
  ])('answers %s', async (_, answer, expected) => {
    service.answers(answer)
    expect(await outcome()).toBe(expected)
  })

  test('that is away is no connection', async () => {
    await service.close()
    expect(await outcome()).toBe('connection')
    await expect(hook.verify()).rejects.toThrow(/127\.0\.0\.1/)
  })

  test('A62: a rehearsal connects, takes as long as a text did, fails as it did, and sends nothing', async () => {
    service.answers({ body: accepted, afterMs: 120 })
    await outcome()
    const [before, calls] = [service.connections(), service.calls.length]
    const began = performance.now()
    await hook.rehearse?.()
    expect(performance.now() - began).toBeGreaterThan(90)
    expect([service.connections() - before, service.calls.length - calls]).toEqual([1, 0])
    service.answers({ status: 503 })
    await outcome()
    await expect(hook.rehearse?.()).rejects.toMatchObject({ reason: 'deferred' })
    service.answers({ body: accepted })
    await outcome()
    await hook.rehearse?.()
    await service.close()
    await expect(hook.rehearse?.()).rejects.toMatchObject({ reason: 'connection' })
  })
})

onEachDatabase('texts in the outbox', (database) => {
  let place: TestDatabase
  let storage: Storage
  let clock: VirtualClock
  let sent: OutgoingText[]
  let ended: string[]
  const running: Delivery[] = []
  beforeEach(async () => {
    place = await database.create()
    storage = await openStorage({ url: place.url })
    await storage.migrate()
    clock = new VirtualClock({ frozen: true })
    sent = []
    ended = []
  })
  afterEach(async () => {
    for (const delivery of running.splice(0)) await delivery.close()
    await storage.close()
    await place.drop()
  })
  const context = () => ({ secrets, random: systemRandom, now: clock.now() })
  const queue = (more: Partial<NewText> = {}) =>
    storage.transaction((tx) =>
      queueText(
        tx,
        {
          channel: 'sms',
          template: 'PhoneSignIn',
          recipient: number,
          personId: '00uMARY',
          transactionId: 'trsONE',
          variables,
          endsAt: clock.now() + 5 * minute,
          ...more,
        },
        context(),
      ),
    )
  const parts = () => ({ storage, secrets, random: systemRandom, clock, log: silentLogger })
  const start = (transport?: TextTransport, options: Partial<TextDeliveryOptions> = {}) => {
    const delivery = startTextDelivery({
      ...parts(),
      transport: transport ?? createMemoryTexts((one) => void sent.push(one)),
      onClosed: async (_tx, ends) =>
        void ended.push(...ends.map(({ mail, outcome }) => `${mail.channel} ${outcome}`)),
      ...options,
    })
    running.push(delivery)
    return delivery
  }
  const statusOf = async (id: string) =>
    (await listMails(storage.db, { statuses: mailStatuses, ids: [id], limit: 1 }))[0]

  test('leave by their own worker, mails by theirs', async () => {
    const [text, call] = [await queue(), await queue({ channel: 'voice', locale: 'de' })]
    const mail = await storage.transaction((tx) =>
      queueMail(
        tx,
        {
          template: 'PasswordChanged',
          recipient: 'mary@example.com',
          personId: null,
          transactionId: null,
          endsAt: clock.now() + minute,
          variables: { 'org.name': 'Acme' },
        },
        context(),
      ),
    )
    expect(await backlogOf(storage.db, clock.now(), 'texts')).toMatchObject({ waiting: 2 })
    expect(await backlogOf(storage.db, clock.now())).toMatchObject({ waiting: 1 })
    await start().idle()
    // Both leave at once, in any order.
    const left = sent.map(({ id, channel, to, language }) => [id, channel, to, language])
    expect(left.toSorted(([, a = ''], [, b = '']) => (String(a) < String(b) ? -1 : 1))).toEqual([
      [text, 'sms', number, 'en'],
      [call, 'voice', number, 'de'],
    ])
    expect(ended.toSorted()).toEqual(['sms sent', 'voice sent'])
    expect(await statusOf(mail)).toMatchObject({ status: 'queued', channel: 'email' })
    expect(await statusOf(text)).toMatchObject({ status: 'sent', channel: 'sms' })

    const transport = createMemoryTransport({ from: { address: 'a@acme.example', name: '' }, clock })
    const mails = startDelivery({ ...parts(), transport, renderer: await loadTemplates() })
    running.push(mails)
    await mails.idle()
    expect(transport.mails).toHaveLength(1)
  })

  test('without a number are rendered, rehearsed and dropped', async () => {
    let rehearsed = 0
    const id = await queue({ recipient: null, personId: null })
    await start({
      ...createMemoryTexts((one) => void sent.push(one)),
      rehearse: async () => void rehearsed++,
    }).idle()
    expect([sent, rehearsed]).toEqual([[], 1])
    expect(await statusOf(id)).toMatchObject({ status: 'dropped', recipient: null })
  })

  test('are tried again while the service is away, and are dead once it says no', async () => {
    const service = await startService()
    try {
      const hook = createTelephonyHook({ url: service.url, insecureAddresses: true, baseUrl: () => '' })
      const delivery = start(hook)
      service.answers({ status: 503, body: { error: { errorSummary: `not now: ${code} for ${number}` } } })
      const id = await queue()
      await delivery.idle()
      const waiting = await statusOf(id)
      expect(waiting).toMatchObject({ status: 'queued', attempts: 1 })
      // What a service says may quote the text: neither code nor number is stored.
      expect(waiting?.error).toMatch(/^the service answered 503: not now/)
      expect(waiting?.error).not.toMatch(/428571|5551234567/)
      service.answers({ body: accepted })
      clock.advance(2000)
      await delivery.idle()
      expect(await statusOf(id)).toMatchObject({ status: 'sent', attempts: 2 })

      service.answers({ body: { error: { errorSummary: 'blocked' } } })
      const dead = await queue()
      await delivery.idle()
      expect(await statusOf(dead)).toMatchObject({ status: 'dead', error: 'the service refused it: blocked' })
      service.answers({ body: accepted })
      const row = await statusOf(dead)
      if (row === undefined) throw new Error('the dead text is gone')
      expect(await storage.transaction((tx) => retryMail(tx, row, clock.now()))).toBeUndefined()
      await delivery.idle()
      expect(await statusOf(dead)).toMatchObject({ status: 'sent' })
    } finally {
      await service.close()
    }
  })

  test('expire with their codes, and say where nothing is configured that could send', async () => {
    const id = await queue()
    const delivery = start(createNoTexts())
    await delivery.idle()
    expect((await statusOf(id))?.error).toMatch(/telephony\.hook\.url/)
    clock.advance(6 * minute)
    await delivery.idle()
    expect(await statusOf(id)).toMatchObject({ status: 'expired' })
    expect(ended).toEqual(['sms expired'])
  })

  test('A57: one source’s texts hold those of another back by no more than one', async () => {
    for (let one = 0; one < 30; one++) await queue({ source: 'flood' })
    const other = await queue({ source: 'other' })
    await start(undefined, { parallel: 1 }).idle()
    expect(sent.findIndex(({ id }) => id === other)).toBeLessThan(3)
  })
})
