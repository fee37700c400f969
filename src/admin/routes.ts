import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
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

const types = {
  'admin.css': 'text/css; charset=utf-8',
  'admin.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** Serves the page at /admin and its three files. */
export function serveAdminPage(app: FastifyInstance, base: () => string): void {
  app.get('/admin', async (_request, reply) =>
    reply
      .headers({
        'content-security-policy': policy,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'x-robots-tag': 'noindex',
      })
      .type('text/html; charset=utf-8')
      .send(adminPage(base()).markup),
  )
  for (const [name, type] of Object.entries(types)) {
    app.get(`/admin/${name}`, async (_request, reply) =>
      reply.type(type).send(await readFile(new URL(name, import.meta.url))),
    )
  }
}
