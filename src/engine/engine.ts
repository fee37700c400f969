import { type ExchangeRecorder, listEvents, record } from '../audit/index.ts'
import {
  branchOf,
  type Clock,
  ConfigError,
  type Logger,
  type MonotonicClock,
  parseDuration,
  processClock,
  silentLogger,
  untraced,
} from '../base/index.ts'
import { type ClientConfig, type Config, configurationHash } from '../config/index.ts'
import {
  createMemoryTransport,
  createSmtpTransport,
  type Delivery,
  heloNameFrom,
  leaveDelivery,
  loadTemplates,
  parseSender,
  parseSmtpUrl,
  startDelivery,
  type Transport,
} from '../delivery/index.ts'
import {
  createFlow,
  createSprayWatch,
  type FlowParts,
  findTransaction,
  mailClosed,
  openLink,
  requestsRefused,
  timelineOf,
  transactionsOf,
} from '../flow/index.ts'
import { createHttp, createMetrics, createReadiness } from '../http/index.ts'
import { idxRoutes, stepsWith } from '../idx/index.ts'
import { budgetsFrom, createRefusals, createRequestLimits, requestBudgetsFrom } from '../limits/index.ts'
import { managementRoutes } from '../management/index.ts'
import { authorizationServer, claimNames, discoveryOf, type Oidc, type OidcOptions } from '../oidc/index.ts'
import type { People } from '../people/index.ts'
import type { Storage } from '../storage/index.ts'
import { startTimeKeeper } from './clock.ts'
import { type CorePorts, eventRetentionOf, lifetimesOf, openCore, openOidc } from './core.ts'
import { noteDrift } from './drift.ts'
import { startMaintenance } from './maintenance.ts'
import { registerMetrics } from './metrics.ts'
import { secretMatches, startResealing } from './secret.ts'

/** Parts that tests and the development kit may replace. */
export interface EnginePorts extends CorePorts {
  readonly transport?: Transport
  /** A private RSA key (JWK) to sign with instead of those in the database. */
  readonly signingKey?: NonNullable<OidcOptions['signingKey']>
  readonly tokens?: 'real' | 'virtual'
  /** Fault injection: the status to answer a request with, or undefined to handle it. */
  readonly fault?: (method: string, path: string) => number | undefined
  /** Records every exchange, without secrets: for the flow inspector, in development and tests. */
  readonly recordExchange?: ExchangeRecorder
}

/** A running engine. */
export interface Engine {
  /** The public address, without a slash at the end. */
  readonly baseUrl: string
  /** The port it listens on. Behind a proxy it is not the port of the public address. */
  readonly port: number
  /** The issuers as apps are configured with them. */
  readonly issuers: { readonly default: string; readonly org: string }
  readonly storage: Storage
  readonly clock: MonotonicClock
  readonly people: People
  readonly delivery: Delivery
  readonly oidc: Oidc
  /** The system log, newest first. */
  events(query?: { readonly limit?: number; readonly transactionId?: string }): ReturnType<typeof listEvents>
  /** Transactions, newest first, without secrets. */
  transactions(limit?: number): ReturnType<typeof transactionsOf>
  /** The timeline of one transaction, without secrets. */
  timeline(id: string): ReturnType<typeof timelineOf>
  /** Adds a client to what the configuration asks for, or replaces the one with its id. */
  register(client: ClientConfig): Promise<void>
  /** Runs the maintenance now: the engine runs it by itself each minute. */
  maintain(): Promise<void>
  /** Empties the database, signing keys excepted, and seeds it again: configured clients keep their ids and secrets. */
  reset(): Promise<void>
  /** Accepts no new requests, completes those under way and releases all resources. */
  close(): Promise<void>
}

/**
 * Builds an engine from a checked configuration and starts it: the composition root. The database is migrated and seeded
 * before the first request is answered.
 */
