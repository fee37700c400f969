import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import pg from 'pg'
import { expect, test } from 'vitest'
import { onThisMachine } from '../../test/support/machine.ts'
import { silentLogger } from '../base/index.ts'
import { ConnectionPool } from './postgres-pool.ts'

// As where several servers are tried, one after the other, and each of them keeps its whole time.
test('a connection is waited for no longer than its limit, whatever the driver does meanwhile', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const pool = new ConnectionPool(
    (options) => new pg.Pool({ ...options, host: '127.0.0.1', port, connectionTimeoutMillis: 0 }),
    {
      size: 1,
      connectTimeout: 200,
      queryTimeout: 1000,
      idleTimeout: 1000,
      maxLifetimeSeconds: 0,
      session: {},
      log: silentLogger,
    },
  )
  const before = performance.now()
  await expect(pool.connect()).rejects.toMatchObject({
    status: 503,
    detail: expect.stringContaining('timeout exceeded when trying to connect'),
  })
  expect(performance.now() - before).toBeLessThan(onThisMachine(2000))
  for (const socket of sockets) socket.destroy()
  server.close()
  await pool.end()
})
