import type { FastifyInstance } from 'fastify'
import { isoTime } from '../../base/index.ts'
import { sendPage } from '../../ui/index.ts'
import { toolsPage } from './page.ts'

interface ToolsOptions {
  readonly now: () => number
  readonly hasAdminPage: boolean
}

export function toolsRoutes(app: FastifyInstance, { now, hasAdminPage }: ToolsOptions): void {
  app.get('/tools', async (_, reply) => sendPage(reply, toolsPage({ now: isoTime(now()), hasAdminPage })))
}
