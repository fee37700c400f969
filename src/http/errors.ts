import type { FastifyError, FastifyInstance } from 'fastify'
import {
  apiError,
  createLogSampler,
  type ErrorCode,
  errorCodes,
  errorIdOf,
  type Logger,
  type LogSampler,
  noteFailure,
  ProtocolError,
  prefersPage,
} from '../base/index.ts'
import { acceptedLocales } from '../i18n/index.ts'
import { visitorPageHeaders } from '../ui/index.ts'
import type { HttpOptions } from './options.ts'

/** The shape of Okta's API errors, for all responses that are neither OAuth nor IDX. */
export interface ApiError {
  readonly errorCode: string
  readonly errorSummary: string
  readonly errorLink: string
  readonly errorId: string
  readonly errorCauses: readonly { readonly errorSummary: string }[]
}

const errorBody = (
  code: string,
  summary: string,
  requestId: string,
  causes: readonly string[] = [],
): ApiError => ({
  errorCode: code,
  errorSummary: summary,
  errorLink: code,
  errorId: errorIdOf(requestId),
  errorCauses: causes.map((errorSummary) => ({ errorSummary })),
})

const described = (code: ErrorCode, summary: string = errorCodes[code].summary) => [code, summary] as const
export const unsupportedType = described('E0000021')
const badRequest = described('E0000003')

/** Errors of the framework, by status. */
const frameworkErrors: Readonly<Record<number, readonly [code: string, summary: string]>> = {
  404: described('E0000007'),
  413: described('E0000003', 'The request body is too large.'),
  415: unsupportedType,
  429: described('E0000047'),
}

interface PublicError {
  readonly status: number
  readonly code: string
  readonly summary: string
  readonly headers: Readonly<Record<string, string>>
  readonly causes?: readonly string[]
}

/** The public part of an error, or undefined for internal errors, which are not disclosed. */
function publicErrorOf(error: unknown): PublicError | undefined {
  if (error instanceof ProtocolError) {
    return {
      status: error.status,
      code: error.code,
      summary: error.description,
      headers: error.headers,
      causes: error.causes,
    }
  }
  const status = error instanceof Error ? ((error as Partial<FastifyError>).statusCode ?? 500) : 500
  if (status < 400 || status >= 500) return undefined
  const [code, summary] = frameworkErrors[status] ?? badRequest
  return { status, code, summary, headers: {} }
}

/** Converts an error into the response of the API, and logs it. */
function toResponse(
  error: unknown,
  request: { readonly id: string; readonly route: string },
  context: { readonly log: Logger; readonly busy: LogSampler; readonly refused: LogSampler },
): { readonly status: number; readonly body: ApiError; readonly headers: Readonly<Record<string, string>> } {
  const publicError = publicErrorOf(error)
  const body =
    publicError === undefined
      ? errorBody(...described('E0000009'), request.id)
      : errorBody(publicError.code, publicError.summary, request.id, publicError.causes)
  const status = publicError?.status ?? 500
  noteFailure({ code: body.errorCode, ...(status >= 500 && { error }) })
  const line = { err: error, errorId: body.errorId, requestId: request.id, route: request.route, status }
  const isBusy = error instanceof ProtocolError && error.status === 503 && error.cause === undefined
  if (status >= 500 && !isBusy) context.log.error(line, 'a request failed')
  else if (error instanceof ProtocolError && error.detail !== undefined) {
    const { detail } = error
    // A queue that is full or slow is counted (`rekey_password_hashes_refused_total`), and has a line a minute; other
    // refusals have sixty for each route. Anyone can cause them, and a line for each would let a flood fill the disk (A60).
    const sampler = isBusy ? context.busy : context.refused
    sampler.note(`${status} ${request.route}`, (count) =>
      context.log[isBusy ? 'warn' : 'info'](
        { ...line, err: undefined, detail, ...(count > 1 && { count }) },
        count > 1 ? 'requests were refused' : 'a request was refused',
      ),
    )
  }
  return { status, body, headers: publicError?.headers ?? {} }
}

