import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { createLogger, type Logger } from '../base/index.ts'
import { type Config, type Loaded, loadSettings, maskUrl } from '../config/index.ts'
import { type Engine, openEngine, shutdownDelayOf } from '../engine/index.ts'
import { joinNode, type Member, type Plan, startPrimary, WorkerNotReady } from '../workers/index.ts'
import { serveConfig } from './checks.ts'
import {
  booleanOf,
  type Call,
  type Command,
  CommandError,
  checkedNumber,
  configOption,
  refuseMore,
  textOf,
} from './command.ts'
import { untilSignal, within } from './shutdown.ts'

/** The longest time between the closing of the port and the end, in milliseconds: open requests, then mails in hand. */
const graceMs = 8_000

/** The longest time that open connections may bring one more request once the port is closed, in milliseconds. */
const mostLingerMs = 1_000

/** How a worker ends that had to leave something undone. */
const unfinishedCode = 3

/** 128 and the number of SIGHUP: an end that `Restart=on-failure` takes for one, so that the service comes back. */
const hangUpCode = 129

export const serve: Command = {
  about: [
    'Runs the engine in production. Settings come from a file, the environment and these flags; DATABASE_URL, REKEY_SECRET, REKEY_ISSUER and SMTP_URL are needed. What is unsafe is refused at the start, everything at once.',
    'Any number of nodes may share one PostgreSQL database. GET /health/live and /health/ready report the health; GET /metrics serves metrics for Prometheus on a listener of its own, by default 127.0.0.1:9464. The log goes to standard error as JSON lines.',
    'SIGTERM ends it without a lost request: /health/ready answers 503 while everything else is answered as before, for http.shutdownDelay (5s); then it closes its port, answers the open requests, waits a few seconds for the mails in hand, and exits with 0 within ten seconds more. A mail that has not left by then is another node’s at once, or waits for the next start; one that the mail server has whole and has not answered may arrive, and is sent again late or not at all. A second signal ends it at once. After SIGHUP it ends in the same way, with 129, so that a service manager starts it again with new settings.',
    'With --workers it answers with several processes on one port, which share its limits and its database: one that crashes is replaced. SIGHUP then reads the configuration anew and replaces them one by one, without a refused connection; one that cannot be used is reported, and nothing changes.',
  ],
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      description: 'the port to listen on; default: 9000',
      variable: 'REKEY_PORT',
    },
    host: {
      type: 'string',
      value: 'ADDRESS',
      description: 'the address to listen on; default: 0.0.0.0',
      variable: 'REKEY_HOST',
    },
    'metrics-port': {
      type: 'string',
      value: 'PORT',
      description: 'the port of metrics and health, or off; default: 9464',
      variable: 'REKEY_METRICS_PORT',
    },
    migrate: {
      type: 'string',
      value: 'true|false',
      description: 'migrate the database first; default: true; with false an older schema is refused',
      variable: 'REKEY_MIGRATE',
    },
    workers: {
      type: 'string',
      value: 'N|auto',
      description: 'how many processes answer; auto: one a core; default: 1',
      variable: 'REKEY_WORKERS',
    },
    ...configOption,
  },
  examples: [
    [
      'DATABASE_URL=postgres://… REKEY_SECRET_FILE=/run/secrets/rekey REKEY_ISSUER=https://id.example.com SMTP_URL=smtp://… rekey serve',
      'everything from the environment',
    ],
    ['rekey config --check', 'check the configuration without starting'],
    ['rekey migrate && rekey serve --migrate=false', 'for a deployment that migrates in a separate step'],
  ],

  async run(call) {
    refuseMore(call, 0)
    const member = await joinNode(call.terminal.env)
    if (member !== undefined) return work(member)
    let reload: (() => void) | undefined
    // A terminal that is closed sends SIGHUP, too: what was started from one ends with it.
    const shutdown = untilSignal((signal) => {
      if (signal !== 'SIGHUP' || reload === undefined || process.stdin.isTTY) return false
      reload()
      return true
    })
    // A terminal that has gone, or a reload that there is none of: drained like SIGTERM, but a supervisor starts it again.
    void shutdown.then((signal) => {
      if (signal === 'SIGHUP') process.exitCode = hangUpCode
    })
    const config = await configOf(call)
    const log = createLogger({ level: config.log.level as 'info' })
    if (workersOf(config) > 1) {
      return lead(call, config, { log, shutdown, onReload: (reloads) => (reload = reloads) })
    }
    const starting = openEngine(config, { log })
    const engine = await Promise.race([starting, shutdown.then(() => undefined)])
    // The signal came before the engine was ready: no request has been accepted, so there is nothing to drain.
    if (engine === undefined) return
    log.info(announced(engine, config), 'ready')
    // Loads the token signing code now, so that the first sign-in does not wait for it.
    engine.oidc
      .warmUp()
      .catch((error) => log.error({ err: error }, 'could not load the token signing code yet'))
    const signal = await shutdown
    const delayMs = shutdownDelayOf(config)
    log.info({ signal, delayMs }, 'draining')
    engine.retire()
    await pause(delayMs)
    const lingerMs = Math.min(delayMs, mostLingerMs)
    const isClean = await within(graceMs + lingerMs, engine.close({ lingerMs }))
    if (isClean) log.info('ended')
    // The outbox is durable: another node, or the next start, sends the remaining mails.
    else log.warn('ended before all requests and mails were done')
    if (signal === 'SIGHUP') process.exit(hangUpCode)
  },
}

/** How many processes answer. */
const workersOf = ({ workers }: Config): number => (workers === 'auto' ? availableParallelism() : workers)

