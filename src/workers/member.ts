import cluster from 'node:cluster'
import { apiError } from '../base/index.ts'
import type { Config, Environment } from '../config/index.ts'
import type { Announcement, Shared } from '../engine/index.ts'
import type { AnswerInHand } from '../flow/index.ts'
import type { Family } from '../http/index.ts'
import type { Counted, RequestCounters } from '../limits/index.ts'
import type { HashLoad, HashQueue } from '../passwords/index.ts'
import { type Channel, createChannel } from './channel.ts'
import type { HashVerdict } from './services.ts'

/** Set in the environment of a worker, with its primary's process id: other programs make cluster workers, too. */
export const markOfWorker = 'REKEY_INTERNAL_PRIMARY'

/** What a worker is given at its start. */
export interface Place {
  readonly worker: number
  readonly workers: number
  readonly prepares: boolean
  readonly config: Config
}

/** How a worker is asked to end. */
export interface End {
  /** Another worker has its place: it closes its port at once, and stays ready for those that still reach it. */
  readonly isReplaced: boolean
}

/** This process as a worker of a node. */
export interface Member extends Place {
  readonly shared: Shared
  /** Says that it answers requests; with what the line `ready` says. */
  ready(what: object): void
  /** Resolves when it is asked to end. */
  readonly ended: Promise<End>
  /** Says what it has counted, which the sums of the node go on with: before it ends. */
  leave(): Promise<void>
}

/**
 * Joins the node that has started this process as one of its workers; undefined where it was started by itself. Ends the
 * process where that node has gone meanwhile.
 *
 * @param env the environment of this process
 */
export async function joinNode(env: Environment): Promise<Member | undefined> {
  if (!cluster.isWorker || env[markOfWorker] === undefined) return undefined
  // Its primary was killed while it started: as a node of its own it would be one that no service manager knows of.
  if (env[markOfWorker] !== String(process.ppid)) process.exit(1)
  // What a terminal sends to all processes is for the primary, which says what is to be done.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  const channel = createChannel({
    send: (message, sent) => {
      if (process.connected && process.send !== undefined) process.send(message, undefined, {}, sent)
      else sent()
    },
    onMessage: (listener) => process.on('message', listener),
  })
  const ended = new Promise<End>((resolve) => channel.serve({ end: resolve }))
  let counted = async (_what: 'totals'): Promise<readonly Family[]> => []
  let leads = false
  channel.serve({
    lead(does: boolean) {
      leads = does
    },
  })
  const place = await channel.call<Place>('hello')
  return {
    ...place,
    shared: sharedBy(channel, place, {
      leads: () => leads,
      onMetrics: (read) => {
        counted = read
      },
    }),
    ready(what) {
      // Of itself it ends only when another one has taken its place.
      process.on('SIGTERM', () => channel.note('leaving'))
      channel.note('ready', what)
    },
    ended,
    async leave() {
      channel.note('counted', await counted('totals'))
      await channel.flushed()
    },
  }
}

/** What an engine shares through its channel to the primary. */
export function sharedBy(
  channel: Channel,
  { worker, workers, prepares }: Place,
  {
    leads,
    onMetrics,
  }: { readonly leads: () => boolean; onMetrics(read: (what: 'totals') => Promise<readonly Family[]>): void },
): Shared {
  const announced = new Map<Announcement, () => void>()
  channel.serve({ announced: (what: Announcement) => announced.get(what)?.() })
  return {
    ...{ worker, prepares, leads },
    partOf: (count) => Math.floor(count / workers) + (worker <= count % workers ? 1 : 0),
    counters: countersOf(channel),
    hashes: hashesOf(channel),
    connections: {
      open: (address, most) => channel.call<boolean>('open', address, most),
      closed: (address) => channel.note('closed', address),
    },
    sources: {
      async begin(key): Promise<AnswerInHand> {
        const inFlight = await channel.call<number>('begin', key)
        return { inFlight, end: () => channel.note('end', key) }
      },
      signedIn: (key) => channel.note('signedIn', key),
      onSignedIn: (listener) => channel.serve({ alsoSignedIn: listener }),
    },
    metrics: {
      serve(read) {
        onMetrics(read)
        channel.serve({ metrics: () => read() })
      },
      gather: () => channel.call<readonly Family[]>('gather'),
    },
    announce: (what) => channel.note('announce', what),
    onAnnounced: (what, listener) => void announced.set(what, listener),
  }
}

const countersOf = (channel: Channel): RequestCounters => ({
  charge: (uses) =>
    channel.call<Counted>(
      'charge',
      uses.map(({ budget, windowMs, limit, key }) => ({ budget, windowMs, limit, key })),
    ),
  look: (uses) =>
    channel.call<Counted>(
      'look',
      uses.map(({ budget, windowMs, limit, key }) => ({ budget, windowMs, limit, key })),
    ),
  size: () => 0,
  clear() {},
})

/** The places of the primary's queue; what is counted of them is counted here, so that the workers' sums are right. */
function hashesOf(channel: Channel): HashQueue {
  let last = 0
  let observer: Parameters<HashQueue['observe']>[0] = () => {}
  const load = { running: 0, waiting: 0, refused: 0, dropped: 0, computed: 0 }
  const callerGone = () => {
    load.dropped++
    return apiError('E0000010', { summary: 'The service is busy.', detail: 'the caller has gone' })
  }

  async function place(
    id: number,
    costMs: number,
    caller: Parameters<HashQueue['take']>[2],
  ): Promise<HashVerdict> {
    const { source, account, signal } = caller ?? {}
    const gone = () => channel.note('gone', id)
    signal?.addEventListener('abort', gone)
    load.waiting++
    try {
      return await channel.call<HashVerdict>('hash', id, costMs, { source, account })
    } finally {
      load.waiting--
      signal?.removeEventListener('abort', gone)
    }
  }

  return {
    observe(listener) {
      observer = listener
    },
    load: (): HashLoad => ({ ...load }),
    async take(work, costMs, caller) {
      const askedAt = performance.now()
      if (caller?.signal?.aborted) throw callerGone()
      const id = ++last
      const verdict = await place(id, costMs, caller)
      if ('detail' in verdict) {
        if (caller?.signal?.aborted) throw callerGone()
        load.refused++
        throw apiError('E0000010', verdict)
      }
      load.running++
      try {
        if (verdict.hasWaited) await caller?.recheck?.()
        load.computed++
        const begunAt = performance.now()
        const result = await work()
        observer({ waitedMs: begunAt - askedAt, computedMs: performance.now() - begunAt })
        return result
      } finally {
        load.running--
        channel.note('hashed', id)
      }
    },
  }
}
