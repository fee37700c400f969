import { apiError, type Clock, type ProtocolError, systemClock } from '../base/index.ts'
import { addressKey } from './address.ts'
import { type Counted, type CounterUse, createRequestCounters, type RequestCounters } from './counters.ts'
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
  refuseSpent(endpoint: Endpoint, source: RequestSource): Promise<void>
  /** How many counters are in memory. */
  counters(): number
  /** Forgets all that was counted: for an engine that starts over from its seed. */
  clear(): void
}

/** A use with its budget, which the key and the limit were made of. */
interface RequestUse extends CounterUse {
  readonly of: RequestBudget
}

/**
 * Counts requests in this process, or where `counters` says. They are counted where they are answered and not in the database: a durable write
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
  /** Where they are counted; default: in this process. */
  readonly counters?: RequestCounters
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
  const { counters = createRequestCounters(() => clock.now()) } = options

  const byEndpoint = new Map<Endpoint, readonly RequestBudget[]>()
  function budgetsAt(endpoint: Endpoint): readonly RequestBudget[] {
    const known = byEndpoint.get(endpoint) ?? budgets.filter(({ endpoints }) => endpoints.includes(endpoint))
    byEndpoint.set(endpoint, known)
    return known
  }

  function usesOf(endpoint: Endpoint, caller: RequestSource): readonly RequestUse[] {
    const source = { ...caller, address: addressKey(caller.address) }
    const uses: RequestUse[] = []
    for (const of of budgetsAt(endpoint)) {
      const key = of.keyOf(source)
      if (key === undefined) continue
      const limit = of.bySource && source.app !== undefined ? of.limit * appFactor : of.limit
      uses.push({ of, budget: of.name, windowMs: of.windowMs, limit, key })
    }
    return uses
  }

  /**
   * Named as Okta's: how many there are, how many are left, and when all are back (seconds since 1970). That time is of the
   * clock that writes Date: SDKs wait for the difference of the two, and the engine's clock may be ahead.
   */
  function headersOf(limit: number, { used, leftMs }: Counted['counters'][number]) {
    return {
      'X-Rate-Limit-Limit': String(limit),
      'X-Rate-Limit-Remaining': String(Math.max(0, limit - used)),
      'X-Rate-Limit-Reset': String(Math.ceil((dates.now() + leftMs) / 1000)),
    }
  }

  /** The headers of the budget with the least left. */
  function tightestOf(uses: readonly RequestUse[], { counters }: Counted): Readonly<Record<string, string>> {
    let least: { readonly limit: number; readonly counter: Counted['counters'][number] } | undefined
    for (const [index, { limit }] of uses.entries()) {
      const counter = counters[index]
      if (counter === undefined) continue
      if (least === undefined || limit - counter.used < least.limit - least.counter.used) {
        least = { limit, counter }
      }
    }
    return least === undefined ? {} : headersOf(least.limit, least.counter)
  }

  function refused({ limit, budget }: RequestUse, counter: Counted['counters'][number]): ProtocolError {
    refusals?.count(budget)
    return tooManyRequests(headersOf(limit, counter), counter.leftMs)
  }

  return {
    async charge(endpoint, caller) {
      const uses = usesOf(endpoint, caller)
      if (uses.length === 0) return {}
      const asked = counters.charge(uses)
      const counted = asked instanceof Promise ? await asked : asked
      const [spent, counter] = [uses[counted.spent], counted.counters[counted.spent]]
      if (spent === undefined || counter === undefined) return tightestOf(uses, counted)
      const error = refused(spent, counter)
      if (counted.isAnnounced) {
        const source = { ...caller, address: addressKey(caller.address) }
        const { budget: rule, limit, windowMs } = spent
        await onViolation({ rule, endpoint, limit, windowMs, source })
      }
      throw error
    },
    async refuseSpent(endpoint, caller) {
      const uses = usesOf(endpoint, caller)
      const counted = await counters.look(uses)
      const [spent, counter] = [uses[counted.spent], counted.counters[counted.spent]]
      if (spent !== undefined && counter !== undefined) throw refused(spent, counter)
    },
    counters: counters.size,
    clear: counters.clear,
  }
}

const tooManyRequests = (headers: Readonly<Record<string, string>>, waitMs: number): ProtocolError =>
  apiError('E0000047', {
    headers: { ...headers, 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  })
