import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import {
  cookieIn,
  deviceCookieNames,
  dropTypeWithoutBody,
  errorIdOf,
  isEmptyInPieces,
  noteFailure,
  ProtocolError,
  prefersPage,
} from '../base/index.ts'
import { acceptedLocales, type Words, wordsFor } from '../i18n/index.ts'
import { visitorPageHeaders } from '../ui/index.ts'
import { charge } from './charge.ts'
import { clientIdOfBasic, withClientCache } from './client-auth.ts'
import { proofAtToken, readProof } from './dpop.ts'
import { oauthBodyOf } from './errors.ts'
import { type Form, readForm, readJsonForm, tokenBodyLimit } from './form.ts'
import { asDescription, hintFor } from './hint.ts'
import { addAuthorize, addHosted, sendSignOut } from './hosted/routes.ts'
import { signOutByApp } from './hosted/sign-out.ts'
import { interact } from './interact.ts'
import { introspect } from './introspect.ts'
import { publishedAheadMs } from './keys.ts'
import { signOutFailedPage } from './logout-page.ts'
import type { Parts } from './parts.ts'
import { pushRequest } from './pushed.ts'
import { clientIdIn, recordInteract, recordRefusal, recordTokenCall } from './recorder.ts'
import { revoke } from './revoke.ts'
import { type AuthorizationServer, discoveryOf, organizationOf, serverPaths } from './server.ts'
import { answerToken } from './token.ts'
import { userinfo } from './userinfo.ts'

export type OidcRoutes = FastifyPluginAsync

type ServerOf = () => AuthorizationServer

/** All endpoints of both authorization servers. */
export const oidcRoutes =
  (parts: Parts, servers: Readonly<Record<AuthorizationServer['id'], ServerOf>>): OidcRoutes =>
  async (app) => {
    const limiter = limiterOf(parts)
    renderErrors(app, parts, servers, limiter)
    parseForms(app)
    app.addHook('preValidation', (_request, _reply, done) => withClientCache(done))
    for (const id of ['default', 'org'] as const) {
      addDiscovery(app, serverPaths[id].issuer, parts, servers[id])
      const base = () => servers.org().issuer
      addEndpoints(app, `${serverPaths[id].oauth}/v1`, { parts, server: servers[id], base, limiter })
      addAuthorize(app, `${serverPaths[id].oauth}/v1/authorize`, {
        parts,
        server: servers[id],
        callOf: browserCallOf,
      })
    }
    addHosted(app, { parts, servers, callOf: browserCallOf })
  }

const metadataSeconds = 300
/** Half of the time by which a new key is published before it signs: a cached set holds every key that signs. */
const keysSeconds = publishedAheadMs / 2000

/** Lets caches keep what is the same for every caller, as libraries that verify tokens expect (report 17). */
const mayBeCached = (reply: FastifyReply, seconds: number): unknown =>
  reply.header('Cache-Control', `public, max-age=${seconds}`).removeHeader('Pragma')

function addDiscovery(app: FastifyInstance, path: string, parts: Parts, server: ServerOf): void {
  for (const name of ['openid-configuration', 'oauth-authorization-server']) {
    app.get(`${path}/.well-known/${name}`, async (_request, reply) => {
      mayBeCached(reply, metadataSeconds)
      return discoveryOf(server(), parts)
    })
  }
  if (path !== serverPaths.org.issuer) return
  app.get('/.well-known/okta-organization', async (_request, reply) => {
    mayBeCached(reply, metadataSeconds)
    return organizationOf(server())
  })
}

interface Endpoints {
  readonly parts: Parts
  readonly server: ServerOf
  /** The engine's public address. */
  readonly base: () => string
  readonly limiter: Limiter
}

