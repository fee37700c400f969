import type { Exchange, ExchangeRecorder } from '../../audit/index.ts'

/** A recorded exchange. Repeated polls with the same result are recorded once, with their number. */
export interface Recorded extends Exchange {
  readonly id: string
  readonly times: number
}

/** A move of the clock of the engine: the time before it, and the difference in milliseconds. */
export interface ClockMove {
  readonly at: number
  readonly byMs: number
}

/** A change: of a transaction, of an exchange that belongs to none, or everything was cleared. */
export type FlowChange = { readonly id: string } | 'cleared'

export interface Recorder {
  readonly observe: ExchangeRecorder
  clockMoved(move: ClockMove): void
  /** The exchanges of a transaction, oldest first. */
  of(transactionId: string): readonly Recorded[]
  /** Refused exchanges that belong to no transaction, newest first: before one began, or with an unknown handle. */
  strays(): readonly Recorded[]
  moves(): readonly ClockMove[]
  clear(): void
  subscribe(listener: (change: FlowChange) => void): () => void
}

/**
 * Records the latest exchanges in memory, by transaction. All lists are bounded: an engine in development runs for
 * weeks, and a client in a loop must not fill the memory.
 */
export function createRecorder(most = { transactions: 200, exchanges: 200, strays: 200 }): Recorder {
  const transactions = new Map<string, readonly Recorded[]>()
  /** The latest transaction of an interaction, for exchanges that know only the interaction. */
  const latest = new Map<string, string>()
  /** The first exchange of an interaction that has no transaction yet. */
  const begun = new Map<string, Recorded>()
  const listeners = new Set<(change: FlowChange) => void>()
  let strays: readonly Recorded[] = []
  let moves: readonly ClockMove[] = []
  let last = 0

  const notify = (change: FlowChange): void => {
    for (const listener of [...listeners]) listener(change)
  }

  function addExchange(transactionId: string, recorded: Recorded): void {
    const beginning = begun.get(recorded.interactionId ?? '')
    const known = transactions.get(transactionId) ?? (beginning ? [beginning] : [])
    begun.delete(recorded.interactionId ?? '')
    // Deleted first, so that the map stays in the order of the last exchange and the oldest is dropped.
    transactions.delete(transactionId)
    transactions.set(transactionId, joined(known, recorded).slice(-most.exchanges))
    if (recorded.interactionId !== undefined) latest.set(recorded.interactionId, transactionId)
    bound(transactions, most.transactions)
    bound(latest, most.transactions)
  }

  return {
    observe(exchange) {
      last += 1
      const recorded: Recorded = { ...exchange, id: `exc${String(last).padStart(10, '0')}`, times: 1 }
      const { interactionId = '', endpoint, status } = exchange
      const transactionId = exchange.transactionId ?? latest.get(interactionId)
      if (transactionId !== undefined) {
        addExchange(transactionId, recorded)
        return notify({ id: transactionId })
      }
      if (endpoint === 'interact' && status < 400) {
        begun.set(interactionId, recorded)
        return bound(begun, most.strays)
      }
      // Tokens for a user whom a test signed in have no transaction either: that is no refusal.
      if (!isRefused(exchange)) return
      strays = [recorded, ...strays].slice(0, most.strays)
      notify({ id: recorded.id })
    },
    clockMoved(move) {
      moves = [...moves, move].slice(-most.strays)
    },
    of: (transactionId) => transactions.get(transactionId) ?? [],
    strays: () => strays,
    moves: () => moves,
    clear() {
      for (const map of [transactions, latest, begun]) map.clear()
      strays = []
      moves = []
      notify('cleared')
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function joined(known: readonly Recorded[], recorded: Recorded): readonly Recorded[] {
  const before = known.at(-1)
  const isSame =
    before !== undefined &&
    isPoll(recorded) &&
    before.path === recorded.path &&
    before.status === recorded.status &&
    before.stageAfter === recorded.stageAfter
  return isSame ? [...known.slice(0, -1), { ...before, times: before.times + 1 }] : [...known, recorded]
}

/** Whether an exchange was refused, by its status or, where the status does not say so, by what became of it. */
export const isRefused = ({ endpoint, status, reason }: Exchange): boolean =>
  status >= 400 || endpoint === 'origin' || (endpoint === 'link' && reason !== 'alive')

/** Whether an exchange is a poll: it only asks for the current state. */
export const isPoll = ({ path }: Exchange): boolean =>
  /\/idp\/idx\/(?:challenge\/poll|introspect)$/.test(path)

function bound(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}
