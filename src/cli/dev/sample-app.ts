import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Environment, insecureDevPrefix } from '../../config/index.ts'
import { CommandError } from '../command.ts'
import { portInUse } from './ports.ts'

/** Compiled: Node strips no types of what stands in `node_modules`. */
const server = join(import.meta.dirname, '../../../dist/sample-app/server.js')
const needed = ['@okta/okta-auth-js', 'express', 'express-session', 'libphonenumber-js']
const exitWithParent = new URL(`../exit-with-parent${extname(import.meta.filename)}`, import.meta.url)

/** The sample app in its own process, like any other app. */
export interface SampleApp {
  readonly url: string
  close(): Promise<void>
}

interface SampleAppOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** 0: any free port. */
  readonly port: number
  readonly inboxUrl: string
  /** How long a mailed code works, as text. */
  readonly codeLifetime: string
  readonly env: Environment
  /** How `rekey dev` was started. */
  readonly command: string
  /** Receives the lines that the app writes to its standard output and error. */
  note(line: string): void
  /** Called when the process ends without `close` having been called. */
  onLost(): void
}

/** The packages that the sample app needs and that are not installed here: they are no dependencies of the engine. */
export function missingPackages(): readonly string[] {
  const { resolve } = createRequire(server)
  return needed.filter((name) => {
    try {
      resolve(name)
      return false
    } catch {
      return true
    }
  })
}

/** Starts the sample app and waits until it listens. Throws a CommandError with the reason if it does not. */
export async function startSampleApp(options: SampleAppOptions): Promise<SampleApp> {
  if (!existsSync(server))
    throw new CommandError('the sample app is not part of this installation; use --no-app')
  const child = spawn(process.execPath, ['--import', exitWithParent.href, server], {
    env: environment(options),
    // No terminal input: the app ends when `close` is called, not by Ctrl+C.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let isEnding = false
  let errorOutput = ''
  const exited = once(child, 'exit')
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorOutput = (errorOutput + text).slice(-4000)
  })
  const close = async () => {
    isEnding = true
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 2500)
    await exited
    clearTimeout(timer)
  }

  const url = await Promise.race([readyUrl(child, options.note), exited.then(() => undefined)])
  if (url === undefined) throw new CommandError(startFailure(errorOutput, options))
  createInterface({ input: child.stderr ?? process.stdin }).on('line', options.note)
  void exited.then(() => isEnding || options.onLost())
  return { url, close }
}

/** The environment of the app, without variables of another project such as APP_URL, which would break redirects. */
function environment({
  issuer,
  clientId,
  clientSecret,
  port,
  inboxUrl,
  codeLifetime,
  env,
}: SampleAppOptions) {
  const { APP_URL: _1, TRUST_PROXY: _2, SESSION_SECRET: _3, ...rest } = env
  return {
    ...rest,
    ISSUER: issuer,
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    PORT: String(port),
    HOST: '127.0.0.1',
    INBOX_URL: inboxUrl,
    CODE_LIFETIME: codeLifetime,
    MANAGE_METHODS: 'yes',
  }
}

/** The address from the line `ready ADDRESS`. All other lines are passed on. */
function readyUrl(child: ChildProcess, note: (line: string) => void): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      const url = /^ready (http\S+)$/.exec(line)?.[1]
      if (url === undefined) note(line)
      else resolve(url)
    })
  })
}

function startFailure(
  errorOutput: string,
  { port, command }: Pick<SampleAppOptions, 'port' | 'command'>,
): string {
  if (errorOutput.includes('EADDRINUSE')) return portInUse(port, '--app-port', command)
  const lines = errorOutput
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes(insecureDevPrefix))
  return ['the sample app did not start; use --no-app to start without it', ...lines.slice(-12)].join('\n  ')
}
