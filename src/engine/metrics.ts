import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, MonotonicClock } from '../base/index.ts'
import { type CaptchaOutcome, captchaOutcomes } from '../captcha/index.ts'
import {
  type AttemptOutcome,
  attemptOutcomes,
  type Backlog,
  backlogOf,
  channels,
  type Lane,
  type OutboxChannel,
  type RefusalReason,
} from '../delivery/index.ts'
import { countExpiredTransactions, type FlowOutcome, flowOutcomes } from '../flow/index.ts'
import type { Connections, Metrics, Reading } from '../http/index.ts'
import type { Refusals } from '../limits/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import type { Storage } from '../storage/index.ts'

interface EngineMetrics {
  countFlowOutcome(outcome: FlowOutcome): void
  countMailAttempt(outcome: AttemptOutcome): void
  countCaptcha(outcome: CaptchaOutcome): void
  countTextAttempt(outcome: AttemptOutcome, reason: RefusalReason | undefined, channel: OutboxChannel): void
  countLogoutAttempt(outcome: AttemptOutcome): void
  /** Counts expired transactions. Each is counted by one node: the sum over all nodes is right. */
  countExpired(now: number): Promise<void>
}

const flowOutcomesTotal = 'rekey_flow_outcomes_total'
const mailsTotal = 'rekey_mails_total'
const textsTotal = 'rekey_texts_total'
const logoutsTotal = 'rekey_logout_tokens_total'
const captchasTotal = 'rekey_captchas_total'

/** What the metrics are read from. */
interface MeasuredParts {
  readonly storage: Storage
  readonly clock: MonotonicClock
  readonly hasher: PasswordHasher
  /** How often each budget has refused something, with the names of all budgets. */
  readonly refusals: Refusals
  readonly budgets: readonly string[]
  /** Whether the installation is under attack. */
  readonly underAttack: () => Promise<boolean>
  readonly connections: Connections
}

/**
 * Registers the metrics of an engine, those of its HTTP requests excepted. Label values come from closed lists: no id,
 * name or address is among them, and known and unknown users count alike (A01).
 */
export function registerMetrics(
  metrics: Metrics,
  { storage, clock, hasher, refusals, budgets, underAttack, connections }: MeasuredParts,
): EngineMetrics {
  metrics.describe(flowOutcomesTotal, 'Sign-ins, recoveries and unlocks by outcome.')
  metrics.describe(mailsTotal, 'Attempts to deliver a mail by outcome.')
  metrics.describe(textsTotal, 'Attempts to deliver a text or a call by channel and outcome.')
  metrics.describe(logoutsTotal, 'Attempts to send a logout token to an app by outcome.')
  metrics.describe(captchasTotal, 'Forms that ask for a captcha, by what became of it.')
  // Every series exists from the start, with 0: rate() does not see the first event of a series that begins with it.
  for (const intent of ['sign-in', 'recovery', 'unlock', 'activation'] as const) {
    for (const outcome of flowOutcomes) metrics.count(flowOutcomesTotal, { intent, outcome }, 0)
  }
  for (const outcome of captchaOutcomes) metrics.count(captchasTotal, { outcome }, 0)
  for (const outcome of attemptOutcomes) {
    metrics.count(mailsTotal, { outcome }, 0)
    metrics.count(logoutsTotal, { outcome }, 0)
    for (const channel of textChannels) metrics.count(textsTotal, { channel, outcome }, 0)
  }
  // First: gauges are read in this order, and the query of a later one would itself occupy a connection.
  addDatabaseMetrics(metrics, storage)
  addMailMetrics(metrics, storage, clock)
  addHashMetrics(metrics, hasher)
  metrics.gauge(
    'rekey_clock_ahead_seconds',
    "How far the engine's time is ahead of the reference: the database server's clock, with SQLite the host's.",
    () => clock.aheadMs() / 1000,
  )
  addBudgetMetrics(metrics, refusals, budgets, underAttack)
  addConnectionMetrics(metrics, connections)
  addProcessMetrics(metrics)
  const build = { version: engineVersion(), node: process.version }
  metrics.gauge('rekey_build_info', 'Version of Rekey and of Node; always 1.', () => [[build, 1]])
  return {
    countFlowOutcome: ({ intent, outcome }) => metrics.count(flowOutcomesTotal, { intent, outcome }),
    countLogoutAttempt: (outcome) => metrics.count(logoutsTotal, { outcome }),
    countMailAttempt: (outcome) => metrics.count(mailsTotal, { outcome }),
    countCaptcha: (outcome) => metrics.count(captchasTotal, { outcome }),
    countTextAttempt: (outcome, _, channel) => metrics.count(textsTotal, { channel, outcome }),
    async countExpired(now) {
      const expired = await countExpiredTransactions(storage, now)
      for (const [intent, count] of Object.entries(expired)) {
        metrics.count(flowOutcomesTotal, { intent, outcome: 'expired' }, count)
      }
    },
  }
}

const textChannels = channels.filter((channel) => channel !== 'email')

/** The backlog of a lane: the gauges of one scrape share one statement. */
function backlogReader(storage: Storage, clock: Clock, lane: Lane): () => Promise<Backlog> {
  let pending: Promise<Backlog> | undefined
  return () => {
    pending ??= backlogOf(storage.db, clock.now(), lane).finally(() => {
      pending = undefined
    })
    return pending
  }
}

