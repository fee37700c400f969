import { once } from 'node:events'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { networkInterfaces } from 'node:os'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { onThisMachine } from '../../../test/support/machine.ts'
import { isoTime, systemClock } from '../../base/index.ts'
import { type DevEnvironment, newVisitor } from '../../testing/index.ts'
import { startAt, startEnvironment } from './environment.fixture.ts'
import type { ControlServer } from './server.ts'
import type { SmtpSink } from './smtp-sink.ts'

let environment: DevEnvironment
let sink: SmtpSink
let server: ControlServer

beforeAll(async () => {
  environment = await startEnvironment()
  sink = environment.sink
  server = environment.control
})
beforeEach(async () => {
  await environment.reset()
  await environment.port.clock.set(startAt)
  // Streams of the test before are let go once their readers have left.
  await expect.poll(() => sink.messages.listeners, { interval: 5 }).toBe(0)
})
afterAll(() => environment.close())

const isThere = async (login: string) => (await environment.engine.people.find(login)) !== undefined

const call = async (method: string, path: string, body?: unknown) => {
  const json =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await fetch(server.url + path, { method, ...json })
  const answer: unknown = await response.json()
  return { status: response.status, body: answer }
}

const arrive = async (to: string, subject = 'Hi', text = 'Enter a code instead: 123456') => {
  const transport = createTransport({ url: sink.url })
  await transport.sendMail({ from: 'a@b.example', to, subject, text })
  return sink.messages.latest({ to })?.id ?? ''
}

/** Sends a request with headers that fetch does not allow. */
async function rawCall(options: RequestOptions, body?: string) {
  const request = httpRequest({ host: '127.0.0.1', port: server.port, ...options })
  request.end(body)
  const [response] = await once(request, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString() || 'null') }
}

describe('messages', () => {
  test('are listed newest first in the promised shape, all or one address’s', async () => {
    await arrive('ada@example.com', 'one')
    await arrive('bob@example.com', 'two')

    expect((await call('GET', '/messages')).body).toMatchObject([{ subject: 'two' }, { subject: 'one' }])
    expect((await call('GET', '/messages?to=ADA@example.com')).body).toEqual([
      {
        id: expect.stringMatching(/^msg\d{10}$/),
        channel: 'email',
        to: 'ada@example.com',
        from: 'a@b.example',
        subject: 'one',
        text: expect.stringContaining('123456'),
        html: '',
        code: '123456',
        link: null,
        template: null,
        sentAt: '2023-11-14T22:13:20.000Z',
      },
    ])
    expect((await call('GET', '/messages?to=nobody@example.com')).body).toEqual([])
  })

  test('are there one by one, and as they came over the wire', async () => {
    const id = await arrive('ada@example.com', 'one')
    const source = await fetch(`${server.url}/messages/${id}/source`)

    expect((await call('GET', `/messages/${id}`)).body).toMatchObject({ id, subject: 'one' })
    expect(source.headers.get('content-type')).toBe('message/rfc822')
    expect(source.headers.get('content-disposition')).toBe(`attachment; filename="${id}.eml"`)
    expect(await source.text()).toContain('Subject: one\r\n')
  })

  test('are gone when deleted', async () => {
    await arrive('ada@example.com')

    expect(await call('DELETE', '/messages')).toEqual({ status: 200, body: { deleted: 1 } })
    expect((await call('GET', '/messages')).body).toEqual([])
  })

  test('can be waited for, and come as soon as they arrive', async () => {
    const first = await arrive('ada@example.com', 'first')
    const waiting = call('GET', `/messages/wait?to=ada@example.com&after=${first}&timeout=20000`)
    await expect.poll(() => sink.messages.listeners, { interval: 5 }).toBe(1)
    await arrive('ada@example.com', 'second')

    expect(await waiting).toMatchObject({ status: 200, body: { subject: 'second', code: '123456' } })
  })

  test('that are there already need no waiting', async () => {
    await arrive('ada@example.com', 'first')

    expect((await call('GET', '/messages/wait?to=ada@example.com&timeout=0')).body).toMatchObject({
      subject: 'first',
    })
  })

  test('that do not come in time end the wait with 408', async () => {
    expect(await call('GET', '/messages/wait?to=ada@example.com&timeout=20')).toEqual({
      status: 408,
      body: { error: 'no_message', message: 'no mail to ada@example.com within 20 ms; the inbox is empty' },
    })
    expect(sink.messages.listeners).toBe(0)
  })

  test('a wait ends when the client disconnects', async () => {
    const gone = new AbortController()
    const waiting = fetch(`${server.url}/messages/wait?timeout=60000`, { signal: gone.signal })
    await expect.poll(() => sink.messages.listeners, { interval: 5 }).toBe(1)
    gone.abort()

    await expect(waiting).rejects.toThrow()
    await expect.poll(() => sink.messages.listeners, { interval: 5 }).toBe(0)
  })
})

