import type { FastifyInstance } from 'fastify'
import type { Logger } from '../base/index.ts'
import type { Metrics } from './metrics.ts'
import type { ReadinessReader } from './readiness.ts'

export interface HealthOptions {
  readonly readiness: ReadinessReader
  readonly metrics: Metrics
  readonly log: Logger
  /** Throws where the node is not ready for another reason. Asked at each request, so it must cost nothing. */
  readonly ready: () => Promise<void>
}

/** `GET /health/live` (the process answers), `GET /health/ready` (it can do its work), `GET /metrics` (Prometheus). */
export function addHealth(app: FastifyInstance, options: HealthOptions): void {
  const { readiness, metrics, log, ready } = options
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    const { isReady, checks } = await readiness.read()
    if (!isReady) return reply.code(503).send({ status: 'unavailable', checks })
    try {
      await ready()
      return { status: 'ready' }
    } catch (error) {
      log.warn({ err: error }, 'not ready')
      return reply.code(503).send({ status: 'unavailable', checks: { ...checks, node: 'failed' } })
    }
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.print()),
  )
}
