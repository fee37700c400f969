import type { FastifyPluginAsync } from 'fastify'
import type { ExchangeRecorder } from '../audit/index.ts'
import type { Failure, Logger, Random } from '../base/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Connections } from './connections.ts'
import type { Metrics } from './metrics.ts'
import type { ReadinessReader } from './readiness.ts'

/** An answer that shows the id of an error. Nothing in it is of a user. */
export interface FailureReport extends Failure {
  readonly requestId: string
  readonly method: string
  /** The route's pattern. */
  readonly route: string
  readonly status: number
  readonly traceId?: string | undefined
  readonly transactionId?: string | undefined
}

/** A page of markup, with the address of the engine's stylesheet as the only thing that it loads. */
interface UnknownPage {
  readonly status: number
  readonly markup: string
}

export interface HttpOptions {
  readonly storage: Storage
  readonly random: Random
  readonly log: Logger
  /** The engine's public address, or a function that returns it once the server listens. Its origin is allowed by CORS. */
  readonly issuer: string | (() => string)
  /** The path prefix of all routes, if the public address has one: `/id`, without a trailing slash. */
  readonly basePath?: string
  /** In development there is no proxy: the sample app names its visitors by its own secret, and no warning is due. */
  readonly isWithoutProxy?: boolean
  /** Addresses or CIDR ranges of the proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies?: readonly string[]
  /** The routes of the protocols, with full paths, each in its own scope. */
  readonly plugins: readonly FastifyPluginAsync[]
  /** The metrics that `GET /metrics` returns. */
  readonly metrics?: Metrics
  /** What `GET /health/ready` reports; default: the checks of the database. */
  readonly readiness?: ReadinessReader
  /** Whether `GET /metrics` is answered on this port, too; default: true. */
  readonly publicMetrics?: boolean
  /** The connections of this port; by default those of the standard settings. */
  readonly connections?: Connections
  /** The present time in epoch milliseconds: the ids of requests begin with it. Default: the host's. */
  readonly now?: () => number
  /** Whether each answer has a line in the log at level `info`. */
  readonly accessLog?: boolean
  /** Called with each answer that shows the id of an error. */
  readonly onFailure?: (failure: FailureReport) => void
  /**
   * Records requests that no protocol sees: of an origin that is not trusted, and to a path that nothing is served at.
   * Development and tests only.
   */
  readonly recordExchange?: ExchangeRecorder | undefined
  /** The page for a browser that opens a path where nothing is served, in the language that it asks for; default: JSON. */
  readonly unknownPage?:
    | ((path: string, language?: string) => UnknownPage | undefined | Promise<UnknownPage | undefined>)
    | undefined
  /** For the testing kit: an error status to answer a request with, or undefined for none. */
  readonly fault?: (method: string, path: string) => number | undefined
}
