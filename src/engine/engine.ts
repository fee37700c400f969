import { accountRoutes } from '../account/index.ts'
import { type ExchangeRecorder, listEvents, record, recordEvents } from '../audit/index.ts'
import { relatedOrigins } from '../authenticators/index.ts'
import {
  branchOf,
  type Clock,
  ConfigError,
  durationMs,
  type Logger,
  localUrl,
  type MonotonicClock,
  processClock,
  untraced,
} from '../base/index.ts'
import { type Brands, createBrands } from '../brand/index.ts'
import { createCaptcha } from '../captcha/index.ts'
import { classicRoutes } from '../classic/index.ts'
import { findClient, originsOf } from '../clients/index.ts'
import { type ClientConfig, type Config, configurationHash } from '../config/index.ts'
import {
  createMemoryTexts,
  createMemoryTransport,
  createNoTexts,
  createSmtpTransport,
  createTelephonyHook,
  type Delivery,
  heloNameFrom,
  leaveDelivery,
  loadTemplates,
  type MailEnd,
  parseSmtpUrl,
  startDelivery,
  startLogoutDelivery,
  startTextDelivery,
  type TextTransport,
  type Transport,
} from '../delivery/index.ts'
import { findPersonToken, type PersonTokenKind } from '../directory/index.ts'
import {
  beginInBrowser,
  createFlow,
  createSprayWatch,
  type FlowParts,
  findAnsweredWithout,
  findCompleted,
  findEnded,
  findTransaction,
  issueSessionTokenOf,
  openLink,
  originOfLink,
  redeemSessionToken,
  requestsRefused,
  returnToApp,
  type SessionTokenUse,
  timelineOf,
  transactionsOf,
} from '../flow/index.ts'
import {
  createConnections,
  createHttp,
  createMetrics,
  createReadiness,
  type HealthOptions,
  type HttpOptions,
  type Monitor,
  pathsOf,
  startMonitor,
} from '../http/index.ts'
import { createIdxCalls, idxRoutes, stepsWith } from '../idx/index.ts'
import { endInteraction, findInteractionByHandle, transactionCookies } from '../interactions/index.ts'
import {
  budgetNames,
  budgetsFrom,
  createRefusals,
  createRequestLimits,
  requestBudgetsFrom,
} from '../limits/index.ts'
import { isTrustedServer, managementRoutes } from '../management/index.ts'
import { authorizationServer, claimNames, discoveryOf, type Oidc, type OidcOptions } from '../oidc/index.ts'
import {
  entryRoutes,
  leavePages,
  type PagesParts,
  pageAddress,
  pagesRoutes,
  renderFront,
} from '../pages/index.ts'
import { mailClosed, type People, removeUnfinished } from '../people/index.ts'
import type { Storage, Tx } from '../storage/index.ts'
import { startTimeKeeper } from './clock.ts'
import { type CorePorts, eventRetentionOf, lifetimesOf, openCore, openOidc, relyingPartyOf } from './core.ts'
import { noteDrift } from './drift.ts'
import { recordFailures } from './failures.ts'
import { heldLink, otherUser } from './held-link.ts'
import { startMaintenance } from './maintenance.ts'
import { registerMetrics } from './metrics.ts'
import { ownPagesOf } from './own-pages.ts'
import { ownRecovery } from './own-recovery.ts'
import { secretCheck, startResealing } from './secret.ts'
import { logoOf } from './seed.ts'
import { tokenPageOf } from './token-page.ts'
import { widgetPackageOf, widgetPageOf } from './widget-page.ts'

/** Parts that tests and the development kit may replace. */
export interface EnginePorts extends CorePorts {
  readonly transport?: Transport
  /** What sends texts and calls, in place of the one that is configured. */
  readonly texts?: TextTransport
  /** A private RSA key (JWK) to sign with instead of those in the database. */
  readonly signingKey?: NonNullable<OidcOptions['signingKey']>
  readonly tokens?: 'real' | 'virtual'
  /** Fault injection: the status to answer a request with, or undefined to handle it. */
  readonly fault?: (method: string, path: string) => number | undefined
  /** Records every exchange, without secrets: for the flow inspector, in development and tests. */
  readonly recordExchange?: ExchangeRecorder
  /** The page of an app that takes a token of a mail, where the configuration names none: with `{token}` in it. */
  readonly tokenPage?: (kind: PersonTokenKind) => string | undefined
  /** Asked with every form of a sign-up that is good by itself: the place for a hook before a registration. */
  readonly beforeRegistration?: FlowParts['beforeRegistration']
  /** The page for a browser that opens a path where nothing is served, in development and tests. */
  readonly unknownPage?: HttpOptions['unknownPage']
}

