import { createLogger, type Logger, localUrl } from '../base/index.ts'
import { type Config, type Environment, type Loaded, loadSettings, type Settings } from '../config/index.ts'
import {
  type DevEnvironment,
  mary,
  samplePublicClient,
  sampleWebClient,
  startDevEnvironment,
} from '../devtools/index.ts'
import { type Engine, lifetimesOf } from '../engine/index.ts'
import { spanInWords } from '../i18n/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  checkedNumber,
  configOption,
  refuseMore,
  textOf,
} from './command.ts'
import { type DevData, defaultData, openDevData } from './dev/data.ts'
import { prettyLog } from './dev/log.ts'
import { checkPorts, portInUse, startedAs } from './dev/ports.ts'
import { refusalPrinter } from './dev/refusals.ts'
import { missingPackages, type SampleApp, startSampleApp } from './dev/sample-app.ts'
import { type Running, screenOf } from './dev/screen.ts'
import { untilOrphaned, untilSignal, within } from './shutdown.ts'

const port = (description: string, variable: string) =>
  ({ type: 'string', value: 'PORT', description: `${description}; 0: any free port`, variable }) as const

export const dev: Command = {
  about: [
    'Starts a complete development environment: the engine on an embedded database, an SMTP server that captures all mails, an inbox to read them, and a sample app written with the published SDK. One user exists to sign in with.',
    'Everything listens on this machine only. Of a rekey.config file in this folder, the settings of behaviour are used: policies, limits, lifetimes, clients, users.',
    'With --json it prints one line when everything is ready, for programs that start it.',
  ],
  options: {
    port: port('the engine; default: 9000', 'REKEY_PORT'),
    'app-port': port('the sample app; default: 8080', 'REKEY_APP_PORT'),
    'inbox-port': port('the inbox and the control API; default: 8025', 'REKEY_INBOX_PORT'),
    'smtp-port': port('the SMTP server; default: 1025', 'REKEY_SMTP_PORT'),
    'no-app': { type: 'boolean', description: 'do not start the sample app' },
    data: {
      type: 'string',
      value: 'FOLDER',
      description: `the folder for the data; default: ${defaultData}; memory: store nothing`,
      variable: 'REKEY_DATA',
    },
    ...configOption,
    json: { type: 'boolean', description: 'print one line of JSON when everything is ready' },
  },
  examples: [
    ['rekey dev', 'everything on its default port, data in .rekey/'],
    ['rekey dev --data memory --no-app', 'a fresh engine for your own app'],
    [
      'rekey dev --json --port 0 --app-port 0 --inbox-port 0 --smtp-port 0 --data memory',
      'for a test suite: free ports, printed as one line of JSON',
    ],
  ],

  async run(call) {
    refuseMore(call, 0)
    // npm starts a shell in between, which may die without passing a signal on: then the ports would stay in use.
    const isUnderNpm = call.terminal.env.npm_lifecycle_event !== undefined
    const shutdown = Promise.race([untilSignal(), ...(isUnderNpm ? [untilOrphaned()] : [])])
    const closers: (() => Promise<unknown>)[] = []
    const started = start(call, closers)
    const isReady = await Promise.race([started.then(() => true), shutdown.then(() => false)])
    if (isReady) await shutdown
    // The process exits within five seconds. Parts that are still closing end with it.
    await within(4500, closeAll(closers))
  },
}

async function closeAll(closers: (() => Promise<unknown>)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close()
}

const flags = {
  engine: { flag: '--port', variable: 'REKEY_PORT', usual: 9000 },
  app: { flag: '--app-port', variable: 'REKEY_APP_PORT', usual: 8080 },
  inbox: { flag: '--inbox-port', variable: 'REKEY_INBOX_PORT', usual: 8025 },
  smtp: { flag: '--smtp-port', variable: 'REKEY_SMTP_PORT', usual: 1025 },
} as const
type Ports = Readonly<Record<keyof typeof flags, number>>

