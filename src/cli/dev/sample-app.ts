import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Environment, insecureDevPrefix } from '../../config/index.ts'
import { CommandError } from '../command.ts'

const server = join(import.meta.dirname, '../../../examples/web/server.ts')
const leash = new URL(`../leash${extname(import.meta.filename)}`, import.meta.url)

/** The sample app in a process of its own, as everybody else's app is. */
export interface SampleApp {
  readonly url: string
  close(): Promise<void>
}

export interface SampleAppOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** 0: any free one. */
  readonly port: number
  readonly inboxUrl: string
  readonly env: Environment
  /** What the app writes to its standard output and error. */
  say(line: string): void
  /** Called when it ends without having been told to. */
  onLost(): void
}

/** Starts the sample app and waits until it listens. Throws a CommandError that says why it did not. */
export async function startSampleApp(options: SampleAppOptions): Promise<SampleApp> {
  if (!existsSync(server))
    throw new CommandError('the sample app is not part of this installation; use --no-app')
  const child = spawn(process.execPath, ['--import', leash.href, server], {
    env: environment(options),
    // Not of this terminal's group, or Ctrl+C would end it before it is told to.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let isEnding = false
  let complaints = ''
  const exited = once(child, 'exit')
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000)
  })
  const close = async () => {
    isEnding = true
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 2500)
    await exited
    clearTimeout(timer)
  }

  const url = await Promise.race([readyUrl(child, options.say), exited.then(() => undefined)])
  if (url === undefined) throw new CommandError(whyNot(complaints, options.port))
  createInterface({ input: child.stderr ?? process.stdin }).on('line', options.say)
  void exited.then(() => isEnding || options.onLost())
  return { url, close }
}

/** Only what the app is meant to read: an APP_URL of somebody else's project would lead people astray. */
function environment({ issuer, clientId, clientSecret, port, inboxUrl, env }: SampleAppOptions) {
  const { APP_URL: _1, TRUST_PROXY: _2, SESSION_SECRET: _3, ...rest } = env
  return {
    ...rest,
    ISSUER: issuer,
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    PORT: String(port),
    HOST: '127.0.0.1',
    INBOX_URL: inboxUrl,
  }
}

/** The address from the line `ready ADDRESS`; all other lines are passed on. */
function readyUrl(child: ChildProcess, say: (line: string) => void): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      const url = /^ready (http\S+)$/.exec(line)?.[1]
      if (url === undefined) say(line)
      else resolve(url)
    })
  })
}

function whyNot(complaints: string, port: number): string {
  if (complaints.includes('EADDRINUSE')) return taken(port, '--app-port')
  const lines = complaints
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes(insecureDevPrefix))
  return ['the sample app did not start; use --no-app to go without it', ...lines.slice(-12)].join('\n  ')
}

export const taken = (port: number, flag: string): string =>
  `port ${port} is taken: end what runs there, or choose another one: rekey dev ${flag} ${port + 1} (0: any free one)`
