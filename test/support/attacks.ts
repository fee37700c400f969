import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { silentLogger, VirtualClock } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { type MessageReader, type SmtpSink, startSmtpSink } from '../../src/devtools/index.ts'
import { type Engine, type EnginePorts, openEngine } from '../../src/engine/index.ts'
import {
  type Answer,
  type Kit,
  type KitOptions,
  newVisitor,
  startEngine,
  type Visitor,
  type VisitorOptions,
  type VisitorTarget,
} from '../../src/testing/index.ts'

/** `npm run attacks -- --full`: the figures of the corpus instead of those that keep the default run short. */
export const isFull = process.env.REKEY_ATTACKS_FULL === '1'
export const scale = (short: number, full: number): number => (isFull ? full : short)

// A flood takes as long as it takes: how fast the machine is decides nothing here.
vi.setConfig({ testTimeout: scale(240_000, 4 * 3_600_000), hookTimeout: 120_000 })

export const newPassword = 'Lighthouse-Biscuit-77'

/** Budgets by network address that stand in no attack's way: only A11 is about them. */
export const manyRequests = {
  requests: {
    idxPerAddress: 1e9,
    interactPerAddress: 1e9,
    tokenPerAddress: 1e9,
    perClient: 1e9,
    perStateHandle: 1e9,
    mailsPerSource: 1e9,
    mailsPerClient: 1e9,
  },
  sprayPerAddressMinute: 1e9,
  sprayPerAddressHour: 1e9,
  sprayEverywhere: 1e9,
  sprayPerAddressUnderAttack: 1e9,
} as const

/** An engine whose clock stands still, so that only the test moves it. */
export const startTarget = (options: KitOptions = {}): Promise<Kit> =>
  startEngine({
    clock: 'frozen',
    ...options,
    settings: { ...options.settings, limits: { ...manyRequests, ...options.settings?.limits } },
  })

/** Budgets that let a guess through as often as the attacker likes to ask for another mail. */
export const manyMails = { mailsPerRecipient: 1_000_000 } as const

/** An engine with its mails. */
export type Attacked = VisitorTarget & Pick<Kit, 'engine' | 'outbox'>

/** A visitor whose transaction has begun. */
export async function visit(idp: VisitorTarget, options: VisitorOptions = {}): Promise<Visitor> {
  const visitor = newVisitor(idp, options)
  await visitor.begins()
  return visitor
}

/** A visitor whose recovery waits for the mailed code. */
export const atTheCode = (
  idp: VisitorTarget,
  identifier: string,
  options: VisitorOptions = {},
): Promise<Visitor> => newVisitor(idp, options).atTheCode(identifier)

/** A visitor who may set a new password. */
export async function atTheReset(idp: Attacked, identifier: string): Promise<Visitor> {
  const visitor = await atTheCode(idp, identifier)
  await visitor.answers((await mailTo(idp, identifier)).code)
  expect(visitor.remediations).toEqual(['reset-authenticator'])
  return visitor
}

/** The newest mail to an address, once everything that is due has been delivered. */
export async function mailTo(idp: Attacked, address: string) {
  await idp.engine.delivery.idle()
  const mail = idp.outbox.latest({ to: address })
  if (mail === undefined) throw new Error(`no mail went to ${address}`)
  return mail
}

/** How many mails went out, once everything that is due has been delivered. */
export async function mailCount(idp: Attacked): Promise<number> {
  await idp.engine.delivery.idle()
  return idp.outbox.all().length
}

/** A code that is not this one, of the same kind. */
export const wrongCode = (code: string | null | undefined, step = 1): string => {
  if (code === undefined || code === null || !/^\d{6}$/.test(code)) return 'AAAAAAAAAA'
  return String((Number(code) + step) % 1_000_000).padStart(6, '0')
}

/** Starts everything at once. */
export const parallel = <T>(times: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => work(index)))

/** What an answer says when ids, handles and times are masked: equal texts tell an attacker nothing. */
export function masked({ status, headers, body }: Answer, identifier: string): string {
  const text = JSON.stringify(body)
    .replaceAll(identifier, '<identifier>')
    .replace(/"m?\w?\*\*\*\w?@/g, '"<masked>@')
    .replace(/02\.id\.[\w-]{43}/g, '<state handle>')
    .replace(/"(eae|lae)\w{17}"/g, '"<enrollment>"')
    .replace(/"expiresAt":"[^"]+"/g, '"expiresAt":"<time>"')
    .replace(/"oae\w{17}"/g, '"<error id>"')
  const lines = [...headers].map(([name, value]) =>
    ['x-okta-request-id', 'date', 'x-rate-limit-reset'].includes(name)
      ? `${name}: <masked>`
      : `${name}: ${value}`,
  )
  return [status, ...lines.sort(), text].join('\n')
}

/** An engine that is built by hand, with ports and settings that the kit keeps for itself. */
export interface Node extends VisitorTarget {
  readonly engine: Engine
  readonly outbox: MessageReader
  readonly sink: SmtpSink
  readonly clock: VirtualClock
  close(): Promise<void>
}

export const nodeSecret = 'only for tests: everybody knows this secret'

const app = {
  clientId: 'rekey-web',
  clientSecret: 'rekey-web-secret-for-tests-only',
  redirectUri: 'http://localhost:8080/login/callback',
}

export function nodeSettings(mailUrl: string, settings: Settings = {}): Settings {
  return {
    mode: 'test',
    secrets: [nodeSecret],
    people: [{ login: 'mary@example.com', password: 'Tangerine-Kettle-42' }],
    clients: [
      {
        id: app.clientId,
        secret: app.clientSecret,
        label: 'Sample Web App',
        applicationType: 'web',
        redirectUris: [app.redirectUri],
        postLogoutRedirectUris: [],
      },
    ],
    ...settings,
    http: { port: 0, ...settings.http },
    mail: { url: mailUrl, ...settings.mail },
    // How busy the machine is decides nothing here.
    password: { waitMs: 60_000, ...settings.password },
    limits: { ...manyRequests, ...settings.limits },
  }
}

export async function startNode(
  options: { readonly settings?: Settings; readonly ports?: EnginePorts } = {},
): Promise<Node> {
  const clock = new VirtualClock({ frozen: true })
  const sink = await startSmtpSink({ clock })
  const config = checkConfig(nodeSettings(sink.url, options.settings))
  const engine = await openEngine(config, { clock, log: silentLogger, ...options.ports })
  return {
    issuer: engine.issuers.default,
    engineUrl: engine.baseUrl,
    ...app,
    engine,
    sink,
    clock,
    outbox: sink.messages,
    async close() {
      await engine.close()
      await sink.close()
    },
  }
}

/** An engine in a process of its own, on a database that others may share. */
export interface EngineProcess extends VisitorTarget {
  /** As a power cut would: nothing is finished. */
  kill(): Promise<void>
}

export async function startEngineProcess(
  settings: Settings,
  options: { readonly dieAt?: number } = {},
): Promise<EngineProcess> {
  const script = join(import.meta.dirname, 'engine-process.ts')
  const child = spawn(
    process.execPath,
    [script, JSON.stringify(settings), String(options.dieAt ?? '')].filter(Boolean),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'rekey-test-compile-cache') },
    },
  )
  const ended = once(child, 'exit')
  const line = once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => JSON.parse(String(text)))
  const failed = ended.then(([code]) => {
    throw new Error(`the engine ended with code ${code} before it was ready`)
  })
  const ready = (await Promise.race([line, failed])) as Pick<VisitorTarget, 'engineUrl' | 'issuer'>
  failed.catch(() => {})
  return {
    ...ready,
    ...app,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
