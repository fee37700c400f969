import cors from '@fastify/cors'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { apiError, ProtocolError, systemClock, timedId } from '../base/index.ts'
import { createConnections } from './connections.ts'
import {
  badUrlError,
  handleErrors,
  handleUnknown,
  rawError,
  statusOfClientError,
  unsupportedType,
} from './errors.ts'
import { addHealth } from './health.ts'
import { parseJsonBody } from './json.ts'
import { createMetrics, type Labels, type Metrics } from './metrics.ts'
import type { HttpOptions } from './options.ts'
import { createOrigins } from './origins.ts'
import { readForwardedAddresses, warnOfUnnamedProxy } from './proxies.ts'
import { createReadiness } from './readiness.ts'
import { recordRefused } from './refused.ts'
import { schemaless } from './schemaless.ts'
import { addTraces } from './traces.ts'

/** Maximum size of a body in bytes: larger than any form of the protocols. */
const bodyLimit = 64 * 1024
const maxHeaderSize = 64 * 1024

/** How long a connection may still send after the answer to a request that is not well-formed, in milliseconds. */
const lingerMs = 2000

const headers = {
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
  // Links contain tokens: no page may send its address as a referrer (A21), be framed (A48) or be sniffed.
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}

/** Builds the Fastify app. The caller starts it with `listen`. */
export function createHttp(options: HttpOptions): FastifyInstance {
  const { storage, random, log, basePath = '', metrics = createMetrics() } = options
  const connections = options.connections ?? createConnections({ log })
  const { keepAliveMs, headersMs, requestMs } = connections.options
  const issuer = () => (typeof options.issuer === 'string' ? options.issuer : options.issuer())
  const isAllowed = createOrigins(storage.db, () => new URL(issuer()).origin)

  const now = options.now ?? (() => systemClock.now())
  const newId = () => timedId(random, 'req', now())
  /** Reports an error that is answered outside of the hooks. */
  const report = (requestId: string, status = 400) =>
    options.onFailure?.({ requestId, method: 'other', route: 'unmatched', status, code: 'E0000003' })

  const app = fastify({
    logger: false,
    bodyLimit,
    schemaController: schemaless,
    genReqId: newId,
    requestIdHeader: false,
    // X-Forwarded-For is trusted from these proxies only: the address decides which budget a guess is charged to.
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    // Requests that arrive over an open connection while the node ends are answered, not refused.
    return503OnClosing: false,
    http: {
      // An ID token stands in the address of a sign-out, and has as many groups as its user (report 3).
      maxHeaderSize,
      requestTimeout: requestMs,
      headersTimeout: Math.min(headersMs, requestMs),
      connectionsCheckingInterval: 1000,
    },
    clientErrorHandler(error, socket) {
      // Called again for each further part of a request that is refused already.
      if (!socket.writable) return
      const id = newId()
      const status = statusOfClientError(error)
      if (status !== 408) report(id, status)
      socket.end(rawError(status, id))
      // A caller that has not read the answer yet would lose it with an immediate reset (RFC 9112, section 9.6).
      setTimeout(() => socket.destroy(), lingerMs).unref()
    },
    frameworkErrors(_error, request, reply) {
      const answer = (reply as FastifyReply).code(400).headers(headers)
      report(request.id)
      answer.header('X-Okta-Request-Id', request.id).type('application/json').send(badUrlError(request.id))
    },
  })
  handleErrors(app, log)
  handleUnknown(app, options.unknownPage)
  acceptJson(app)

  readForwardedAddresses(app)
  addTraces(app, options)
  if (!options.isWithoutProxy) warnOfUnnamedProxy(app, log, (options.trustedProxies ?? []).length > 0)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers).header('X-Okta-Request-Id', request.id)
    if (/^https:/i.test(issuer())) reply.header('Strict-Transport-Security', 'max-age=31536000')
  })
  app.addHook('onRequest', async ({ raw }) => refuseTwoHosts(raw.rawHeaders))
  connections.attach(app)
  addCors(app, isAllowed)
  app.register(
    // Registered as a plugin, so that it runs after CORS has set its headers: refusals need them, too.
    shared(async (root) => {
      root.addHook('onRequest', async (request) => {
        const path = pathOf(request)
        const status = options.fault?.(request.method, path)
        const code = status === 429 ? 'E0000047' : 'E0000009'
        if (status !== undefined)
          throw new ProtocolError(status, code, 'This failure was requested by a test.')
        if (request.method === 'POST' && path.startsWith(`${basePath}/idp/`)) {
          await guardIdx(request, isAllowed)
        }
      })
    }),
  )
  if (options.recordExchange) recordRefused(app, options.recordExchange, { now, issuer })
  measure(app, metrics)
  const readiness = options.readiness ?? createReadiness({ checks: { ...storage.checks }, log })
  const health = { readiness, metrics, log, isRetiring: connections.isEnding }
  addHealth(app, health, options.publicMetrics ?? true)
  for (const plugin of options.plugins) app.register(plugin, { prefix: basePath })
  return app
}

