import type { FastifyInstance } from 'fastify'
import { ProtocolError } from '../../base/index.ts'
import { serveFiles, serveUiFiles } from '../../ui/index.ts'

/**
 * Redirects to the admin page of the engine. The token is in the fragment, which is not sent to servers or logged; so is the
 * port of these pages, for the tabs that lead back.
 */
export function adminRoute(app: FastifyInstance, adminUrl: string | undefined): void {
  app.get('/admin', async ({ socket }, reply) => {
    if (adminUrl === undefined) throw new ProtocolError(404, 'not_found', 'this engine has no admin page')
    const separator = adminUrl.includes('#') ? '&' : '#'
    return reply.redirect(`${adminUrl}${separator}tools=${socket.localPort}`, 302)
  })
}

/** Serves the scripts of the pages and what all pages share. */
export function assetRoutes(app: FastifyInstance): void {
  // The relative path is the same from src/ and dist/: the build copies the files.
  serveFiles(app, '/assets', new URL('../assets/', import.meta.url), ['inbox.js', 'flows.js', 'tools.js'])
  serveUiFiles(app)
}
