/**
 * The Fastify app: what all answers have in common (request id, headers, CORS, body rules, one error shape), health
 * and metrics. The protocols come as plugins; their steps and bodies are not this folder's.
 */
/** The HTTP API as OpenAPI, for an address. Loaded when it is asked for: no start waits for it. */
export const openApi = async (address: string): Promise<object> =>
  (await import('./openapi/index.ts')).openApiDocument(address)

export { createHttp } from './app.ts'
export { createMetrics, type Metrics, type Reading } from './metrics.ts'
export type { HttpOptions } from './options.ts'
export { schemaless } from './schemaless.ts'
