import { once } from 'node:events'
import { createServer } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../base/index.ts'
import type { Metrics } from './metrics.ts'
import type { ReadinessReader } from './readiness.ts'

export interface HealthOptions {
  readonly readiness: ReadinessReader
  readonly metrics: Metrics
  readonly log: Logger
  /** Whether the node is about to end: it still answers, but a balancer shall choose another (reports 22). */
  readonly isRetiring: () => boolean
}

interface HealthAnswer {
  readonly status: 200 | 503
  readonly body: { readonly status: string; readonly checks?: Readonly<Record<string, string>> }
}

/** Whether this node can do its work. Never throws. */
async function answerOf({ readiness, isRetiring }: HealthOptions): Promise<HealthAnswer> {
  if (isRetiring()) return { status: 503, body: { status: 'ending' } }
  const { isReady, checks } = await readiness.read()
  if (!isReady) return { status: 503, body: { status: 'unavailable', checks } }
  return { status: 200, body: { status: 'ready' } }
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * `GET /health/live` (the process answers), `GET /health/ready` (it can do its work), and, where `withMetrics`,
 * `GET /metrics` (Prometheus), on the public port.
 */
export function addHealth(app: FastifyInstance, options: HealthOptions, withMetrics: boolean): void {
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    const { status, body } = await answerOf(options)
    return reply.code(status).send(body)
  })
  if (!withMetrics) return
  app.get('/metrics', async (_request, reply) => reply.type(metricsType).send(await options.metrics.print()))
}

/** A listener of its own for the operator: health and metrics, nothing of the protocols. */
export interface Monitor {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/**
 * Starts the operator's listener. Metrics on the public port would be open to all, and reveal more than a visitor is
 * meant to see (A62). Rejects where the port is in use.
 */
export async function startMonitor(
  options: HealthOptions,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Monitor> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
    const send = (status: number, type: string, body: string) =>
      response
        .writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
        .end(request.method === 'HEAD' ? undefined : body)
    const sendJson = (status: number, body: object) => send(status, 'application/json', JSON.stringify(body))
    const answer = async () => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return sendJson(405, { status: 'GET only' })
      switch (request.url?.replace(/\?.*$/s, '')) {
        case '/health/live':
          return sendJson(200, { status: 'live' })
        case '/health/ready': {
          const { status, body } = await answerOf(options)
          return sendJson(status, body)
        }
        case '/metrics':
          return send(200, metricsType, await options.metrics.print())
        default:
          return sendJson(404, { status: 'there are /metrics, /health/live and /health/ready' })
      }
    }
    answer().catch((error) => {
      options.log.error({ err: error }, 'a request for health or metrics failed')
      if (!response.headersSent) sendJson(500, { status: 'failed' })
    })
  })
  server.listen({ host, port })
  await once(server, 'listening')
  const address = server.address()
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
