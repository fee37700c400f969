import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, MonotonicClock } from '../base/index.ts'
import { type Backlog, backlogOf, type MailOutcome } from '../delivery/index.ts'
import { countExpiredTransactions, type FlowOutcome, flowOutcomes } from '../flow/index.ts'
import type { Metrics, Reading } from '../http/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import type { Storage } from '../storage/index.ts'

export interface EngineMetrics {
  countFlowOutcome(outcome: FlowOutcome): void
  countMailAttempt(outcome: MailOutcome | 'postponed'): void
  /** Counts expired transactions. Each is counted by one node: the sum over all nodes is right. */
  countExpired(now: number): Promise<void>
}

const flowOutcomesTotal = 'rekey_flow_outcomes_total'
const mailsTotal = 'rekey_mails_total'

/**
 * Registers the metrics of an engine, those of its HTTP requests excepted. Label values come from closed lists: no id,
 * name or address is among them, and known and unknown users count alike (A01).
 */
export function registerMetrics(
  metrics: Metrics,
  { storage, clock, hasher }: { storage: Storage; clock: MonotonicClock; hasher: PasswordHasher },
): EngineMetrics {
  metrics.describe(flowOutcomesTotal, 'Sign-ins and recoveries by outcome.')
  metrics.describe(mailsTotal, 'Attempts to deliver a mail by outcome.')
  // Every series exists from the start, with 0: rate() does not see the first event of a series that begins with it.
  for (const intent of ['sign-in', 'recovery'] as const) {
    for (const outcome of flowOutcomes) metrics.count(flowOutcomesTotal, { intent, outcome }, 0)
  }
  for (const outcome of ['sent', 'dead', 'expired', 'postponed']) metrics.count(mailsTotal, { outcome }, 0)
  // First: gauges are read in this order, and the query of a later one would itself occupy a connection.
  addDatabaseMetrics(metrics, storage)
  addMailMetrics(metrics, storage, clock)
  addHashMetrics(metrics, hasher)
  metrics.gauge(
    'rekey_clock_ahead_seconds',
    "How far the engine's time is ahead of the reference: the database server's clock, with SQLite the host's.",
    () => clock.aheadMs() / 1000,
  )
  addProcessMetrics(metrics)
  return {
    countFlowOutcome: ({ intent, outcome }) => metrics.count(flowOutcomesTotal, { intent, outcome }),
    countMailAttempt: (outcome) => metrics.count(mailsTotal, { outcome }),
    async countExpired(now) {
      const expired = await countExpiredTransactions(storage, now)
      for (const [intent, count] of Object.entries(expired)) {
        metrics.count(flowOutcomesTotal, { intent, outcome: 'expired' }, count)
      }
    },
  }
}

function addMailMetrics(metrics: Metrics, storage: Storage, clock: Clock): void {
  let pending: Promise<Backlog> | undefined
  // The three gauges of one scrape share one statement.
  const backlog = () => {
    pending ??= backlogOf(storage.db, clock.now()).finally(() => {
      pending = undefined
    })
    return pending
  }
  const since = (at: number | null) => (at === null ? 0 : Math.max(0, clock.now() - at) / 1000)
  metrics.gauge('rekey_mail_queue_length', 'Mails in the queue.', async () => (await backlog()).waiting)
  metrics.gauge('rekey_mail_queue_oldest_age_seconds', 'Age of the oldest mail in the queue.', async () =>
    since((await backlog()).oldestAt),
  )
  metrics.gauge(
    'rekey_mail_queue_oldest_due_seconds',
    'How long the oldest due mail has been due.',
    async () => since((await backlog()).dueAt),
  )
}

function addHashMetrics(metrics: Metrics, hasher: PasswordHasher): void {
  metrics.gauge(
    'rekey_password_hashes_running',
    'Password hashes being computed.',
    () => hasher.load().running,
  )
  metrics.gauge('rekey_password_hashes_waiting', 'Password hashes in the queue.', () => hasher.load().waiting)
  metrics.counter(
    'rekey_password_hashes_refused_total',
    'Requests refused because the queue was full.',
    () => {
      return hasher.load().refused
    },
  )
}

/** Registers nothing for a database in this process, which has no connection pool. */
function addDatabaseMetrics(metrics: Metrics, storage: Storage): void {
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
    'Size of the connection pool.',
    reading(({ most }) => most),
  )
  metrics.gauge(
    'rekey_database_waiting',
    'Statements that wait for a connection.',
    reading(({ waiting }) => waiting),
  )
}

/** The sampling interval in milliseconds. It is part of every measured delay, so it is subtracted. */
const resolution = 20

function addProcessMetrics(metrics: Metrics): void {
  // Enabled by the first scrape: without one, its timer would wake an idle engine for nothing.
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
