import type { FastifyPluginAsync } from 'fastify'
import type { Logger, Random } from '../base/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Metrics } from './metrics.ts'
import type { ReadinessReader } from './readiness.ts'

export interface HttpOptions {
  readonly storage: Storage
  readonly random: Random
  readonly log: Logger
  /** The engine's public address, or a function that returns it once the server listens. Its origin is allowed by CORS. */
  readonly issuer: string | (() => string)
  /** The path prefix of all routes, if the public address has one: `/id`, without a trailing slash. */
  readonly basePath?: string
  /** Addresses or CIDR ranges of the proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies?: readonly string[]
  /** The routes of the protocols, with full paths, each in its own scope. */
  readonly plugins: readonly FastifyPluginAsync[]
  /** The metrics that `GET /metrics` returns. */
  readonly metrics?: Metrics
  /** What `GET /health/ready` reports; default: the checks of the database. */
  readonly readiness?: ReadinessReader
  /** Throws if the node is not ready for another reason. Asked at each request, so it must cost nothing. */
  readonly ready?: () => Promise<void>
  /** For the testing kit: an error status to answer a request with, or undefined for none. */
  readonly fault?: (method: string, path: string) => number | undefined
}
