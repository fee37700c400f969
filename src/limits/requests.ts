import { apiError, type Clock, type ProtocolError, systemClock } from '../base/index.ts'
import { addressKey } from './address.ts'
import type { Endpoint, RequestBudget, RequestSource } from './presets.ts'
import type { Refusals } from './refusals.ts'

/** A budget that was found spent for the first time in its window. */
export interface Violation {
  readonly rule: string
  readonly endpoint: Endpoint
  readonly limit: number
  readonly windowMs: number
  readonly source: RequestSource
}

export interface RequestLimits {
  /**
   * Counts a request, whatever becomes of it. Answers the headers of the budget with the least left. Throws
   * 429 `E0000047` with the same headers and `Retry-After` where one is spent.
   */
  charge(endpoint: Endpoint, source: RequestSource): Promise<Readonly<Record<string, string>>>
  /** Throws as `charge` where a budget is spent, and counts nothing: for what is charged only where it fails. */
  refuseSpent(endpoint: Endpoint, source: RequestSource): void
  /** How many counters are in memory. */
  counters(): number
  /** Forgets all that was counted: for an engine that starts over from its seed. */
  clear(): void
}

interface Counter {
  used: number
  readonly resetsAt: number
}

interface CounterUse {
  readonly budget: RequestBudget
  /** That of the budget, or more of an app that vouches for no address. */
  readonly limit: number
  readonly key: string
  readonly counter: Counter
}

/** Violations that the log has an event for, by this node; all are counted (`refusals`). */
const mostAnnounced = 100
const announcedMs = 60_000

/** More keys than this at once are a flood; the oldest are forgotten first, so that memory stays bounded. */
const mostCounters = 100_000

/**
 * Counts requests in this process. They are counted where they are answered and not in the database: a durable write
 * would cost each request more than most of them cost altogether, and what must hold across nodes (guesses, mails by recipient)
 * is charged there, with the step that checks an answer or sends a mail.
 */
export function createRequestLimits(options: {
  readonly budgets: readonly RequestBudget[]
  readonly clock: Clock
  /** The clock of the header Date, which clients subtract from that of the reset. Default: the host's. */
  readonly dates?: Clock
  /** How many times as many an app has that vouches for no address. */
  readonly appFactor?: number
  readonly refusals?: Refusals
  /** Called once a window of each budget and key, before the request is refused. */
  onViolation?(violation: Violation): Promise<void>
}): RequestLimits {
  const {
    budgets,
    clock,
    dates = systemClock,
    refusals,
    appFactor = 1,
    onViolation = async () => {},
  } = options
  const counted = new Map(budgets.map((budget) => [budget, new Map<string, Counter>()]))
  const counters = () => [...counted.values()].reduce((sum, { size }) => sum + size, 0)

  function counterOf(budget: RequestBudget, key: string, now: number): Counter {
    const own = counted.get(budget) ?? new Map<string, Counter>()
    const known = own.get(key)
    // A window that ends later than one that begins now is of a time that was set back (report 20).
    const isOpen = known !== undefined && now < known.resetsAt && known.resetsAt <= now + budget.windowMs
    if (isOpen) return known
    const counter = { used: 0, resetsAt: now + budget.windowMs }
    // Put anew, so that the map's order is that of the windows' ends: those of one budget are equally long.
    own.delete(key)
    own.set(key, counter)
    for (const [oldest, { resetsAt }] of own) {
      if (now < resetsAt) break
      own.delete(oldest)
    }
    if (counters() > mostCounters) {
      const [largest = own] = [...counted.values()].sort((one, other) => other.size - one.size)
      largest.delete(largest.keys().next().value ?? key)
    }
    return counter
  }

  const byEndpoint = new Map<Endpoint, readonly RequestBudget[]>()
  function budgetsAt(endpoint: Endpoint): readonly RequestBudget[] {
    const known = byEndpoint.get(endpoint) ?? budgets.filter(({ endpoints }) => endpoints.includes(endpoint))
    byEndpoint.set(endpoint, known)
    return known
  }

  function usesOf(endpoint: Endpoint, source: RequestSource, now: number): readonly CounterUse[] {
    const uses: CounterUse[] = []
    for (const budget of budgetsAt(endpoint)) {
      const key = budget.keyOf(source)
      if (key === undefined) continue
      const limit = budget.bySource && source.app !== undefined ? budget.limit * appFactor : budget.limit
      uses.push({ budget, limit, key, counter: counterOf(budget, key, now) })
    }
    return uses
  }

  /**
   * Named as Okta's: how many there are, how many are left, and when all are back (seconds since 1970). That time is of the
   * clock that writes Date: SDKs wait for the difference of the two, and the engine's clock may be ahead.
   */
  function headersOf(uses: readonly CounterUse[]): Readonly<Record<string, string>> {
    const left = ({ limit, counter }: CounterUse) => Math.max(0, limit - counter.used)
    const [first, ...others] = uses
    if (first === undefined) return {}
    const tightest = others.reduce((least, one) => (left(one) < left(least) ? one : least), first)
    const resetsAt = dates.now() + tightest.counter.resetsAt - clock.now()
    return {
      'X-Rate-Limit-Limit': String(tightest.limit),
      'X-Rate-Limit-Remaining': String(left(tightest)),
      'X-Rate-Limit-Reset': String(Math.ceil(resetsAt / 1000)),
    }
  }

  let announced = { since: 0, count: 0 }
  /** A flood from very many addresses is one event in the log after another: so many a minute are enough to see it (A60). */
  function mayAnnounce(now: number): boolean {
    if (now >= announced.since + announcedMs || now < announced.since) announced = { since: now, count: 0 }
    announced.count++
    return announced.count <= mostAnnounced
  }

  return {
    async charge(endpoint, caller) {
      const now = clock.now()
      const source = { ...caller, address: addressKey(caller.address) }
      const uses = usesOf(endpoint, source, now)
      const spent = uses.find(({ limit, counter }) => counter.used >= limit)
      if (spent === undefined) {
        for (const { counter } of uses) counter.used += 1
        return headersOf(uses)
      }
      // Only the spent one is charged: a caller that a narrow budget stops uses up none that others share.
      spent.counter.used += 1
      const { budget, limit, counter } = spent
      refusals?.count(budget.name)
      if (counter.used === limit + 1) {
        const { name: rule, windowMs } = budget
        if (mayAnnounce(now)) await onViolation({ rule, endpoint, limit, windowMs, source })
      }
      throw tooManyRequests(headersOf([spent]), counter.resetsAt - now)
    },
    refuseSpent(endpoint, caller) {
      const now = clock.now()
      const spent = usesOf(endpoint, { ...caller, address: addressKey(caller.address) }, now).find(
        ({ limit, counter }) => counter.used >= limit,
      )
      if (spent === undefined) return
      refusals?.count(spent.budget.name)
      throw tooManyRequests(headersOf([spent]), spent.counter.resetsAt - now)
    },
    counters,
    clear() {
      for (const own of counted.values()) own.clear()
    },
  }
}

const tooManyRequests = (headers: Readonly<Record<string, string>>, waitMs: number): ProtocolError =>
  apiError('E0000047', {
    headers: { ...headers, 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  })
