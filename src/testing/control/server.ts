import type { AddressInfo } from 'node:net'
import type { Logger } from '../../base/index.ts'
import type { ControlPort } from './port.ts'
import { buildControlApp } from './routes.ts'
import type { SmtpSink } from './smtp-sink.ts'

export interface ControlServerOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly engine: ControlPort
  readonly sink: SmtpSink
  readonly logger?: Logger
  readonly hints?: InboxHints
}

/** What the empty inbox tells a newcomer to do. Read at each request: the app may start after the inbox. */
export interface InboxHints {
  readonly appUrl?: () => string | undefined
  readonly login?: string
}

export interface ControlServer {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** Serves the control API and the inbox, on loopback and nowhere else: whoever reaches it can read every code. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const app = buildControlApp(options)
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  const { port } = app.server.address() as AddressInfo
  return { port, url: `http://localhost:${port}`, close: () => app.close() }
}
