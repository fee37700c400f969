import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { type MessageReader, startSmtpSink } from '../../src/devtools/index.ts'
import { type Engine, type EnginePorts, openEngine } from '../../src/engine/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { mary, type VisitorTarget } from '../../src/testing/index.ts'
import type { DatabaseKind } from './postgres.ts'

/** The one public address of all nodes, as behind a load balancer. */
export const publicAddress = 'https://id.example.com'

/** Several engines on one database, and one mailbox that all of them deliver to. */
export interface Nodes {
  readonly engines: readonly Engine[]
  readonly clock: VirtualClock
  readonly outbox: MessageReader
  readonly databaseUrl: string
  /** The settings that a further node needs. */
  readonly settings: Settings
  /** A load balancer that sends requests to one node until it is told another. */
  readonly balancer: Balancer
  close(): Promise<void>
}

export interface Balancer extends VisitorTarget {
  to(node: number): void
}

const client = { id: 'rekey-web', secret: 'rekey-web-secret-for-tests-only' } as const
const redirectUri = 'https://app.example.com/callback'

/** What a request to a node's own port is asked as: the public address leads here. */
const addressOf = (engine: Engine): string => `http://localhost:${engine.port}`

export async function startNodes(
  database: DatabaseKind,
  count: number,
  options: { readonly settings?: Settings; readonly ports?: EnginePorts } = {},
): Promise<Nodes> {
  const clock = new VirtualClock()
  const sink = await startSmtpSink({ clock })
  const { url, drop } = await database.create()
  const settings: Settings = {
    mode: 'test',
    issuer: publicAddress,
    secrets: ['only for tests: everybody knows this secret'],
    ...options.settings,
    database: { url },
    http: { port: 0 },
    mail: { url: sink.url, spreadMs: 0, ...options.settings?.mail },
    people: [{ ...mary }],
    clients: [
      {
        ...client,
        label: 'App',
        applicationType: 'web',
        redirectUris: [redirectUri],
        postLogoutRedirectUris: [],
      },
    ],
  }
  const hasher = createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 1000 })
  const start = () =>
    openEngine(checkConfig(settings), { clock, log: silentLogger, hasher, ...options.ports })
  // All at once, as a deployment starts them: they agree on tables, seed and keys among themselves.
  const engines = await Promise.all(Array.from({ length: count }, start))
  let current = 0
  const present = () => addressOf(engines[current] ?? (engines[0] as Engine))
  return {
    engines,
    clock,
    outbox: sink.messages,
    databaseUrl: url,
    settings,
    balancer: {
      get engineUrl() {
        return present()
      },
      get issuer() {
        return `${present()}/oauth2/default`
      },
      clientId: client.id,
      clientSecret: client.secret,
      redirectUri,
      to(node) {
        current = node
      },
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()))
      await sink.close()
      await drop()
    },
  }
}
