import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { serveAdminPage } from '../admin/index.ts'
import { ProtocolError } from '../base/index.ts'
import { admit, type Caller } from './access.ts'
import { appOperations } from './apps/index.ts'
import { authenticatorOperations } from './authenticators/index.ts'
import { notFound } from './errors.ts'
import { groupOperations } from './groups/index.ts'
import { type Query, readLog } from './log.ts'
import { type Fields, type ManagementParts, type Operation, prefix } from './operation.ts'
import { originOperations } from './origins/index.ts'
import { policyOperations } from './policies/index.ts'
import { schemaOperations } from './schemas/index.ts'
import { serverOperations } from './servers/index.ts'
import { userOperations } from './users/index.ts'
import { serveRecoveryPages } from './users/routes.ts'

const logOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/logs',
    role: 'read',
    summary: 'Lists events of the system log.',
    async handle({ parts, query, now }) {
      const { events, next } = await readLog({ storage: parts.storage, now }, query)
      return { body: events, next }
    },
  },
]

/** Everything the management API can do. */
export const operations: readonly Operation[] = [
  ...userOperations,
  ...groupOperations,
  ...appOperations,
  ...originOperations,
  ...policyOperations,
  ...schemaOperations,
  ...authenticatorOperations,
  ...serverOperations,
  ...logOperations,
]

/** The management API below /api/v1, with full paths from the engine's root. */
export const managementRoutes =
  (parts: ManagementParts): FastifyPluginAsync =>
  async (app) => {
    acceptEmpty(app)
    for (const operation of operations) serve(app, parts, operation)
    serveRecoveryPages(app, parts)
    if (parts.adminPage) serveAdminPage(app, () => new URL(parts.baseUrl()).pathname.replace(/\/$/, ''))
  }

/** Puts an operation on its route: who calls is looked at before anything else is. */
function serve(app: FastifyInstance, parts: ManagementParts, operation: Operation): void {
  app.route({
    method: operation.method,
    url: prefix + operation.path,
    // One more route for each would make every start slower; nobody asks an API for heads.
    exposeHeadRoute: false,
    // Before the body is read: a stranger learns nothing of how it would be judged.
    onRequest: async (request, reply) => {
      // Counted first, so that whoever tries tokens is counted, too.
      reply.headers((await parts.limits?.charge('management', { address: request.ip })) ?? {})
      callers.set(request, await admit(parts, request.headers.authorization, operation))
    },
    handler: async (request, reply) => {
      const params = request.params as Readonly<Record<string, string>>
      // PostgreSQL cannot even be asked for such a name.
      for (const value of Object.values(params)) if (value.includes('\0')) throw notFound(value, 'resource')
      // It would store half a character, and fail at every later look into it.
      if (!isWellFormed(request.body)) throw malformed
      const answer = await operation.handle({
        parts,
        params,
        query: request.query as Query,
        body: (request.body ?? {}) as Fields,
        ...(callers.get(request) ?? { actor: { id: 'unknown', type: 'ApiToken' } }),
        now: parts.clock.now(),
      })
      if (Array.isArray(answer.body)) paged(parts, request, reply, answer.next)
      if (answer.body === undefined) return reply.code(answer.status ?? 204).send()
      return reply.code(answer.status ?? 200).send(answer.body)
    },
  })
}

const malformed = new ProtocolError(400, 'E0000003', 'The request body was not well-formed.', {
  detail: 'half of a surrogate pair',
})

/** Whether no text in a body, name or value, holds half of a surrogate pair. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member))
}

const callers = new WeakMap<FastifyRequest, Caller>()

/** Adds the links of a page, as Okta does: to itself, and to the next one where there is one. */
function paged(
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

/** Clients of the field say `application/json` of requests without a body, too: that is no body, not a broken one. */
function acceptEmpty(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, _, payload) => {
    if (request.headers['content-length'] === '0') delete request.headers['content-type']
    return payload
  })
}
