import { type Logger, ProtocolError } from '../base/index.ts'
import type { ReadyCheck } from '../storage/index.ts'

/** Whether a node can do its work: what its checks last found. */
export interface Readiness {
  readonly isReady: boolean
  /** The result of each check by its name: `ok`, or what is wrong in a word or two, without address, name or secret. */
  readonly checks: Readonly<Record<string, string>>
}

export interface ReadinessReader {
  /** Runs the checks, unless they ran within the last second. Answers within a second and never rejects. */
  read(): Promise<Readiness>
  /** What was last found, without any check; undefined before the first one. */
  last(): Readiness | undefined
}

export interface ReadinessOptions {
  readonly checks: Readonly<Record<string, ReadyCheck>>
  readonly log: Logger
  /** The time in milliseconds; by default since the process started. */
  readonly now?: () => number
}

/** For how long a result is good, in milliseconds: anyone may ask, as often as they like. */
const cacheMs = 1_000
/** How long a caller waits for a check, in milliseconds: the probes of balancers and orchestrators give up soon after. */
const waitMs = 1_000
/**
 * For how long the check of the database may find nothing out before that counts, in milliseconds. That of the others never
 * counts: what they ask of the database waits for a connection or a lock, which this check does not.
 */
const silenceMs = 5_000
const database = 'database'
/** How often a check that goes on failing is logged, in milliseconds. */
const logEveryMs = 60_000

/** The result of a check that found nothing out. */
const noAnswer = 'no answer'

interface CheckState {
  /** The last result that was an answer. */
  known: string
  /** When the check was first run since then. */
  silentSince: number | undefined
  running: Promise<void> | undefined
  loggedAt: number
}

/**
 * Measures whether a node can do its work. What a check has found out counts at once. That it finds nothing out counts
 * after five seconds only: a database that is slow for a moment is slow for all nodes, and with all of them
 * turned away no request is answered.
 */
export function createReadiness({
  checks,
  log,
  now = () => performance.now(),
}: ReadinessOptions): ReadinessReader {
  const names = Object.keys(checks)
  const states = new Map<string, CheckState>()
  let latest: { readonly at: number; readonly readiness: Readiness } | undefined
  let running: Promise<Readiness> | undefined

  function stateOf(name: string): CheckState {
    const known = states.get(name)
    if (known !== undefined) return known
    const fresh = {
      known: 'ok',
      silentSince: undefined,
      running: undefined,
      loggedAt: Number.NEGATIVE_INFINITY,
    }
    states.set(name, fresh)
    return fresh
  }

  async function run(name: string, state: CheckState): Promise<void> {
    let result: string
    try {
      result = (await checks[name]?.()) ?? noAnswer
    } catch (error) {
      // A check that could not ask the database has found nothing out: the check of the database reports that.
      const isAway = error instanceof ProtocolError && error.status === 503 && error.cause !== undefined
      result = isAway ? noAnswer : 'failed'
      if (!isAway) logged(name, state, result, error)
    }
    if (result === noAnswer) return
    if (result !== 'ok') logged(name, state, result)
    else if (state.known !== 'ok') log.info({ check: name }, 'ready again')
    state.known = result
    state.silentSince = undefined
  }

  function logged(name: string, state: CheckState, result: string, error?: unknown): void {
    if (state.known === result && now() - state.loggedAt < logEveryMs) return
    state.loggedAt = now()
    log.warn({ check: name, result, ...(error !== undefined && { err: error }) }, 'not ready')
  }

  async function resultOf(name: string): Promise<string> {
    const state = stateOf(name)
    state.silentSince ??= now()
    state.running ??= run(name, state).finally(() => {
      state.running = undefined
    })
    await orAfter(waitMs, state.running)
    const { silentSince, known } = state
    if (name !== database || silentSince === undefined || now() - silentSince < silenceMs) return known
    logged(name, state, noAnswer)
    state.known = noAnswer
    return noAnswer
  }

  async function readAll(): Promise<Readiness> {
    const results = await Promise.all(names.map(async (name) => [name, await resultOf(name)] as const))
    const readiness = {
      isReady: results.every(([, result]) => result === 'ok'),
      checks: Object.fromEntries(results),
    }
    latest = { at: now(), readiness }
    return readiness
  }

  return {
    last: () => latest?.readiness,
    async read() {
      if (latest !== undefined && now() - latest.at < cacheMs) return latest.readiness
      running ??= readAll().finally(() => {
        running = undefined
      })
      return running
    },
  }
}

/** Waits for `work`, but not longer than this. */
async function orAfter(ms: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([work, promise])
  clearTimeout(timer)
}