function addEndpoints(app: FastifyInstance, path: string, { parts, server, base, limiter }: Endpoints): void {
  const onRequest = async ({ ip }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.headers((await parts.limits?.charge('oauth', { address: ip })) ?? {})
  }
  const preHandler = async (request: FastifyRequest): Promise<void> => refuseGuesses(parts, request)
  app.get(`${path}/keys`, { onRequest }, async (_request, reply) => {
    const keys = await parts.keys.published()
    mayBeCached(reply, keysSeconds)
    return keys
  })
  app.post(`${path}/interact`, { preHandler: [preHandler, limiter] }, async (request) =>
    recordInteract(parts, recordedCallOf(request), () => interact(parts, server(), interactCallOf(request))),
  )
  app.post(`${path}/introspect`, { onRequest, preHandler, bodyLimit: tokenBodyLimit }, async (request) =>
    introspect(parts, server(), callOf(request)),
  )
  app.post(`${path}/revoke`, { onRequest, preHandler, bodyLimit: tokenBodyLimit }, async (request, reply) => {
    await revoke(parts, server(), callOf(request))
    // Empty and without a content type: the SDK fails to parse an empty body that is declared as JSON.
    return reply.code(200).send()
  })
  app.post(`${path}/token`, { preHandler: [preHandler, limiter] }, async (request, reply) => {
    const call = callOf(request)
    // With it, what its answer is waits for nothing: a code that comes without a nonce is not spent.
    const about = { method: request.method, url: `${server().oauth}/v1/token` }
    // Tokens of service apps are bound to no key. Okta's SDK for Node sends a proof to find out whether they are: the demand for a
    // nonce would say that they are, and the management API takes bearer tokens alone.
    const isOfService = call.form.get('grant_type') === 'client_credentials'
    const proof = isOfService ? undefined : await proofAtToken(parts, request.headers.dpop, about)
    const recorded = { ...recordedCallOf(request), issuer: server().id }
    const { status, headers, body } = await recordTokenCall(parts, recorded, () =>
      answerToken(parts, server(), { ...call, proof, id: request.id }),
    )
    if (status === 401) await countGuess(parts, request)
    // As apps have had it of this endpoint, also those that are no page of a trusted origin.
    if (!reply.hasHeader('access-control-expose-headers')) {
      reply.header('access-control-expose-headers', 'x-okta-request-id')
    }
    return reply.code(status).headers(headers).send(body)
  })
  if (parts.hosted !== undefined) {
    app.register(async (own) => {
      own.addContentTypeParser(
        'application/json',
        { parseAs: 'string' },
        async (_request: FastifyRequest, text: string): Promise<Form> => readJsonForm(text),
      )
      own.post(`${path}/par`, { preHandler: [preHandler, limiter] }, async (request, reply) => {
        const about = { method: request.method, url: `${server().oauth}/v1/par` }
        const proof = await readProof(parts, request.headers.dpop, about)
        // 201, as strict clients insist on; Okta's documentation has 200 (RFC 9126, section 2.2).
        return reply.code(201).send(await pushRequest(parts, server(), callOf(request), proof))
      })
    })
  }
  app.route({
    method: ['GET', 'POST'],
    url: `${path}/userinfo`,
    onRequest,
    handler: async (request) =>
      userinfo(parts, server(), {
        ...callOf(request),
        ...{ proof: request.headers.dpop, method: request.method, url: `${server().oauth}/v1/userinfo` },
      }),
  })
  app.route({
    method: ['GET', 'POST'],
    url: `${path}/logout`,
    // What only asks about an address, as HEAD does, must not end a session.
    exposeHeadRoute: false,
    bodyLimit: tokenBodyLimit,
    onRequest,
    onSend: async (request, reply, payload) => failedSignOut(request, reply, payload, base()),
    handler: async (request, reply) => {
      const { headers, method } = request
      const answer = await signOutByApp(parts, server(), { ...browserCallOf(request), headers, method })
      return sendSignOut(request, reply, answer, base())
    },
  })
}

const wordsOf = ({ headers }: FastifyRequest): Words => wordsFor(acceptedLocales(headers['accept-language']))

