import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ExchangeRecorder } from '../audit/index.ts'
import { describeUserAgent, type ProtocolError } from '../base/index.ts'
import { refusalOf } from './errors.ts'

/**
 * Records what a developer meets before any protocol is reached: a page of an origin that is not trusted, whose browser
 * hides the answer, and an address where nothing is served. And each call
 * of the APIs in Okta's shape that was refused, except that something was read which is not there: scripts look that way.
 */
export function recordRefused(
  app: FastifyInstance,
  record: ExchangeRecorder,
  { now, issuer }: { now(): number; issuer(): string },
): void {
  app.addHook('onResponse', async (request, reply) => {
    const { origin } = request.headers
    const route = request.routeOptions.url
    // The browser shows an answer to a page of another origin only with this header.
    const hidden = origin !== undefined && reply.getHeader('access-control-allow-origin') === undefined
    const unmatched =
      reply.statusCode === 404 && (route === undefined || route === '*') && !ofBrowsers.test(request.url)
    const refusal = hidden || unmatched ? undefined : refusalOfApi(request)
    if (!hidden && !unmatched && refusal === undefined) return
    const method = String(
      (request.method === 'OPTIONS' && request.headers['access-control-request-method']) || request.method,
    ).slice(0, 20)
    record({
      at: now(),
      durationMs: reply.elapsedTime,
      endpoint: refusal ? 'api' : hidden ? 'origin' : 'unknown',
      method,
      path: route === undefined || route === '*' ? withoutSecrets(request) : route,
      status: reply.statusCode,
      sent: hidden ? { origin: originIn(origin) } : {},
      offered: [],
      messages: [refusal?.code ?? (hidden ? 'E0000006' : 'E0000007')],
      browser: browserOf(request),
      // Public sentences, as in the answer; what stands in the log alone is added.
      ...(refusal && { reason: reasonOf(refusal) }),
      ...(unmatched &&
        !hidden && { hint: `The issuer of this engine is ${issuer()}/oauth2/default, or ${issuer()}.` }),
    })
  })
}

const apis = /^\/(api\/v1|idp\/myaccount)\//

/** Why a call of the management, MyAccount or classic API was refused. The route's pattern says which API it is, below any base path. */
function refusalOfApi(request: FastifyRequest): ProtocolError | undefined {
  const { url = '' } = request.routeOptions
  if (!apis.test(url.slice(url.search(/\/(api|idp)\//)))) return undefined
  const refusal = refusalOf(request)
  const isLookup = refusal?.status === 404 && request.method === 'GET'
  return isLookup ? undefined : refusal
}

const reasonOf = ({ causes, description, detail }: ProtocolError): string => {
  const texts = causes.length > 0 ? causes : [description]
  return [...texts, ...(detail === undefined ? [] : [detail])].join(' ')
}

/** What browsers ask for by themselves. */
const ofBrowsers = /^\/(favicon\.ico|apple-touch-icon|\.well-known\/appspecific\/)/

/** The scheme, host and port of an Origin header; it is the text of a caller. */
const originIn = (origin: string): string =>
  URL.canParse(origin) ? new URL(origin).origin : origin.slice(0, 20).replace(/[^\w]/g, '?')

/** The path of an unknown address, of whose segments only words and ids as short as a server's are shown. */
const withoutSecrets = ({ url }: FastifyRequest): string =>
  url
    .replace(/[?#].*$/s, '')
    .split('/')
    .slice(0, 12)
    .map((segment, index, all) =>
      /^[a-z][a-z._-]{0,39}$/i.test(segment) ||
      /^(v\d|oauth2|)$/.test(segment) ||
      (all[index - 1] === 'oauth2' && /^\w{1,20}$/.test(segment))
        ? segment
        : '…',
    )
    .join('/')

function browserOf({ headers }: FastifyRequest): string | undefined {
  const { browser, system } = describeUserAgent(headers['user-agent'] ?? '')
  return [browser, system].filter(Boolean).join(' on ') || undefined
}