describe('the stream', () => {
  async function openStream(headers: Record<string, string> = {}) {
    const gone = new AbortController()
    onTestFinished(() => gone.abort())
    const response = await fetch(`${server.url}/messages/stream`, { headers, signal: gone.signal })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (part: string) => {
      while (!text.includes(part)) text += (await reader?.read())?.value ?? ''
      return text
    }
    return { response, until, leave: () => gone.abort() }
  }

  test('streams each mail without its body, and the emptying of the inbox', async () => {
    const stream = await openStream()
    await stream.until('retry')
    const id = await arrive('ada@example.com', 'live')
    await call('DELETE', '/messages')
    const text = await stream.until('event: cleared')

    expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
    expect(text).toContain(`id: ${id}\nevent: message\ndata: {"id":"${id}"`)
    expect(text).toContain('"code":"123456"')
    expect(text).not.toContain('Enter a code')
  })

  test('sends the missed mails to a client that reconnects', async () => {
    const first = await arrive('ada@example.com', 'seen')
    await arrive('ada@example.com', 'missed')
    const stream = await openStream({ 'last-event-id': first })
    const text = await stream.until('missed')

    expect(text).not.toContain('"seen"')
  })

  test('is let go when its reader leaves', async () => {
    const stream = await openStream()
    await stream.until('retry')
    expect(sink.messages.listeners).toBe(1)
    stream.leave()

    await expect.poll(() => sink.messages.listeners, { interval: 5 }).toBe(0)
  })

  test('does not hold up closing', async () => {
    const own = await startEnvironment()
    onTestFinished(() => own.close())
    const response = await fetch(`${own.control.url}/messages/stream`)
    await response.body?.getReader().read()
    const before = performance.now()
    await own.control.close()

    expect(performance.now() - before).toBeLessThan(onThisMachine(1000))
  })
})

describe('people', () => {
  test('are created, changed and removed', async () => {
    const created = await call('POST', '/people', {
      login: 'ada@example.com',
      firstName: 'Ada',
      password: 'Tangerine-Kettle-42',
    })
    const { id } = created.body as { id: string }

    expect(created).toEqual({
      status: 201,
      body: { id, login: 'ada@example.com', email: 'ada@example.com', status: 'ACTIVE', firstName: 'Ada' },
    })
    expect(
      (await call('PATCH', `/people/${id}`, { email: 'new@example.com', status: 'SUSPENDED' })).body,
    ).toMatchObject({ email: 'new@example.com', status: 'SUSPENDED', firstName: 'Ada' })
    expect(await call('DELETE', `/people/${id}`)).toEqual({ status: 200, body: { deleted: 1 } })
    expect(await isThere('ada@example.com')).toBe(false)
  })

  test('a refusal of the engine keeps its status, code and message', async () => {
    await call('POST', '/people', { login: 'ada@example.com' })

    expect(await call('POST', '/people', { login: 'ada@example.com' })).toEqual({
      status: 400,
      body: {
        error: 'E0000001',
        message: expect.stringMatching(/^login: An object with this field already exists/),
      },
    })
  })
})