const refusals = new WeakMap<object, ProtocolError>()

/** The error that a request was refused with; undefined where it was answered, or a protocol has its own shape of errors. */
export const refusalOf = (request: object): ProtocolError | undefined => refusals.get(request)

/** Sets the app's error handler. A protocol with its own error shape sets another in its scope and rethrows other errors. */
export function handleErrors(app: FastifyInstance, log: Logger): void {
  const samplers = { busy: createLogSampler(), refused: createLogSampler({ lines: 60 }) }
  app.addHook('onClose', (_app, done) => {
    for (const sampler of Object.values(samplers)) sampler.close()
    done()
  })
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof ProtocolError) refusals.set(request, error)
    const route = request.routeOptions.url ?? 'unmatched'
    const { status, body, headers } = toResponse(error, { id: request.id, route }, { log, ...samplers })
    return reply.code(status).headers(headers).type('application/json').send(body)
  })
}

const pathsOfApps = new WeakMap<FastifyInstance, ReadonlySet<string>>()

/** The patterns of all routes of an app, such as `/api/v1/users/:id`. */
export const pathsOf = (app: FastifyInstance): readonly string[] => [...(pathsOfApps.get(app) ?? [])]

/**
 * Unknown paths are answered with 404, known paths with an unsupported method with 405; for a browser with a page,
 * where there is one.
 */
export function handleUnknown(app: FastifyInstance, pageFor?: HttpOptions['unknownPage']): void {
  const paths = new Set<string>()
  pathsOfApps.set(app, paths)
  const known: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')
    if (url !== '*') paths.add(url)
    known.push({ pattern: new RegExp(`^${pattern}$`), methods: [method].flat() })
  })
  // The body of a request that nothing serves is not read: what is wrong with it is not what is wrong.
  app.addHook('preParsing', async ({ is404, headers }, _reply, payload) => {
    if (is404) for (const name of ofBodies) delete headers[name]
    return payload
  })
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.replace(/\?.*$/s, '')
    const allowed = known.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)
    const isVisit = request.method === 'GET' && prefersPage(request.headers.accept)
    const page = isVisit
      ? await pageFor?.(path, acceptedLocales(request.headers['accept-language']))
      : undefined
    if (page !== undefined) {
      return reply.code(page.status).headers(visitorPageHeaders).send(page.markup)
    }
    if (allowed.length === 0) throw apiError('E0000007', { summary: 'Not found: the path is unknown.' })
    const headers = { Allow: [...new Set(allowed)].join(', ') }
    // RFC 9110, section 9.3.7. A browser that asks for a page of an origin that is not trusted learns nothing.
    if (request.method === 'OPTIONS' && request.headers.origin === undefined) {
      return reply.code(204).headers(headers).send()
    }
    throw apiError('E0000022', { headers })
  })
}

const ofBodies = ['content-type', 'content-length', 'transfer-encoding'] as const

/** The error for URLs that the router cannot parse. */
export const badUrlError = (requestId: string): ApiError =>
  errorBody('E0000003', 'The address was not well-formed.', requestId)

/** The errors that Node finds before there is a request, by status. */
const rawErrors = {
  400: ['400 Bad Request', badRequest[1]],
  408: ['408 Request Timeout', 'The request did not arrive in time.'],
  413: ['413 Payload Too Large', 'The request body is too large.'],
  431: ['431 Request Header Fields Too Large', 'The header of the request is too large.'],
} as const

/** The status for an error of a connection (RFC 6585, section 5 for headers that are too large). */
export function statusOfClientError(error: Error): keyof typeof rawErrors {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413
  return code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
}

/** The response for the socket, in the same shape as any other. */
export function rawError(status: keyof typeof rawErrors, requestId: string): string {
  const [line, summary] = rawErrors[status]
  return rawResponse(line, errorBody('E0000003', summary, requestId))
}

function rawResponse(status: string, error: ApiError): string {
  const body = JSON.stringify(error)
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}
