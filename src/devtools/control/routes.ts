import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import {
  isoTime,
  localUrl,
  ProtocolError,
  prefersPage,
  randomId,
  silentLogger,
  systemRandom,
} from '../../base/index.ts'
import { openApi, schemaless } from '../../http/index.ts'
import { inboxRoutes } from '../inbox/index.ts'
import { flowRoutes, noFlows } from '../inspector/index.ts'
import { pagePreviewRoutes } from '../page-previews/index.ts'
import { adminRoute, assetRoutes } from '../pages/index.ts'
import { mailRoutes } from '../previews/index.ts'
import { referenceRoutes } from '../reference/index.ts'
import { toolsRoutes } from '../tools/index.ts'
import { streamMessages } from './event-stream.ts'
import { guardRequest } from './guard.ts'
import { NoMessageError } from './messages.ts'
import { openApiOf } from './openapi.ts'
import type { ControlServerOptions } from './options.ts'
import {
  badRequest,
  checkQuery,
  notFound,
  readChannel,
  readClockMove,
  readFactor,
  readFault,
  readId,
  readNewPerson,
  readNothing,
  readParameter,
  readPersonChanges,
  readSignIn,
  readTimeout,
  refusing,
} from './requests.ts'

/** Builds the control API and the pages as one app, which is not listening yet. */
export function buildControlApp(options: ControlServerOptions): FastifyInstance {
  const { logger = silentLogger, sink } = options
  const onError = errorHandler(logger)
  const app = fastify({
    bodyLimit: 64 * 1024,
    schemaController: schemaless,
    // Streams and waits stay open for long; closing must not wait for them.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: onError,
  })
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    // Many clients send a media type even with an empty body, such as for /reset.
    if (text === '') done(null, undefined)
    else parseJson(request, String(text), done)
  })
  app.setErrorHandler(onError)
  app.setNotFoundHandler((request, reply) => {
    const isVisit = request.method === 'GET' && prefersPage(request.headers.accept)
    const page = isVisit ? options.engine.unknownPage?.() : undefined
    if (page !== undefined) return reply.code(404).type('text/html; charset=utf-8').send(page)
    throw notFound('there is no such call; GET /openapi.json lists all')
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    // The port of the connection, because the configured port may be 0: any free port.
    guardRequest(request.headers, request.socket.localPort ?? 0)
  })
  app.get('/openapi.json', async ({ socket }) => openApiOf(localUrl(socket.localPort ?? 0)))
  app.get('/openapi/engine.json', async () => openApi(options.engine.engineUrl ?? ''))
  messageRoutes(app, options)
  engineRoutes(app, options)
  const { flows = noFlows, engineUrl = '', templates } = options.engine
  inboxRoutes(app, { messages: sink.messages, flows, hints: { ...options.hints, smtpUrl: sink.url } })
  const appUrl = () => options.hints?.appUrl?.()
  flowRoutes(app, { flows, messages: sink.messages, engineUrl, appUrl })
  mailRoutes(app, { templates })
  pagePreviewRoutes(app, { engineUrl })
  const { adminUrl, clock } = options.engine
  toolsRoutes(app, { now: () => clock.now(), hasAdminPage: adminUrl !== undefined })
  referenceRoutes(app, {
    engine: () => openApi(engineUrl),
    control: (port) => openApiOf(`http://localhost:${port}`),
  })
  adminRoute(app, adminUrl)
  assetRoutes(app)
  return app
}

function messageRoutes(app: FastifyInstance, { sink: { messages } }: ControlServerOptions): void {
  app.get('/messages', async ({ query }) => {
    checkQuery(query, ['to', 'channel'])
    const to = readParameter(query, 'to')
    const channel = readChannel(query)
    const found = to === undefined ? messages.all() : messages.to(to)
    return channel === undefined ? found : found.filter((message) => message.channel === channel)
  })

  app.get('/messages/wait', async ({ query }, reply) => {
    checkQuery(query, ['to', 'channel', 'after', 'timeout'])
    const to = readParameter(query, 'to')
    const channel = readChannel(query)
    const after = readParameter(query, 'after')
    const timeoutMs = readTimeout(query)
    if (after !== undefined && !messages.isKnown(after))
      throw badRequest('after must be the id of a message, such as msg0000000001')
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    try {
      const wanted = {
        ...(to !== undefined && { to }),
        ...(channel !== undefined && { channel }),
        ...(after !== undefined && { after }),
      }
      return await messages.waitFor({ ...wanted, timeoutMs, signal: gone.signal })
    } catch (error) {
      if (gone.signal.aborted) return reply.hijack() // The client has disconnected.
      if (error instanceof NoMessageError) throw new ProtocolError(408, 'no_message', error.message)
      throw error
    }
  })

  app.get('/messages/stream', ({ headers }, reply) => {
    reply.hijack()
    streamMessages(reply.raw, messages, String(headers['last-event-id'] ?? ''))
  })

  app.get('/messages/:id', async ({ params, query }) => {
    checkQuery(query, [])
    const message = messages.get(readId(params))
    if (!message) throw notFound('no message has this id')
    return message
  })

  app.get('/messages/:id/source', async ({ params }, reply) => {
    const id = readId(params)
    const source = messages.source(id)
    if (!source) throw notFound('no message has this id')
    // As an attachment, so that no browser renders the HTML of a mail in this origin.
    return reply
      .type('message/rfc822')
      .header('content-disposition', `attachment; filename="${id}.eml"`)
      .send(source)
  })

  app.delete('/messages/:id', async ({ params }) => {
    if (!messages.remove(readId(params))) throw notFound('no message has this id')
    return { deleted: 1 }
  })

  app.delete('/messages', async () => {
    const deleted = messages.all().length
    messages.clear()
    return { deleted }
  })
}