function portsOf(call: Call): Ports {
  const portOf = (name: keyof typeof flags): number => {
    const { flag, variable, usual } = flags[name]
    const given = textOf(call, flag.slice(2))
    const set = call.terminal.env[variable]
    if (given !== undefined) return checkedNumber(given, flag, { min: 0, max: 65_535 })
    return set ? checkedNumber(set, variable, { min: 0, max: 65_535 }) : usual
  }
  return { engine: portOf('engine'), app: portOf('app'), inbox: portOf('inbox'), smtp: portOf('smtp') }
}

/** Starts the parts in order. Each started part adds its `close` to `closers`, even if the next one fails. */
async function start(call: Call, closers: (() => Promise<unknown>)[]): Promise<void> {
  const { terminal, options } = call
  const ports = portsOf(call)
  const loaded = await loadSettings({
    folder: terminal.folder,
    env: behaviourOf(terminal.env),
    file: textOf(call, 'config'),
    ignored: [
      'secrets',
      'database.url',
      'mail.url',
      'telephony.hook.secret',
      'captcha.secret',
      'management.apiToken',
    ],
  })
  for (const warning of loaded.warnings) terminal.note(`rekey: ${warning}`)
  const log = logOf(loaded, call)
  const command = startedAs(terminal.env)
  const data = await openDevData(
    terminal.folder,
    textOf(call, 'data') ?? (terminal.env.REKEY_DATA || defaultData),
    command,
  )
  closers.push(data.release)

  const missing = options['no-app'] === true ? [] : missingPackages()
  if (missing.length > 0) {
    terminal.note(`rekey: without the sample app, which needs: npm install ${missing.join(' ')}`)
  }
  const hasApp = options['no-app'] !== true && missing.length === 0
  const names = (['engine', 'app', 'inbox', 'smtp'] as const).filter((name) => hasApp || name !== 'app')
  await checkPorts(
    names.map((name) => ({ port: ports[name], flag: flags[name].flag })),
    command,
  )
  let appUrl: string | null = hasApp ? localUrl(ports.app) : null
  let controlUrl = ''
  let codeLifetime = ''
  let signUp = true
  const refusals = refusalPrinter(terminal, () => controlUrl)
  closers.push(refusals.close)
  const environment = await startDevEnvironment({
    log,
    onRefused: refusals.print,
    smtpPort: ports.smtp,
    controlPort: ports.inbox,
    // The sample app takes the tokens of an administrator's mails.
    ports: {
      tokenPage: (kind) =>
        appUrl === null ? undefined : `${appUrl}/${kind === 'recovery' ? 'recover' : 'activate'}/{token}`,
    },
    hints: { appUrl: () => appUrl ?? undefined, login: mary.login },
    configure(smtpUrl) {
      const config = loaded.check('development', (settings) =>
        devSettings(settings, { data, smtpUrl, ports }),
      )
      codeLifetime = spanInWords('en', lifetimesOf(config).code)
      signUp = config.signUp.open === true
      return config
    },
  }).catch((error) => {
    throw portTaken(error, ports, command)
  })
  closers.push(environment.close)
  const { engine, control } = environment
  controlUrl = control.url
  const warm = engine.oidc.warmUp()

  if (appUrl !== null) {
    const app = await startApp(call, { engine, control, data, port: ports.app, codeLifetime, log })
    closers.push(app.close)
    appUrl = app.url
    // With port 0 the redirect URI is known only now.
    if (ports.app === 0) await engine.register(sampleWebClient(callbackOf(app.url), data.clientSecret))
  }
  await data.running(control.url)
  await warm
  await allAnswer([
    `${engine.baseUrl}/health/ready`,
    `${control.url}/clock`,
    ...(appUrl === null ? [] : [appUrl]),
  ])
  printReady(call, await runningOf(environment, data, { appUrl, ports, signUp }))
}

/** The environment without addresses and secrets: a production database must not get the sample user Mary. */
function behaviourOf(env: Environment): Environment {
  const elsewhere = [
    'DATABASE_URL',
    'DATABASE_URL_FILE',
    'SMTP_URL',
    'SMTP_URL_FILE',
    'REKEY_TELEPHONY_URL',
    'REKEY_TELEPHONY_SECRET',
    'REKEY_TELEPHONY_SECRET_FILE',
    'REKEY_ISSUER',
    'REKEY_SECRET',
    'REKEY_SECRET_FILE',
    'REKEY_API_TOKEN',
    'REKEY_API_TOKEN_FILE',
    'REKEY_HOST',
    'REKEY_PORT',
    'REKEY_MIGRATE',
    'REKEY_MAIL_DELIVER',
    'REKEY_DATABASE_POOL',
  ]
  return Object.fromEntries(Object.entries(env).filter(([name]) => !elsewhere.includes(name)))
}

