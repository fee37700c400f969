import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

const root = join(import.meta.dirname, '../..')
const ownBin = join(root, 'bin/rekey.cjs')

export interface RunOptions {
  /** The working folder. */
  readonly folder: string
  /** Besides the path to programs, the only environment. */
  readonly env?: Readonly<Record<string, string>>
  /** What stands on standard input. */
  readonly input?: string
  /** Another installation's command; default: this checkout's. */
  readonly bin?: string
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the built command to its end. */
export async function rekey(args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = start(args, options)
  child.stdin.end(options.input ?? '')
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, stdout, stderr }
}

/** The built command as a process of its own, with nothing of this process's environment. */
export function start(
  args: readonly string[],
  { folder, env = {}, bin = ownBin }: RunOptions,
): ChildProcessWithoutNullStreams {
  if (!existsSync(join(root, 'dist/cli/main.js'))) throw new Error('npm run build makes what is tested here')
  return spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
  })
}

/** What `rekey dev --json` prints. */
export interface DevLine {
  readonly ready: true
  readonly issuer: string
  readonly orgIssuer: string
  readonly engineUrl: string
  readonly appUrl: string | null
  readonly controlUrl: string
  readonly smtpUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly publicClientId: string
  readonly apiToken: string
  readonly person: { readonly login: string; readonly password: string | null }
  readonly signUp: boolean
  readonly data?: string
}

export interface Dev extends DevLine {
  readonly child: ChildProcess
  /** Everything on standard output so far. */
  readonly stdout: () => string
  /** Everything on standard error, once it has ended. */
  readonly complaints: Promise<string>
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly ms: number }>
}

export const anyPorts = ['--port', '0', '--app-port', '0', '--inbox-port', '0', '--smtp-port', '0'] as const

/** A `rekey dev` that is ready. Throws with everything that it said where it does not get that far. */
export async function startDev(args: readonly string[], options: RunOptions): Promise<Dev> {
  const child = start(['dev', '--json', ...args], options)
  const lines: string[] = []
  const complaints = text(child.stderr)
  const output = createInterface({ input: child.stdout })
  output.on('line', (line) => lines.push(line))
  const ended = once(child, 'exit')
  const first = await Promise.race([once(output, 'line') as Promise<[string]>, ended])
  if (typeof first[0] !== 'string') throw new Error(`rekey dev ended with ${first[0]}: ${await complaints}`)
  return {
    ...(JSON.parse(first[0]) as DevLine),
    child,
    stdout: () => lines.join('\n'),
    complaints,
    end: (signal = 'SIGTERM') => end(child, signal),
  }
}

/** Sends a signal, unless the process has ended already, and waits for the end. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM') {
  const began = performance.now()
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  return { code: child.exitCode, ms: performance.now() - began }
}

/** Whether a server listens there. */
export async function listens(url: string): Promise<boolean> {
  const { port } = new URL(url)
  const socket = createConnection({ port: Number(port), host: '127.0.0.1' })
  const isOpen = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return isOpen
}

/** Waits until something has become true. */
export async function until(what: () => Promise<boolean> | boolean, withinMs = 120_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await what())) {
    if (performance.now() > deadline) throw new Error('it has not become true in time')
    await pause(20)
  }
}