describe('the clock', () => {
  test('is read and moved', async () => {
    expect((await call('GET', '/clock')).body).toEqual({ now: '2023-11-14T22:13:20.000Z' })
    expect((await call('POST', '/clock', { advance: '5m' })).body).toEqual({
      now: '2023-11-14T22:18:20.000Z',
    })
    expect((await call('POST', '/clock', { now: '2030-01-31T12:00:00Z' })).body).toEqual({
      now: '2030-01-31T12:00:00.000Z',
    })
    expect((await call('POST', '/clock', { now: '2030-01-31T14:00:00+02:00' })).body).toEqual({
      now: '2030-01-31T12:00:00.000Z',
    })
  })

  test.each([
    [{ advance: '250ms' }, 250],
    [{ advance: '90s' }, 90_000],
    [{ advance: '1h' }, 3_600_000],
    [{ advance: '2d' }, 172_800_000],
  ])('%j is a span', async (body, span) => {
    await call('POST', '/clock', body)

    expect(environment.engine.clock.now()).toBe(startAt + span)
  })
})

test('reset goes back to the seed, empties the inbox and forgets the faults', async () => {
  await call('POST', '/people', { login: 'ada@example.com' })
  await call('POST', '/clock', { advance: '1d' })
  await call('POST', '/faults', { smtp: 'refuse', times: 9 })
  await sink.messages.add(Buffer.from('Subject: x\r\n\r\nx'), ['ada@example.com'])

  const reset = await call('POST', '/reset')
  expect(reset).toEqual({ status: 200, body: { now: isoTime(environment.engine.clock.now()) } })
  expect(Math.abs(environment.engine.clock.now() - systemClock.now())).toBeLessThan(3_600_000)
  expect(await isThere('ada@example.com')).toBe(false)
  expect((await call('GET', '/messages')).body).toEqual([])
  await arrive('ada@example.com')
})

test('a body-less call may name JSON as its type all the same', async () => {
  const response = await fetch(`${server.url}/reset`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })

  expect(response.status).toBe(200)
})

describe('faults', () => {
  test('of a path go to the engine', async () => {
    const path = '/idp/idx/challenge/answer'

    expect(await call('POST', '/faults', { path, status: 502, times: 3 })).toEqual({
      status: 200,
      body: { path, status: 502, times: 3 },
    })
    await call('POST', '/faults', { path })
    const statuses = []
    for (let request = 0; request < 5; request++) {
      const headers = { 'content-type': 'application/json' }
      const options = { method: 'POST', headers, body: '{"stateHandle":"none"}' }
      statuses.push((await fetch(environment.engine.baseUrl + path, options)).status)
    }
    expect(statuses).toEqual([502, 502, 502, 503, 401])
  })

  test('of SMTP make the next deliveries fail', async () => {
    await call('POST', '/faults', { smtp: 'refuse', times: 1 })

    await expect(arrive('ada@example.com')).rejects.toMatchObject({ responseCode: 451 })
    await arrive('ada@example.com')
  })
})

test('events and transactions are passed on', async () => {
  await call('POST', '/people', { login: 'ada@example.com' })

  expect((await call('GET', '/events')).body).toMatchObject([
    { eventType: 'user.lifecycle.create', published: '2023-11-14T22:13:20.000Z' },
  ])
  const { baseUrl, issuers } = environment.engine
  await newVisitor({
    engineUrl: baseUrl,
    issuer: issuers.default,
    clientId: 'rekey-web',
    clientSecret: 'rekey-web-secret-for-tests-only',
    redirectUri: 'http://localhost:8080/login/callback',
  }).recovers('ada@example.com')
  const [transaction] = (await call('GET', '/transactions')).body as { id: string }[]
  expect(transaction?.id).toMatch(/^trs\w{17}$/)
  expect((await call('GET', `/transactions/${transaction?.id}`)).body).toMatchObject({
    id: transaction?.id,
    identifier: 'ada@example.com',
    intent: 'recovery',
  })
})