/** The port that the app is registered at: with `--app-port 0`, the usual one until the app listens. */
const appPortOf = ({ app }: Ports): number => (app === 0 ? flags.app.usual : app)

const callbackOf = (appUrl: string): string => `${appUrl}/login/callback`

/** The settings of the configuration, with the addresses, secrets and sample data of `rekey dev` put over them. */
function devSettings(
  { issuer: _, ...settings }: Settings,
  { data, smtpUrl, ports }: { readonly data: DevData; readonly smtpUrl: string; readonly ports: Ports },
): Settings {
  const ours = [
    sampleWebClient(callbackOf(localUrl(appPortOf(ports))), data.clientSecret),
    samplePublicClient,
  ]
  const clients = settings.clients ?? []
  const people = settings.people ?? []
  return {
    ...settings,
    secrets: [data.secret],
    database: { url: data.databaseUrl },
    http: { host: 'localhost', port: ports.engine },
    mail: { spreadMs: 0, ...settings.mail, url: smtpUrl, deliver: true },
    ...(settings.telephony !== undefined && { telephony: { ...settings.telephony, hook: {} } }),
    // Its keys are for the pages of production, and nothing leaves this machine.
    captcha: {},
    management: { apiToken: data.apiToken },
    policies: withUnlock(settings.policies),
    signUp: { open: true, ...settings.signUp },
    resources: withMethods(settings.resources),
    // A value that is not a list is left to the check of the configuration, which reports it.
    clients: Array.isArray(clients)
      ? [...clients.filter(({ id }) => !ours.some((client) => client.id === id)), ...ours]
      : clients,
    people: Array.isArray(people) ? [...people.filter(({ login }) => login !== mary.login), mary] : people,
  }
}

/** Wrong passwords lock accounts in `rekey dev`, and users may open their own again, unless the configuration says otherwise. */
function withUnlock({
  password = {},
  ...others
}: NonNullable<Settings['policies']> = {}): NonNullable<Settings['policies']> {
  const { recovery = {}, lockout = {} } = password
  return {
    ...others,
    password: {
      ...password,
      lockout: { maxAttempts: 5, ...lockout },
      recovery: { unlock: true, ...recovery },
    },
  }
}

/** Every authenticator that works without another service. Password and mailbox are named so that they stay allowed. */
const methodsToTry = {
  optional: ['phone_number', 'webauthn', 'security_question', 'google_otp', 'recovery_codes'],
  everyoneHas: ['okta_password', 'okta_email'],
} as const

/**
 * Users of `rekey dev` may add every authenticator, unless the configuration names others: on the page of the sample app for
 * that, or where an app asks for a second factor. No sign-in offers them by itself (`CHALLENGE`), so that the first one and the
 * first recovery are as they are without.
 */
function withMethods(resources: Settings['resources'] = {}): NonNullable<Settings['resources']> {
  const { authenticators = [], policies = [], apps = [] } = resources as Readonly<Record<string, unknown>>
  // What is no list is left to the check of the configuration, which reports it.
  if (!Array.isArray(authenticators) || !Array.isArray(policies) || !Array.isArray(apps)) return resources
  const names = (list: readonly unknown[], isIt: (one: Readonly<Record<string, unknown>>) => boolean) =>
    list.some((one) => typeof one === 'object' && one !== null && isIt({ ...one }))
  const missing = methodsToTry.optional.filter((key) => !names(authenticators, (one) => one.key === key))
  const hasPolicy = names(policies, ({ type }) => type === 'MFA_ENROLL')
  return {
    ...resources,
    authenticators: [...authenticators, ...missing.map((key) => ({ key, status: 'ACTIVE' }))],
    policies: hasPolicy ? policies : [...policies, methodsPolicy],
    apps: [...apps, sampleAppGrants],
  } as NonNullable<Settings['resources']>
}

