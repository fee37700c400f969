import type { FastifyPluginAsync } from 'fastify'
import type { Logger, Random } from '../base/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Metrics } from './metrics.ts'

export interface HttpOptions {
  readonly storage: Storage
  readonly random: Random
  readonly log: Logger
  /** The engine's public address, or how to learn it once the server listens. Its origin may call, too. */
  readonly issuer: string | (() => string)
  /** The path in front of everything, where the public address has one: `/id`, without a slash at the end. */
  readonly basePath?: string
  /** Addresses or CIDR ranges of the proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[]
  /** The routes of the protocols, with full paths; each in a scope of its own. */
  readonly plugins: readonly FastifyPluginAsync[]
  /** What `GET /metrics` prints; others may count into it. */
  readonly metrics?: Metrics
  /** What must be true besides an answering database before `GET /health/ready` says so; throws where it is not. */
  readonly ready?: () => Promise<void>
  /** For the testing kit: the status a request is answered with instead, or undefined to let it pass. */
  readonly fault?: (method: string, path: string) => number | undefined
}
