import {
  insecureSeededRandom,
  type Logger,
  ProtocolError,
  parseDuration,
  parseTime,
  silentLogger,
  systemRandom,
  VirtualClock,
} from '../base/index.ts'
import {
  type ClientConfig,
  type Config,
  checkConfig,
  type PersonConfig,
  type Settings,
} from '../config/index.ts'
import { type Channel, channels, templateNames, textTemplates } from '../delivery/index.ts'
import {
  type ControlPerson,
  type EnrolledFactor,
  type Faults,
  type KitFactors,
  type MessageReader,
  mary,
  type NewPerson,
  readNewPerson,
  readPersonChanges,
  readSignIn,
  type SignedIn,
  type SignInOptions,
  samplePublicClient,
  sampleWebClient,
  startDevEnvironment,
  type Waiting,
} from '../devtools/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Authenticator } from '../flow/index.ts'
import { createHasher, insecureFastHash } from '../passwords/index.ts'
import { checkNames, checkNothing, checkOneOf, checkThat, type Names } from './options.ts'
import { insecureTestSigningKey } from './test-key.ts'
import { newVisitor, type Visitor, type VisitorOptions } from './visitor.ts'

/** The settings of a client: an id, a label and redirect URIs are required. */
export type KitClient = Partial<ClientConfig> & Pick<ClientConfig, 'id' | 'label' | 'redirectUris'>

export interface KitOptions {
  /** The port of the engine. The default is 0: any free port. */
  readonly port?: number
  /** The port of the control API. The default is 0: any free port. */
  readonly controlPort?: number
  /** The port of the SMTP server that captures all mails. The default is 0: any free port. */
  readonly smtpPort?: number
  /** `memory`, the default, `sqlite:PATH` or `postgres://…`. */
  readonly database?: string
  /** The users to seed, instead of the default user Mary. */
  readonly people?: readonly PersonConfig[]
  /** Clients to seed, besides the web client and the public client of the kit. */
  readonly clients?: readonly KitClient[]
  /** The redirect URI of the web client. */
  readonly redirectUri?: string
  /** The policies, such as `{ password: { preset: 'okta' } }`: a shorthand for `settings.policies`. */
  readonly policy?: NonNullable<Settings['policies']>
  /** Settings of the configuration, such as `{ lifetimes: { code: '1m' } }`. */
  readonly settings?: Settings
  /** `virtual`, the default, continues to run after it is moved; `frozen` advances only when it is moved. */
  readonly clock?: 'virtual' | 'frozen'
  /** The clock for the times in tokens: `real`, the clock of the host that apps compare with, or `virtual`. */
  readonly tokens?: 'real' | 'virtual'
  /** The password hash: `fast`, the default, is for tests only; `standard` is that of production. */
  readonly hash?: 'fast' | 'standard'
  /** Makes ids and codes the same in every run, and after every reset. */
  readonly seed?: string
  readonly log?: Logger
  /** Additional authenticators: values of the same interface as the built-in ones. */
  readonly authenticators?: readonly Authenticator[]
}

/** Moves the clock of the engine: codes, links, transactions, rate limits, mails and the expiry of tokens. */
export interface KitClock {
  /** Epoch milliseconds. */
  now(): number
  /**
   * Advances by a duration such as `5m` or `1h30m`, or in milliseconds. The clock moves at once. A negative span moves it
   * back: codes and sessions from after that moment have as long to live as they had, and budgets refill when they would
   * have; resolves once the database has followed.
   */
  advance(span: string | number): Promise<void>
  /** Moves to an ISO time, in the same way. */
  set(to: string): Promise<void>
}

