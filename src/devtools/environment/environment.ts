import { rpIdOf } from '../../authenticators/index.ts'
import { createSecrets, type Logger, systemRandom, VirtualClock } from '../../base/index.ts'
import type { ClientConfig, Config, PersonConfig } from '../../config/index.ts'
import { createMemoryTexts, loadTemplates } from '../../delivery/index.ts'
import { type Engine, type EnginePorts, lifetimesOf, openEngine } from '../../engine/index.ts'
import type { InboxHints } from '../control/options.ts'
import type { ControlPort } from '../control/port.ts'
import { type ControlServer, startControlServer } from '../control/server.ts'
import { type SmtpSink, startSmtpSink } from '../control/smtp-sink.ts'
import { createRecorder } from '../inspector/index.ts'
import { type Addresses, landingPage } from '../pages/index.ts'
import { kitFactors } from './factors.ts'
import { createFaults, type Faults } from './faults.ts'
import { flowsOf } from './inspection.ts'
import { controlPortOf } from './port.ts'
import { type RefusedCall, reportRefusals } from './refusals.ts'
import { type SignedIn, type SignInOptions, signIn } from './sign-in.ts'

/** An engine with the development services around it: SMTP server, inbox, control API. */
export interface DevEnvironment {
  readonly engine: Engine
  readonly sink: SmtpSink
  readonly control: ControlServer
  /** The operations of the control API, without HTTP. */
  readonly port: ControlPort
  readonly faults: Faults
  /** Signs a user in without the pages. */
  signInAs(login: string, wanted?: SignInOptions): Promise<SignedIn>
  /** Restores the seeded state, including clock and mails. Client ids, secrets and keys stay. */
  reset(): Promise<void>
  close(): Promise<void>
}

export interface DevEnvironmentOptions {
  /** Creates the configuration, given the address of the SMTP server. */
  configure(smtpUrl: string): Config
  readonly log: Logger
  readonly clock?: VirtualClock
  /** The default is 0: any free port. */
  readonly smtpPort?: number
  readonly controlPort?: number
  readonly hints?: InboxHints
  readonly ports?: EnginePorts
  /** Called with each call of an app that is refused before there is a page to show it. */
  readonly onRefused?: (refused: RefusedCall) => void
}

/** The default user. */
export const mary = {
  login: 'mary@example.com',
  password: 'Tangerine-Kettle-42',
  firstName: 'Mary',
  lastName: 'Major',
} as const satisfies PersonConfig

/** A web client with a secret and the given redirect URI. */
export const sampleWebClient = (redirectUri: string, secret: string): ClientConfig => ({
  id: 'rekey-web',
  secret,
  label: 'Sample Web App',
  applicationType: 'web',
  redirectUris: [redirectUri],
  // With and without the slash at the end: apps use both.
  postLogoutRedirectUris: [new URL('/', redirectUri).href, new URL(redirectUri).origin],
})

/** A public client that accepts any `http://localhost` redirect URI with a port and no query, and may redirect to `authorize`. */
export const samplePublicClient: ClientConfig = {
  id: 'rekey-public',
  label: 'Sample Browser App',
  applicationType: 'browser',
  redirectUris: [],
  postLogoutRedirectUris: [],
  // It stands for apps that show their own pages and for those that redirect to the engine's.
  grantTypes: ['authorization_code', 'interaction_code', 'refresh_token'],
  insecureLocalhostRedirects: true,
}

/** Starts an SMTP server that captures all mails, an engine that uses it, and the control API for both. */
export async function startDevEnvironment(options: DevEnvironmentOptions): Promise<DevEnvironment> {
  const { log, clock = new VirtualClock() } = options
  // Parts are closed in reverse order: by `close`, or if the next part fails to start.
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne()
  }
  try {
    const sink = await startSmtpSink({ port: options.smtpPort ?? 0, clock, logger: log })
    closers.push(sink.close)
    const faults = createFaults(() => paths())
    const config = options.configure(sink.url)
    const recorder = createRecorder()
    // Whether there may be anything that a clock that is moved back has to take along.
    const used = { sinceReset: false }
    let seededAt = 0
    let paths = (): readonly string[] => []
    let addresses: Omit<Addresses, 'appUrl'> | undefined
    const unknownPage = (path: string) =>
      addresses && landingPage(path, { ...addresses, appUrl: options.hints?.appUrl?.() })
    const engine = await openEngine(config, {
      clock,
      log,
      recordExchange: (exchange) => {
        used.sinceReset = true
        recorder.observe(exchange)
      },
      fault: (_, path) => faults.take(path),
      unknownPage,
      // Texts and calls stand beside the mails, unless a test has a service of its own.
      ...(config.telephony.hook.url === undefined && {
        texts: createMemoryTexts((text) => void sink.messages.addText(text)),
      }),
      ...options.ports,
    })
    closers.push(engine.close)
    paths = () => engine.paths
    // Stored data may have times in the future, if the clock was moved: the monotonic clock must not wait for them.
    engine.clock.rewind()
    seededAt = engine.clock.now()

    const reset = async () => {
      clock.reset()
      faults.clear()
      sink.faults.clear()
      await engine.reset()
      sink.messages.clear()
      recorder.clear()
      used.sinceReset = false
      seededAt = engine.clock.now()
    }
    const clientSecrets = new Map(config.clients.flatMap(({ id, secret }) => (secret ? [[id, secret]] : [])))
    const signInParts = {
      engine,
      clientSecrets,
      secrets: createSecrets(config.secrets),
      random: options.ports?.random ?? systemRandom,
      sessionMs: lifetimesOf(config).session,
      redirectUri: 'http://localhost:8080/login/callback',
    }
    const signInAs: DevEnvironment['signInAs'] = (login, wanted) => signIn(signInParts, login, wanted)
    const port: ControlPort = {
      ...controlPortOf(engine, {
        clock,
        faults,
        reset,
        recorder,
        factors: kitFactors(engine, {
          secrets: signInParts.secrets,
          random: signInParts.random,
          rpId: () => rpIdOf(config.webauthn, { baseUrl: engine.baseUrl }),
        }),
        seededAt: () => seededAt,
        isUsed: () => used.sinceReset,
      }),
      flows: flowsOf(engine, recorder, lifetimesOf(config).code),
      engineUrl: engine.baseUrl,
      adminUrl: `${engine.baseUrl}/admin#token=${config.management.apiToken ?? ''}`,
      signIn: signInAs,
      unknownPage: () => unknownPage('/not-served')?.markup,
      templates: () => loadTemplates({ folder: config.mail.templates }),
    }
    if (options.onRefused && port.flows) reportRefusals(recorder, port.flows, options.onRefused)
    const control = await startControlServer({
      port: options.controlPort ?? 0,
      engine: port,
      sink,
      logger: log,
      ...(options.hints && { hints: options.hints }),
    })
    closers.push(control.close)
    addresses = {
      engineUrl: engine.baseUrl,
      issuer: engine.issuers.default,
      controlUrl: control.url,
      adminUrl: `${control.url}/admin`,
    }
    return { engine, sink, control, port, faults, signInAs, reset, close }
  } catch (error) {
    await close()
    throw error
  }
}