/** A browser goes to the address of a sign-out itself: its user gets a page instead of an error in JSON (report 18). */
function failedSignOut(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  base: string,
): unknown {
  if (reply.statusCode < 400 || typeof payload !== 'string' || !prefersPage(request.headers.accept)) {
    return payload
  }
  const { error_description: description, errorSummary } = JSON.parse(payload) as Record<string, string>
  reply.headers(visitorPageHeaders)
  const reason = description ?? errorSummary ?? ''
  return signOutFailedPage(wordsOf(request), base, { reason, errorId: errorIdOf(request.id) })
}

type Limiter = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/**
 * Charges each call of a limited endpoint once: before its handler, or in the error handler where parsing fails first.
 */
function limiterOf(parts: Parts): Limiter {
  const charged = new WeakSet<FastifyRequest>()
  return async (request, reply) => {
    const endpoint = request.routeOptions.url?.match(/\/v1\/(interact|token|par)$/)?.[1]
    if (endpoint === undefined || charged.has(request)) return
    charged.add(request)
    // A pushed request is stored as one that `interact` begins.
    // Before the charge, which may refuse the call: behind its 429 a guess would else cost nothing, and a right one, whose
    // source is the address that its app forwards, would get another answer.
    const refused = async (error: ProtocolError) => {
      if (isWrongSecret(error)) await countGuess(parts, request)
    }
    reply.headers(
      await charge(parts, endpoint === 'token' ? 'token' : 'interact', interactCallOf(request), refused),
    )
  }
}

/** The client that a call names, in the way that it does; no secret. */
function namedClient(request: FastifyRequest): string {
  const { form, authorization } = callOf(request)
  const id = authorization === undefined ? form.get('client_id') : clientIdOfBasic(authorization)
  return (id ?? '').slice(0, 100)
}

/** Where a client's secret was guessed at too often from an address, none is checked there any more. */
const refuseGuesses = async ({ limits }: Parts, request: FastifyRequest): Promise<void> =>
  limits?.refuseSpent('secret', { address: request.ip, client: namedClient(request) })

const isWrongSecret = (error: unknown): boolean =>
  error instanceof ProtocolError && error.code === 'invalid_client' && error.status === 401

const guesses = new WeakSet<FastifyRequest>()

/** Counts a wrong secret, once a call. The call itself is answered as before: the next one may be refused (A60). */
async function countGuess({ limits }: Parts, request: FastifyRequest): Promise<void> {
  if (guesses.has(request)) return
  guesses.add(request)
  await limits?.charge('secret', { address: request.ip, client: namedClient(request) }).catch(() => {})
}

/** Renders OAuth errors. Others, such as internal failures, are rethrown to the app's error handler. */
function renderErrors(
  app: FastifyInstance,
  parts: Parts,
  servers: Readonly<Record<AuthorizationServer['id'], ServerOf>>,
  limiter: Limiter,
): void {
  const { log } = parts
  app.addHook('onClose', (_app, done) => {
    parts.refusals.close()
    done()
  })
  app.setErrorHandler(async (error, request, reply) => {
    await limiter(request, reply)
    if (isWrongSecret(error)) await countGuess(parts, request)
    // The session of a browser has an address of Okta's API, and its errors.
    const rendered = request.routeOptions.url?.startsWith('/api/') ? undefined : oauthBodyOf(error)
    const hint = await hintOf(parts, servers, request, error)
    await recordRefused(parts, request, reply, error, hint)
    if (rendered === undefined) throw error
    noteFailure({ code: rendered.body.error })
    if (error instanceof ProtocolError) {
      reply.headers(error.headers)
      const { detail, message } = error
      if (detail !== undefined) {
        parts.refusals.note(`${rendered.status} ${request.routeOptions.url}`, (count) =>
          log.info({ detail, requestId: request.id, ...(count > 1 && { count }) }, message),
        )
      }
    }
    const { error: code, error_description: description } = rendered.body
    const body =
      hint === undefined ? rendered.body : { error: code, error_description: `${description} ${hint}` }
    return reply.code(rendered.status).type('application/json').send(body)
  })
}

