import type { FastifyInstance } from 'fastify'
import { sendPage } from '../../ui/index.ts'
import type { Document } from './document.ts'
import { referencePage } from './page.ts'

interface ReferenceOptions {
  /** The description of the engine's API. */
  readonly engine: () => Promise<object>
  /** The description of the control API, for the port that it is served on. */
  readonly control: (port: number) => object
}

export function referenceRoutes(app: FastifyInstance, { engine, control }: ReferenceOptions): void {
  app.get('/docs', async (_, reply) => reply.redirect('/docs/engine', 302))
  app.get('/docs/engine', async (_, reply) =>
    sendPage(reply, referencePage('engine', (await engine()) as Document, '/openapi/engine.json')),
  )
  app.get('/docs/control', async ({ socket }, reply) =>
    sendPage(reply, referencePage('control', control(socket.localPort ?? 0) as Document, '/openapi.json')),
  )
}