/** A running engine. */
export interface Engine {
  /** The public address, without a slash at the end. */
  readonly baseUrl: string
  /** The port it listens on. Behind a proxy it is not the port of the public address. */
  readonly port: number
  /** Where metrics and health are served besides; undefined where there is no listener for them. */
  readonly monitor: Pick<Monitor, 'host' | 'port'> | undefined
  /** The issuers as apps are configured with them. */
  readonly issuers: { readonly default: string; readonly org: string }
  /** The patterns of all paths that are served, such as `/api/v1/users/:id`. */
  readonly paths: readonly string[]
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
  /**
   * Announces the end: `/health/ready` answers 503 from now on, each answer closes its connection, and all requests are
   * answered as before. A balancer has time to choose other nodes before `close`. With `isReplaced` it stays ready: another
   * worker answers on the same port.
   */
  retire(options?: { readonly isReplaced?: boolean }): void
  /**
   * Accepts no new connections, completes the requests under way and releases all resources. Connections that are open
   * may bring one more request for `lingerMs`; default: 0.
   */
  close(options?: { readonly lingerMs?: number }): Promise<void>
}

/**
 * Builds an engine from a checked configuration and starts it: the composition root. The database is migrated and seeded
 * before the first request is answered.
 */
export async function openEngine(config: Config, ports: EnginePorts = {}): Promise<Engine> {
  // First: a template that is none is found before anything is opened or written.
  const renderer = await loadTemplates({ folder: config.mail.templates })
  const logos = await logosOf(config)
  const widgetPackage = widgetPackageOf(config)
  const core = await openCore(config, ports)
  const { storage, secrets, random, clock, log, hasher, authenticators, policies, people, changes } = core
  const lifetimes = lifetimesOf(config)
  const { shared } = ports
  if (shared?.prepares !== false) {
    await core.seed()
    await noteDrift(core)
  }
  const brands = createBrands(storage.db, config.org.name, brandsOfApps(config), logos)
  await brands.refresh()

  let baseUrl = config.issuer?.replace(/\/$/, '') ?? ''
  const transport = ports.transport ?? transportOf(config, clock)
  const metrics = createMetrics(shared?.metrics)
  const connections = createConnections({ ...connectionsOf(config), log, shared: shared?.connections })
  const refusals = createRefusals()
  const budgets = budgetsFrom(config.limits)
  const requestBudgets = requestBudgetsFrom(config.limits)
  const spray = createSprayWatch({ storage, clock, budgets, shared: shared?.sources })
  const engineMetrics = registerMetrics(metrics, {
    storage,
    clock,
    hasher,
    connections,
    refusals,
    budgets: [...budgetNames(budgets), ...requestBudgets.map(({ name }) => name)],
    underAttack: spray.underAttack,
  })
  const hash = configurationHash(config)
  metrics.gauge('rekey_config_info', 'Hash of the settings that all nodes share.', () => [[{ hash }, 1]])
  const mailRandom = branchOf(random, 'mail events')
  const working = {
    storage,
    secrets,
    clock,
    log,
    spreadMs: config.mail.spreadMs,
    onClosed: (tx: Tx, ends: readonly MailEnd[]) =>
      recordEvents(
        tx,
        ends.map(({ mail, outcome }) => mailClosed(mail, outcome)),
        { random: mailRandom, now: clock.now() },
      ),
  }
  /** Of the hands of a node, those of this worker. */
  const hands = (count: number) => shared?.partOf(count) ?? count
  const delivers = (count: number) => config.mail.deliver && hands(count) > 0
  const mails = (delivers(config.mail.connections) ? startDelivery : leaveDelivery)({
    ...working,
    random: branchOf(random, 'delivery'),
    transport,
    parallel: hands(config.mail.connections),
    suppressionMs: durationMs(config.mail.suppression, 'mail.suppression'),
    renderer,
    onAttempt: engineMetrics.countMailAttempt,
  })
  const texts = (delivers(textHands) ? startTextDelivery : leaveDelivery)({
    ...working,
    parallel: hands(textHands),
    random: branchOf(random, 'text delivery'),
    transport: ports.texts ?? textTransportOf(config, { clock, baseUrl: () => baseUrl }),
    onAttempt: engineMetrics.countTextAttempt,
  })
  // Begun once the endpoints are there, whose keys sign what it sends.
  let logouts: Delivery | undefined
  const delivery = together(() => [mails, texts, ...(logouts ? [logouts] : [])])
  // Outside of the request's trace: the worker delivers every due mail, not that of this request alone.
  const sendsAll = delivers(config.mail.connections) && delivers(textHands)
  const wakeDelivery = () => {
    untraced(() => delivery.wake())
    if (!sendsAll && config.mail.deliver) shared?.announce('mail')
  }
  shared?.onAnnounced('mail', () => untraced(() => delivery.wake()))
  core.outgoing.onCommitted = wakeDelivery
  const limits = createRequestLimits({
    budgets: requestBudgets,
    clock,
    ...(shared && { counters: shared.counters }),
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
    notices: config.mail.notices,
    linkFor: (clientId, token) => `${baseUrl}/email/verify/${clientId}?token=${token}`,
    // Texts are rare, and each look for them is a statement.
    onCommitted: (written) => (written.texts || !sendsAll ? wakeDelivery() : untraced(() => mails.wake())),
    onFlowOutcome: engineMetrics.countFlowOutcome,
    ...(ports.beforeRegistration && { beforeRegistration: ports.beforeRegistration }),
  }
  const widget =
    widgetPackage &&
    widgetPageOf(config, widgetPackage, {
      ...{ brands, random: branchOf(random, 'widget page'), baseUrl: () => baseUrl },
    })
  const captcha = createCaptcha(config.captcha, {
    ...{ storage, clock, log, budgets, refusals },
    onOutcome: engineMetrics.countCaptcha,
  })
  const oidc = openOidc(core, {
    limits,
    issuer: () => baseUrl,
    recordExchange: ports.recordExchange,
    hints: config.mode === 'development',
    implicit: config.oauth.implicit,
    hosted: {
      begin: (request, options) => beginInBrowser(parts, request, options),
      findEnded: (stateToken, browser) => findEnded(parts, stateToken, browser),
      findCompleted: (id) => findCompleted(parts, id),
      findAnsweredWithout: (stateToken, browser) => findAnsweredWithout(parts, stateToken, browser),
      returnToApp: (ended, returning) => returnToApp(parts, ended, returning),
      ...(config.classic.enabled && {
        redeemSessionToken: (token: string, use: SessionTokenUse) => redeemSessionToken(parts, token, use),
      }),
      async leave(header) {
        const { handles, cookies } = leavePages(header, baseUrl)
        for (const handle of handles.slice(0, 10)) {
          const interaction = await findInteractionByHandle(storage.db, handle, clock.now())
          if (interaction !== undefined) {
            await endInteraction(storage.db, interaction.id, clock.now(), 'signed-out')
          }
        }
        return cookies
      },
      page: async (call) => ({
        delivered: widget?.deliver(call) ?? { location: pageAddress(baseUrl, call.interactionHandle) },
        cookies: transactionCookies(call.interactionHandle, call.cookies, { isSecure: call.isSecure }),
      }),
    },
    tokens: ports.tokens ?? (ports.clock === undefined ? 'reference' : 'real'),
    ...(ports.signingKey && { signingKey: ports.signingKey }),
  })
  const idxParts: Parameters<typeof idxRoutes>[0] = {
    flow: createFlow(parts, stepsWith(authenticators, captcha)),
    authenticators,
    captcha,
    secrets,
    orgName: config.org.name,
    clock,
    limits,
    baseUrl: () => baseUrl,
    tokenUrl: (issuer) => `${baseUrl}/oauth2${issuer === 'default' ? '/default' : ''}/v1/token`,
    openLink: (clientId, token) => openLink(parts, clientId, token),
    beginOwn: (call) => ownRecovery(parts, baseUrl, call),
    findHeld: (call) => heldLink(parts, baseUrl, call),
    findOther: (userId, cookies) => otherUser(parts, oidc.ownPages, userId, cookies),
    pageOf: (handle) => pageAddress(baseUrl, handle),
    relatedOrigins: () => relatedOrigins(relyingPartyOf(config, storage), { baseUrl }),
    async findApp(clientId, token) {
      const client = await findClient(storage.db, clientId)
      if (client?.status !== 'ACTIVE') return undefined
      const isLenient = client.settings.insecureLocalhostRedirects === true
      const home =
        originsOf(client)[0] ?? (isLenient ? await originOfLink(parts, clientId, token) : undefined)
      return { label: client.label, home }
    },
    recording: ports.recordExchange && {
      record: ports.recordExchange,
      find: (by) => findTransaction(parts, by),
    },
  }
  const idx = idxRoutes(idxParts)
  const classic = classicRoutes({
    ...{ storage, random, clock, limits, authenticators },
    flow: idxParts.flow,
    interactionMs: lifetimes.transaction,
    browserIdleMs: lifetimes.browserIdle,
    browserSessionMs: lifetimes.browserSession,
    redeemSessionToken: (token, use) => redeemSessionToken(parts, token, use),
    baseUrl: () => baseUrl,
    isTrusted: (authorization) => isTrustedServer({ storage, secrets, now: clock.now() }, authorization),
    async findRecoveryToken(text) {
      const token = /^[A-Za-z0-9]{43}$/.test(text) ? text : ''
      const found = await findPersonToken(storage.db, token, { secrets, now: clock.now() })
      return found?.kind === 'recovery' ? found.id : undefined
    },
    issueSessionToken: (interaction, browser) => issueSessionTokenOf(parts, interaction, browser),
  })
  const pageParts: PagesParts = {
    orgName: config.org.name,
    brands,
    captchaScript: config.captcha.scriptUrl,
    secrets,
    limits,
    baseUrl: () => baseUrl,
    idx: createIdxCalls(idxParts),
    ...ownPagesOf(parts, oidc.ownPages, {
      baseUrl: () => baseUrl,
      tokenPage: (kind) => tokenPageOf(config)(kind) ?? ports.tokenPage?.(kind),
    }),
    finish: async ({ interaction, interactionCode }, _request, reply) => {
      const url = new URL(interaction.redirectUri)
      url.searchParams.set('interaction_code', interactionCode)
      url.searchParams.set('state', interaction.request.state)
      return reply.code(303).header('location', url.href).send()
    },
  }
  const management = managementRoutes({
    storage,
    secrets,
    random,
    clock,
    people,
    changes,
    policies,
    authenticators: [...authenticators.values()],
    limits,
    findServiceCaller: (token) => oidc.findServiceCaller(token),
    budgets,
    log,
    codeLifetimeMs: lifetimes.code,
    browserIdleMs: lifetimes.browserIdle,
    authorizationServer() {
      const server = authorizationServer('default', baseUrl)
      const { grant_types_supported: grantTypes, scopes_supported: scopes } = discoveryOf(server, {
        implicit: config.oauth.implicit,
      })
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
    scannedUsers: config.management.scannedUsers,
    adminPage:
      config.management.adminPage ?? (config.mode !== 'production' || config.management.host !== undefined),
    adminHost: config.management.host,
    onCommitted: wakeDelivery,
    baseUrl: () => baseUrl,
  })
  const account = accountRoutes({
    ...{ storage, random, secrets, clock, people, changes, policies, authenticators, budgets, limits },
    findUserCaller: (token, presented) => oidc.findUserCaller(token, presented),
    onCommitted: wakeDelivery,
    stepUpMs: lifetimes.stepUp,
    waitingMs: lifetimes.ownChanges,
    orgName: config.org.name,
    baseUrl: () => baseUrl,
  })
  const readiness = createReadiness({
    checks: { ...storage.checks, secret: secretCheck(core) },
    log,
  })
  metrics.gauge(
    'rekey_ready',
    'Whether each check of GET /health/ready is ok.',
    async () =>
      Object.entries((await readiness.read()).checks).map(([check, result]) => [
        { check },
        result === 'ok' ? 1 : 0,
      ]),
    'least',
  )
  const failures = recordFailures({
    storage,
    clock,
    random: branchOf(random, 'failures'),
    log,
    // The requests of a test are counted with all their statements.
    atOnce: config.mode !== 'test',
  })
  const http = createHttp({
    storage,
    readiness,
    random: branchOf(random, 'requests'),
    log,
    connections,
    now: () => clock.now(),
    accessLog: config.http.accessLog,
    onFailure: failures.report,
    isWithoutProxy: config.mode === 'development' && config.http.trustedProxies.length === 0,
    publicMetrics: config.metrics.public ?? config.mode !== 'production',
    issuer: () => baseUrl,
    basePath: basePathOf(baseUrl),
    trustedProxies: config.http.trustedProxies,
    metrics,
    plugins: [
      oidc.routes,
      idx,
      pagesRoutes(pageParts),
      entryRoutes(pageParts),
      ...(widget?.routes(pageParts) ?? []),
      management,
      account,
      ...(config.classic.enabled ? [classic] : []),
    ],
    recordExchange: ports.recordExchange,
    unknownPage: ports.unknownPage ?? frontOf(config.org.name, brands, () => baseUrl),
    ...(ports.fault && { fault: ports.fault }),
  })
  await http.listen({ host: config.http.host, port: config.http.port })
  const address = http.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.http.port
  if (baseUrl === '') baseUrl = localUrl(port)
  core.outgoing.baseUrl = baseUrl
  const health = { readiness, metrics, log, isRetiring: connections.isEnding }
  const monitor = await openMonitor(config, health).catch(async (error) => {
    await Promise.allSettled([http.close(), delivery.close(), transport.close()])
    await storage.close()
    throw error
  })

  if (config.mode === 'production' && config.mail.deliver && shared?.prepares !== false)
    void checkMail(transport, config, log)
  // Not before the address is known, which its tokens name.
  logouts = (delivers(textHands) ? startLogoutDelivery : leaveDelivery)({
    ...working,
    parallel: hands(textHands),
    random: branchOf(random, 'logout delivery'),
    transport: oidc.logouts({
      insecureAddresses: config.backchannelLogout.insecureAddresses ?? config.mode !== 'production',
    }),
    onAttempt: engineMetrics.countLogoutAttempt,
  })
  const time = startTimeKeeper({ storage, clock, source: ports.clock ?? processClock, log })
  const resealing = shared?.prepares === false ? nothing : startResealing(core)
  const maintenance = startMaintenance({
    leads: () => shared?.leads() ?? true,
    storage,
    clock,
    oidc,
    log,
    syncTime: time.sync,
    countExpired: engineMetrics.countExpired,
    events: eventRetentionOf(config),
    recordFailures: failures.maintain,
    carryOutChanges: async () => void (await changes.carryOutDue()),
    removeUnfinished: (now) => removeUnfinished({ storage, people }, now),
  })

  return {
    baseUrl,
    port,
    monitor,
    issuers: oidc.issuers(),
    paths: pathsOf(http),
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
    retire: connections.retire,
    async close({ lingerMs = 0 } = {}) {
      // Begins at once: a purge that waits for a lock would otherwise add its time to that of the requests.
      const maintained = maintenance.close()
      await connections.closePort(lingerMs)
      await http.close()
      await maintained
      time.close()
      await resealing.close()
      await delivery.close()
      await transport.close()
      await failures.close()
      await monitor?.close()
      await storage.close()
    },
  }
}

/** How many texts, and how many logout tokens, a node sends at once. */
const textHands = 5

const nothing = { close: async () => {} }

/** The settings of the public port's connections. */
const connectionsOf = ({ http }: Config) => ({
  keepAliveMs: durationMs(http.keepAlive, 'http.keepAlive'),
  headersMs: durationMs(http.headersTimeout, 'http.headersTimeout'),
  requestMs: durationMs(http.requestTimeout, 'http.requestTimeout'),
  perAddress: http.connectionsPerAddress,
  trustedProxies: http.trustedProxies,
})

/** How long a node goes on answering after it was asked to end, in milliseconds. */
export const shutdownDelayOf = ({ http, mode }: Config): number =>
  durationMs(http.shutdownDelay ?? (mode === 'production' ? '5s' : '0s'), 'http.shutdownDelay')

/** The default of `metrics.port` in production, as it is registered for exporters of OpenTelemetry. */
const standardMetricsPort = 9464

/** Opens the listener for metrics and health. A default port in use is replaced, one that was asked for is an error. */
async function openMonitor({ metrics, mode }: Config, health: HealthOptions): Promise<Monitor | undefined> {
  const { host, port = mode === 'production' ? standardMetricsPort : 'off' } = metrics
  if (port === 'off') return undefined
  try {
    return await startMonitor(health, { host, port })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE') {
      throw new ConfigError([`metrics.host: cannot listen on ${host} port ${port}: ${message}`])
    }
    if (metrics.port !== undefined) {
      const words = `port ${port} of ${host} is in use: choose another (REKEY_METRICS_PORT), 0 for any free one, or off`
      throw new ConfigError([`metrics.port: ${words}`])
    }
    const monitor = await startMonitor(health, { host, port: 0 })
    health.log.warn(
      { port: monitor.port },
      `port ${port} is in use, as by another node on this machine: metrics have another; set REKEY_METRICS_PORT`,
    )
    return monitor
  }
}

/** The page of the engine's own addresses, such as that of the issuer. Every other one that nothing is served at is answered with JSON. */
const frontOf =
  (name: string, brands: Brands, baseUrl: () => string): NonNullable<HttpOptions['unknownPage']> =>
  async (path, language) => {
    const base = baseUrl()
    await brands.refresh()
    const markup = renderFront({ base, name, look: brands.of(undefined) }, language, {
      path,
      basePath: basePathOf(base),
    })
    return markup === undefined ? undefined : { status: 200, markup }
  }

const brandsOfApps = ({ clients }: Config) =>
  Object.fromEntries(clients.flatMap(({ id, brand }) => (brand === undefined ? [] : [[id, brand]])))

/** The logos of the apps, by their ids. All files, that of the installation too, are read before anything is opened. */
async function logosOf(config: Config): Promise<ReadonlyMap<string, Buffer>> {
  await logoOf(config.brand)
  const found = new Map<string, Buffer>()
  for (const [id, brand] of Object.entries(brandsOfApps(config))) {
    const logo = await logoOf(brand)
    if (logo !== undefined) found.set(id, logo)
  }
  return found
}

const basePathOf = (baseUrl: string): string =>
  baseUrl === '' ? '' : new URL(baseUrl).pathname.replace(/\/$/, '')

function transportOf({ mail, org, issuer }: Config, clock: Clock): Transport {
  const from = { address: mail.from, name: mail.fromName ?? org.name }
  if (mail.url === undefined) return createMemoryTransport({ from, clock })
  const issuerHost = URL.parse(issuer ?? '')?.hostname
  const named = smtpTargetOf(mail.url).name
  return createSmtpTransport({
    url: mail.url,
    from,
    name: mail.heloName ?? named ?? heloNameFrom([issuerHost, from.address.split('@').at(-1)]),
    insecurePlain: mail.insecurePlainSmtp,
    connections: mail.connections,
  })
}

/** The workers as one. */
const together = (workers: () => readonly Delivery[]): Delivery => ({
  wake() {
    for (const worker of workers()) worker.wake()
  },
  async idle() {
    await Promise.all(workers().map((worker) => worker.idle()))
  },
  async close(options) {
    await Promise.all(workers().map((worker) => worker.close(options)))
  },
})

/** What sends texts and calls: the hook; without one nothing does in production, and elsewhere they are taken and dropped. */
function textTransportOf(
  { telephony: { hook }, mode }: Config,
  parts: { readonly clock: Clock; readonly baseUrl: () => string },
): TextTransport {
  const { url, headerName, secret, insecureAddresses } = hook
  if (url === undefined) return mode === 'production' ? createNoTexts() : createMemoryTexts(() => {})
  const header = secret === undefined ? undefined : { name: headerName, value: secret }
  return createTelephonyHook({ url, header, insecureAddresses, ...parts })
}

function smtpTargetOf(url: string): ReturnType<typeof parseSmtpUrl> {
  try {
    return parseSmtpUrl(url)
  } catch (error) {
    throw new ConfigError([`mail.url: ${(error as Error).message}`])
  }
}

/** What sends texts, without an engine: for checks. */
export const textsOf = (config: Config): TextTransport =>
  textTransportOf(config, { clock: processClock, baseUrl: () => config.issuer ?? '' })

/** The transport of a configuration without an engine: for checks. */
export const mailTransportOf = (config: Config): Transport => transportOf(config, processClock)

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
