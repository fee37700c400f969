import { setImmediate as nextCycle } from 'node:timers/promises'
import type { Logger, MonotonicClock } from '../base/index.ts'
import type { Oidc } from '../oidc/index.ts'
import {
  type GrowingTable,
  oldest,
  purge,
  purgeShortLived,
  type ShortLived,
  type Storage,
} from '../storage/index.ts'

interface MaintenanceParts {
  readonly storage: Storage
  readonly clock: MonotonicClock
  readonly oidc: Oidc
  readonly log: Logger
  /** Whether this process does what one of a node is enough for. */
  readonly leads: () => boolean
  /** Corrects the clock and stores the time. */
  readonly syncTime: () => Promise<void>
  /** Counts the transactions that have expired. */
  readonly countExpired: (now: number) => Promise<void>
  /** How long events are stored, in milliseconds. */
  readonly events: { readonly retentionMs: number; readonly unknownRetentionMs: number }
  /** Writes the latest errors that users were shown. */
  readonly recordFailures: () => Promise<void>
  /** Carries out the changes of users whose waiting time is over. */
  readonly carryOutChanges: () => Promise<void>
  /** Removes the users whose sign-up never ended. */
  readonly removeUnfinished: (now: number) => Promise<void>
}

export interface Maintenance {
  /** Runs now; where a run is under way, once more after it: what was written meanwhile may be behind it. */
  run(): Promise<void>
  close(): Promise<void>
}

const intervalMs = 60_000
const hour = 3_600_000
const day = 24 * hour
const batchSize = 500
/**
 * One run deletes for so long: what a flood has left, or a retention that was shortened, is deleted over several runs
 * (A45). Longer than the interval would leave no time in between.
 */
const maxRunMs = 45_000

/** How long a row stays after its end. Transactions stay traceable for a day. */
const retention: Readonly<Record<Exclude<GrowingTable, 'events'>, number>> = {
  transactions: day,
  interactions: day,
  sessions: day,
  outbox: day,
  mail_suppressions: 0,
  // Who has let a link expire can ask for another one.
  person_tokens: 30 * day,
  remembered_devices: 0,
  factor_challenges: 0,
  account_changes: 0,
  // An expired token is refused without its row, so the row is not needed to detect reuse.
  artifacts: 0,
  budgets: 0,
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
  /** Up to when short-lived rows are deleted; unknown at the start of a node. */
  let purgedUntil: number | undefined

  async function maintain(): Promise<void> {
    await parts.syncTime()
    const now = clock.now()
    await parts.recordFailures()
    if (!parts.leads()) return
    await parts.countExpired(now)
    await parts.carryOutChanges()
    await parts.removeUnfinished(now)
    const { retentionMs: eventsMs, unknownRetentionMs } = parts.events
    const shortLived: Readonly<Record<ShortLived, number>> = {
      'unnamed transactions': hour,
      'unused interactions': hour,
      'events of unknown users': unknownRetentionMs,
      'events of transactions begun and left': unknownRetentionMs,
      'deliveries without a recipient': unknownRetentionMs,
    }
    const until = performance.now() + maxRunMs
    let isDone = true
    const purgeAll = async (batch: (limit: number) => Promise<number>): Promise<void> => {
      while ((await batch(batchSize)) === batchSize) {
        if (closed || performance.now() > until) {
          isDone = false
          return
        }
        // SQLite runs in this process and blocks its event loop: requests are answered between two batches.
        await nextCycle()
      }
    }
    // A batch of each in turn: what a flood has left in one table holds back no other one.
    let full = Object.entries({ ...retention, events: eventsMs }) as (readonly [GrowingTable, number])[]
    while (full.length > 0 && isDone) {
      const still: typeof full = []
      for (const entry of full) {
        const [table, ms] = entry
        if ((await purge(storage.db, table, { before: now - ms, limit: batchSize })) === batchSize)
          still.push(entry)
        if (still.length > 0) await nextCycle()
      }
      full = still
      if (full.length > 0 && (closed || performance.now() > until)) isDone = false
    }
    for (const [what, ms] of Object.entries(shortLived) as [ShortLived, number][]) {
      const before = now - ms
      // At a start from the oldest row on: the node was off, or the retention was longer (A60). Else no later than now,
      // should the clock have been set back.
      let after =
        purgedUntil === undefined
          ? ((await oldest(storage.db, what)) ?? before) - 1
          : Math.min(purgedUntil, now - intervalMs) - ms
      // Day by day, so that one statement reads the rows of one day at most.
      while (after < before && !closed && performance.now() < until) {
        const span = { after, before: Math.min(after + day, before) }
        await purgeAll((limit) => purgeShortLived(storage.db, what, { ...span, limit }))
        after = span.before
        if (after === before) break
        // Past the days without a row: after a jump of the clock there may be thousands of them.
        after = ((await oldest(storage.db, what, after)) ?? before + 1) - 1
        await nextCycle()
      }
      if (after < before) isDone = false
    }
    // A minute twice: other nodes may have written a little behind this clock.
    if (isDone) purgedUntil = now - intervalMs
    await oidc.purge()
  }

  const join = (): Promise<void> => {
    running ??= maintain().finally(() => {
      running = undefined
    })
    return running
  }
  // The database may be unavailable for a while: the next run makes up for it.
  const runAndLog = () => join().catch((error) => log.error({ err: error }, 'maintenance failed'))

  const timer = setInterval(() => void runAndLog(), intervalMs)
  timer.unref()
  void runAndLog()
  return {
    async run() {
      await running?.catch(() => {})
      await join()
    },
    async close() {
      closed = true
      clearInterval(timer)
      await running?.catch(() => {})
    },
  }
}