export interface KitPeople {
  /** All users in the order of their ids, at most a thousand; with a name only the one who has it as login or email. */
  list(name?: string): Promise<readonly ControlPerson[]>
  get(id: string): Promise<ControlPerson | undefined>
  /** @throws ProtocolError 400 that says which member cannot be used, and why */
  add(person: NewPerson): Promise<ControlPerson & { readonly factors?: readonly EnrolledFactor[] }>
  /** Undefined where no user has the id. @throws ProtocolError 400 as `add` */
  update(
    id: string,
    changes: Partial<Omit<NewPerson, 'login' | 'emailVerified' | 'phone' | 'factors'>>,
  ): Promise<ControlPerson | undefined>
  remove(id: string): Promise<boolean>
  /**
   * The token with which a user who is STAGED, PROVISIONED or DEPROVISIONED completes the account, for `idx.register({ activationToken })`
   * or `visitor.begins({ activation_token })`; earlier ones become invalid. No mail leaves.
   * @param name the id, login or email
   * @throws Error where there is no such user, or the user is not to be activated
   */
  activationToken(name: string): Promise<string>
}

const kitNames = Object.keys({
  port: true,
  controlPort: true,
  smtpPort: true,
  database: true,
  people: true,
  clients: true,
  redirectUri: true,
  policy: true,
  settings: true,
  clock: true,
  tokens: true,
  hash: true,
  seed: true,
  log: true,
  authenticators: true,
} satisfies Names<KitOptions>)

const waitingNames = Object.keys({
  to: true,
  channel: true,
  template: true,
  after: true,
  timeoutMs: true,
  signal: true,
} satisfies Names<Waiting>)