describe('users', () => {
  test('are listed, found by login or email, and read by id', async () => {
    const ada = (await call('POST', '/people', { login: 'ada', email: 'ada@example.com' })).body as {
      id: string
    }
    const bob = (await call('POST', '/people', { login: 'bob@example.com' })).body as { id: string }
    const listed = (await call('GET', '/people')).body as { id: string }[]
    expect(listed.map(({ id }) => id).toSorted()).toEqual([ada.id, bob.id].toSorted())
    expect(listed).toContainEqual(ada)
    for (const name of ['ada', 'ADA@example.com']) {
      expect((await call('GET', `/people?login=${name}`)).body).toEqual([ada])
    }
    expect((await call('GET', '/people?login=none')).body).toEqual([])
    expect(await call('GET', `/people/${bob.id}`)).toEqual({ status: 200, body: bob })
    expect(await call('GET', '/people/00u1')).toMatchObject({ status: 404 })
  })
})

test('a clock that is set back to before the seed is not set back silently', async () => {
  await environment.reset()
  expect((await call('POST', '/clock', { now: '2030-01-01T00:00:00Z' })).body).toEqual({
    now: '2030-01-01T00:00:00.000Z',
  })
  expect((await call('POST', '/clock', { now: '2029-01-01T00:00:00Z' })).body).toEqual({
    now: '2029-01-01T00:00:00.000Z',
  })
  expect((await call('POST', '/clock', { now: '2020-01-01T00:00:00Z' })).body).toEqual({
    now: '2020-01-01T00:00:00.000Z',
    note: expect.stringMatching(
      /^The clock is before 202\d-.+, when the users, clients and keys were created/,
    ),
  })
})

describe('every 400 says which member, and why (N-m62)', () => {
  const login = 'taken@example.com'
  test.each([
    [
      'POST',
      '/people',
      { login: 'eve@example.com', password: 'weak' },
      /^password: not met: at least \d+ characters$/,
    ],
    ['POST', '/people', { login: 'eve@example.com', password: 'password1234' }, /^password: .*common/],
    ['POST', '/people', { login }, /^login: .*already exists/],
    ['POST', '/people', { login: 'eve@example.com', email: 'no address' }, /^email: /],
    ['PATCH', '/people/ID', { password: 'weak' }, /^password: not met: [^:]+$/],
    ['PATCH', '/people/ID', { email: 'no address' }, /^email: /],
    [
      'POST',
      '/people',
      { login: 'a', emial: 'a@b.example' },
      /"emial" is not a known member; did you mean email\?/,
    ],
    ['GET', '/messages?too=a', undefined, /"too" is not a known parameter; did you mean to\?/],
    [
      'GET',
      '/messages/wait?timeoutMs=5',
      undefined,
      /"timeoutMs" is not a known parameter; did you mean timeout\?/,
    ],
    ['GET', '/people?name=a', undefined, /"name" is not a known parameter; known are login/],
    ['GET', '/events?foo=1', undefined, /"foo" is not a known parameter; none is known/],
    ['GET', '/transactions?foo=1', undefined, /"foo" is not a known parameter; none is known/],
    ['GET', '/clock?foo=1', undefined, /"foo" is not a known parameter; none is known/],
    ['POST', '/reset', { a: 1 }, /"a" is not a known member; none is known/],
    ['POST', '/faults', { path: '/nope' }, /^path: nothing is served at "\/nope"/],
    ['POST', '/faults', { path: '/idp/idx/identfy' }, /did you mean \/idp\/idx\/identify\?/],
    ['POST', '/faults', { path: '/api/v1/users/{id}' }, /^path must be one that is requested/],
    [
      'POST',
      '/sign-in',
      { login: 'mary@example.com', scopes: ['opneid'] },
      /^scopes: "opneid" is not a scope; did you mean openid\?/,
    ],
  ])('%s %s %j', async (method, path, body, says) => {
    const { id } = (await call('POST', '/people', { login })).body as { id: string }
    const answer = await call(method, path.replace('ID', id), body)
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching(says) } })
  })
})

