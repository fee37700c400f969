import { listEvents, record } from './audit/index.ts'
import { authenticatorsWith, createHasher, type PasswordHasher } from './authenticators/index.ts'
import {
  type Clock,
  ConfigError,
  createLogger,
  createSecrets,
  type Logger,
  MonotonicClock,
  parseDuration,
  type Random,
  systemClock,
  systemRandom,
} from './base/index.ts'
import type { Config } from './config/index.ts'
import { createFlow, type FlowParts, openLink, timelineOf, transactionsOf } from './flow/index.ts'
import { createHttp } from './http/index.ts'
import { idxRoutes, steps } from './idx/index.ts'
import { budgetsFrom } from './limits/index.ts'
import {
  type ClosedMail,
  createMemoryTransport,
  createSmtpTransport,
  type Delivery,
  loadTemplates,
  type MailOutcome,
  startDelivery,
  type Transport,
} from './mail/index.ts'
import { createPeople, type People } from './management/index.ts'
import { createOidc, type Oidc } from './oidc/index.ts'
import { openPolicies } from './policies/index.ts'
import { seed } from './seed.ts'
import { openStorage, type Storage } from './storage/index.ts'

/** What may be put in place of the real thing: by tests and the development kit. */
export interface EnginePorts {
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Logger
  readonly transport?: Transport
  readonly hasher?: PasswordHasher
  /** A private RSA key (JWK) to sign with instead of those in the database. */
  readonly signingKey?: Parameters<typeof createOidc>[0]['signingKey']
  readonly tokens?: 'real' | 'virtual'
  /** The status that a request is answered with instead, or undefined to let it pass. */
  readonly fault?: (method: string, path: string) => number | undefined
}

/** A running engine. */
export interface Engine {
  /** The public address, without a slash at the end. */
  readonly baseUrl: string
  /** The issuers as apps are configured with them. */
  readonly issuers: { readonly default: string; readonly org: string }
  readonly storage: Storage
  readonly clock: MonotonicClock
  readonly people: People
  readonly delivery: Delivery
  readonly oidc: Oidc
  /** The system log, newest first. */
  events(query?: { readonly limit?: number; readonly transactionId?: string }): ReturnType<typeof listEvents>
  /** Transactions, newest first; the timeline of one. No secret in either. */
  transactions(limit?: number): ReturnType<typeof transactionsOf>
  timeline(id: string): ReturnType<typeof timelineOf>
  /** Empties the database but for signing keys, and seeds it again: configured clients keep their ids and secrets. */
  reset(): Promise<void>
  /** Takes nothing new, finishes what is under way, and lets go of everything. */
  close(): Promise<void>
}

/**
 * Builds an engine from a checked configuration and starts it: the one place where the parts meet. The database is
 * migrated and seeded before the first request is answered.
 */
