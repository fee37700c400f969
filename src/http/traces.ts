import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Logger, type Random, type Trace, traced, traceOf } from '../base/index.ts'

/** Gives each request a trace (W3C Trace Context): that of its `traceparent` header, or a new one. Log lines contain it. */
export function addTraces(
  app: FastifyInstance,
  { random, log }: { readonly random: Random; readonly log: Logger },
): void {
  const traces = new WeakMap<FastifyRequest, () => Trace>()
  app.addHook('onRequest', (request, _reply, done) => {
    const trace = traceOf(request.headers.traceparent, random)
    traces.set(request, trace)
    traced(trace, done)
  })
  app.addHook('onResponse', async (request, reply) => {
    const trace = traces.get(request)
    if (trace === undefined || !log.isLevelEnabled('debug')) return
    const { method, routeOptions, id: requestId } = request
    // The route's pattern, never the address: a query may carry a token.
    const line = { requestId, method, route: routeOptions.url ?? 'unmatched', status: reply.raw.statusCode }
    traced(trace, () => log.debug({ ...line, ms: Math.round(reply.elapsedTime) }, 'a request was answered'))
  })
}
