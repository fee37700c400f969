import type { SharedSources } from '../flow/index.ts'
import type { SharedConnections, SharedMetrics } from '../http/index.ts'
import type { RequestCounters } from '../limits/index.ts'
import type { HashQueue } from '../passwords/index.ts'

/**
 * What an engine shares with the other workers of its node: all that an engine of one process has in its memory and that
 * must be as much for N of them as for one. A node with N times the budgets would be one whose operator has opened it to N
 * times as many guesses (A85). What is not here is in the database, or of each worker's own (docs/deploy.md).
 */
export interface Shared {
  /** The number of this worker, from 1 on. */
  readonly worker: number
  /** Whether the database is migrated and seeded by this one: the others find it done. */
  readonly prepares: boolean
  /** Whether this worker does what is done once: the maintenance and the sealing with another secret. It may change. */
  leads(): boolean
  /** The part of this worker of something that a node has so many of; 0 where there are fewer than workers. */
  partOf(count: number): number
  readonly counters: RequestCounters
  readonly hashes: HashQueue
  readonly connections: SharedConnections
  readonly sources: SharedSources
  readonly metrics: SharedMetrics
  /** Says to the others that something they cache has changed, or that mails are due which this worker does not send. */
  announce(what: Announcement): void
  onAnnounced(what: Announcement, listener: () => void): void
}

export type Announcement = 'policies' | 'mail'
