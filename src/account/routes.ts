import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { apiError, dropTypeWithoutBody, everyText, isEmptyInPieces } from '../base/index.ts'
import { ageOf, authorizeCall, callerOf, requireStepUp } from './access.ts'
import { authenticatorOperations } from './authenticators.ts'
import { emailOperations } from './emails.ts'
import { type AccountParts, type AccountUser, notFound, type Operation, prefix } from './operation.ts'
import { serveStopPage } from './pages/routes.ts'
import { passwordOperations } from './password.ts'
import { phoneOperations } from './phones.ts'
import { profileOperations } from './profile.ts'
import { sessionOperations } from './sessions.ts'
import { webauthnOperations } from './webauthn.ts'

/** All operations of the MyAccount API. */
export const accountOperations: readonly Operation[] = [
  ...profileOperations,
  ...emailOperations,
  ...phoneOperations,
  ...passwordOperations,
  ...authenticatorOperations,
  ...webauthnOperations,
  ...sessionOperations,
]

const responseType = 'application/json;okta-version=1.0.0'

/** The routes of the MyAccount API, and the page that stops a change, with full paths from the engine's root. */
export const accountRoutes =
  (parts: AccountParts): FastifyPluginAsync =>
  async (app) => {
    app.addHook('preParsing', async (request, _, payload) => {
      dropTypeWithoutBody(request.headers)
      const isEmpty = await isEmptyInPieces(request.headers, payload as Readable)
      return isEmpty ? Readable.from([Buffer.from('{}')], { objectMode: false }) : payload
    })
    const json = app.getDefaultJsonParser('error', 'error')
    app.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, json)
    for (const operation of accountOperations) serve(app, parts, operation)
    await app.register(serveStopPage(parts))
  }

const callers = new WeakMap<FastifyRequest, AccountUser>()

function serve(app: FastifyInstance, parts: AccountParts, operation: Operation): void {
  app.route({
    method: operation.method,
    url: prefix + operation.path,
    exposeHeadRoute: false,
    // Before the body is read, so that callers without a token learn nothing about how bodies are validated.
    onRequest: async (request, reply) => {
      reply.headers((await parts.limits?.charge('oauth', { address: request.ip })) ?? {})
      callers.set(request, await authorizeCall(parts, request, operation))
    },
    handler: async (request, reply) => {
      const params = request.params as Readonly<Record<string, string>>
      for (const value of Object.values(params)) if (value.includes('\0')) throw notFound(value, 'resource')
      if (!everyText(request.body, (text) => text.isWellFormed() && !text.includes('\0'))) throw malformed
      const user = callers.get(request)
      if (user === undefined) throw apiError('E0000011')
      const now = parts.clock.now()
      // What is due is carried out before anything is shown or changed: no caller sees what is over.
      const carriedOut = await parts.changes.carryOutDue(user.person.id)
      const person = carriedOut > 0 ? await parts.people.find(user.person.id) : user.person
      const caller = await callerOf(parts, { ...user, person: person ?? user.person }, now)
      const query = request.query as Readonly<Record<string, unknown>>
      let mustWait = false
      if (operation.stepUp) {
        const waits = operation.stepUp === 'waits' && query.wait === 'true'
        mustWait = requireStepUp(caller, { waits }, parts.stepUpMs, ageOf(user.session, now))
        if (caller.person.status !== 'ACTIVE') throw apiError('E0000038')
      }
      const body = (request.body ?? {}) as Readonly<Record<string, unknown>>
      const answer = await operation.handle({ parts, params, query, body, caller, mustWait, now })
      // An empty answer has no type: the SDK fails to parse an empty body that is declared as JSON.
      if (answer.body === undefined) return reply.code(answer.status ?? 204).send()
      return reply
        .code(answer.status ?? 200)
        .header('content-type', responseType)
        .send(Buffer.from(JSON.stringify(answer.body)))
    },
  })
}

const malformed = apiError('E0000003', {
  detail: 'a text that cannot be stored',
  causes: ['body: must not have a lone surrogate or a NUL character'],
})
