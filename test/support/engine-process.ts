// An engine in a process of its own, until it is told to stop (SIGTERM) or is killed.
import { flushCompileCache } from 'node:module'
import { StatementSync } from 'node:sqlite'
import pg from 'pg'
import { silentLogger } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'

// Told so, it dies as by kill -9 in front of the n-th write of the next move of a transaction.
const dieAt = Number(process.argv[3] ?? 'NaN')
let statements: number | undefined
function dieInFrontOf(text: string): void {
  if (/^\s*update "?transactions"?/i.test(text)) statements ??= 0
  const writes = /^\s*(insert|update|delete|commit)/i.test(text)
  if (statements !== undefined && writes && statements++ === dieAt) process.kill(process.pid, 'SIGKILL')
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