/** Of two Host fields Node reads the first; a proxy may have read the other one (RFC 9112, section 3.2). */
function refuseTwoHosts(rawHeaders: readonly string[]): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host')
  if (hosts.length <= 1) return
  throw apiError('E0000003', { summary: 'The request has more than one Host header.' })
}

const pathOf = (request: FastifyRequest): string => request.url.replace(/\?.*$/s, '')

type Plugin = (app: FastifyInstance) => Promise<void>

/** A plugin whose hooks apply to the whole app instead of its own scope. */
const shared = (plugin: Plugin): Plugin => Object.assign(plugin, { [Symbol.for('skip-override')]: true })

/** CORS for SDK clients in browsers, on error responses as well. */
function addCors(app: FastifyInstance, isAllowed: (origin: string) => Promise<boolean>): void {
  // Pages, and where a browser is led, are read by no script of another origin (RFC 9700, section 2.6). An app on another host of the same
  // site could otherwise ask `authorize` as any other app, and read its code in the page or the address of the answer (A81).
  app.addHook('onSend', async (request, reply) => {
    const isRedirect = reply.statusCode >= 300 && reply.statusCode < 400
    const isPage = /^text\/html/.test(String(reply.getHeader('content-type')))
    if (isRedirect || isPage || isNavigation.test(pathOf(request))) {
      for (const name of corsHeaders) reply.removeHeader(name)
    }
  })
  app.register(cors, {
    origin: async (origin: string | undefined) => origin !== undefined && (await isAllowed(origin)),
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    // Whatever a trusted origin asks to send: tools for tracing add headers of their own to every request (report 9).
    // The SDK reads the reason of a userinfo error from WWW-Authenticate.
    exposedHeaders: [
      'x-okta-request-id',
      // The SDKs wait from the one until the other.
      'date',
      'www-authenticate',
      'dpop-nonce',
      'retry-after',
      'x-rate-limit-limit',
      'x-rate-limit-remaining',
      'x-rate-limit-reset',
      'link',
    ],
    maxAge: 600,
    strictPreflight: false,
  })
}

/** What browsers go to and scripts never call, also where it answers an error. */
const isNavigation = /\/(v1\/authorize|login\/[\w/]+|signin(\/.*)?)$/

const corsHeaders = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
] as const

/**
 * Refuses cross-site requests to a transaction (A46): a page of another origin can post without a preflight, but not as
 * JSON, and not without an Origin header. Clients that are not browsers send no Origin.
 */
async function guardIdx(request: FastifyRequest, isAllowed: (origin: string) => Promise<boolean>) {
  const { origin, 'content-type': type } = request.headers
  if (origin !== undefined && !(await isAllowed(origin))) {
    throw apiError('E0000006')
  }
  if (type === undefined) throw new ProtocolError(415, ...unsupportedType)
}

/** Parses the two JSON types of the protocols. Scopes with another content type replace the parsers. */
function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    ['application/json', 'application/ion+json'],
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => parseJsonBody(body),
  )
}

function measure(app: FastifyInstance, metrics: Metrics): void {
  metrics.describe('rekey_http_requests_total', 'Requests by route, method and status.')
  metrics.describe('rekey_http_request_duration_seconds', 'Time to answer by route and method.')
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss(), 'sum')
  const labelsOf = routeLabels()
  metrics.gauge('process_uptime_seconds', 'Time since the process started.', () => process.uptime())
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    // The route's pattern, never the address: a query may carry a token, and every new label costs memory.
    const { labels, byStatus } = labelsOf(
      methods.has(method) ? method : 'other',
      routeOptions.url ?? 'unmatched',
    )
    metrics.count('rekey_http_requests_total', byStatus(reply.raw.statusCode))
    metrics.observe('rekey_http_request_duration_seconds', reply.elapsedTime / 1000, labels)
  })
}

/** The labels of routes as objects that are made once each: there are as many as routes, methods and statuses. */
function routeLabels() {
  const byRoute = new Map<string, { labels: Labels; byStatus(status: number): Labels }>()
  return (method: string, route: string) => {
    const key = `${method} ${route}`
    const known = byRoute.get(key)
    if (known !== undefined) return known
    const labels = { method, route }
    const withStatus = new Map<number, Labels>()
    const made = {
      labels,
      byStatus(status: number): Labels {
        const own = withStatus.get(status) ?? { ...labels, status: String(status) }
        withStatus.set(status, own)
        return own
      },
    }
    byRoute.set(key, made)
    return made
  }
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
