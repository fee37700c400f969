import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLogger, type Logger, ProtocolError, systemRandom } from '../base/index.ts'
import { openStorage, type Storage } from '../storage/index.ts'
import { createHttp } from './app.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const span = '00f067aa0ba902b7'
const good = `00-${trace}-${span}-01`
const lines: Record<string, unknown>[] = []
let storage: Storage
let app: FastifyInstance
let log: Logger
let port: number

beforeAll(async () => {
  storage = await openStorage({ url: 'memory' })
  await storage.migrate()
  log = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(JSON.parse(line)) } })
  app = createHttp({
    storage,
    random: systemRandom,
    log,
    issuer: 'http://localhost:9000',
    plugins: [
      async (scope) => {
        scope.post('/deep', async () => {
          await storage.serverTime()
          await new Promise((resolve) => setImmediate(resolve))
          log.info('deep inside')
          return {}
        })
        scope.get('/broken', async () => {
          throw new Error('inner')
        })
        scope.post('/refused', async () => {
          throw new ProtocolError(400, 'E0000003', 'No.', { detail: 'for developers' })
        })
      },
    ],
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  port = (app.server.address() as { port: number }).port
})
beforeEach(() => void lines.splice(0))
afterAll(async () => {
  await app.close()
  await storage.close()
})

/** Sends a request over a real connection, where asynchronous contexts could get lost. */
const ask = (path: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { method: 'POST', body }),
  })

/** The log lines of a request, after its last one was written. */
async function linesOf(count: number) {
  while (lines.length < count) await new Promise((resolve) => setImmediate(resolve))
  return lines.splice(0)
}

test.each([
  ['deep inside of what answers', '/deep', '{"a":1}', ['deep inside', 'a request was answered']],
  ['a failure', '/broken', undefined, ['a request failed', 'a request was answered']],
  ['a refusal', '/refused', '{}', ['a request was refused', 'a request was answered']],
])('every log line of a request contains the trace of its caller: %s', async (_, path, body, messages) => {
  await ask(path, { traceparent: good }, body)
  const written = await linesOf(2)
  expect(written.map(({ msg }) => msg)).toEqual(messages)
  for (const line of written)
    expect(line).toMatchObject({ trace_id: trace, span_id: span, trace_flags: '01' })
})

test('a body that arrives late keeps the trace of its request', async () => {
  for (const body of ['{"a":1}', '{"a":1,"a":']) {
    const socket = connect(port, '127.0.0.1')
    const head = `POST /deep HTTP/1.1\r\nHost: localhost\r\ntraceparent: ${good}\r\nContent-Type: application/json\r\n`
    socket.write(`${head}Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`)
    // After 100 Continue the head has been parsed, and a hook has run.
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write(body)
    const written = await linesOf(2)
    expect(written.at(-1)).toMatchObject({ msg: 'a request was answered' })
    for (const line of written) expect(line).toMatchObject({ trace_id: trace, span_id: span })
    socket.destroy()
  }
})

test('without a valid header, the lines of a request share a new trace', async () => {
  const seen = new Set<unknown>()
  const headers = [
    undefined,
    'nonsense',
    good.toUpperCase(),
    `00-${'0'.repeat(32)}-${span}-01`,
    `${good}-more`,
  ]
  for (const header of headers) {
    await ask('/deep', header === undefined ? {} : { traceparent: header }, '{}')
    const [first, last] = await linesOf(2)
    expect(first?.trace_id).toMatch(/^[\da-f]{32}$/)
    expect(first?.trace_id).not.toBe(trace)
    expect(last).toMatchObject({ trace_id: first?.trace_id, span_id: first?.span_id, trace_flags: '00' })
    seen.add(first?.trace_id)
  }
  expect(seen.size).toBe(headers.length)
})

test('two headers and a huge one are ignored and not logged', async () => {
  for (const extra of [
    `traceparent: ${good}\r\ntraceparent: ${good}`,
    `traceparent: 01-${trace}-${span}-01-${'x'.repeat(9000)}`,
  ]) {
    const socket = connect(port, '127.0.0.1')
    const text = `GET /broken HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${extra}\r\n\r\n`
    await new Promise((resolve) => socket.on('close', resolve).resume().end(text))
    const written = await linesOf(2)
    for (const line of written) expect(line.trace_id).not.toBe(trace)
    expect(JSON.stringify(written)).not.toContain('xxxx')
  }
})

test('concurrent requests have separate traces, also on one connection', async () => {
  const ids = Array.from({ length: 20 }, (_, at) => String(at + 1).padStart(32, '0'))
  await Promise.all(ids.map((id) => ask('/deep', { traceparent: `00-${id}-${span}-01` }, '{}')))
  const logged = (await linesOf(40)).filter(({ msg }) => msg === 'deep inside').map((line) => line.trace_id)
  expect(logged.toSorted()).toEqual(ids)
})

test('the log line of a response contains the route, not the requested address', async () => {
  await ask('/nowhere/at-all?token=secret')
  const [line] = await linesOf(1)
  expect(line).toMatchObject({
    route: 'unmatched',
    method: 'GET',
    status: 404,
    msg: 'a request was answered',
  })
  expect(JSON.stringify(line)).not.toContain('secret')
})