export async function openEngine(config: Config, ports: EnginePorts = {}): Promise<Engine> {
  const log = ports.log ?? createLogger({ level: config.log.level as 'info' })
  const random = ports.random ?? systemRandom
  const secrets = createSecrets(config.secrets)
  const storage = await openStorage({ url: config.database.url, poolSize: config.database.poolSize, log })
  await storage.migrate()
  const clock = await openClock(storage, ports.clock ?? systemClock)
  const hasher = ports.hasher ?? createHasher(hasherOptions(config))
  const lifetimes = lifetimesOf(config)
  const policies = openPolicies(storage.db, config)
  const people = createPeople({ storage, clock, random, hasher, policies })
  const hashes = new Map<string, Promise<string>>()
  const sow = () => seed(config, { storage, secrets, random, now: clock.now(), hasher, people, hashes })
  await sow()

  let baseUrl = config.issuer?.replace(/\/$/, '') ?? ''
  const delivery = startDelivery({
    storage,
    secrets,
    random,
    clock,
    log,
    transport: ports.transport ?? transportOf(config, log, clock),
    renderer: await loadTemplates({ folder: config.mail.templates }),
    onClosed: (tx, mail, outcome) => record(tx, mailEvent(mail, outcome), { random, now: clock.now() }),
  })
  const authenticators = authenticatorsWith(hasher)
  const parts: FlowParts = {
    storage,
    secrets,
    random,
    clock,
    policies,
    authenticators,
    lifetimes,
    budgets: budgetsFrom(config.limits),
    org: {
      name: config.org.name,
      get baseUrl() {
        return baseUrl
      },
    },
    linkFor: (clientId, token) => `${baseUrl}/email/verify/${clientId}?token=${token}`,
    onCommitted: () => delivery.wake(),
  }
  const oidc = createOidc({
    storage,
    secrets,
    random,
    clock,
    log,
    issuer: () => baseUrl,
    lifetimes: {
      interactionMs: lifetimes.transaction,
      accessTokenMs: lifetimes.accessToken,
      idTokenMs: lifetimes.idToken,
      refreshTokenMs: lifetimes.refreshToken,
    },
    ...(ports.tokens && { tokens: ports.tokens }),
    ...(ports.signingKey && { signingKey: ports.signingKey }),
  })
  const idx = idxRoutes({
    flow: createFlow(parts, steps),
    authenticators,
    clock,
    baseUrl: () => baseUrl,
    tokenUrl: (issuer) => `${baseUrl}/oauth2${issuer === 'default' ? '/default' : ''}/v1/token`,
    openLink: (clientId, token) => openLink(parts, clientId, token),
  })
  const http = createHttp({
    storage,
    random,
    log,
    issuer: () => baseUrl,
    basePath: basePathOf(baseUrl),
    trustedProxies: config.http.trustedProxies,
    plugins: [oidc.routes, idx],
    ...(ports.fault && { fault: ports.fault }),
  })
  const { host, port } = config.http
  await http.listen({ host, port })
  const address = http.server.address()
  if (baseUrl === '') {
    const bound = typeof address === 'object' && address !== null ? address.port : port
    baseUrl = `http://localhost:${bound}`
  }

  return {
    baseUrl,
    issuers: oidc.issuers(),
    storage,
    clock,
    people,
    delivery,
    oidc,
    events: (query = {}) => listEvents(storage.db, { limit: 200, ...query }),
    transactions: (limit = 100) => transactionsOf(storage.db, limit),
    timeline: (id) => timelineOf(storage.db, id),
    async reset() {
      await delivery.idle()
      clock.rewind()
      await storage.clear(['signing_keys'])
      policies.forget()
      await sow()
    },
    async close() {
      await http.close()
      await delivery.close()
      await storage.close()
    },
  }
}

const basePathOf = (baseUrl: string): string =>
  baseUrl === '' ? '' : new URL(baseUrl).pathname.replace(/\/$/, '')

/** The time that counts: the database server's where there is one, and never behind the highest time stored. */
async function openClock(storage: Storage, source: Clock): Promise<MonotonicClock> {
  const serverTime = source === systemClock ? await storage.serverTime() : undefined
  const offset = serverTime === undefined ? 0 : serverTime - source.now()
  return new MonotonicClock(source, { offset, highest: await storage.highestTime() })
}

/** The lifetimes of a configuration in milliseconds. */
function lifetimesOf({ lifetimes }: Config) {
  const ms = (name: keyof Config['lifetimes']): number => {
    const span = parseDuration(lifetimes[name])
    if (span === undefined || span <= 0)
      throw new ConfigError([`lifetimes.${name}: must be a span such as 5m`])
    return span
  }
  return {
    code: ms('code'),
    transaction: ms('transaction'),
    interactionCode: ms('interactionCode'),
    accessToken: ms('accessToken'),
    idToken: ms('idToken'),
    refreshToken: ms('refreshToken'),
    session: ms('session'),
    /** Notices are tried for three days. */
    notice: 3 * 24 * 3_600_000,
  }
}

const hasherOptions = ({ password }: Config) => ({
  parameters: { memoryKiB: password.memoryKiB, passes: password.passes, lanes: password.lanes },
  concurrency: password.concurrency,
  queue: password.queue,
})

function transportOf({ mail, org }: Config, log: Logger, clock: Clock): Transport {
  const from = { name: mail.fromName ?? org.name, address: mail.from }
  if (mail.url === undefined) return createMemoryTransport({ from, clock })
  return createSmtpTransport({ url: mail.url, from, connections: mail.connections, log })
}

/** Every mail has an end, and every end but the plain one is worth reading about. */
function mailEvent(mail: ClosedMail, outcome: MailOutcome) {
  const sent = outcome === 'sent'
  return {
    eventType: sent ? 'system.email.delivery' : 'system.email.delivery.failure',
    displayMessage: sent ? 'Email delivered to the mail server' : `Email not delivered: ${outcome}`,
    outcome: sent
      ? { result: 'SUCCESS' as const }
      : { result: 'FAILURE' as const, reason: outcome.toUpperCase() },
    actor: { id: 'system', type: 'SystemPrincipal' },
    target: mail.personId === null ? [] : [{ id: mail.personId, type: 'User' }],
    transactionId: mail.transactionId ?? undefined,
    debugData: {
      template: mail.template,
      attempts: String(mail.attempts),
      ...(mail.error && { error: mail.error }),
    },
  }
}
