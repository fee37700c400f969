import type { Exchange, ExchangeRecorder } from '../../audit/index.ts'

/** An exchange that was kept; the same poll again and again is kept once, with how often it came. */
export interface Recorded extends Exchange {
  readonly id: string
  readonly times: number
}

/** A move of the engine's clock: from when, and by how many milliseconds. */
export interface ClockMove {
  readonly at: number
  readonly byMs: number
}

/** What changed: a conversation, something that belongs to none, or all of it. */
export type FlowChange = { readonly id: string } | 'cleared'

export interface Recorder {
  readonly observe: ExchangeRecorder
  clockMoved(move: ClockMove): void
  /** The exchanges of a conversation, oldest first. */
  of(transactionId: string): readonly Recorded[]
  /** Exchanges that belong to no conversation, newest first: refused before one began, or with a handle of nobody's. */
  strays(): readonly Recorded[]
  moves(): readonly ClockMove[]
  clear(): void
  subscribe(listener: (change: FlowChange) => void): () => void
}

/**
 * Keeps the latest exchanges in memory, by conversation, bounded in every direction: an engine in development runs for
 * weeks, and a client in a loop must not fill it.
 */
export function createRecorder(most = { conversations: 200, exchanges: 200, strays: 200 }): Recorder {
  const conversations = new Map<string, readonly Recorded[]>()
  /** The latest conversation of an interaction, for what knows the interaction alone. */
  const latest = new Map<string, string>()
  /** What began an interaction whose first conversation is still to come. */
  const begun = new Map<string, Recorded>()
  const listeners = new Set<(change: FlowChange) => void>()
  let strays: readonly Recorded[] = []
  let moves: readonly ClockMove[] = []
  let last = 0

  const tell = (change: FlowChange): void => {
    for (const listener of [...listeners]) listener(change)
  }

  function keep(transactionId: string, recorded: Recorded): void {
    const beginning = begun.get(recorded.interactionId ?? '')
    const known = conversations.get(transactionId) ?? (beginning ? [beginning] : [])
    begun.delete(recorded.interactionId ?? '')
    // Taken out first, so that the map stays in the order in which conversations were last heard of.
    conversations.delete(transactionId)
    conversations.set(transactionId, joined(known, recorded).slice(-most.exchanges))
    if (recorded.interactionId !== undefined) latest.set(recorded.interactionId, transactionId)
    bound(conversations, most.conversations)
    bound(latest, most.conversations)
  }

  return {
    observe(exchange) {
      last += 1
      const recorded: Recorded = { ...exchange, id: `exc${String(last).padStart(10, '0')}`, times: 1 }
      const { interactionId = '', endpoint, status } = exchange
      const transactionId = exchange.transactionId ?? latest.get(interactionId)
      if (transactionId !== undefined) {
        keep(transactionId, recorded)
        return tell({ id: transactionId })
      }
      if (endpoint === 'interact' && status < 400) {
        begun.set(interactionId, recorded)
        return bound(begun, most.strays)
      }
      strays = [recorded, ...strays].slice(0, most.strays)
      tell({ id: recorded.id })
    },
    clockMoved(move) {
      moves = [...moves, move].slice(-most.strays)
    },
    of: (transactionId) => conversations.get(transactionId) ?? [],
    strays: () => strays,
    moves: () => moves,
    clear() {
      for (const map of [conversations, latest, begun]) map.clear()
      strays = []
      moves = []
      tell('cleared')
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
    isLooking(recorded) &&
    before.path === recorded.path &&
    before.status === recorded.status &&
    before.stageAfter === recorded.stageAfter
  return isSame ? [...known.slice(0, -1), { ...before, times: before.times + 1 }] : [...known, recorded]
}

/** Whether an exchange only asks how things stand. */
export const isLooking = ({ path }: Exchange): boolean =>
  /\/idp\/idx\/(?:challenge\/poll|introspect)$/.test(path)

function bound(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}