/** @throws TypeError; what is nested in `settings`, `policy`, `people` and `clients` is refused with the configuration */
function checkKitOptions(options: KitOptions): void {
  checkNames('startEngine', options, kitNames)
  checkOneOf('startEngine: clock', options.clock, ['virtual', 'frozen'])
  checkOneOf('startEngine: tokens', options.tokens, ['real', 'virtual'])
  checkOneOf('startEngine: hash', options.hash, ['fast', 'standard'])
  checkThat('startEngine: seed', options.seed, 'a text', (seed) => typeof seed === 'string')
  checkThat('startEngine: log', options.log, 'a logger with debug, info, warn and error', isLogger)
  checkThat(
    'startEngine: authenticators',
    options.authenticators,
    'a list of authenticators: objects with a key, as defined by the interface Authenticator',
    (list) => Array.isArray(list) && list.every((one: unknown) => typeof memberOf(one, 'key') === 'string'),
  )
  const { settings = {}, policy } = options
  const twice = [
    policy !== undefined && settings.policies !== undefined && 'policy and settings.policies',
    options.database !== undefined &&
      settings.database?.url !== undefined &&
      'database and settings.database.url',
    options.port !== undefined && settings.http?.port !== undefined && 'port and settings.http.port',
    options.people !== undefined && settings.people !== undefined && 'people and settings.people',
  ].find((both) => both !== false)
  if (twice !== undefined) throw new TypeError(`startEngine: ${twice} are the same: give one of them`)
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

const isLogger = (log: unknown): boolean =>
  ['debug', 'info', 'warn', 'error'].every((level) => typeof memberOf(log, level) === 'function')

function checkWaiting(waiting: Waiting | undefined): void {
  checkNames('outbox.waitFor', waiting, waitingNames)
  for (const template of [waiting?.template ?? []].flat()) {
    checkOneOf('outbox.waitFor: template', template, [...templateNames, ...textTemplates])
  }
  checkOneOf('outbox.waitFor: channel', waiting?.channel, channels)
}

function checkLatest(filter: { readonly to?: string; readonly channel?: Channel } | undefined): void {
  checkNames('outbox.latest', filter, ['to', 'channel'])
  checkOneOf('outbox.latest: channel', filter?.channel, channels)
}

/** A running engine with everything that a test needs. */
export interface Kit {
  /** The issuer for the app under test: the `default` authorization server. */
  readonly issuer: string
  readonly orgIssuer: string
  readonly engineUrl: string
  /** A web client with a secret, whose redirect URI is `redirectUri`. */
  readonly clientId: string
  readonly clientSecret: string
  /** A public client that accepts any `http://localhost` redirect URI with a port and no query. */
  readonly publicClientId: string
  readonly redirectUri: string
  /** A token for the management API with all permissions: `Authorization: SSWS …`. */
  readonly apiToken: string
  /** The control API: the kit over HTTP, for other languages and processes. */
  readonly controlUrl: string
  /** The default user, unless `people` is set. */
  readonly person: { readonly login: string; readonly password: string }
  /** The mails, texts and calls that were sent. */
  readonly outbox: MessageReader
  readonly clock: KitClock
  readonly people: KitPeople
  /** What users have enrolled. */
  readonly factors: KitFactors
  readonly faults: Faults
  /** The system log, newest first. */
  events(): ReturnType<Engine['events']>
  /** The timeline of a transaction, by its public id (`trs…`). */
  trace(id: string): ReturnType<Engine['timeline']>
  /** Signs a user in without the pages: for tests that start signed in. */
  signInAs(who: string | { readonly login: string }, options?: SignInOptions): Promise<SignedIn>
  /** A visitor of an app, without an SDK: walks through transactions over HTTP, one request a call. */
  visitor(options?: VisitorOptions): Visitor
  /** Restores the seeded state, including clock and mails. Client ids, secrets and keys stay. */
  reset(): Promise<void>
  close(): Promise<void>
  /** `await using idp = await startEngine()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>
  /** The engine itself. */
  readonly engine: Engine
}

const insecureApiToken = 'rekey-api-token-for-tests-only-known-to-all'
const insecureSecret = 'only for tests: everybody knows this secret'
const insecureClientSecret = 'rekey-web-secret-for-tests-only'

/** The database of one kit. */
interface KitDatabase {
  readonly url: string
  /** Removes the database after the kit is closed. */
  drop(): Promise<void>
}

let createDatabase = async (): Promise<KitDatabase> => ({ url: 'memory', drop: async () => {} })

/** Sets the default database of all kits, to run the same tests on another one. */
export function useDatabases(create: () => Promise<KitDatabase>): void {
  createDatabase = create
}

/**
 * Starts an engine in this process, with an embedded database, real HTTP, an outbox that captures mails over real SMTP,
 * and a clock that the test moves. It runs the code of the product; only its password hash, signing key and clock are
 * made for tests, and production refuses them.
 * @throws TypeError for an option that does not exist, ConfigError for settings that cannot be used
 */
export async function startEngine(options: KitOptions = {}): Promise<Kit> {
  checkKitOptions(options)
  const own = options.database ?? options.settings?.database?.url
  const database = own === undefined ? await createDatabase() : { url: own, drop: async () => {} }
  const redirectUri = options.redirectUri ?? 'http://localhost:8080/login/callback'
  const web = sampleWebClient(redirectUri, insecureClientSecret)
  const clock = new VirtualClock({ frozen: options.clock === 'frozen' })
  const random = options.seed === undefined ? systemRandom : insecureSeededRandom(options.seed)
  const configure = (smtpUrl: string) => configOf(options, { web, smtpUrl, databaseUrl: database.url })
  const { engine, sink, control, port, faults, signInAs, reset, close } = await startDevEnvironment({
    clock,
    log: options.log ?? silentLogger,
    smtpPort: options.smtpPort ?? 0,
    controlPort: options.controlPort ?? 0,
    configure,
    ports: {
      random,
      signingKey: insecureTestSigningKey,
      tokens: options.tokens ?? 'real',
      ...(options.authenticators && { authenticators: options.authenticators }),
      ...(options.hash !== 'standard' && {
        hasher: createHasher({
          parameters: insecureFastHash,
          concurrency: 2,
          queue: 10_000,
          // How busy the machine of a test is says nothing about the app.
          waitMs: 60_000,
        }),
      }),
    },
  })
  const closeAll = async () => {
    await close()
    await database.drop()
  }

  const addresses = {
    issuer: engine.issuers.default,
    engineUrl: engine.baseUrl,
    clientId: web.id,
    clientSecret: insecureClientSecret,
    redirectUri,
    outbox: checkedReader(sink.messages),
  }

  return {
    ...addresses,
    orgIssuer: engine.issuers.org,
    publicClientId: samplePublicClient.id,
    apiToken: options.settings?.management?.apiToken ?? insecureApiToken,
    controlUrl: control.url,
    person: { login: mary.login, password: mary.password },
    clock: {
      now: () => port.clock.now(),
      advance: (span) => moved(port.clock.advance(spanOf(span))),
      set: (to) => moved(port.clock.set(momentOf(to))),
    },
    people: {
      list: port.people.list,
      get: port.people.get,
      add: async (person) => port.people.add(readNewPerson(person)),
      // Without a change it answers the user as it is.
      update: async (id, changes) =>
        Object.keys(changes).length === 0
          ? port.people.get(id)
          : port.people.update(id, readPersonChanges(changes)),
      remove: port.people.remove,
      async activationToken(name) {
        const person = await engine.people.find(name)
        const activated = person && (await engine.people.activate(person.id))
        if (activated?.token !== undefined) return activated.token
        throw new Error(
          person === undefined
            ? `activationToken: there is no user ${JSON.stringify(name)}`
            : `activationToken: ${name} has a password, and is ACTIVE without a token`,
        )
      },
    },
    factors: port.factors,
    faults,
    async events(...options: readonly unknown[]) {
      checkNothing('events', options)
      return engine.events()
    },
    trace: (id) => engine.timeline(id),
    async signInAs(who, wanted) {
      const { login, ...request } = readSignIn({
        ...wanted,
        login: typeof who === 'string' ? who : who.login,
      })
      return signInAs(login, request)
    },
    visitor: (wanted) => newVisitor(addresses, wanted),
    async reset(...options: readonly unknown[]) {
      checkNothing('reset', options)
      await reset()
    },
    close: closeAll,
    [Symbol.asyncDispose]: closeAll,
    engine,
  }
}

function configOf(
  { settings = {}, policy, ...options }: KitOptions,
  made: { readonly web: ClientConfig; readonly smtpUrl: string; readonly databaseUrl: string },
): Config {
  // The check of the configuration fills in the defaults.
  const clients = [
    made.web,
    samplePublicClient,
    ...(options.clients ?? []),
    ...(settings.clients ?? []),
  ] as ClientConfig[]
  return checkConfig({
    mode: 'test',
    secrets: [insecureSecret],
    ...settings,
    ...(policy && { policies: policy }),
    signUp: { open: true, ...settings.signUp },
    management: { apiToken: insecureApiToken, ...settings.management },
    database: { ...settings.database, url: made.databaseUrl },
    http: { port: options.port ?? 0, ...settings.http },
    mail: { url: made.smtpUrl, spreadMs: 0, ...settings.mail },
    // As with the fast hash: a refusal on a busy machine says nothing about the app.
    password: { waitMs: 60_000, ...settings.password },
    people: [...(options.people ?? settings.people ?? [mary])],
    clients,
  })
}

/** The outbox, of which a mistyped filter would match every mail. */
const checkedReader = (messages: MessageReader): MessageReader => ({
  all: messages.all,
  to: messages.to,
  get: messages.get,
  clear: messages.clear,
  latest(filter) {
    checkLatest(filter)
    return messages.latest(filter)
  },
  async waitFor(waiting) {
    checkWaiting(waiting)
    return messages.waitFor(waiting)
  },
})

/** A promise that need not be awaited: where the database cannot follow, the next request reports it. */
function moved(move: Promise<void> | void): Promise<void> {
  const done = Promise.resolve(move)
  done.catch(() => {})
  return done
}

function spanOf(text: string | number): number {
  const span = typeof text === 'number' ? text : parseDuration(text)
  if (span === undefined || !Number.isFinite(span))
    throw new ProtocolError(400, 'bad_duration', `clock.advance: "${text}" is no span such as 5m or 1h30m`)
  return span
}

function momentOf(to: string): number {
  const at = parseTime(to)
  if (at === undefined)
    throw new ProtocolError(400, 'bad_time', `clock.set: "${to}" is no ISO time such as 2031-05-06T07:08:09Z`)
  return at
}
