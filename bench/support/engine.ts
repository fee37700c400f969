import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LevelWithSilent } from 'pino'
import type { Settings } from '../../src/config/index.ts'

/** What the process of an engine is to be. */
export interface EngineOrder {
  readonly database: string
  readonly hash: 'free' | 'standard'
  /** Where mails go; absent: this process delivers none. */
  readonly smtpUrl?: string
  readonly knownCodes?: boolean
  readonly settings?: Settings
  readonly logLevel?: LevelWithSilent
}

/** `collect` collects garbage first, `idle` waits until all mails are delivered. */
export type Question = 'usage' | 'collect' | 'idle' | 'close'

/** What a process has used since its start. */
export interface Usage {
  readonly cpuMs: number
  readonly rss: number
  readonly heapUsed: number
  readonly hashes: number
}

export interface EngineProcess {
  readonly url: string
  readonly pid: number
  /** From the fork to the first request it can answer. */
  readonly startMs: number
  ask(question: Exclude<Question, 'close'>): Promise<Usage>
  /** Settles once the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  close(): Promise<void>
}

export const startEngineProcess = (
  order: EngineOrder,
  execArgv?: readonly string[],
): Promise<EngineProcess> => startProcess(join(import.meta.dirname, 'engine-process.ts'), order, execArgv)

/** A process that answers the questions above: the engine's, or a peer's. */
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
