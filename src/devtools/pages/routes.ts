import { readFile } from 'node:fs/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type Html, ProtocolError } from '../../base/index.ts'
import { pagePolicy } from './frame.ts'

export function sendPage(reply: FastifyReply, page: Html): FastifyReply {
  return reply
    .headers({
      'content-security-policy': pagePolicy,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    .type('text/html; charset=utf-8')
    .send(page.markup)
}

// The relative path is the same from src/ and dist/, and the package contains src/.
const assets = new URL('../assets/', import.meta.url)
const assetTypes: Record<string, string> = {
  'inbox.css': 'text/css; charset=utf-8',
  'inbox.js': 'text/javascript; charset=utf-8',
  'flows.css': 'text/css; charset=utf-8',
  'flows.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

/** Redirects to the admin page of the engine. The token is in the fragment, which is not sent to servers or logged. */
export function adminRoute(app: FastifyInstance, adminUrl: string | undefined): void {
  app.get('/admin', async (_request, reply) => {
    if (adminUrl === undefined) throw new ProtocolError(404, 'not_found', 'this engine has no admin page')
    return reply.redirect(adminUrl, 302)
  })
}

/** Serves the files of the pages: a fixed list. */
export function assetRoutes(app: FastifyInstance): void {
  for (const [name, type] of Object.entries(assetTypes)) {
    app.get(`/assets/${name}`, async (_request, reply) =>
      reply.type(type).send(await readFile(new URL(name, assets))),
    )
  }
}
