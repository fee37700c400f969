import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../base/index.ts'
import { type Backlog, backlogOf, type MailOutcome } from '../delivery/index.ts'
import { countExpiredTransactions, type FlowOutcome, flowOutcomes } from '../flow/index.ts'
import type { Metrics, Reading } from '../http/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import type { Storage } from '../storage/index.ts'

export interface EngineMetrics {
  turned(turn: FlowOutcome): void
  mailAttempted(outcome: MailOutcome | 'postponed'): void
  /** Counts what has run out: each node's share of it, together all. */
  countExpired(now: number): Promise<void>
}

const flows = 'rekey_flow_outcomes_total'
const mails = 'rekey_mails_total'

/**
 * What an engine tells Prometheus besides its requests. Each label is one of a few words of ours: no id, name or address
 * is among them, and nothing differs between people there are and people there are not.
 */
export function registerMetrics(
  metrics: Metrics,
  { storage, clock, hasher }: { storage: Storage; clock: Clock; hasher: PasswordHasher },
): EngineMetrics {
  metrics.describe(flows, 'Sign-ins and recoveries by what became of them.')
  metrics.describe(mails, 'Attempts to deliver a mail by how they ended.')
  // From the start, with 0: a series that begins with its first event hides that event from rate().
  for (const intent of ['sign-in', 'recovery'] as const) {
    for (const outcome of flowOutcomes) metrics.count(flows, { intent, outcome }, 0)
  }
  for (const outcome of ['sent', 'dead', 'expired', 'postponed']) metrics.count(mails, { outcome }, 0)
  // Before anything that asks the database: the question itself would count.
  addDatabase(metrics, storage)
  addMails(metrics, storage, clock)
  addHashes(metrics, hasher)
  addProcess(metrics)
  return {
    turned: ({ intent, outcome }) => metrics.count(flows, { intent, outcome }),
    mailAttempted: (outcome) => metrics.count(mails, { outcome }),
    async countExpired(now) {
      const expired = await countExpiredTransactions(storage, now)
      for (const [intent, count] of Object.entries(expired)) {
        metrics.count(flows, { intent, outcome: 'expired' }, count)
      }
    },
  }
}

function addMails(metrics: Metrics, storage: Storage, clock: Clock): void {
  let asked: Promise<Backlog> | undefined
  // One statement for all three, which are read in one turn.
  const backlog = () => {
    asked ??= backlogOf(storage.db, clock.now()).finally(() => {
      asked = undefined
    })
    return asked
  }
  const since = (at: number | null) => (at === null ? 0 : Math.max(0, clock.now() - at) / 1000)
  metrics.gauge(
    'rekey_mail_queue_length',
    'Mails that have not left yet.',
    async () => (await backlog()).waiting,
  )
  metrics.gauge(
    'rekey_mail_queue_oldest_age_seconds',
    'Age of the oldest mail that has not left.',
    async () => since((await backlog()).oldestAt),
  )
  metrics.gauge(
    'rekey_mail_queue_oldest_due_seconds',
    'How long the oldest due mail has been due.',
    async () => since((await backlog()).dueAt),
  )
}

function addHashes(metrics: Metrics, hasher: PasswordHasher): void {
  metrics.gauge(
    'rekey_password_hashes_running',
    'Password hashes being computed.',
    () => hasher.load().running,
  )
  metrics.gauge('rekey_password_hashes_waiting', 'Password hashes in the queue.', () => hasher.load().waiting)
  metrics.counter(
    'rekey_password_hashes_refused_total',
    'Requests sent away because the queue was full.',
    () => {
      return hasher.load().refused
    },
  )
}

/** A database in this process has no connections to count: then there are no such figures. */
function addDatabase(metrics: Metrics, storage: Storage): void {
  if (storage.pool() === undefined) return
  const reading = (read: (pool: NonNullable<ReturnType<Storage['pool']>>) => Reading) => (): Reading => {
    const pool = storage.pool()
    return pool && read(pool)
  }
  metrics.gauge(
    'rekey_database_connections',
    'Connections to the database by state.',
    reading(({ busy, idle }) => [
      [{ state: 'busy' }, busy],
      [{ state: 'idle' }, idle],
    ]),
  )
  metrics.gauge(
    'rekey_database_connections_max',
    'The most connections there may be.',
    reading(({ most }) => most),
  )
  metrics.gauge(
    'rekey_database_waiting',
    'Statements that wait for a connection.',
    reading(({ waiting }) => waiting),
  )
}

/** In milliseconds; what it measures is told beyond it. */
const resolution = 20

function addProcess(metrics: Metrics): void {
  // From the first question on: an engine that nobody watches is not woken for it.
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined
  metrics.gauge('process_heap_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed)
  metrics.counter('process_cpu_seconds_total', 'Processor time used.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  metrics.gauge('rekey_event_loop_lag_seconds', 'How late timers ran since the last scrape.', () => {
    if (delay === undefined) {
      delay = monitorEventLoopDelay({ resolution })
      delay.enable()
      return undefined
    }
    const late = (ns: number) => (delay?.count ? Math.max(0, ns / 1e9 - resolution / 1000) : 0)
    const reading: Reading = [
      [{ statistic: 'p50' }, late(delay.percentile(50))],
      [{ statistic: 'p99' }, late(delay.percentile(99))],
      [{ statistic: 'max' }, late(delay.max)],
    ]
    delay.reset()
    return reading
  })
}
