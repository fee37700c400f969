import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** An address that leads to one server until it is set to another, as a floating address or a balancer does. */
export interface Switch {
  readonly port: number
  /** Leads new connections to another Unix socket. Open ones stay where they are, unless they are to break. */
  to(path: string, options?: { readonly breakOpen?: boolean }): void
  close(): Promise<void>
}

export async function startSwitch(path: string): Promise<Switch> {
  let target = path
  const sockets = new Set<Socket>()
  const server = createServer((incoming) => {
    const outgoing = connect({ path: target })
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a port has a number')
  return {
    port: address.port,
    to(next, { breakOpen = false } = {}) {
      target = next
      if (breakOpen) for (const socket of sockets) socket.destroy()
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
