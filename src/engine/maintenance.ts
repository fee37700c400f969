import { setImmediate as turn } from 'node:timers/promises'
import type { Logger, MonotonicClock } from '../base/index.ts'
import type { Oidc } from '../oidc/index.ts'
import { type GrowingTable, noteTime, purge, type Storage } from '../storage/index.ts'

interface UpkeepParts {
  readonly storage: Storage
  readonly clock: MonotonicClock
  readonly oidc: Oidc
  readonly log: Logger
  /** The difference between the host's time and the database server's, measured anew; undefined where there is none. */
  readonly offset: () => Promise<number | undefined>
  /** Counts the conversations that have run out. */
  readonly countExpired: (now: number) => Promise<void>
}

export interface Maintenance {
  /** Does at once what is done each minute. */
  run(): Promise<void>
  close(): Promise<void>
}

const everyMs = 60_000
const day = 24 * 3_600_000
const batch = 500
/** No more than this many rows of a table go in one run: what a flood has left goes little by little. */
const batches = 100

/** How long a row is kept once its time is over. A day's transactions can still be traced; events stay a quarter. */
const keptFor: Readonly<Record<GrowingTable, number>> = {
  transactions: day,
  interactions: day,
  sessions: day,
  outbox: day,
  person_tokens: 0,
  // Reuse of a token that has expired is refused without a row, too.
  artifacts: 0,
  budgets: 0,
  events: 90 * day,
}

/**
 * What an engine does by itself, at its start and each minute: it takes note of the time, follows the database server's
 * clock, and removes what is over. Each name that a stranger makes up costs rows, the same as a real one: they must not
 * stay (A45). Any number of nodes may do so at once.
 */
export function startMaintenance(parts: UpkeepParts): Maintenance {
  const { storage, clock, oidc, log } = parts
  let running: Promise<void> | undefined
  let closed = false

  async function keepUp(): Promise<void> {
    const offset = await parts.offset()
    if (offset !== undefined) clock.setOffset(offset)
    const now = clock.now()
    await noteTime(storage.db, now)
    await parts.countExpired(now)
    for (const [table, kept] of Object.entries(keptFor) as [GrowingTable, number][]) {
      await empty(table, now - kept)
    }
    await oidc.purge()
  }

  async function empty(table: GrowingTable, before: number): Promise<void> {
    for (let count = 0; count < batches && !closed; count++) {
      if ((await purge(storage.db, table, { before, limit: batch })) < batch) return
      // SQLite answers in this process: requests get their turn between two batches.
      await turn()
    }
  }

  const run = (): Promise<void> => {
    running ??= keepUp().finally(() => {
      running = undefined
    })
    return running
  }
  // The database may be away for a while: the next minute will do.
  const quietly = () => run().catch((error) => log.error({ err: error }, 'the upkeep failed'))

  const timer = setInterval(() => void quietly(), everyMs)
  timer.unref()
  void quietly()
  return {
    run,
    async close() {
      closed = true
      clearInterval(timer)
      await running?.catch(() => {})
    },
  }
}
