import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { serveAdminPage } from '../admin/index.ts'
import { apiError, dropTypeWithoutBody, everyText, isEmptyInPieces } from '../base/index.ts'
import { authorizeCall, type Caller } from './access.ts'
import { appOperations } from './apps/index.ts'
import { authenticatorOperations } from './authenticators/index.ts'
import { brandOperations } from './brands/index.ts'
import { notFound } from './errors.ts'
import { enrollmentOperations, factorOperations } from './factors/index.ts'
import { groupOperations } from './groups/index.ts'
import type { Fields, Query } from './input.ts'
import { logOperations } from './logs/index.ts'
import { type ManagementParts, type Operation, prefix } from './operation.ts'
import { originOperations } from './origins/index.ts'
import { policyOperations } from './policies/index.ts'
import { serverOperations } from './servers/index.ts'
import { acceptUploads, Upload } from './uploads/routes.ts'
import { schemaOperations } from './user-schema/index.ts'
import { userOperations } from './users/index.ts'

/** All operations of the management API. */
export const operations: readonly Operation[] = [
  ...userOperations,
  ...factorOperations,
  ...enrollmentOperations,
  ...groupOperations,
  ...appOperations,
  ...originOperations,
  ...policyOperations,
  ...schemaOperations,
  ...authenticatorOperations,
  ...brandOperations,
  ...serverOperations,
  ...logOperations,
]

/** The routes of the management API, with full paths from the engine's root. */
export const managementRoutes =
  (parts: ManagementParts): FastifyPluginAsync =>
  async (app) => {
    acceptEmptyBodies(app)
    for (const operation of operations) if (!operation.upload) serve(app, parts, operation)
    await app.register(async (uploads) => {
      acceptUploads(uploads)
      for (const operation of operations) if (operation.upload) serve(uploads, parts, operation)
    })
    const base = () => new URL(parts.baseUrl()).pathname.replace(/\/$/, '')
    if (parts.adminPage) await app.register(async (page) => serveAdminPage(page, base, parts.adminHost))
  }

/** Registers the route of an operation. The caller is authenticated before the body is read. */
function serve(app: FastifyInstance, parts: ManagementParts, operation: Operation): void {
  app.route({
    method: operation.method,
    url: prefix + operation.path,
    // HEAD is not part of the API, and a second route for each operation would slow down every start.
    exposeHeadRoute: false,
    // Before the body is read, so that unauthenticated callers learn nothing about how bodies are validated.
    onRequest: async (request, reply) => {
      // Charged before authentication, so that guessing tokens is limited as well.
      reply.headers((await parts.limits?.charge('management', { address: request.ip })) ?? {})
      callers.set(request, await authorizeCall(parts, request.headers.authorization, operation))
    },
    handler: async (request, reply) => {
      const params = request.params as Readonly<Record<string, string>>
      // PostgreSQL rejects NUL in parameters: answer 404 instead of failing with 500.
      for (const value of Object.values(params)) if (value.includes('\0')) throw notFound(value, 'resource')
      // A lone surrogate would be stored damaged, and every later read of it would fail.
      if (!everyText(request.body, (text) => text.isWellFormed())) throw malformed
      const answer = await operation.handle({
        parts,
        params,
        query: request.query as Query,
        body: (request.body instanceof Upload ? {} : (request.body ?? {})) as Fields,
        file: request.body instanceof Upload ? request.body.content() : undefined,
        ...(callers.get(request) ?? { actor: { id: 'unknown', type: 'ApiToken' } }),
        now: parts.clock.now(),
        language: request.headers['accept-language'],
      })
      if (Array.isArray(answer.body)) addPageLinks(parts, request, reply, answer.next)
      if (answer.body === undefined) return reply.code(answer.status ?? 204).send()
      return reply.code(answer.status ?? 200).send(answer.body)
    },
  })
}

const malformed = apiError('E0000003', {
  detail: 'a lone surrogate',
  causes: ['body: must not have a lone surrogate'],
})

const callers = new WeakMap<FastifyRequest, Caller>()

/** Adds the Link headers of a list, as Okta does: `self`, and `next` if there is another page. */
function addPageLinks(
  { baseUrl }: ManagementParts,
  request: FastifyRequest,
  reply: FastifyReply,
  next: Readonly<Record<string, string>> | undefined,
): void {
  const self = new URL(new URL(baseUrl()).origin + request.url.replace(/\?.*$/s, ''))
  for (const [name, value] of Object.entries(request.query as Query)) {
    for (const one of [value].flat()) self.searchParams.append(name, String(one))
  }
  const links = [`<${self.href}>; rel="self"`]
  if (next !== undefined) {
    for (const [name, value] of Object.entries(next)) self.searchParams.set(name, value)
    links.push(`<${self.href}>; rel="next"`)
  }
  reply.header('link', links)
}

/** Accepts calls without a body that have a content type, also where the end of the body is all that is sent of it. */
function acceptEmptyBodies(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, _, payload) => {
    dropTypeWithoutBody(request.headers)
    const isEmpty = await isEmptyInPieces(request.headers, payload as Readable)
    return isEmpty ? Readable.from([Buffer.from('{}')], { objectMode: false }) : payload
  })
}