/** What a developer changes so that the call succeeds; undefined in production. */
async function hintOf(
  parts: Parts,
  servers: Readonly<Record<AuthorizationServer['id'], ServerOf>>,
  request: FastifyRequest,
  error: unknown,
): Promise<string | undefined> {
  if (!parts.hints || !(error instanceof ProtocolError)) return undefined
  const call = shownCallOf(request)
  const server =
    servers[request.routeOptions.url?.startsWith(serverPaths.default.oauth) ? 'default' : 'org']()
  const hint = await hintFor(parts, server, { ...call, clientId: clientIdIn(call) }, error).catch(
    () => undefined,
  )
  return hint === undefined ? undefined : asDescription(hint)
}

async function recordRefused(
  parts: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  hint: string | undefined,
): Promise<void> {
  if (parts.recordExchange === undefined) return
  const body = oauthBodyOf(error)
  const [status, code, description] =
    body !== undefined
      ? [body.status, body.body.error, body.body.error_description]
      : error instanceof ProtocolError
        ? [error.status, error.code, error.description]
        : [500, 'server_error', 'The engine failed.']
  const call = { ...recordedCallOf(request), method: request.method, durationMs: reply.elapsedTime }
  await recordRefusal(parts, call, { status, code, description, hint })
}

const formType = 'application/x-www-form-urlencoded'

/** Accepts form-urlencoded bodies only (A46); a type without a body describes nothing. */
function parseForms(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => dropTypeWithoutBody(request.headers))
  app.addHook('preParsing', async ({ headers }, _, payload) => {
    if (!(await isEmptyInPieces(headers, payload as Readable))) return payload
    headers['content-type'] = formType
    return Readable.from([])
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>(
    formType,
    { parseAs: 'string' },
    async (_request: FastifyRequest, text: string): Promise<Form> => readForm(text),
  )
}

/** Fastify runs no parser for an empty body: it is a form without parameters. */
const formOf = (request: FastifyRequest): Form => (request.body as Form | null | undefined) ?? new Map()

const queryOf = ({ url }: FastifyRequest): Form =>
  readForm(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')

const callOf = (request: FastifyRequest) => ({
  form: formOf(request),
  authorization: request.headers.authorization,
})

/** What a call has sent, for records and hints: of `authorize` what stands in its address. */
function shownCallOf(request: FastifyRequest) {
  const isInAddress = request.method === 'GET' && request.routeOptions.url?.endsWith('/authorize')
  try {
    return isInAddress ? { form: queryOf(request), authorization: undefined } : callOf(request)
  } catch {
    return { form: new Map(), authorization: undefined }
  }
}

const recordedCallOf = (request: FastifyRequest) => ({
  path: request.routeOptions.url ?? '',
  ...shownCallOf(request),
  userAgent: request.headers['user-agent'],
})

function interactCallOf(request: FastifyRequest) {
  const { headers } = request
  return {
    ...callOf(request),
    ip: request.ip,
    userAgent: headers['user-agent'],
    forwardedFor: [headers['x-forwarded-for']].flat()[0],
    deviceToken: [headers['x-device-token']].flat()[0],
    deviceCookie: cookieIn(headers.cookie, deviceCookieNames),
    acceptLanguage: headers['accept-language'],
  }
}

/** A browser's call: its parameters are in the address, or with POST in the body. */
function browserCallOf(request: FastifyRequest) {
  const form = request.method === 'POST' ? formOf(request) : queryOf(request)
  const path = request.routeOptions.url ?? ''
  const { method, headers } = request
  return { ...interactCallOf(request), form, path, method, cookies: headers.cookie }
}