function engineRoutes(
  app: FastifyInstance,
  { engine, sink, logger = silentLogger }: ControlServerOptions,
): void {
  const clockNow = () => ({ now: isoTime(engine.clock.now()) })

  app.get('/people', async ({ query }) => {
    checkQuery(query, ['login'])
    return engine.people.list(readParameter(query, 'login'))
  })

  app.get('/people/:id', async ({ params, query }) => {
    checkQuery(query, [])
    const person = await engine.people.get(readId(params))
    if (!person) throw notFound('there is no user with this id')
    return person
  })

  app.post('/people', async ({ body }, reply) => {
    const person = await engine.people.add(readNewPerson(body))
    return reply.status(201).send(person)
  })

  app.get('/people/:id/factors', async ({ params, query }) => {
    checkQuery(query, [])
    const person = await engine.people.get(readId(params))
    if (!person) throw notFound('there is no user with this id')
    return engine.factors.list(person)
  })

  app.post('/people/:id/factors', async ({ params, body }, reply) => {
    const person = await engine.people.get(readId(params))
    if (!person) throw notFound('there is no user with this id')
    return reply.status(201).send(await refusing(() => engine.factors.enroll(person, readFactor(body))))
  })

  app.patch('/people/:id', async ({ params, body }) => {
    const person = await engine.people.update(readId(params), readPersonChanges(body))
    if (!person) throw notFound('there is no user with this id')
    return person
  })

  app.delete('/people/:id', async ({ params }) => {
    if (!(await engine.people.remove(readId(params)))) throw notFound('there is no user with this id')
    return { deleted: 1 }
  })

  app.post('/sign-in', async ({ body }) => {
    const { login, ...wanted } = readSignIn(body)
    if (engine.signIn === undefined) throw notFound('signing in without the pages is not supported here')
    return engine.signIn(login, wanted)
  })

  app.get('/clock', async ({ query }) => {
    checkQuery(query, [])
    return clockNow()
  })

  app.post('/clock', async ({ body }) => {
    const before = engine.clock.now()
    const move = readClockMove(body, before)
    await ('set' in move ? engine.clock.set(move.set) : engine.clock.advance(move.advance))
    const seededAt = engine.clock.seededAt()
    const now = engine.clock.now()
    if (now >= before || now >= seededAt) return clockNow()
    // Allowed, for tests of a certain day, but not silent: what was seeded is from a time that is yet to come.
    const note = `The clock is before ${isoTime(seededAt)}, when the users, clients and keys were created: they are from the future now. POST /reset brings the time back.`
    logger.warn({ now: isoTime(now) }, note)
    return { ...clockNow(), note }
  })

  app.post('/reset', async ({ body }) => {
    readNothing(body)
    await engine.reset()
    sink.faults.clear()
    sink.messages.clear()
    return clockNow()
  })

  app.post('/faults', async ({ body }) => {
    const fault = readFault(body)
    if ('smtp' in fault) sink.faults.next(fault)
    else engine.faults.next(fault)
    return fault
  })

  app.get('/events', async ({ query }) => {
    checkQuery(query, [])
    return engine.events()
  })
  app.get('/transactions', async ({ query }) => {
    checkQuery(query, [])
    return engine.transactions.list()
  })
  app.get('/transactions/:id', async ({ params, query }) => {
    checkQuery(query, [])
    const transaction = await engine.transactions.get(readId(params))
    if (!transaction) throw notFound('no transaction has this id')
    return transaction
  })
}

/** Renders all errors of the control API as `{error, message}`. */
function errorHandler(logger: NonNullable<ControlServerOptions['logger']>) {
  return (error: FastifyError | Error, _request: FastifyRequest, reply: FastifyReply): void => {
    const known = error instanceof ProtocolError ? error : fromFramework(error)
    if (known) {
      void reply.status(known.status).send({ error: known.code, message: known.description })
      return
    }
    const errorId = randomId(systemRandom, 'err')
    logger.error({ err: error, errorId }, 'the control API failed')
    void reply.status(500).send({ error: 'internal_error', message: `see the log for ${errorId}`, errorId })
  }
}

/** Converts refusals of Fastify: invalid JSON, a body that is too large, a path that cannot be decoded. */
function fromFramework(error: FastifyError | Error): ProtocolError | undefined {
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  if (status < 400 || status > 499) return undefined
  const codes: Record<number, string> = { 413: 'too_large', 415: 'unsupported_media_type' }
  return new ProtocolError(status, codes[status] ?? 'bad_request', error.message.slice(0, 200))
}
