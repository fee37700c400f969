import { connect } from 'node:net'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger, createSecrets, ProtocolError, silentLogger, systemRandom } from '../base/index.ts'
import { createClient, ensureTrustedOrigin } from '../clients/index.ts'
import { openStorage, type Storage } from '../storage/index.ts'
import { createHttp } from './app.ts'
import type { HttpOptions } from './options.ts'
import { createReadiness } from './readiness.ts'

let storage: Storage
let app: FastifyInstance
const lines: string[] = []
const fault: { status?: number } = {}
const readiness: { error?: Error } = {}
let asked = 0

const build = (options: Partial<HttpOptions> = {}): FastifyInstance =>
  createHttp({
    storage,
    random: systemRandom,
    log: createLogger({ level: 'info', stream: { write: (line) => void lines.push(line) } }),
    issuer: 'http://localhost:9000',
    plugins: [
      async (scope) => {
        scope.post('/idp/idx/echo', async (request) => request.body)
        scope.get('/email/verify/:client', async (request) => ({ ip: request.ip }))
        scope.get('/broken', async () => {
          throw new Error('the words of an inner error')
        })
        scope.get('/limited', async () => {
          const headers = { 'Retry-After': '7' }
          throw new ProtocolError(429, 'E0000047', 'Too many.', { headers, detail: 'budget x' })
        })
        scope.get('/page', async (_request, reply) =>
          reply.header('Content-Security-Policy', "default-src 'self'").type('text/html').send('<p>'),
        )
      },
    ],
    fault: () => fault.status,
    readiness: createReadiness({
      checks: {
        ...(options.storage ?? storage).checks,
        other: async () => {
          if (readiness.error) throw readiness.error
          return 'ok'
        },
      },
      log: silentLogger,
      // Each request asks anew.
      now: () => 2000 * asked++,
    }),
    ...options,
  })

beforeAll(async () => {
  storage = await openStorage({ url: 'memory' })
  await storage.migrate()
  app = build()
  await app.ready()
})
afterAll(async () => {
  await app.close()
  await storage.close()
})

const idx = (payload: string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/idp/idx/echo',
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  })

describe('every response', () => {
  test.each<[string, InjectOptions]>([
    ['a good one', { url: '/health/live' }],
    ['an unknown path', { url: '/nowhere' }],
    ['a failure', { url: '/broken' }],
    ['an address that cannot be parsed', { url: '/%' }],
  ])('has the security headers: %s', async (_what, request) => {
    const { headers } = await app.inject(request)

    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    })
    expect(headers).not.toHaveProperty('strict-transport-security')
  })

  test('has a unique request id', async () => {
    const ids = await Promise.all(
      ['/health/live', '/nowhere', '/broken'].map(async (url) => {
        const { headers } = await app.inject({ url, headers: { 'x-request-id': 'chosen' } })
        return headers['x-okta-request-id']
      }),
    )

    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^req\w{17}$/)
  })

  test('keeps the Content-Security-Policy that a page sets', async () => {
    const { headers } = await app.inject({ url: '/page' })

    expect(headers['content-security-policy']).toBe("default-src 'self'")
  })

  test('has Strict-Transport-Security under https', async () => {
    const secure = build({ issuer: 'https://id.example' })

    const { headers } = await secure.inject({ url: '/health/live' })

    expect(headers['strict-transport-security']).toMatch(/^max-age=\d+$/)
    await secure.close()
  })
})

