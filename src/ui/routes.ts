import { readFile } from 'node:fs/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Html } from '../base/index.ts'
import { visitorStylesheet } from './visitor-page.ts'

/** Allows only our own files and no inline styles or scripts: a second defence if a text were not escaped. */
const scriptedPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function sendPage(reply: FastifyReply, page: Html, policy = scriptedPolicy): FastifyReply {
  return reply
    .headers({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    .type('text/html; charset=utf-8')
    .send(page.markup)
}

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * Serves files of a folder below a path: a fixed list, read at each request. The scripts import each other by relative
 * paths, which are the same in the addresses as in the tree.
 */
export function serveFiles(app: FastifyInstance, path: string, folder: URL, names: readonly string[]): void {
  for (const name of names) {
    const type = types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
    app.get(`${path}/${name}`, async (_request, reply) =>
      reply.type(type).send(await readFile(new URL(name, folder))),
    )
  }
}

/** Serves the stylesheet, the icon and the shared script at `/ui`. */
export function serveUiFiles(app: FastifyInstance): void {
  // The relative path is the same from src/ and dist/: the build copies the files.
  serveFiles(app, '/ui', new URL('./', import.meta.url), ['ui.css', 'dom.js', 'icon.svg'])
}

/** Serves the stylesheet of the pages for visitors. It is read once, for these pages are public. */
export async function serveVisitorStylesheet(app: FastifyInstance): Promise<void> {
  const stylesheet = await readFile(new URL('./page.css', import.meta.url), 'utf8')
  app.get(visitorStylesheet, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').type('text/css; charset=utf-8').send(stylesheet),
  )
}
