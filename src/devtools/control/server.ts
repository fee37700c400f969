import type { AddressInfo } from 'node:net'
import { localUrl } from '../../base/index.ts'
import type { ControlServerOptions } from './options.ts'
import { buildControlApp } from './routes.ts'

export interface ControlServer {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** Serves the control API and the inbox, on loopback only: every client that can reach it can read all codes. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const app = buildControlApp(options)
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  const { port } = app.server.address() as AddressInfo
  return { port, url: localUrl(port), close: () => app.close() }
}
