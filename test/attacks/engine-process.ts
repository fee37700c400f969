import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { flushCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StatementSync } from 'node:sqlite'
import pg from 'pg'
import { silentLogger } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import type { VisitorTarget } from '../../src/testing/index.ts'

/** An engine in a process of its own, on a database that others may share. */
export interface EngineProcess extends VisitorTarget {
  /** As a power cut would: nothing is finished. */
  kill(): Promise<void>
}

/** Starts this file as a program. With `dieAt` it dies as by kill -9 in front of that write of the next move of a transaction. */
export async function startEngineProcess(
  settings: Settings,
  options: { readonly dieAt?: number } = {},
): Promise<EngineProcess> {
  const child = spawn(
    process.execPath,
    [import.meta.filename, JSON.stringify(settings), String(options.dieAt ?? '')].filter(Boolean),
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
  const [client] = settings.clients ?? []
  return {
    ...ready,
    clientId: client?.id ?? '',
    clientSecret: client?.secret ?? '',
    redirectUri: client?.redirectUris[0] ?? '',
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

if (import.meta.main) await runEngine()

async function runEngine(): Promise<void> {
  const dieAt = Number(process.argv[3] ?? 'NaN')
  let statements: number | undefined
  let isCommitted = false
  function dieInFrontOf(text: string): void {
    if (/\bupdate "?transactions"?/i.test(text)) statements ??= 0
    // On PostgreSQL several travel as parts of one.
    const writes = /^\s*(insert|update|delete|commit|with s0)/i.test(text)
    // What comes behind the commit, such as the delivery of mails, is no part of the move.
    if (statements === undefined || isCommitted || !writes) return
    if (statements++ === dieAt) process.kill(process.pid, 'SIGKILL')
    isCommitted = /^\s*commit/i.test(text)
  }
  type Method = (this: StatementSync, ...parameters: unknown[]) => unknown
  if (!Number.isNaN(dieAt)) {
    for (const name of ['all', 'run'] as const) {
      const original = StatementSync.prototype[name] as Method
      const watched: Method = function (...parameters) {
        dieInFrontOf(this.sourceSQL)
        return original.apply(this, parameters)
      }
      Object.assign(StatementSync.prototype, { [name]: watched })
    }
    const query = pg.Client.prototype.query as unknown as Method
    const watched: Method = function (asked, ...more) {
      dieInFrontOf(typeof asked === 'string' ? asked : String((asked as { text?: unknown }).text))
      return query.call(this, asked, ...more)
    }
    Object.assign(pg.Client.prototype, { query: watched })
  }

  const settings = JSON.parse(process.argv[2] ?? '{}') as Settings
  const hasher = createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 10_000 })
  const engine = await openEngine(checkConfig(settings), { hasher, log: silentLogger })
  // The next process of the same code starts in half the time, although this one may be killed.
  flushCompileCache()
  process.on('SIGTERM', () => void engine.close())
  process.stdout.write(`${JSON.stringify({ engineUrl: engine.baseUrl, issuer: engine.issuers.default })}\n`)
}
