import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LevelWithSilent } from 'pino'
import type { Settings } from '../../src/config/index.ts'

/** The settings of an engine process. */
export interface EngineOrder {
  readonly database: string
  readonly hash: 'free' | 'standard'
  /** The SMTP server. Absent: this process delivers no mails. */
  readonly smtpUrl?: string
  readonly knownCodes?: boolean
  /** Of the one app. Default: those of an app of the SDK. */
  readonly grantTypes?: readonly ('interaction_code' | 'authorization_code')[]
  readonly settings?: Settings
  readonly logLevel?: LevelWithSilent
  /** How many processes answer. Default: one, without a primary. */
  readonly workers?: number
}

/** `collect` runs a garbage collection first, `idle` waits until all mails are delivered. */
export type Question = 'usage' | 'collect' | 'idle' | 'close'

/** The resources that a process has used since its start. */
export interface Usage {
  readonly cpuMs: number
  readonly rss: number
  readonly heapUsed: number
  readonly hashes: number
  /** The processes of the workers, where there are several. Their CPU is counted; hashes are not. */
  readonly pids?: readonly number[]
}

export interface EngineProcess {
  readonly url: string
  readonly pid: number
  /** The time from the fork until it can answer requests. */
  readonly startMs: number
  ask(question: Exclude<Question, 'close'>): Promise<Usage>
  /** Resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  close(): Promise<void>
}

export const startEngineProcess = (
  order: EngineOrder,
  execArgv?: readonly string[],
): Promise<EngineProcess> => startProcess(join(import.meta.dirname, 'engine-process.ts'), order, execArgv)

/** Starts a process that answers these questions: an engine or a peer. */
export async function startProcess(
  file: string,
  order: object,
  execArgv: readonly string[] = ['--expose-gc'],
): Promise<EngineProcess> {
  const begun = performance.now()
  const child = fork(file, [JSON.stringify(order)], {
    execArgv: [...execArgv],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const { url } = await answerOf<{ readonly url: string }>(child)
  const startMs = performance.now() - begun
  const gone = once(child, 'exit')
  return {
    url,
    pid: child.pid ?? 0,
    startMs,
    ask(question) {
      child.send(question)
      return answerOf<Usage>(child)
    },
    async kill(signal) {
      child.kill(signal)
      await gone
    },
    async close() {
      child.send('close' satisfies Question)
      await gone
    },
  }
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const over = new AbortController()
  const ended = once(child, 'exit', { signal: over.signal }).then(([code]) => {
    throw new Error(`the engine's process ended with ${code}`)
  })
  ended.catch(() => {})
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: over.signal }), ended])) as [T]
    return message
  } finally {
    over.abort()
  }
}
