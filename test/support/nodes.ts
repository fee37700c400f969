import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { type MessageReader, type SmtpSink, startSmtpSink } from '../../src/devtools/index.ts'
import { type Engine, type EnginePorts, openEngine } from '../../src/engine/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { mary, sampleWebClient, type VisitorTarget } from '../../src/testing/index.ts'
import type { DatabaseKind } from './postgres.ts'

/** Budgets by network address that stand in no attack's way: only A11 is about them. */
export const manyRequests = {
  requests: {
    idxPerAddress: 1e9,
    interactPerAddress: 1e9,
    interactPerAddressHour: 1e9,
    tokenPerAddress: 1e9,
    perClient: 1e9,
    perStateHandle: 1e9,
    mailsPerSource: 1e9,
    mailsPerClient: 1e9,
    textsPerSource: 1e9,
    textsPerSourceHour: 1e9,
    textsPerClient: 1e9,
    signUpsPerSource: 1e9,
    signUpsPerNetwork: 1e9,
  },
  sprayPerAddressMinute: 1e9,
  sprayPerAddressHour: 1e9,
  sprayEverywhere: 1e9,
  sprayPerAddressUnderAttack: 1e9,
} as const

const app = {
  clientId: 'rekey-web',
  clientSecret: 'rekey-web-secret-for-tests-only',
  redirectUri: 'http://localhost:8080/login/callback',
}

/** The settings of an engine that is built by hand, with those that the kit keeps for itself. */
export const nodeSettings = (mailUrl: string, settings: Settings = {}): Settings => ({
  mode: 'test',
  secrets: ['only for tests: everybody knows this secret'],
  people: [{ ...mary }],
  clients: [sampleWebClient(app.redirectUri, app.clientSecret)],
  ...settings,
  http: { port: 0, ...settings.http },
  mail: { url: mailUrl, ...settings.mail },
  // How busy the machine is decides nothing here.
  password: { waitMs: 60_000, ...settings.password },
  limits: { ...manyRequests, ...settings.limits },
})

interface NodeOptions {
  readonly settings?: Settings
  readonly ports?: EnginePorts
}

/** An engine that is built by hand, whose clock stands still. */
export interface Node extends VisitorTarget {
  readonly engine: Engine
  readonly outbox: MessageReader
  readonly sink: SmtpSink
  readonly clock: VirtualClock
  close(): Promise<void>
}

export async function startNode(options: NodeOptions = {}): Promise<Node> {
  const clock = new VirtualClock({ frozen: true })
  const sink = await startSmtpSink({ clock })
  const config = checkConfig(nodeSettings(sink.url, options.settings))
  const engine = await openEngine(config, { clock, log: silentLogger, ...options.ports })
  return {
    issuer: engine.issuers.default,
    engineUrl: engine.baseUrl,
    ...app,
    engine,
    sink,
    clock,
    outbox: sink.messages,
    async close() {
      await engine.close()
      await sink.close()
    },
  }
}

/** The same with a hash of passwords that costs nothing: for tests of what stands around it. */
export const startFastNode = (settings: Settings): Promise<Node> =>
  startNode({
    settings,
    ports: { hasher: createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 1000 }) },
  })

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
  /** A load balancer that sends requests to one node until another is chosen. */
  readonly balancer: VisitorTarget & { to(node: number): void }
  close(): Promise<void>
}

export async function startNodes(
  database: DatabaseKind,
  count: number,
  options: NodeOptions = {},
): Promise<Nodes> {
  const clock = new VirtualClock()
  const sink = await startSmtpSink({ clock })
  const { url, drop } = await database.create()
  const settings = nodeSettings(sink.url, {
    issuer: publicAddress,
    ...options.settings,
    database: { url },
    mail: { url: sink.url, spreadMs: 0, ...options.settings?.mail },
  })
  const hasher = createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 1000 })
  const start = () =>
    openEngine(checkConfig(settings), { clock, log: silentLogger, hasher, ...options.ports })
  // All at once, as a deployment starts them: they agree on tables, seed and keys among themselves.
  const engines = await Promise.all(Array.from({ length: count }, start))
  let current = 0
  const present = () => `http://localhost:${(engines[current] ?? engines[0])?.port}`
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
      ...app,
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