describe('bad input', () => {
  test.each([
    ['POST', '/people', []],
    ['POST', '/people', null],
    ['POST', '/people', 'ada'],
    ['POST', '/people', {}],
    ['POST', '/people', { login: '' }],
    ['POST', '/people', { login: ['ada@example.com'] }],
    ['POST', '/people', { login: { a: 1 } }],
    ['POST', '/people', { login: 'a\0b' }],
    ['POST', '/people', { login: 'a', password: 12345678 }],
    ['POST', '/people', { login: 'a', firstName: null }],
    ['POST', '/people', { login: 'a', status: 'HAPPY' }],
    ['POST', '/people', { login: 'a', emial: 'a@b.example' }],
    ['POST', '/people', undefined],
    ['PATCH', '/people/00u1', {}],
    ['PATCH', '/people/00u1', { login: 'b' }],
    ['POST', '/clock', {}],
    ['POST', '/clock', { advance: 5 }],
    ['POST', '/clock', { advance: '5' }],
    ['POST', '/clock', { advance: 'soon' }],
    ['POST', '/clock', { advance: '-5m' }],
    ['POST', '/clock', { advance: ['5m'] }],
    ['POST', '/clock', { advance: '9999999d' }],
    ['POST', '/clock', { now: 'tomorrow' }],
    ['POST', '/clock', { now: '2030-01-31T12:00:00' }],
    ['POST', '/clock', { now: '2030-99-31T12:00:00Z' }],
    ['POST', '/clock', { now: 1 }],
    ['POST', '/clock', { now: '2030-01-31T12:00:00Z', advance: '5m' }],
    ['POST', '/faults', {}],
    ['POST', '/faults', { path: 'no-slash' }],
    ['POST', '/faults', { path: '/x', status: 200 }],
    ['POST', '/faults', { path: '/x', status: '503' }],
    ['POST', '/faults', { path: '/x', times: 0 }],
    ['POST', '/faults', { path: '/x', times: 1.5 }],
    ['POST', '/faults', { path: '/x', smtp: 'refuse' }],
    ['POST', '/faults', { smtp: 'explode' }],
    ['POST', '/faults', { smtp: 'slow', delay: '1d' }],
    ['GET', '/messages?to=a&to=b', undefined],
    ['GET', '/messages?to=', undefined],
    ['GET', '/messages/wait?timeout=soon', undefined],
    ['GET', '/messages/wait?timeout=-1', undefined],
    ['GET', '/messages/wait?timeout=60001', undefined],
    ['GET', '/messages/wait?timeout=1&timeout=2', undefined],
    ['GET', '/messages/wait?after=msg0000000099', undefined],
    ['GET', '/messages/wait?after=x', undefined],
    ['GET', '/messages/%zz', undefined],
  ])('%s %s %j is answered with 400', async (method, path, body) => {
    expect(await call(method, path, body)).toEqual({
      status: 400,
      body: { error: 'bad_request', message: expect.stringMatching(/.{5}/) },
    })
  })

  test.each([
    ['GET', '/messages/msg0000000001'],
    ['GET', '/messages/msg0000000001/source'],
    ['GET', '/messages/__proto__'],
    ['GET', '/messages/%00'],
    ['PATCH', '/people/00u9'],
    ['DELETE', '/people/00u9'],
    ['DELETE', '/people/..%2f'],
    ['GET', '/transactions/trs9'],
    ['GET', '/nothing'],
    ['PUT', '/people'],
  ])('%s %s is answered with 404', async (method, path) => {
    const body = method === 'PATCH' ? { email: 'a@b.example' } : undefined

    expect(await call(method, path, body)).toEqual({
      status: 404,
      body: { error: 'not_found', message: expect.any(String) },
    })
  })

  test('texts and ids of absurd length are refused', async () => {
    expect((await call('POST', '/people', { login: 'x'.repeat(2000) })).status).toBe(400)
    expect((await call('POST', '/clock', { advance: `${'9'.repeat(400)}d` })).status).toBe(400)
    expect((await call('GET', `/transactions/${'x'.repeat(100)}`)).status).toBe(404)
    const endless = await call('GET', `/transactions/${'x'.repeat(3000)}`)
    expect(endless.status).toBe(414)
    expect(JSON.stringify(endless.body).length).toBeLessThan(300)
  })

  test.each(['{', '', '{"a":1}}', '{"__proto__":{"status":"ACTIVE"},"login":"a"}', '\u0000'])(
    'the JSON %j is answered with 400',
    async (body) => {
      const response = await fetch(`${server.url}/people`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })

      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: 'bad_request' })
    },
  )

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
  ])('a body of type %s is answered with 415, whatever the call', async (type) => {
    for (const [method, path] of [
      ['POST', '/people'],
      ['POST', '/reset'],
      ['DELETE', '/messages'],
      ['POST', '/nothing'],
    ]) {
      const response = await fetch(`${server.url}${path}`, {
        method: String(method),
        headers: { 'content-type': type },
        body: '{"login":"a"}',
      })

      expect(response.status).toBe(415)
      expect(await response.json()).toMatchObject({ error: 'unsupported_media_type' })
    }
    expect(await isThere('a')).toBe(false)
  })

  test('a body without a type is answered with 415, chunked ones too', async () => {
    const headers = { host: `localhost:${server.port}` }

    expect((await rawCall({ method: 'POST', path: '/people', headers }, '{"login":"a"}')).status).toBe(415)
    const chunked = { ...headers, 'transfer-encoding': 'chunked' }
    expect((await rawCall({ method: 'DELETE', path: '/messages', headers: chunked }, 'x')).status).toBe(415)
  })

  test('a body over 64 KB is answered with 413', async () => {
    expect(await call('POST', '/people', { login: 'x'.repeat(65_000) + 'y'.repeat(1000) })).toMatchObject({
      status: 413,
      body: { error: 'too_large' },
    })
  })

  test('a fault of the engine is a bare 500 with an id and no detail', async () => {
    const own = await startEnvironment()
    onTestFinished(() => own.close().catch(() => {}))
    await own.engine.storage.close()
    const response = await fetch(`${own.control.url}/transactions/trs${'1'.repeat(17)}`)
    const answer = { status: response.status, body: await response.json() }

    expect(answer).toEqual({
      status: 500,
      body: { error: 'internal_error', message: expect.any(String), errorId: expect.stringMatching(/^err/) },
    })
    expect(JSON.stringify(answer)).not.toContain('/var/lib')
  })
})