export async function openEngine(config: Config, ports: EnginePorts = {}): Promise<Engine> {
  // First: a template that is none is found before anything is opened or written.
  const renderer = await loadTemplates({ folder: config.mail.templates })
  const core = await openCore(config, ports)
  const { storage, secrets, random, clock, log, hasher, authenticators, policies, people } = core
  const lifetimes = lifetimesOf(config)
  await core.seed()
  await noteDrift(core)

  let baseUrl = config.issuer?.replace(/\/$/, '') ?? ''
  const transport = ports.transport ?? transportOf(config, log, clock)
  const metrics = createMetrics()
  const engineMetrics = registerMetrics(metrics, { storage, clock, hasher })
  const hash = configurationHash(config)
  metrics.gauge('rekey_config_info', 'Hash of the settings that all nodes share.', () => [[{ hash }, 1]])
  const mailRandom = branchOf(random, 'mail events')
  const delivery = (config.mail.deliver ? startDelivery : leaveDelivery)({
    storage,
    secrets,
    random: branchOf(random, 'delivery'),
    clock,
    log,
    transport,
    spreadMs: config.mail.spreadMs,
    parallel: config.mail.connections,
    suppressionMs: parseDuration(config.mail.suppression) ?? 0,
    renderer,
    onClosed: (tx, mail, outcome) =>
      record(tx, mailClosed(mail, outcome), { random: mailRandom, now: clock.now() }),
    onAttempt: engineMetrics.countMailAttempt,
  })
  // Outside of the request's trace: the worker delivers every due mail, not that of this request alone.
  const wakeDelivery = () => untraced(() => delivery.wake())
  const refusals = createRefusals()
  const budgets = budgetsFrom(config.limits)
  const spray = createSprayWatch({ storage, clock, budgets })
  const limits = createRequestLimits({
    budgets: requestBudgetsFrom(config.limits),
    clock,
    appFactor: config.limits.appFactor,
    refusals,
    onViolation: (violation) => record(storage.db, requestsRefused(violation), { random, now: clock.now() }),
  })
  const parts: FlowParts = {
    storage,
    secrets,
    random,
    clock,
    policies,
    authenticators,
    lifetimes,
    budgets,
    limits,
    spray,
    refusals,
    org: {
      name: config.org.name,
      get baseUrl() {
        return baseUrl
      },
    },
    linkFor: (clientId, token) => `${baseUrl}/email/verify/${clientId}?token=${token}`,
    onCommitted: wakeDelivery,
    onFlowOutcome: engineMetrics.countFlowOutcome,
  }
  const oidc = openOidc(core, {
    limits,
    issuer: () => baseUrl,
    recordExchange: ports.recordExchange,
    tokens: ports.tokens ?? (ports.clock === undefined ? 'reference' : 'real'),
    ...(ports.signingKey && { signingKey: ports.signingKey }),
  })
  const idx = idxRoutes({
    flow: createFlow(parts, stepsWith(authenticators)),
    authenticators,
    secrets,
    orgName: config.org.name,
    clock,
    limits,
    baseUrl: () => baseUrl,
    tokenUrl: (issuer) => `${baseUrl}/oauth2${issuer === 'default' ? '/default' : ''}/v1/token`,
    openLink: (clientId, token) => openLink(parts, clientId, token),
    recording: ports.recordExchange && {
      record: ports.recordExchange,
      find: (by) => findTransaction(parts, by),
    },
  })
  const management = managementRoutes({
    storage,
    secrets,
    random,
    clock,
    people,
    policies,
    authenticators: [...authenticators.values()],
    limits,
    findServiceCaller: (token) => oidc.findServiceCaller(token),
    budgets,
    log,
    codeLifetimeMs: lifetimes.code,
    authorizationServer() {
      const server = authorizationServer('default', baseUrl)
      const { grant_types_supported: grantTypes, scopes_supported: scopes } = discoveryOf(server)
      const { accessToken: accessTokenMs, refreshToken: refreshTokenMs } = lifetimes
      return {
        ...server,
        grantTypes,
        scopes,
        claims: claimNames,
        lifetimes: { accessTokenMs, refreshTokenMs },
      }
    },
    orgName: config.org.name,
    recoveryPage: config.management.recoveryPage,
    scannedUsers: config.management.scannedUsers,
    adminPage: config.management.adminPage ?? config.mode !== 'production',
    onCommitted: wakeDelivery,
    baseUrl: () => baseUrl,
  })
  // A further check, such as that of the secret, is one more line.
  const readiness = createReadiness({ checks: { ...storage.checks }, log })
  const http = createHttp({
    storage,
    readiness,
    random: branchOf(random, 'requests'),
    log,
    issuer: () => baseUrl,
    basePath: basePathOf(baseUrl),
    trustedProxies: config.http.trustedProxies,
    metrics,
    plugins: [oidc.routes, idx, management],
    ready: secretMatches(core),
    ...(ports.fault && { fault: ports.fault }),
  })
  await http.listen({ host: config.http.host, port: config.http.port })
  const address = http.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.http.port
  if (baseUrl === '') baseUrl = `http://localhost:${port}`

  if (config.mode === 'production' && config.mail.deliver) void checkMail(transport, config, log)
  const time = startTimeKeeper({ storage, clock, source: ports.clock ?? processClock, log })
  const resealing = startResealing(core)
  const maintenance = startMaintenance({
    storage,
    clock,
    oidc,
    log,
    syncTime: time.sync,
    countExpired: engineMetrics.countExpired,
    events: eventRetentionOf(config),
  })

  return {
    baseUrl,
    port,
    issuers: oidc.issuers(),
    storage,
    clock,
    people,
    delivery,
    oidc,
    events: (query = {}) => listEvents(storage.db, { limit: 200, ...query }),
    transactions: (limit = 100) => transactionsOf(storage.db, limit),
    timeline: (id) => timelineOf(storage.db, id, clock.now()),
    register: core.register,
    maintain: maintenance.run,
    async reset() {
      await delivery.idle()
      clock.rewind()
      limits.clear()
      spray.clear()
      random.restart?.()
      await storage.clear(['signing_keys'])
      policies.forget()
      await core.seed()
    },
    async close() {
      await http.close()
      await maintenance.close()
      time.close()
      await resealing.close()
      await delivery.close()
      await transport.close()
      await storage.close()
    },
  }
}

