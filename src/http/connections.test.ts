import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fastify } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { onThisMachine } from '../../test/support/machine.ts'
import { createLogger, silentLogger, systemRandom } from '../base/index.ts'
import { openStorage } from '../storage/index.ts'
import { createHttp } from './app.ts'
import { createConnections } from './connections.ts'

const over: (() => unknown)[] = []
afterEach(async () => {
  for (const undo of over.splice(0).reverse()) await undo()
})

async function serve(given: Partial<Parameters<typeof createConnections>[0]> = {}) {
  const lines: string[] = []
  const log = createLogger({ level: 'info', stream: { write: (line) => lines.push(line) } })
  const connections = createConnections({ log, ...given })
  const app = fastify({ forceCloseConnections: 'idle' })
  connections.attach(app)
  app.get('/', async () => 'answered')
  await app.listen({ host: '127.0.0.1', port: 0 })
  over.push(() => app.close())
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const open = async (from = '127.0.0.1'): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from })
    over.push(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  /** Whether the server answers over a connection. */
  const answers = async (socket: Socket): Promise<boolean> => {
    socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    return (await text(socket).catch(() => '')).includes('200 OK')
  }
  return { connections, open, answers, app, lines }
}

describe('the connections of one address', () => {
  test('are limited, as others’ are not by them', async () => {
    const { connections, open, answers, app, lines } = await serve({ perAddress: 2 })
    const own = [await open(), await open()]
    const [third, fourth] = [await open(), await open()]
    expect([await answers(third), await answers(fourth)]).toEqual([false, false])
    expect(await answers(await open('127.0.0.2'))).toBe(true)
    for (const socket of own) expect(await answers(socket)).toBe(true)
    await expect.poll(() => connections.load()).toEqual({ open: 0, refused: 2 })
    expect(await answers(await open())).toBe(true)
    // Once a minute, or a flood would fill the log.
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('http.connectionsPerAddress')
    // The others are counted, at the end too.
    expect(await answers(await open())).toBe(true)
    const again = [await open(), await open(), await open(), await open()]
    expect(again).toHaveLength(4)
    await expect.poll(() => connections.load().refused).toBe(4)
    await app.close()
    expect(JSON.parse(lines[1] ?? '{}')).toMatchObject({ count: 3 })
  })

  test.each(['127.0.0.1', '127.0.0.0/8', 'loopback', '::ffff:127.0.0.1'])(
    'are not limited where it is a trusted proxy’s: %s',
    async (proxy) => {
      const { open, answers } = await serve({ perAddress: 1, trustedProxies: ['not one', proxy] })
      await open()
      expect(await answers(await open())).toBe(true)
    },
  )

  test('are not limited by 0', async () => {
    const { open, answers } = await serve({ perAddress: 0 })
    await open()
    expect(await answers(await open())).toBe(true)
  })
})

test('a head that does not come in time ends its connection', async () => {
  const storage = await openStorage({ url: 'memory' })
  over.push(() => storage.close())
  const log = silentLogger
  const app = createHttp({
    storage,
    random: systemRandom,
    log,
    issuer: 'http://localhost:9000',
    connections: createConnections({ log, headersMs: 300, keepAliveMs: 7000 }),
    plugins: [],
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  over.push(() => app.close())
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const slow = connect({ port, host: '127.0.0.1' })
  const began = performance.now()
  slow.write('GET /health/live HTTP/1.1\r\nhost')
  expect(await text(slow)).toMatch(/^HTTP\/1\.1 408 /)
  expect(performance.now() - began).toBeLessThan(onThisMachine(4000))
  const whole = await fetch(`http://127.0.0.1:${port}/health/live`)
  expect(whole.headers.get('keep-alive')).toBe('timeout=7')
})

test('an app that closes waits neither for silent connections nor for heads that do not come', async () => {
  const { app, open, connections } = await serve()
  await open()
  const slow = await open()
  slow.write('GET / HTTP/1.1\r\nhost')
  await expect.poll(() => connections.load().open).toBe(2)
  await pause(20)
  const began = performance.now()
  await app.close()
  expect(performance.now() - began).toBeLessThan(onThisMachine(4000))
})
