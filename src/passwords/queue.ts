import { apiError, type ProtocolError } from '../base/index.ts'

/** For whom a hash is computed: by this it is placed in the queue. */
export interface HashCaller {
  /** `Source.key` of the request. */
  readonly source: string
  /** What it is about: the name as typed. The same for names that no user has. */
  readonly account?: string
  /** Aborted when the caller has gone: what still waits for it then is dropped. */
  readonly signal?: AbortSignal | undefined
  /** Asked when the turn of an entry that has waited comes; throws where nothing is to be computed any more. */
  readonly recheck?: (() => Promise<void>) | undefined
}

export interface HashLoad {
  readonly running: number
  readonly waiting: number
  /** Callers that were answered 503: the queue was full, or they had waited for too long. */
  readonly refused: number
  /** Entries that were dropped because the caller had gone. */
  readonly dropped: number
  /** How many have been begun so far. */
  readonly computed: number
  /** Of how many sources it is remembered what they have used. */
  readonly sources?: number
}

/** How long a hash took, in milliseconds. */
export interface HashTimes {
  readonly waitedMs: number
  readonly computedMs: number
}

interface Entry {
  readonly source: string
  readonly account: string | undefined
  readonly costMs: number
  start(): void
  fail(error: ProtocolError): void
}

/** Where hashes wait for their turn. */
export interface HashQueue {
  /** Calls `listener` after each hash that was computed. One listener: the metrics of the engine. */
  observe(listener: (times: HashTimes) => void): void
  load(): HashLoad
  /** Runs the work when its turn has come. Rejects with 503 where it never does. */
  take<T>(work: () => Promise<T>, costMs: number, caller?: HashCaller): Promise<T>
}

interface HashQueueOptions {
  readonly concurrency: number
  readonly size: number
  readonly waitMs: number
}

/** What takes longer than this (bcrypt from 13 on) never takes all lanes: one is left for the others. */
const heavyMs = 400

/** Of so many sources it is remembered what they have used; those that wait are as many as the queue holds. */
const mostSources = 10_000

/** What the engine does for itself, such as seeding: in one line, and without a deadline. */
const internal = ''

/**
 * A queue that is fair by source (A51): the next to start is of the source that has used the least time so far, so that
 * a source with a thousand entries holds one with a single entry back by one hash. A dear hash counts for what it costs.
 * An entry that waits longer than `waitMs` is refused with 503, and one whose caller has gone is dropped.
 *
 * Lanes are never idle while something that may start waits: the limits by account and for dear hashes only choose.
 */
