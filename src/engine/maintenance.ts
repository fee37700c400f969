import { setImmediate as nextCycle } from 'node:timers/promises'
import type { Logger, MonotonicClock } from '../base/index.ts'
import type { Oidc } from '../oidc/index.ts'
import { type GrowingTable, purge, type Storage } from '../storage/index.ts'

interface MaintenanceParts {
  readonly storage: Storage
  readonly clock: MonotonicClock
  readonly oidc: Oidc
  readonly log: Logger
  /** Corrects the clock and stores the time. */
  readonly syncTime: () => Promise<void>
  /** Counts the transactions that have expired. */
  readonly countExpired: (now: number) => Promise<void>
}

export interface Maintenance {
  /** Runs now; joins a run that is under way. */
  run(): Promise<void>
  close(): Promise<void>
}

const intervalMs = 60_000
const day = 24 * 3_600_000
const batchSize = 500
/** Of one table in one run: the rows that a flood has left are deleted over several runs (A45). */
const maxBatches = 100

/** How long a row stays after its end. Transactions stay traceable for a day, events for a quarter. */
const retention: Readonly<Record<GrowingTable, number>> = {
  transactions: day,
  interactions: day,
  sessions: day,
  outbox: day,
  mail_suppressions: 0,
  person_tokens: 0,
  // An expired token is refused without its row, so the row is not needed to detect reuse.
  artifacts: 0,
  budgets: 0,
  events: 90 * day,
}

/**
 * What an engine does at its start and each minute: it corrects its clock, stores the time, counts
 * expired transactions and deletes rows past their end. A sign-in with an unknown user costs the same rows as one with a
 * known user, so without the deletion anyone could fill the database (A45). Any number of nodes may run it at once.
 */
export function startMaintenance(parts: MaintenanceParts): Maintenance {
  const { storage, clock, oidc, log } = parts
  let running: Promise<void> | undefined
  let closed = false

  async function maintain(): Promise<void> {
    await parts.syncTime()
    const now = clock.now()
    await parts.countExpired(now)
    for (const [table, retentionMs] of Object.entries(retention) as [GrowingTable, number][]) {
      await purgeTable(table, now - retentionMs)
    }
    await oidc.purge()
  }

  async function purgeTable(table: GrowingTable, before: number): Promise<void> {
    for (let count = 0; count < maxBatches && !closed; count++) {
      if ((await purge(storage.db, table, { before, limit: batchSize })) < batchSize) return
      // SQLite runs in this process and blocks its event loop: requests are answered between two batches.
      await nextCycle()
    }
  }

  const run = (): Promise<void> => {
    running ??= maintain().finally(() => {
      running = undefined
    })
    return running
  }
  // The database may be unavailable for a while: the next run makes up for it.
  const runAndLog = () => run().catch((error) => log.error({ err: error }, 'maintenance failed'))

  const timer = setInterval(() => void runAndLog(), intervalMs)
  timer.unref()
  void runAndLog()
  return {
    run,
    async close() {
      closed = true
      clearInterval(timer)
      await running?.catch(() => {})
    },
  }
}
