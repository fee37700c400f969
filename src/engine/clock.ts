import { uptime } from 'node:os'
import { type Clock, isoTime, type Logger, MonotonicClock, meltableMs, processClock } from '../base/index.ts'
import { notedTime, noteTime, readNoted, rebaseTime, type Storage } from '../storage/index.ts'

/** From how far on a clock that is ahead of, or behind, its reference is reported. */
const reportFromMs = 60_000
/** How soon a reading that was not believed is repeated. */
const rereadMs = 20_000
const hour = 3_600_000
/** A reading that took longer is too inexact to correct a clock by. */
const maxTripMs = 2_000

/**
 * For how long readings must agree before a jump is believed. A database server's clock is looked after, and its jump
 * reaches all nodes alike; a host's may be wrong for a minute (a restored VM, a first answer of NTP).
 */
const confirmMs = { server: 40_000, host: 150_000 } as const

const hasServer = (storage: Storage, source: Clock): boolean =>
  storage.kind === 'postgres' && source === processClock

/**
 * The time that a clock is corrected by: the database server's where there is a server, otherwise the host's.
 * Undefined where it cannot be read exactly enough at the moment.
 */
async function readReference(storage: Storage, source: Clock): Promise<number | undefined> {
  if (!hasServer(storage, source)) return source.host?.()
  const asked = performance.now()
  const serverTime = await storage.serverTime()
  const tripMs = performance.now() - asked
  if (serverTime === undefined || tripMs > maxTripMs) return undefined
  return Math.round(serverTime + tripMs / 2)
}

/**
 * The engine's clock. On PostgreSQL it begins with the server's time: a noted time that is far ahead of it is an older
 * version's, or the server's clock was set back; an engine sets it right, so that nothing comes back to life or lives longer
 * (A44). A lead of up to a minute melts, as in a clock that runs.
 * On SQLite it begins no earlier than the noted time, and runs on from there: the host's clock may be the wrong one of
 * the two, and only an operator can know (`rekey clock`).
 *
 * @param options.setsBack false: nothing is written, and the clock runs on from a noted time that is ahead. For commands,
 *   of which most only read: beside an engine they would move the ends of everything it serves.
 */
export async function openClock(
  storage: Storage,
  source: Clock,
  log: Logger,
  { setsBack }: { readonly setsBack: boolean },
): Promise<MonotonicClock> {
  const highest = Math.max(await storage.highestTime(), await notedTime(storage.db))
  // Read after the highest time, which other nodes raise meanwhile.
  const serverTime = hasServer(storage, source) ? await storage.serverTime() : undefined
  if (serverTime === undefined) return new MonotonicClock(source, { highest })
  const offset = serverTime - source.now()
  if (!setsBack || highest <= serverTime + meltableMs) return new MonotonicClock(source, { offset, highest })
  const times = {
    noted: isoTime(highest),
    serverTime: isoTime(serverTime),
    aheadSeconds: (highest - serverTime) / 1000,
  }
  try {
    await rebaseTime(storage, {})
    log.warn(
      times,
      "the time in the database was ahead of the database server's clock and was set back to it; what had expired stays expired",
    )
    return new MonotonicClock(source, { offset })
  } catch (err) {
    log.error(
      { ...times, err },
      "the time in the database is ahead of the database server's clock and could not be set back: run rekey clock --reset",
    )
    return new MonotonicClock(source, { offset, highest })
  }
}

export interface TimeKeeper {
  /** Reads the reference and corrects the clock, follows a reset, and notes the time in the database. */
  sync(): Promise<void>
  close(): void
}

/**
 * Keeps the clock of an engine right. Between two readings the clock runs on the process's monotonic clock, so a jump
 * of the host's clock changes nothing; one that lasts is followed once readings agree on it for a while.
 */
export function startTimeKeeper(parts: {
  readonly storage: Storage
  readonly clock: MonotonicClock
  readonly source: Clock
  readonly log: Logger
}): TimeKeeper {
  const { storage, clock, source, log } = parts
  const wait = hasServer(storage, source) ? confirmMs.server : confirmMs.host
  const report = createReport(log, hasServer(storage, source) ? "the database server's" : "the host's")
  const sleep = sleepMeter()
  let reset: string | undefined
  let again: NodeJS.Timeout | undefined
  let closed = false

  async function sync(): Promise<void> {
    const asleepMs = sleep()
    const reference = await readReference(storage, source)
    const isFollowed =
      reference === undefined || clock.follow(reference, { confirmMs: wait, asleepMs: asleepMs.total })
    if (isFollowed && reference !== undefined) asleepMs.forget()
    const noted = await readNoted(storage.db)
    if (reset !== undefined && noted.reset !== reset) {
      clock.rewind()
      log.warn({ now: isoTime(clock.now()) }, "the engine's time was set back by rekey clock --reset")
    }
    reset = noted.reset
    // With a server its time is noted, never that of a node that is ahead of it: other nodes would take it over.
    await noteTime(storage.db, hasServer(storage, source) ? clock.reference() : clock.now(), reset)
    report(clock.aheadMs())
    clearTimeout(again)
    if (isFollowed || closed) return
    again = setTimeout(() => void sync().catch(() => {}), rereadMs)
    again.unref()
  }

  return {
    sync,
    close() {
      closed = true
      clearTimeout(again)
    },
  }
}

/**
 * How long the host was suspended: the monotonic clock of Linux stands still meanwhile, its uptime does not. A host
 * that counts neither is followed a little later, when readings agree.
 */
function sleepMeter() {
  const difference = () => uptime() * 1000 - performance.now()
  let before = difference()
  return () => {
    const now = difference()
    return {
      total: Math.max(0, now - before),
      forget: () => {
        before = now
      },
    }
  }
}

/** A line when it begins, one an hour while it lasts, one when it is over. */
function createReport(log: Logger, reference: string): (aheadMs: number) => void {
  let reportedAt: number | undefined
  return (aheadMs) => {
    const aheadSeconds = Math.round(aheadMs / 1000)
    if (Math.abs(aheadMs) <= reportFromMs) {
      if (reportedAt !== undefined)
        log.info({ aheadSeconds }, `the engine's time agrees with ${reference} again`)
      reportedAt = undefined
      return
    }
    if (reportedAt !== undefined && performance.now() - reportedAt < hour) return
    reportedAt = performance.now()
    log.warn(
      { aheadSeconds },
      aheadMs > 0
        ? `the engine's time is ahead of ${reference} clock: it was set back, or had been wrong before; the engine's time goes on from where it was, and rekey clock explains and mends it`
        : `${reference} clock is ahead of the engine's time: it has jumped, and is followed once it stays there`,
    )
  }
}