function addMailMetrics(metrics: Metrics, storage: Storage, clock: Clock): void {
  const backlog = backlogReader(storage, clock, 'mails')
  const texts = backlogReader(storage, clock, 'texts')
  const logouts = backlogReader(storage, clock, 'logouts')
  const since = (at: number | null) => (at === null ? 0 : Math.max(0, clock.now() - at) / 1000)
  metrics.gauge('rekey_mail_queue_length', 'Mails in the queue.', async () => (await backlog()).waiting)
  metrics.gauge('rekey_mail_queue_oldest_age_seconds', 'Age of the oldest mail in the queue.', async () =>
    since((await backlog()).oldestAt),
  )
  metrics.gauge(
    'rekey_mail_codes_oldest_age_seconds',
    'Age of the oldest mail in the queue that has a code.',
    async () => since((await backlog()).codeAt),
  )
  metrics.gauge(
    'rekey_mail_queue_oldest_due_seconds',
    'How long the oldest due mail has been due.',
    async () => since((await backlog()).dueAt),
  )
  metrics.gauge(
    'rekey_text_queue_length',
    'Texts and calls in the queue.',
    async () => (await texts()).waiting,
  )
  metrics.gauge(
    'rekey_text_queue_oldest_age_seconds',
    'Age of the oldest text or call in the queue.',
    async () => since((await texts()).oldestAt),
  )
  metrics.gauge(
    'rekey_logout_queue_length',
    'Logout tokens in the queue.',
    async () => (await logouts()).waiting,
  )
  metrics.gauge(
    'rekey_logout_queue_oldest_age_seconds',
    'Age of the oldest logout token in the queue.',
    async () => since((await logouts()).oldestAt),
  )
}

function addHashMetrics(metrics: Metrics, hasher: PasswordHasher): void {
  const [duration, wait] = ['rekey_password_hash_duration_seconds', 'rekey_password_hash_wait_seconds']
  metrics.histogram(duration, 'Time to compute a password hash.')
  metrics.histogram(wait, 'Time that a password hash waited in the queue.')
  hasher.observe?.(({ computedMs, waitedMs }) => {
    metrics.observe(duration, computedMs / 1000)
    metrics.observe(wait, waitedMs / 1000)
  })
  metrics.gauge(
    'rekey_password_hashes_running',
    'Password hashes being computed.',
    () => hasher.load().running,
    'sum',
  )
  metrics.gauge(
    'rekey_password_hashes_waiting',
    'Password hashes in the queue.',
    () => hasher.load().waiting,
    'sum',
  )
  metrics.counter(
    'rekey_password_hashes_refused_total',
    'Requests refused because the queue was full.',
    () => {
      return hasher.load().refused
    },
  )
}

/** Each budget has a series from the start. A name says the same about known and unknown users (A62). */
function addBudgetMetrics(
  metrics: Metrics,
  refusals: Refusals,
  budgets: readonly string[],
  underAttack: () => Promise<boolean>,
): void {
  metrics.counter('rekey_budget_refusals_total', 'What was refused because a budget was spent.', () => {
    const counts = refusals.counts()
    return [...new Set([...budgets, ...counts.keys()])].map((budget) => [{ budget }, counts.get(budget) ?? 0])
  })
  metrics.gauge(
    'rekey_under_attack',
    'Whether the wrong answers of all sources together exceed limits.sprayEverywhere.',
    async () => ((await underAttack()) ? 1 : 0),
  )
}

function addConnectionMetrics(metrics: Metrics, connections: Connections): void {
  metrics.gauge('rekey_http_connections', 'Open connections.', () => connections.load().open, 'sum')
  metrics.counter(
    'rekey_http_connections_refused_total',
    'Connections refused by http.connectionsPerAddress.',
    () => connections.load().refused,
  )
}

/** How long the database may take to answer a scrape, in milliseconds. */
const databaseTimeoutMs = 1500

function addDatabaseMetrics(metrics: Metrics, storage: Storage): void {
  addPoolMetrics(metrics, storage)
  addLockMetrics(metrics, storage)
  metrics.gauge(
    'rekey_database_up',
    'Whether the database answers.',
    async () => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<0>((resolve) => {
        timer = setTimeout(() => resolve(0), databaseTimeoutMs)
      })
      // On a connection of its own: a locked table that fills the pool is no database that is down.
      const answer = storage.checks.database().then(
        (result) => (result === 'ok' ? (1 as const) : (0 as const)),
        () => 0 as const,
      )
      return Promise.race([answer, late]).finally(() => clearTimeout(timer))
    },
    'least',
  )
}

/** Registers nothing for a database in this process, which has no connection pool. */
function addPoolMetrics(metrics: Metrics, storage: Storage): void {
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
    'sum',
  )
  metrics.gauge(
    'rekey_database_connections_max',
    'Size of the connection pool.',
    reading(({ most }) => most),
    'sum',
  )
  metrics.gauge(
    'rekey_database_waiting',
    'Statements that wait for a connection.',
    reading(({ waiting }) => waiting),
    'sum',
  )
}

/** Registers nothing for PostgreSQL, whose server knows what waits. */
function addLockMetrics(metrics: Metrics, { lockWaits }: Storage): void {
  if (lockWaits() === undefined) return
  metrics.counter(
    'rekey_database_lock_waits_total',
    'How often a write has waited for another process that wrote.',
    () => lockWaits()?.count,
  )
  metrics.counter(
    'rekey_database_lock_wait_seconds_total',
    'How long writes have waited for other processes that wrote.',
    () => (lockWaits()?.ms ?? 0) / 1000,
  )
}

const engineVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version

/** The sampling interval in milliseconds. It is part of every measured delay, so it is subtracted. */
const resolution = 20

function addProcessMetrics(metrics: Metrics): void {
  // Enabled by the first scrape: without one, its timer would wake an idle engine for nothing.
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined
  metrics.gauge('process_heap_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed, 'sum')
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
