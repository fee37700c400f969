import { createLogger, type Logger } from '../base/index.ts'
import { type Config, loadSettings, maskUrl } from '../config/index.ts'
import { type Engine, openEngine } from '../engine/index.ts'
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

/** How long an end may take, in milliseconds: requests under way, then mails in hand. */
const graceMs = 8_000

export const serve: Command = {
  about: [
    'Runs the engine in production. Settings come from a file, the environment and these flags; DATABASE_URL, REKEY_SECRET, REKEY_ISSUER and SMTP_URL are needed. What is unsafe is refused at the start, everything at once.',
    'Any number of nodes may run on one PostgreSQL. GET /health/live and /health/ready tell how it is, GET /metrics gives figures to Prometheus. The log goes to standard error, a line of JSON each.',
    'SIGTERM drains: nothing new is accepted, requests under way are answered, mails in hand are handed over; then it exits with 0, within ten seconds.',
  ],
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      words: 'listen on this port, 9000 otherwise',
      variable: 'REKEY_PORT',
    },
    host: {
      type: 'string',
      value: 'ADDRESS',
      words: 'listen on this address, 0.0.0.0 otherwise',
      variable: 'REKEY_HOST',
    },
    migrate: {
      type: 'string',
      value: 'true|false',
      words: 'bring the database up to date first, true otherwise; with false an older schema is refused',
      variable: 'REKEY_MIGRATE',
    },
    ...configOption,
  },
  examples: [
    [
      'DATABASE_URL=postgres://… REKEY_SECRET_FILE=/run/secrets/rekey REKEY_ISSUER=https://id.example.com SMTP_URL=smtp://… rekey serve',
      'everything from the environment',
    ],
    ['rekey config --check', 'what would be refused, without starting'],
    [
      'rekey migrate && rekey serve --migrate=false',
      'for a deployment with a step of its own for the schema',
    ],
  ],

  async run(call) {
    refuseMore(call, 0)
    const told = untilSignal()
    const config = await serveConfig(call)
    const log = createLogger({ level: config.log.level as 'info' })
    const starting = openEngine(config, { log })
    const engine = await Promise.race([starting, told.then(() => undefined)])
    // Told to end before it was up: nobody has been promised anything yet.
    if (engine === undefined) return
    announce(engine, config, log)
    // The first person who signs in should not wait for what she needs to be loaded.
    engine.oidc
      .warmUp()
      .catch((error) => log.error({ err: error }, 'what signs tokens could not be loaded yet'))
    const signal = await told
    log.info({ signal }, 'draining')
    const isClean = await within(graceMs, engine.close())
    if (isClean) log.info('ended')
    // The outbox is durable: another node, or the next start, sends what is left.
    else log.warn('ended with something still under way')
  },
}

async function serveConfig(call: Call): Promise<Config> {
  const { terminal } = call
  const flag = (name: string, value: unknown) =>
    value === undefined ? undefined : { value, source: `--${name}` }
  const port = textOf(call, 'port')
  const loaded = await loadSettings({
    folder: terminal.folder,
    env: terminal.env,
    file: textOf(call, 'config'),
    defaults: { 'http.host': '0.0.0.0' },
    flags: {
      'http.port': flag('port', port && checkedNumber(port, '--port', { min: 0, max: 65_535 })),
      'http.host': flag('host', textOf(call, 'host')),
      'database.migrate': flag('migrate', booleanOf(call, 'migrate')),
    },
  })
  for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
  return loaded.check('production')
}

function announce({ baseUrl, port }: Engine, { database, http }: Config, log: Logger): void {
  log.info(
    {
      issuer: baseUrl,
      host: http.host,
      port,
      database: maskUrl(database.url),
      node: process.version,
      startedInMs: Math.round(performance.now()),
    },
    'ready',
  )
}