/** How many connections to PostgreSQL a worker needs at least. */
const leastPool = 2

/** What the workers of a node are started with: what a node has so much of is divided among them. */
function planOf(config: Config): Plan {
  const workers = workersOf(config)
  const { database } = config
  const poolSize = Math.max(leastPool, Math.floor(database.poolSize / workers))
  const delayMs = shutdownDelayOf(config)
  return {
    workers,
    config: { ...config, database: { ...database, poolSize } },
    endsWithinMs: delayMs + graceMs + 2 * mostLingerMs,
  }
}

/** Runs a node of several workers from its primary: starts them, has them replaced, ends them. */
async function lead(
  call: Call,
  config: Config,
  {
    log,
    shutdown,
    onReload,
  }: {
    readonly log: Logger
    readonly shutdown: Promise<NodeJS.Signals>
    onReload(reload: () => void): void
  },
): Promise<void> {
  const plan = planOf(config)
  log.info({ workers: plan.workers }, 'starting several workers: one node on one port')
  const primary = await startPrimary({
    ...{ plan, log, asked: shutdown },
    reread: async () => planOf(await configOf(call)),
  }).catch((error: unknown) => {
    throw error instanceof WorkerNotReady ? new CommandError(error.message) : error
  })
  // The signal came before all were ready: no request has been accepted, so there was nothing to drain.
  if (primary === undefined) return
  log.info({ ...primary.ready, workers: plan.workers, startedInMs: Math.round(performance.now()) }, 'ready')
  onReload(() => {
    log.info('reading the configuration anew')
    void primary.reload()
  })
  const signal = await Promise.race([shutdown, primary.failed]).catch((error: Error) => {
    throw new CommandError(`no worker runs any more: ${error.message}`)
  })
  log.info({ signal, delayMs: shutdownDelayOf(config) }, 'draining')
  const isClean = await primary.end()
  if (isClean) log.info('ended')
  else log.warn('ended before all requests and mails were done')
  if (signal === 'SIGHUP') process.exit(hangUpCode)
}

/** Runs one worker of a node. */
async function work(member: Member): Promise<void> {
  const { config, shared, worker } = member
  const log = createLogger({ level: config.log.level as 'info', base: { worker } })
  process.on('uncaughtExceptionMonitor', (err) =>
    log.fatal({ err }, 'an error that was not caught ends this worker'),
  )
  const engine = await openEngine(config, { log, shared })
  await engine.oidc
    .warmUp()
    .catch((error) => log.error({ err: error }, 'could not load the token signing code yet'))
  member.ready(announced(engine, config))
  const { isReplaced } = await member.ended
  const delayMs = shutdownDelayOf(config)
  engine.retire({ isReplaced })
  if (!isReplaced) await pause(delayMs)
  // One that is replaced closes its port at once, which another has open; its connections get the time of the delay.
  const lingerMs = isReplaced ? Math.max(delayMs, mostLingerMs) : Math.min(delayMs, mostLingerMs)
  const isClean = await within(graceMs + lingerMs, engine.close({ lingerMs }))
  if (isClean) log.info('ended')
  else log.warn('ended before all requests and mails were done')
  await member.leave()
  if (!isClean) process.exitCode = unfinishedCode
}

async function configOf(call: Call): Promise<Config> {
  const { terminal } = call
  const flag = (name: string, value: unknown) =>
    value === undefined ? undefined : { value, source: `--${name}` }
  const port = textOf(call, 'port')
  const metricsPort = textOf(call, 'metrics-port')
  const loaded = await loadSettings({
    folder: terminal.folder,
    env: terminal.env,
    file: textOf(call, 'config'),
    defaults: { 'http.host': '0.0.0.0' },
    flags: {
      'http.port': flag('port', port && checkedNumber(port, '--port', { min: 0, max: 65_535 })),
      'http.host': flag('host', textOf(call, 'host')),
      'metrics.port': flag(
        'metrics-port',
        metricsPort === undefined || metricsPort === 'off'
          ? metricsPort
          : checkedNumber(metricsPort, '--metrics-port', { min: 0, max: 65_535 }),
      ),
      'database.migrate': flag('migrate', booleanOf(call, 'migrate')),
      workers: flag('workers', workersIn(textOf(call, 'workers'))),
    },
  })
  for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
  return forWorkers(await serveConfig(loaded, terminal.folder), loaded)
}

const workersIn = (text: string | undefined) =>
  text === undefined || text === 'auto' ? text : checkedNumber(text, '--workers', { min: 1, max: 256 })

/** The defaults of what all workers share grow with their number; what is set is the node's, however many they are. */
function forWorkers(config: Config, { sourceOf }: Pick<Loaded, 'sourceOf'>): Config {
  const workers = workersOf(config)
  if (workers === 1) return config
  const { password, database } = config
  const unless = (option: string, set: number, grown: number) =>
    sourceOf(option) === undefined ? Math.max(set, grown) : set
  return {
    ...config,
    password: {
      ...password,
      concurrency: unless('password.concurrency', password.concurrency, workers),
    },
    database: { ...database, poolSize: unless('database.poolSize', database.poolSize, 5 * workers) },
  }
}

/** What the line `ready` says. */
const announced = ({ baseUrl, port, monitor }: Engine, { database, http }: Config) => ({
  issuer: baseUrl,
  host: http.host,
  port,
  metrics: monitor === undefined ? 'off' : hostPort(monitor),
  database: maskUrl(database.url),
  node: process.version,
  startedInMs: Math.round(performance.now()),
})

const hostPort = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`