const basePathOf = (baseUrl: string): string =>
  baseUrl === '' ? '' : new URL(baseUrl).pathname.replace(/\/$/, '')

function transportOf({ mail, org, issuer }: Config, log: Logger, clock: Clock): Transport {
  const sender = parseSender(mail.from) ?? { address: mail.from, name: '' }
  const from = { address: sender.address, name: mail.fromName ?? (sender.name || org.name) }
  if (mail.url === undefined) return createMemoryTransport({ from, clock })
  const issuerHost = URL.parse(issuer ?? '')?.hostname
  const named = smtpTargetOf(mail.url).name
  return createSmtpTransport({
    url: mail.url,
    from,
    name: mail.heloName ?? named ?? heloNameFrom([issuerHost, from.address.split('@').at(-1)]),
    insecurePlain: mail.insecurePlainSmtp,
    connections: mail.connections,
    log,
  })
}

function smtpTargetOf(url: string): ReturnType<typeof parseSmtpUrl> {
  try {
    return parseSmtpUrl(url)
  } catch (error) {
    throw new ConfigError([`mail.url: ${(error as Error).message}`])
  }
}

/** The transport of a configuration without an engine: for checks. */
export const mailTransportOf = (config: Config): Transport => transportOf(config, silentLogger, processClock)

/**
 * Warns where no mail could leave: an unreachable server, no TLS, a certificate or credentials that are refused. The
 * start goes on, since sign-ins work without mail and the server may come back (O-Low).
 */
async function checkMail(transport: Transport, { mail }: Config, log: Logger): Promise<void> {
  if (mail.insecurePlainSmtp)
    log.warn(
      {},
      'mail.insecurePlainSmtp is set: mails with codes, and the password of the mail server, may be sent without TLS',
    )
  await transport.verify().catch((error: Error) => {
    log.warn({ reason: error.message }, 'the mail server does not take mails; they wait in the outbox')
  })
}
