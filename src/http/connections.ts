import { Server as NetServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { createLogSampler, type Logger } from '../base/index.ts'
import { addressKey } from '../limits/index.ts'
import { isAmong, networksOf } from './networks.ts'

/** Times in milliseconds. */
export interface ConnectionOptions {
  /** How long an idle connection stays open. */
  readonly keepAliveMs: number
  /** How long the head of a request may take to arrive. */
  readonly headersMs: number
  /** How long a whole request may take to arrive. */
  readonly requestMs: number
  /** How many connections one address may have open; 0: any number. Trusted proxies are not limited. */
  readonly perAddress: number
}

/** As `http.*` of the configuration has them by default. */
export const standardConnections: ConnectionOptions = {
  keepAliveMs: 620_000,
  headersMs: 10_000,
  requestMs: 30_000,
  perAddress: 1000,
}

/** How many connections each address has open at all workers of a node. */
export interface SharedConnections {
  /** Counts one, where the address has fewer than `most`. */
  open(address: string, most: number): Promise<boolean>
  closed(address: string): void
}

export interface Connections {
  readonly options: ConnectionOptions
  /** Follows the connections of an app. Called once, before it listens. */
  attach(app: FastifyInstance): void
  /** Whether this node is about to end: it answers, but is not ready, and closes each connection with its next answer. */
  isRetiring(): boolean
  /** Whether a balancer shall choose another node. */
  isEnding(): boolean
  /** With `isReplaced` it stays ready: another process of this node answers in its place. */
  retire(options?: { readonly isReplaced?: boolean }): void
  /**
   * Closes the port. Connections that are open already stay so for `lingerMs`: a balancer may have sent a request over
   * one of them that has not arrived yet. Resolves at once where the port is closed.
   */
  closePort(lingerMs: number): Promise<void>
  /**
   * Closes the connections that carry no request, and those of unfinished requests when their time is over. Resolves at
   * once; answers that are under way go on.
   */
  end(): void
  load(): { readonly open: number; readonly refused: number }
}

/** How long a head may still take to arrive once the port is closed, in milliseconds. */
const lastHeadersMs = 2000

/**
 * The connections of the public port: how many an address may open, and how all of them end without a request being lost.
 *
 * - Slow requests (slowloris) hold a connection each for `headersMs`, so what an address may hold is limited. Behind a
 *   trusted proxy all connections are the proxy's, which has limits of its own.
 * - A connection that has sent nothing yet counts as busy for Node, and once its server closes nothing ends it any more:
 *   such a connection held a node back from ending until its deadline.
 */
export function createConnections({
  log,
  trustedProxies = [],
  shared,
  ...given
}: Partial<ConnectionOptions> & {
  readonly shared?: SharedConnections | undefined
  readonly log: Logger
  readonly trustedProxies?: readonly string[]
}): Connections {
  const options: ConnectionOptions = { ...standardConnections, ...given }
  const trusted = networksOf(trustedProxies)
  /** The requests under way on each open connection. */
  const active = new Map<Socket, number>()
  const byAddress = new Map<string, number>()
  let server: FastifyInstance['server'] | undefined
  let retiring = false
  let replaced = false
  let refused = 0
  const refusals = createLogSampler()

  function refuse(socket: Socket, address: string): void {
    refused++
    socket.destroy()
    refusals.note('connection', (count) =>
      log.warn(
        { address, most: options.perAddress, ...(count > 1 && { count }) },
        'an address has too many connections: further ones are refused. If it is your proxy, name it in http.trustedProxies; the number is http.connectionsPerAddress',
      ),
    )
  }

  function opened(socket: Socket): void {
    const { remoteAddress } = socket
    const isLimited = options.perAddress > 0 && !isAmong(trusted, remoteAddress)
    const address = addressKey(remoteAddress)
    const open = byAddress.get(address) ?? 0
    if (isLimited && open >= options.perAddress) {
      refuse(socket, address)
      return
    }
    active.set(socket, 0)
    byAddress.set(address, open + 1)
    if (isLimited && shared !== undefined) {
      const counted = shared.open(address, options.perAddress)
      void counted.then((isOpen) => !isOpen && refuse(socket, address))
      socket.once('close', () => void counted.then((isOpen) => isOpen && shared.closed(address)))
    }
    socket.once('close', () => {
      active.delete(socket)
      const left = (byAddress.get(address) ?? 1) - 1
      if (left > 0) byAddress.set(address, left)
      else byAddress.delete(address)
    })
  }

  const change = (socket: Socket, by: number): void => {
    const count = active.get(socket)
    if (count !== undefined) active.set(socket, count + by)
  }

  function end(): void {
    server?.closeIdleConnections()
    for (const [socket, count] of active) if (count === 0 && socket.bytesRead === 0) socket.destroy()
    const after = (ms: number, isOver: (count: number) => boolean) =>
      setTimeout(() => {
        for (const [socket, count] of active) if (isOver(count)) socket.destroy()
      }, ms).unref()
    after(lastHeadersMs, (count) => count === 0)
    after(options.requestMs, () => true)
  }

  return {
    options,
    attach(app) {
      server = app.server
      server.on('connection', opened)
      server.on('request', ({ socket }, response) => {
        change(socket, 1)
        response.once('close', () => change(socket, -1))
      })
      app.addHook('onSend', async (_request, reply) => {
        if (retiring) reply.header('Connection', 'close')
      })
      app.addHook('preClose', async () => {
        retiring = true
        end()
      })
      app.addHook('onClose', async () => refusals.close())
    },
    isRetiring: () => retiring,
    isEnding: () => retiring && !replaced,
    retire({ isReplaced = false } = {}) {
      retiring = true
      replaced = isReplaced
    },
    async closePort(lingerMs) {
      retiring = true
      if (server?.listening !== true) return
      await quiet()
      // Not the server's own `close`, which ends idle connections at the same moment.
      NetServer.prototype.close.call(server)
      await pause(lingerMs)
    },
    end,
    load: () => ({ open: active.size, refused }),
  }
}

/**
 * Waits for a moment at which nothing is waiting to be accepted: what has reached the kernel only is reset when a port
 * closes. A round of the event loop that takes no time has found no connection.
 */
async function quiet(): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const began = performance.now()
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    if (performance.now() - began < 0.2) return
  }
}