describe('foreign pages', () => {
  test.each([
    'evil.example',
    'localhost',
    'localhost:1',
    'localhost.evil.example:80',
    '127.0.0.1',
    '0.0.0.0:8025',
  ])('a request for the host %j is refused', async (host) => {
    expect(await rawCall({ path: '/messages', headers: { host } })).toMatchObject({
      status: 403,
      body: { error: 'foreign_host' },
    })
  })

  test('a foreign host with the right port is refused, on pages and unknown paths too', async () => {
    for (const path of ['/messages', '/', '/assets/inbox.js', '/nothing']) {
      const answer = await rawCall({ path, headers: { host: `evil.example:${server.port}` } })
      expect(answer).toMatchObject({ status: 403, body: { error: 'foreign_host' } })
    }
  })

  test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('%s is this machine', async (name) => {
    expect(await rawCall({ path: '/messages', headers: { host: `${name}:${server.port}` } })).toMatchObject({
      status: 200,
      body: [],
    })
  })

  test.each([
    'https://evil.example',
    'null',
    'http://localhost:1',
    'http://localhost',
    'https://localhost:PORT',
    '',
  ])('a request from the origin %j is refused', async (origin) => {
    const headers = {
      host: `localhost:${server.port}`,
      origin: origin.replace('PORT', String(server.port)),
    }

    expect(await rawCall({ method: 'POST', path: '/reset', headers })).toMatchObject({
      status: 403,
      body: { error: 'foreign_origin' },
    })
  })

  test('the inbox’s own origin is served', async () => {
    const headers = { host: `localhost:${server.port}`, origin: server.url }

    expect((await rawCall({ method: 'POST', path: '/reset', headers })).status).toBe(200)
  })
})

test('another address of this machine does not answer', async () => {
  const outward = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)?.address
  if (outward === undefined) return

  await expect(fetch(`http://${outward}:${server.port}/messages`)).rejects.toThrow()
})
