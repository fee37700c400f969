import type { FastifyInstance, FastifyRequest } from 'fastify'
import { inRequest, type Logger, type Random, type RequestContext, traceOf } from '../base/index.ts'
import type { FailureReport } from './options.ts'

interface TraceOptions {
  readonly random: Random
  readonly log: Logger
  /** Whether each answer has a line at level `info`; at `debug` it always has one. */
  readonly accessLog?: boolean
  /** Called with each answer that shows the id of an error. */
  readonly onFailure?: (failure: FailureReport) => void
}

/**
 * Gives each request a trace (W3C Trace Context): that of its `traceparent` header, or a new one. Log lines contain it.
 * Reports errors whose ids users were shown, with the transaction that they belong to.
 */
export function addTraces(
  app: FastifyInstance,
  { random, log, accessLog = false, onFailure }: TraceOptions,
): void {
  const contexts = new WeakMap<FastifyRequest, RequestContext>()
  const level = accessLog ? 'info' : 'debug'
  app.addHook('onRequest', (request, _reply, done) => {
    const context: RequestContext = { id: request.id, trace: traceOf(request.headers.traceparent, random) }
    contexts.set(request, context)
    inRequest(context, done)
  })
  app.addHook('onResponse', async (request, reply) => {
    const context = contexts.get(request)
    if (context === undefined) return
    const { method, routeOptions, id: requestId } = request
    const { failure, transactionId } = context
    // The route's pattern, never the address: a query may carry a token.
    const answer = { requestId, method, route: routeOptions.url ?? 'unmatched', status: reply.raw.statusCode }
    if (failure !== undefined)
      onFailure?.({ ...answer, ...failure, traceId: context.trace().trace_id, transactionId })
    if (!log.isLevelEnabled(level)) return
    const line = { ...answer, ...(transactionId && { transactionId }), ms: Math.round(reply.elapsedTime) }
    inRequest(context, () => log[level](line, 'a request was answered'))
  })
}
