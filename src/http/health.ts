import type { FastifyInstance } from 'fastify'
import type { Logger } from '../base/index.ts'
import { ping, type Storage } from '../storage/index.ts'
import type { Metrics } from './metrics.ts'

/** How long the database may take to answer before this node reports not ready, in milliseconds. */
const readyTimeoutMs = 2000

/** `GET /health/live` (the process answers), `GET /health/ready` (it can do its work), `GET /metrics` (Prometheus). */
export function addHealth(
  app: FastifyInstance,
  options: {
    readonly storage: Storage
    readonly metrics: Metrics
    readonly log: Logger
    readonly ready: () => Promise<void>
  },
): void {
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    try {
      await within(readyTimeoutMs, Promise.all([ping(options.storage.db), options.ready()]))
      return { status: 'ready' }
    } catch (error) {
      options.log.warn({ err: error }, 'not ready')
      return reply.code(503).send({ status: 'not ready' })
    }
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics.print()),
  )
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}