const methodsPolicy = {
  type: 'MFA_ENROLL',
  name: 'Methods to try',
  settings: {
    type: 'AUTHENTICATORS',
    authenticators: [...methodsToTry.everyoneHas, ...methodsToTry.optional].map((key) => ({
      key,
      enroll: { self: key === 'okta_password' ? 'REQUIRED' : 'OPTIONAL' },
    })),
  },
  rules: [{ name: 'When a second factor is asked for', actions: { enroll: { self: 'CHALLENGE' } } }],
}

/** The page of the sample app for the sign-in methods of its user. */
const sampleAppGrants = {
  label: 'Sample Web App',
  credentials: { oauthClient: { client_id: 'rekey-web' } },
  grants: ['okta.myAccount.authenticators.manage', 'okta.myAccount.phone.read'],
}

function logOf(loaded: Loaded, { terminal, options }: Call): Logger {
  const level = loaded.settings.log?.level ?? 'warn'
  const isHumanReadable = terminal.isRead && options.json !== true
  return createLogger({
    level: level as Config['log']['level'] as 'info',
    ...(isHumanReadable && { stream: prettyLog(terminal) }),
  })
}

/** A port that was taken between the check and the start. */
function portTaken(error: unknown, ports: Ports, command: string): unknown {
  const { code, port } = error as { code?: string; port?: number }
  const name = (['engine', 'inbox', 'smtp'] as const).find((candidate) => ports[candidate] === port)
  if (name === undefined || port === undefined || code !== 'EADDRINUSE') return error
  return new CommandError(portInUse(port, flags[name].flag, command), { cause: error })
}

function startApp(
  { terminal }: Call,
  parts: {
    readonly engine: Engine
    readonly control: DevEnvironment['control']
    readonly data: DevData
    readonly port: number
    readonly codeLifetime: string
    readonly log: Logger
  },
): Promise<SampleApp> {
  return startSampleApp({
    issuer: parts.engine.issuers.default,
    clientId: 'rekey-web',
    clientSecret: parts.data.clientSecret,
    port: parts.port,
    inboxUrl: parts.control.url,
    codeLifetime: parts.codeLifetime,
    env: terminal.env,
    command: startedAs(terminal.env),
    note: (line) => terminal.note(`sample app: ${line}`),
    onLost: () => terminal.note('rekey: the sample app has ended; the engine is still running'),
  })
}

/** Waits until every address answers with success. Throws a CommandError that names the first one that does not. */
async function allAnswer(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(20_000) }).catch(
      (cause: Error) => {
        throw new CommandError(`${url} does not answer: ${cause.message}`, { cause })
      },
    )
    await answer.arrayBuffer()
    if (answer.status >= 400) throw new CommandError(`${url} answers with ${answer.status}`)
  }
}

async function runningOf(
  { engine, control, sink }: DevEnvironment,
  data: DevData,
  {
    appUrl,
    ports,
    signUp,
  }: { readonly appUrl: string | null; readonly ports: Ports; readonly signUp: boolean },
): Promise<Running> {
  return {
    issuer: engine.issuers.default,
    orgIssuer: engine.issuers.org,
    engineUrl: engine.baseUrl,
    signInUrl: `${engine.baseUrl}/signin`,
    appUrl,
    controlUrl: control.url,
    smtpUrl: sink.url,
    clientId: 'rekey-web',
    clientSecret: data.clientSecret,
    redirectUri: callbackOf(appUrl ?? localUrl(appPortOf(ports))),
    publicClientId: samplePublicClient.id,
    apiToken: data.apiToken,
    person: { login: mary.login, password: (await hasSeededPassword(engine)) ? mary.password : null },
    signUp,
    ...(data.folder !== undefined && { data: data.folder }),
  }
}

/** Whether the sample user still has the seeded password: in stored data it may have been reset since. */
async function hasSeededPassword({ people }: Engine): Promise<boolean> {
  const person = await people.find(mary.login)
  return person !== undefined && people.hasPassword(person.id, mary.password)
}

function printReady({ terminal, options }: Call, running: Running): void {
  if (options.json === true) terminal.print(JSON.stringify({ ready: true, ...running }))
  else terminal.print(screenOf(running, terminal))
}
