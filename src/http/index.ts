/**
 * The Fastify app: what all responses have in common (request id, headers, CORS, body rules, error shape), health, metrics
 * and the OpenAPI document. The protocols are registered as plugins.
 */
/** The OpenAPI document of an engine at an address. Loaded on demand, so that it does not slow down the start. */
export const openApi = async (address: string): Promise<object> =>
  (await import('./openapi/index.ts')).openApiDocument(address)

export { createHttp } from './app.ts'
export { type Connections, createConnections, type SharedConnections } from './connections.ts'
export { pathsOf } from './errors.ts'
export { type HealthOptions, type Monitor, startMonitor } from './health.ts'
export {
  createMetrics,
  type Family,
  type Metrics,
  type Reading,
  type SharedMetrics,
  sumOf,
} from './metrics.ts'
export type { FailureReport, HttpOptions } from './options.ts'
export { createReadiness, type Readiness, type ReadinessOptions, type ReadinessReader } from './readiness.ts'
export { schemaless } from './schemaless.ts'