describe('errors', () => {
  const shape = {
    errorSummary: expect.any(String),
    errorId: expect.stringMatching(/^oae\w{17}$/),
    errorCauses: [],
  }

  test.each<[string, InjectOptions, number, string]>([
    ['an unknown path', { url: '/nowhere?x=1' }, 404, 'E0000007'],
    ['a wrong method', { method: 'POST', url: '/health/live' }, 405, 'E0000022'],
    [
      'a wrong method on a path with a parameter',
      { method: 'DELETE', url: '/email/verify/x?token=y' },
      405,
      'E0000022',
    ],
    ['a wrong method on an IDX path', { url: '/idp/idx/echo' }, 405, 'E0000022'],
    ['an address that cannot be parsed', { url: '/%' }, 400, 'E0000003'],
    ['a spent budget', { url: '/limited' }, 429, 'E0000047'],
    ['a failure', { url: '/broken' }, 500, 'E0000009'],
  ])('of %s have the API’s shape', async (_what, request, status, code) => {
    const answer = await app.inject(request)

    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toContain('application/json')
    expect(answer.json()).toEqual({ ...shape, errorCode: code, errorLink: code })
  })

  test('inside the engine reveal only an id, which the log explains', async () => {
    lines.length = 0

    const { body } = await app.inject({ url: '/broken?token=secret' })

    expect(body).not.toContain('inner')
    const line = lines.find((text) => text.includes(JSON.parse(body).errorId))
    expect(line).toContain('the words of an inner error')
    expect(line).not.toContain('secret')
  })

  test('OPTIONS without an origin says which methods there are; a browser of a stranger learns nothing', async () => {
    const asked = await app.inject({ method: 'OPTIONS', url: '/idp/idx/echo' })
    expect([asked.statusCode, asked.headers.allow, asked.body]).toEqual([204, 'POST', ''])
    expect((await app.inject({ method: 'OPTIONS', url: '/nothing/here' })).statusCode).toBe(404)
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    const stranger = await app.inject({ method: 'OPTIONS', url: '/idp/idx/echo', headers })
    expect([stranger.statusCode, stranger.headers['access-control-allow-origin']]).toEqual([405, undefined])
  })

  test('can have headers', async () => {
    expect((await app.inject({ url: '/limited' })).headers['retry-after']).toBe('7')
    expect((await app.inject({ method: 'PUT', url: '/idp/idx/echo' })).headers.allow).toBe('POST')
  })

  test.each([
    ['are not valid HTTP', 'nonsense\r\n\r\n', 400, 'The request body was not well-formed.'],
    [
      'have a header of more than 64 KiB',
      `GET /health/live HTTP/1.1\r\nHost: localhost\r\nCookie: ${'x'.repeat(70_000)}\r\n\r\n`,
      431,
      'The header of the request is too large.',
    ],
    [
      'have an address of more than 64 KiB',
      `GET /${'x'.repeat(200_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      431,
      'The header of the request is too large.',
    ],
    [
      'name two hosts',
      'GET /health/live HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\nConnection: close\r\n\r\n',
      400,
      'The request has more than one Host header.',
    ],
  ])('of requests that %s have the shape, too', async (_what, sent, status, errorSummary) => {
    const failures: unknown[] = []
    const listening = build({ onFailure: (failure) => failures.push(failure) })
    const address = await listening.listen({ host: '127.0.0.1', port: 0 })
    const text = await new Promise<string>((resolve, reject) => {
      let received = ''
      const socket = connect(Number(new URL(address).port), '127.0.0.1', () => socket.write(sent))
      socket.on('data', (chunk) => {
        received += chunk
      })
      socket.on('end', () => resolve(received))
      socket.on('error', reject)
    })
    await listening.close()

    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ errorCode: 'E0000003', errorSummary })
    expect(failures).toMatchObject([{ status, code: 'E0000003' }])
  })

  test('can be requested by the testing kit', async () => {
    fault.status = 503

    const answer = await idx('{}')
    delete fault.status

    expect([answer.statusCode, answer.json().errorCode]).toEqual([503, 'E0000009'])
    expect((await idx('{}')).statusCode).toBe(200)
  })
})

describe('bodies', () => {
  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json; okta-version=1.0.0',
    'application/ion+json; okta-version=1.0.0',
    'APPLICATION/JSON',
  ])('of the type %s are accepted', async (type) => {
    const answer = await idx('{"a":1}', { 'content-type': type })

    expect(answer.json()).toEqual({ a: 1 })
  })

  test.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'text/json',
    'application/jsonx',
    '',
  ])('A46: of the type "%s" are refused', async (type) => {
    const answer = await idx('{"a":1}', { 'content-type': type })

    expect([answer.statusCode, answer.json().errorCode]).toEqual([415, 'E0000021'])
  })

  test('A46: without a type are refused, empty ones too', async () => {
    const answer = await app.inject({ method: 'POST', url: '/idp/idx/echo' })

    expect(answer.statusCode).toBe(415)
  })

  test('A47: that parsers read differently are refused', async () => {
    const answer = await idx('{"identifier":"a","identifier":"b"}')

    expect([answer.statusCode, answer.json().errorCode]).toEqual([400, 'E0000003'])
  })

  test.each([
    ['POST', '/idp/idx/nope', undefined, 404],
    ['DELETE', '/api/v1/nope', undefined, 404],
    ['POST', '/api/v1/nope', '{"a":', 404],
    ['PUT', '/idp/idx/echo', '[]', 405],
  ] as const)('are not read where nothing is served: %s %s', async (method, url, payload, status) => {
    for (const type of ['application/json', 'text/plain']) {
      const answer = await app.inject({
        method,
        url,
        headers: { 'content-type': type },
        ...(payload && { payload }),
      })
      expect([answer.statusCode, answer.json().errorCode]).toEqual([
        status,
        status === 404 ? 'E0000007' : 'E0000022',
      ])
    }
  })

  test('that are none have a cause', async () => {
    for (const [body, cause] of [
      ['[]', 'body: must be a JSON object'],
      ['{"a":x}', 'body: no JSON at character 6'],
    ] as const) {
      expect((await idx(body)).json()).toMatchObject({
        errorCode: 'E0000003',
        errorCauses: [{ errorSummary: cause }],
      })
    }
  })

  test('of 64 KB are accepted, larger ones refused', async () => {
    const filled = (length: number) => `{"a":"${'x'.repeat(length - 8)}"}`

    expect((await idx(filled(64 * 1024))).statusCode).toBe(200)
    for (const length of [64 * 1024 + 1, 1_000_000]) {
      const answer = await idx(filled(length))
      expect([answer.statusCode, answer.json().errorCode]).toEqual([413, 'E0000003'])
    }
  })
})

describe('origins', () => {
  const context = {
    random: systemRandom,
    secrets: createSecrets(['a secret of tests']),
    now: 1,
    groupIds: [],
  }
  const statusFrom = async (origin: string) => (await idx('{}', { origin })).statusCode

  test('A46: a foreign one must not advance a transaction', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost:9001',
      'https://localhost:9000',
      '',
    ]) {
      expect(await statusFrom(origin), origin).toBe(403)
    }
    expect((await idx('{}')).statusCode).toBe(200)
  })

  test('the engine’s own is allowed', async () => {
    expect(await statusFrom('http://localhost:9000')).toBe(200)
  })

  test('those of redirect URIs and trusted ones are allowed as soon as they are registered', async () => {
    expect(await statusFrom('https://app.example')).toBe(403)
    expect(await statusFrom('https://trusted.example')).toBe(403)

    await createClient(
      storage.db,
      { label: 'app', redirectUris: ['https://app.example/a', 'app:/b'] },
      context,
    )
    await ensureTrustedOrigin(storage.db, 'https://trusted.example', context)

    expect(await statusFrom('https://app.example')).toBe(200)
    expect(await statusFrom('https://trusted.example')).toBe(200)
    expect(await statusFrom('https://app.example.evil.example')).toBe(403)
    expect(await statusFrom('app://')).toBe(403)
  })

  test('any localhost is allowed if a client is registered so for development', async () => {
    expect(await statusFrom('http://localhost:3000')).toBe(403)

    await createClient(
      storage.db,
      { label: 'dev', redirectUris: [], insecureLocalhostRedirects: true },
      context,
    )

    expect(await statusFrom('http://localhost:3000')).toBe(200)
    expect(await statusFrom('http://localhost.evil.example')).toBe(403)
  })

  test('errors have the CORS headers of an allowed origin', async () => {
    const origin = 'http://localhost:9000'
    for (const request of [{ url: '/broken' }, { url: '/limited' }, { url: '/nowhere' }]) {
      const { headers } = await app.inject({ ...request, headers: { origin } })
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': expect.stringContaining('x-okta-request-id'),
        vary: 'Origin',
      })
    }
  })
})

describe('the client’s address', () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-host': 'evil.example' }
  const seen = async (http: FastifyInstance, remoteAddress: string) =>
    (await http.inject({ url: '/email/verify/x', headers: forwarded, remoteAddress })).json().ip

  test('is that of the socket, unless a trusted proxy forwards another', async () => {
    const behind = build({ trustedProxies: ['10.0.0.0/8'] })

    expect(await seen(app, '10.1.2.3')).toBe('10.1.2.3')
    expect(await seen(behind, '10.1.2.3')).toBe('203.0.113.7')
    expect(await seen(behind, '192.0.2.1')).toBe('192.0.2.1')
    await behind.close()
  })

  test.each([
    ['203.0.113.7:51234', '203.0.113.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['192.0.2.9, 203.0.113.7:51234, 10.0.0.9:80', '203.0.113.7'],
    ['"203.0.113.7:1"', '203.0.113.7'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['203.0.113.7:', '203.0.113.7'],
    ['unknown', '10.1.2.3'],
    ['x'.repeat(3000), '10.1.2.3'],
    ['192.0.2.9, unknown, 10.0.0.9', '10.0.0.9'],
  ])('forwarded as %s is %s', async (forwardedFor, ip) => {
    const behind = build({ trustedProxies: ['10.0.0.0/8'] })
    const headers = { 'x-forwarded-for': forwardedFor }
    const answer = await behind.inject({ url: '/email/verify/x', headers, remoteAddress: '10.1.2.3' })
    expect(answer.json().ip).toBe(ip)
    await behind.close()
  })
})

describe('X-Forwarded-For of a peer that is no trusted proxy', () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.7' }
  const warningsOf = async (trustedProxies: readonly string[], peers: readonly string[]) => {
    const http = build({ trustedProxies })
    const before = lines.length
    for (const remoteAddress of peers) {
      await http.inject({ url: '/health/live', headers: forwarded, remoteAddress })
      await http.inject({ url: '/health/live', remoteAddress: '192.0.2.9' })
    }
    await http.close()
    return lines
      .slice(before)
      .map((line) => JSON.parse(line))
      .filter(({ variable }) => variable === 'REKEY_TRUSTED_PROXIES')
  }

  test('is a warning, once, with the peer and the variable', async () => {
    expect(await warningsOf([], ['10.1.2.3', '10.1.2.3', '192.0.2.1'])).toMatchObject([
      { level: 40, peer: '10.1.2.3' },
    ])
    expect(await warningsOf(['10.0.0.0/8'], ['10.1.2.3', '192.0.2.1', '192.0.2.2'])).toMatchObject([
      { peer: '192.0.2.1' },
    ])
  })

  test('is none in development, where the sample app names its visitors', async () => {
    const http = build({ isWithoutProxy: true })
    const before = lines.length
    await http.inject({ url: '/health/live', headers: forwarded, remoteAddress: '127.0.0.1' })
    await http.close()
    expect(lines.slice(before).filter((line) => line.includes('REKEY_TRUSTED_PROXIES'))).toEqual([])
  })

  test('is none where the peer is named', async () => {
    expect(await warningsOf(['10.0.0.0/8'], ['10.1.2.3', '10.9.9.9'])).toEqual([])
  })
})

describe('health and metrics', () => {
  test('a node with a database is live and ready', async () => {
    expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200)
    expect((await app.inject({ url: '/health/ready' })).json()).toEqual({ status: 'ready' })
  })

  test('a node without its database or another dependency is live, but not ready', async () => {
    const gone = await openStorage({ url: 'memory' })
    await gone.migrate()
    const lonely = build({ storage: gone })
    await lonely.ready()
    await gone.close()

    expect((await lonely.inject({ url: '/health/live' })).statusCode).toBe(200)
    expect((await lonely.inject({ url: '/health/ready' })).statusCode).toBe(503)
    await lonely.close()

    readiness.error = new Error('not yet')
    expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(503)
    delete readiness.error
  })

  test('requests are counted by route, never by address', async () => {
    const counted = build()
    for (const url of ['/email/verify/a?token=secret', '/email/verify/b', '/nowhere/x', '/nowhere/y']) {
      await counted.inject({ url })
    }

    const { body, headers } = await counted.inject({ url: '/metrics' })
    await counted.close()

    expect(headers['content-type']).toContain('text/plain; version=0.0.4')
    expect(body).toContain(
      'rekey_http_requests_total{method="GET",route="/email/verify/:client",status="200"} 2\n',
    )
    expect(body).toContain('rekey_http_requests_total{method="GET",route="unmatched",status="404"} 2\n')
    expect(body).toMatch(
      /rekey_http_request_duration_seconds_count\{.*route="\/email\/verify\/:client"\} 2\n/,
    )
    expect(body).not.toContain('secret')
  })
})

test('all routes are below the path of the public address, if it has one', async () => {
  const below = build({ issuer: 'https://h.example/id', basePath: '/id' })

  expect((await below.inject({ url: '/id/page' })).statusCode).toBe(200)
  expect((await below.inject({ url: '/page' })).statusCode).toBe(404)
  const foreign = await below.inject({
    method: 'POST',
    url: '/id/idp/idx/echo',
    headers: { origin: 'https://evil.example', 'content-type': 'application/json' },
    payload: '{}',
  })
  expect(foreign.statusCode).toBe(403)
  await below.close()
})
