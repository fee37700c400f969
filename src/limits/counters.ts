/** One use of a budget that is counted in memory. */
export interface CounterUse {
  /** Its name. */
  readonly budget: string
  readonly windowMs: number
  /** From so many uses on it is spent. */
  readonly limit: number
  /** Whose it is. */
  readonly key: string
}

/** What was found of the counters of some uses, in their order. */
export interface Counted {
  /** The first one that was spent; -1: none was, and each has been counted once. */
  readonly spent: number
  readonly counters: readonly { readonly used: number; readonly leftMs: number }[]
  /** Whether the log is to have an event for the spent one: its first in its window, and not too many lately. */
  readonly isAnnounced: boolean
}

/**
 * Counters of requests in memory: of one process, or of all workers of a node, which ask the one that counts for all
 * (`workers`). So an answer may have to be waited for.
 */
export interface RequestCounters {
  /** Counts one use of each; where one is spent, that one alone: whom a narrow budget stops uses up none that others share. */
  charge(uses: readonly CounterUse[]): Counted | Promise<Counted>
  /** The same, and counts nothing. */
  look(uses: readonly CounterUse[]): Counted | Promise<Counted>
  /** How many there are. */
  size(): number
  clear(): void
}

interface Counter {
  used: number
  readonly resetsAt: number
}

/** Violations that the log has an event for, by a node; all are counted (`refusals`). */
const mostAnnounced = 100
const announcedMs = 60_000

/** More keys than this at once are a flood; the oldest are forgotten first, so that memory stays bounded. */
const mostCounters = 100_000

/** @param now the time in milliseconds, of whatever beginning */
export function createRequestCounters(now: () => number): RequestCounters {
  const counted = new Map<string, Map<string, Counter>>()
  const size = () => [...counted.values()].reduce((sum, { size }) => sum + size, 0)

  function counterOf({ budget, windowMs, key }: CounterUse, at: number): Counter {
    const own = counted.get(budget) ?? new Map<string, Counter>()
    counted.set(budget, own)
    const known = own.get(key)
    // A window that ends later than one that begins now is of a time that was set back (report 20).
    const isOpen = known !== undefined && at < known.resetsAt && known.resetsAt <= at + windowMs
    if (isOpen) return known
    const counter = { used: 0, resetsAt: at + windowMs }
    // Put anew, so that the map's order is that of the windows' ends: those of one budget are equally long.
    own.delete(key)
    own.set(key, counter)
    for (const [oldest, { resetsAt }] of own) {
      if (at < resetsAt) break
      own.delete(oldest)
    }
    if (size() > mostCounters) {
      const [largest = own] = [...counted.values()].sort((one, other) => other.size - one.size)
      largest.delete(largest.keys().next().value ?? key)
    }
    return counter
  }

  let announced = { since: 0, count: 0 }
  /** A flood from very many addresses is one event in the log after another: so many a minute are enough to see it (A60). */
  function mayAnnounce(at: number): boolean {
    if (at >= announced.since + announcedMs || at < announced.since) announced = { since: at, count: 0 }
    announced.count++
    return announced.count <= mostAnnounced
  }

  const found = (uses: readonly CounterUse[], at: number) => {
    const counters = uses.map((use) => counterOf(use, at))
    return { counters, spent: uses.findIndex(({ limit }, index) => (counters[index]?.used ?? 0) >= limit) }
  }
  const read = (counters: readonly Counter[], at: number) =>
    counters.map(({ used, resetsAt }) => ({ used, leftMs: resetsAt - at }))

  return {
    charge(uses) {
      const at = now()
      const { counters, spent } = found(uses, at)
      const [use, counter] = [uses[spent], counters[spent]]
      if (use === undefined || counter === undefined) {
        for (const one of counters) one.used += 1
        return { spent: -1, counters: read(counters, at), isAnnounced: false }
      }
      counter.used += 1
      const isAnnounced = counter.used === use.limit + 1 && mayAnnounce(at)
      return { spent, counters: read(counters, at), isAnnounced }
    },
    look(uses) {
      const at = now()
      const { counters, spent } = found(uses, at)
      return { spent, counters: read(counters, at), isAnnounced: false }
    },
    size,
    clear() {
      for (const own of counted.values()) own.clear()
    },
  }
}
