import { setTimeout as pause } from 'node:timers/promises'
import { createFailureLog, purgeFailures } from '../audit/index.ts'
import {
  type Clock,
  describeError,
  type ErrorDescription,
  type Logger,
  type Random,
  randomId,
} from '../base/index.ts'
import type { FailureReport } from '../http/index.ts'
import type { Storage } from '../storage/index.ts'

/** How long the end of a node waits for the last of them to be written, in milliseconds. */
const lastWriteMs = 1000

export interface Failures {
  /** Takes an answer that showed the id of an error. Never throws. */
  report(failure: FailureReport): void
  /** Writes what is not written yet, and deletes what nodes that have ended left behind. */
  maintain(): Promise<void>
  /** Writes what is not written yet, where the database answers. */
  close(): Promise<void>
}

/** How long after a failure it is written, together with those that came meanwhile; in milliseconds. */
const writeAfterMs = 1000

/**
 * How often refusals and dead links are written at most, in milliseconds. Anyone can cause them: they must not have the
 * whole row written each second (A60).
 */
const refusalsEveryMs = 10_000

/** How long after that it is tried again where the database did not take it; in milliseconds. */
const retryAfterMs = 2000

/** Records the failures of this node for `rekey trace`. `atOnce`: not only with the maintenance. */
export function recordFailures(options: {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly atOnce: boolean
}): Failures {
  const { storage, clock, log } = options
  const failures = createFailureLog(storage.db, randomId(options.random, 'nod'))
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let dueAt = Number.POSITIVE_INFINITY
  let writtenAt = Number.NEGATIVE_INFINITY
  let writing: Promise<void> = Promise.resolve()
  const write = () => {
    timer = undefined
    dueAt = Number.POSITIVE_INFINITY
    writtenAt = performance.now()
    writing = failures.flush().catch((error) => {
      log.warn({ err: error }, 'errors are not recorded yet')
      if (!isClosed) timer ??= setTimeout(write, retryAfterMs).unref()
    })
  }
  return {
    report({ requestId, error, traceId, transactionId, method, route, status, code }) {
      failures.record({
        id: requestId,
        at: clock.now(),
        method,
        route,
        status,
        code,
        ...(error !== undefined && { cause: causeOf(error) }),
        ...(traceId !== undefined && { traceId }),
        ...(transactionId !== undefined && { transactionId }),
      })
      if (!options.atOnce) return
      const soon = performance.now() + writeAfterMs
      const at = status >= 500 ? soon : Math.max(soon, writtenAt + refusalsEveryMs)
      if (timer !== undefined && dueAt <= at) return
      clearTimeout(timer)
      dueAt = at
      timer = setTimeout(write, at - performance.now()).unref()
    },
    async maintain() {
      await failures.flush()
      await purgeFailures(storage.db, clock.now())
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      const written = writing.then(failures.flush).catch(() => {})
      // A database that is away must not delay the end: the log has the errors, too.
      await Promise.race([written, pause(lastWriteMs, undefined, { ref: false })])
    },
  }
}

/** The class of an error with its SQLSTATE or errno. Not its message, which may hold what a user has sent. */
function causeOf(error: unknown): string {
  const description = describeError(error)
  if (!(error instanceof Error)) return typeof error
  let { type, code, sqlstate, errno, cause } = description as ErrorDescription
  while (cause !== undefined) ({ type, code, cause } = cause)
  return [type, sqlstate ?? errno ?? code].filter((part) => part !== undefined).join(' ')
}