export function createHashQueue({ concurrency, size, waitMs }: HashQueueOptions): HashQueue {
  const waiting = new Map<string, Entry[]>()
  /** Milliseconds of hashing that each source has used: start-time fair queueing. */
  const used = new Map<string, number>()
  const runningOf = new Map<string, number>()
  let clock = 0
  let running = 0
  let heavy = 0
  let refused = 0
  let dropped = 0
  let computed = 0
  const heavyLanes = Math.max(1, concurrency - 1)
  const perAccount = Math.max(1, Math.ceil(concurrency / 2))
  const length = () => [...waiting.values()].reduce((sum, { length }) => sum + length, 0)

  const isHeavy = ({ costMs }: Entry): boolean => costMs >= heavyMs
  const fits = (entry: Entry): boolean => !isHeavy(entry) || heavy < heavyLanes
  const isPreferred = (entry: Entry): boolean =>
    fits(entry) && (entry.account === undefined || (runningOf.get(entry.account) ?? 0) < perAccount)

  function remove(entry: Entry): boolean {
    const entries = waiting.get(entry.source) ?? []
    const at = entries.indexOf(entry)
    if (at < 0) return false
    entries.splice(at, 1)
    if (entries.length === 0) waiting.delete(entry.source)
    return true
  }

  function next(): Entry | undefined {
    const sources = [...waiting.keys()].sort((one, other) => (used.get(one) ?? 0) - (used.get(other) ?? 0))
    for (const may of [isPreferred, fits]) {
      for (const source of sources) {
        const entry = waiting.get(source)?.find(may)
        if (entry !== undefined) return entry
      }
    }
    return undefined
  }

  function fill(): void {
    while (running < concurrency) {
      const entry = next()
      if (entry === undefined) return
      remove(entry)
      begin(entry)
      entry.start()
    }
  }

  function begin({ source, account, costMs }: Entry): void {
    running++
    if (costMs >= heavyMs) heavy++
    if (account !== undefined) runningOf.set(account, (runningOf.get(account) ?? 0) + 1)
    const before = used.get(source) ?? clock
    clock = Math.max(clock, before)
    used.set(source, before + costMs)
  }

  function end({ account, costMs }: Entry): void {
    running--
    if (costMs >= heavyMs) heavy--
    if (account !== undefined) {
      const left = (runningOf.get(account) ?? 1) - 1
      if (left > 0) runningOf.set(account, left)
      else runningOf.delete(account)
    }
    fill()
    // Sources that the others have caught up with are forgotten, and all of them where nothing is left to do.
    if (running === 0) used.clear()
    else if (used.size > 1000) {
      for (const [source, time] of used) if (time <= clock && !waiting.has(source)) used.delete(source)
      // A flood of new sources is each ahead of the clock: the oldest give way, so that memory stays bounded (A60).
      for (const source of used.keys()) {
        if (used.size <= mostSources) break
        if (!waiting.has(source)) used.delete(source)
      }
    }
  }

  /** Makes room for one more entry, or answers false: the longest line gives way, from its end. */
  function hasRoomFor(source: string): boolean {
    if (length() < size) return true
    const [longest] = [...waiting.values()].sort((one, other) => other.length - one.length)
    const last = longest?.at(-1)
    if (last === undefined || longest === undefined) return false
    if (longest.length <= (waiting.get(source)?.length ?? 0) + 1) return false
    remove(last)
    last.fail(busy('the queue of password hashes is full'))
    return true
  }

  function busy(detail: string): ProtocolError {
    refused++
    return apiError('E0000010', {
      detail,
      headers: { 'retry-after': '2' },
    })
  }

  function wait(entry: Entry, signal: AbortSignal | undefined): () => void {
    const leave = (error: () => ProtocolError) => () => {
      if (remove(entry)) entry.fail(error())
    }
    const gone = leave(() => {
      dropped++
      return apiError('E0000010', { summary: 'The service is busy.', detail: 'the caller has gone' })
    })
    const late = leave(() => busy('a password hash waited for too long'))
    const timer = entry.source === internal ? undefined : setTimeout(late, waitMs)
    signal?.addEventListener('abort', gone)
    return () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', gone)
    }
  }

  let observer: (times: HashTimes) => void = () => {}

  return {
    observe(listener) {
      observer = listener
    },

    load: (): HashLoad => ({ running, waiting: length(), refused, dropped, computed, sources: used.size }),

    async take<T>(work: () => Promise<T>, costMs: number, caller?: HashCaller): Promise<T> {
      const { source = internal, account, signal, recheck } = caller ?? {}
      let hasWaited = false
      const askedAt = performance.now()
      if (signal?.aborted) {
        dropped++
        throw apiError('E0000010', { summary: 'The service is busy.', detail: 'the caller has gone' })
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const entry: Entry = { source, account, costMs, start: resolve, fail: reject }
      if (running < concurrency && fits(entry) && length() === 0) {
        begin(entry)
      } else {
        if (!hasRoomFor(source)) throw busy('the queue of password hashes is full')
        // A source that comes anew is not owed the time that passed without it.
        if (!waiting.has(source)) used.set(source, Math.max(used.get(source) ?? 0, clock))
        waiting.set(source, [...(waiting.get(source) ?? []), entry])
        const over = wait(entry, signal)
        fill()
        try {
          await promise
          hasWaited = true
        } finally {
          over()
        }
      }
      try {
        if (hasWaited) await recheck?.()
        computed++
        const begunAt = performance.now()
        const result = await work()
        observer({ waitedMs: begunAt - askedAt, computedMs: performance.now() - begunAt })
        return result
      } finally {
        end(entry)
      }
    },
  }
}
