import type { FastifyInstance } from 'fastify'
import { apiError } from '../base/index.ts'
import { sendPage, serveFiles, serveUiFiles } from '../ui/index.ts'
import { adminPage } from './page.ts'

/**
 * Content Security Policy: only the page's own files are loaded, and Trusted Types forbid to turn text into markup, so that
 * a name or a log field cannot inject script even if the page's script has an error.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const scripts = [
  'admin.js',
  'api.js',
  'apps.js',
  'groups.js',
  'log.js',
  'parts.js',
  'policies.js',
  'users.js',
] as const

/** Serves the page at /admin with its scripts, and at /ui what all pages share; under one host alone, where there is one. */
export function serveAdminPage(app: FastifyInstance, base: () => string, host?: string): void {
  if (host !== undefined) {
    // Under the name of the sign-in pages there is no such page: the token that it stores is of an origin of its own.
    app.addHook('onRequest', async ({ hostname }) => {
      if (hostname.toLowerCase() !== host) {
        throw apiError('E0000007', { summary: 'Not found: the path is unknown.' })
      }
    })
  }
  app.get('/admin', async (_request, reply) => {
    reply.header('x-robots-tag', 'noindex')
    return sendPage(reply, adminPage(base()), policy)
  })
  // The relative path is the same from src/ and dist/: the build copies the files.
  serveFiles(app, '/admin', new URL('./', import.meta.url), scripts)
  serveUiFiles(app)
}
