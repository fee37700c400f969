import { setTimeout as pause } from 'node:timers/promises'
import { createLogger, type Logger } from '../base/index.ts'
import { type Config, loadSettings, maskUrl } from '../config/index.ts'
import { type Engine, openEngine, shutdownDelayOf } from '../engine/index.ts'
import { serveConfig } from './checks.ts'
import {
  booleanOf,
  type Call,
  type Command,
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

/** 128 and the number of SIGHUP: an end that `Restart=on-failure` takes for one, so that the service comes back. */
const hangUpCode = 129

export const serve: Command = {
  about: [
    'Runs the engine in production. Settings come from a file, the environment and these flags; DATABASE_URL, REKEY_SECRET, REKEY_ISSUER and SMTP_URL are needed. What is unsafe is refused at the start, everything at once.',
    'Any number of nodes may share one PostgreSQL database. GET /health/live and /health/ready report the health; GET /metrics serves metrics for Prometheus on a listener of its own, by default 127.0.0.1:9464. The log goes to standard error as JSON lines.',
    'SIGTERM ends it without a lost request: /health/ready answers 503 while everything else is answered as before, for http.shutdownDelay (5s); then it closes its port, answers the open requests, waits a few seconds for the mails in hand, and exits with 0 within ten seconds more. A mail that has not left by then is another node’s at once, or waits for the next start; one that the mail server has whole and has not answered may arrive, and is sent again late or not at all. A second signal ends it at once. After SIGHUP it ends in the same way, with 129, so that a service manager starts it again with new settings.',
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
    const shutdown = untilSignal()
    // A terminal that has gone, or a reload that there is none of: drained like SIGTERM, but a supervisor starts it again.
    void shutdown.then((signal) => {
      if (signal === 'SIGHUP') process.exitCode = hangUpCode
    })
    const config = await configOf(call)
    const log = createLogger({ level: config.log.level as 'info' })
    const starting = openEngine(config, { log })
    const engine = await Promise.race([starting, shutdown.then(() => undefined)])
    // The signal came before the engine was ready: no request has been accepted, so there is nothing to drain.
    if (engine === undefined) return
    announce(engine, config, log)
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
    },
  })
  for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
  return serveConfig(loaded, terminal.folder)
}

function announce({ baseUrl, port, monitor }: Engine, { database, http }: Config, log: Logger): void {
  log.info(
    {
      issuer: baseUrl,
      host: http.host,
      port,
      metrics: monitor === undefined ? 'off' : hostPort(monitor),
      database: maskUrl(database.url),
      node: process.version,
      startedInMs: Math.round(performance.now()),
    },
    'ready',
  )
}

const hostPort = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`
