import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock, Secrets } from '../base/index.ts'
import type { Storage } from '../storage/index.ts'
import { type Query, readLog } from './log.ts'
import { type ApiRole, type ApiToken, authorize } from './tokens.ts'

export interface ManagementParts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly clock: Clock
  /** The engine's public address, without a slash at the end. */
  baseUrl(): string
}

/** The management API below /api/v1, with full paths from the engine's root. */
export const managementRoutes =
  (parts: ManagementParts): FastifyPluginAsync =>
  async (app) => {
    addLog(app, parts)
  }

/** Whose token a request shows; throws where it shows none, or one that may not do this. */
const callerOf = (parts: ManagementParts, request: FastifyRequest, needed: ApiRole): Promise<ApiToken> =>
  authorize({ ...parts, now: parts.clock.now() }, request.headers.authorization, needed)

function addLog(app: FastifyInstance, parts: ManagementParts): void {
  app.get('/api/v1/logs', async (request, reply) => {
    await callerOf(parts, request, 'read')
    const query = request.query as Query
    const { events, next } = await readLog({ storage: parts.storage, now: parts.clock.now() }, query)
    return paged(parts, request, reply, next).send(events)
  })
}

/** Adds the links of a page, as Okta does: to itself, and to the next one where there is one. */
function paged(
  { baseUrl }: ManagementParts,
  request: FastifyRequest,
  reply: FastifyReply,
  next: Readonly<Record<string, string>> | undefined,
): FastifyReply {
  const self = new URL(baseUrl() + (request.routeOptions.url ?? ''))
  for (const [name, value] of Object.entries(request.query as Query))
    self.searchParams.set(name, String(value))
  const links = [`<${self.href}>; rel="self"`]
  if (next !== undefined) {
    for (const [name, value] of Object.entries(next)) self.searchParams.set(name, value)
    links.push(`<${self.href}>; rel="next"`)
  }
  return reply.header('link', links)
}
