import { createSecrets, type Logger, systemRandom, VirtualClock } from '../base/index.ts'
import type { ClientConfig, Config, PersonConfig } from '../config/index.ts'
import { loadTemplates } from '../delivery/index.ts'
import {
  type ControlPort,
  type ControlServer,
  createRecorder,
  type InboxHints,
  type SmtpSink,
  startControlServer,
  startSmtpSink,
} from '../devtools/index.ts'
import { type Engine, type EnginePorts, lifetimesOf, openEngine } from '../engine/index.ts'
import { createFaults, type Faults } from './faults.ts'
import { flowsOf } from './inspection.ts'
import { controlPortOf } from './port.ts'
import { type SignedIn, type SignInOptions, signIn } from './sign-in.ts'

/** An engine with everything around it that only development and tests have. */
export interface DevEnvironment {
  readonly engine: Engine
  readonly sink: SmtpSink
  readonly control: ControlServer
  /** What the control API does, without HTTP. */
  readonly port: ControlPort
  readonly faults: Faults
  /** Tokens for somebody, without walking the pages. */
  signInAs(login: string, wanted?: SignInOptions): Promise<SignedIn>
  /** Back to the seed, clock and mails included; client ids, secrets and keys stay. */
  reset(): Promise<void>
  close(): Promise<void>
}

export interface DevEnvironmentOptions {
  /** The configuration, once the address that takes the mails is known. */
  configure(smtpUrl: string): Config
  readonly log: Logger
  readonly clock?: VirtualClock
  /** 0, the default, takes any free port. */
  readonly smtpPort?: number
  readonly controlPort?: number
  readonly hints?: InboxHints
  readonly ports?: EnginePorts
}

/** Who is there when nobody else is named. */
export const mary = {
  login: 'mary@example.com',
  password: 'Tangerine-Kettle-42',
  firstName: 'Mary',
  lastName: 'Major',
} as const satisfies PersonConfig

/** A web client with a secret, whose people come back to `redirectUri`. */
export const sampleWebClient = (redirectUri: string, secret: string): ClientConfig => ({
  id: 'rekey-web',
  secret,
  label: 'Sample Web App',
  applicationType: 'web',
  redirectUris: [redirectUri],
  // With and without the slash: what an app calls its own address differs.
  postLogoutRedirectUris: [new URL('/', redirectUri).href, new URL(redirectUri).origin],
})

/** A client without a secret, for any `http://localhost` address. */
export const samplePublicClient: ClientConfig = {
  id: 'rekey-public',
  label: 'Sample Browser App',
  applicationType: 'browser',
  redirectUris: [],
  postLogoutRedirectUris: [],
  insecureLocalhostRedirects: true,
}

/** Starts an SMTP server that keeps all mails, an engine that sends to it, and the control API over both. */
export async function startDevEnvironment(options: DevEnvironmentOptions): Promise<DevEnvironment> {
  const { log, clock = new VirtualClock() } = options
  // What was started is ended again, the last one first: at the end, or when the next one does not start.
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne()
  }
  try {
    const sink = await startSmtpSink({ port: options.smtpPort ?? 0, clock, logger: log })
    closers.push(sink.close)
    const faults = createFaults()
    const config = options.configure(sink.url)
    const recorder = createRecorder()
    const engine = await openEngine(config, {
      clock,
      log,
      recordExchange: recorder.observe,
      fault: (_, path) => faults.take(path),
      ...options.ports,
    })
    closers.push(engine.close)
    // Kept data may be from a time that the clock was moved to; a clock that waits for it would stand still.
    engine.clock.rewind()

    const reset = async () => {
      clock.reset()
      faults.clear()
      sink.faults.clear()
      await engine.reset()
      sink.messages.clear()
      recorder.clear()
    }
    const clientSecrets = new Map(config.clients.flatMap(({ id, secret }) => (secret ? [[id, secret]] : [])))
    const signingIn = {
      engine,
      clientSecrets,
      secrets: createSecrets(config.secrets),
      random: options.ports?.random ?? systemRandom,
      sessionMs: lifetimesOf(config).session,
      redirectUri: 'http://localhost:8080/login/callback',
    }
    const signInAs: DevEnvironment['signInAs'] = (login, wanted) => signIn(signingIn, login, wanted)
    const port: ControlPort = {
      ...controlPortOf(engine, { clock, faults, reset, recorder }),
      flows: flowsOf(engine, recorder, lifetimesOf(config).code),
      engineUrl: engine.baseUrl,
      adminUrl: `${engine.baseUrl}/admin#token=${config.management.apiToken ?? ''}`,
      signIn: signInAs,
      templates: () => loadTemplates({ folder: config.mail.templates }),
    }
    const control = await startControlServer({
      port: options.controlPort ?? 0,
      engine: port,
      sink,
      logger: log,
      ...(options.hints && { hints: options.hints }),
    })
    closers.push(control.close)
    return { engine, sink, control, port, faults, signInAs, reset, close }
  } catch (error) {
    await close()
    throw error
  }
}
