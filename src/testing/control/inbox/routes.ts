import { readFile } from 'node:fs/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Html } from '../../../base/index.ts'
import type { MessageStore } from '../messages.ts'
import { mailDocument, mailPolicy } from './mail-document.ts'
import { inboxPage, pagePolicy, type Showing } from './page.ts'
import { missing, readerOf, viewNamed } from './reader.ts'

export interface InboxOptions {
  readonly messages: MessageStore
  readonly hints: {
    readonly smtpUrl: string
    readonly appUrl?: () => string | undefined
    readonly login?: string
  }
}

// From src/ and from dist/ the way is the same, and the package ships src/: the compiler copies no stylesheet.
const assets = new URL('../../../../src/testing/control/assets/', import.meta.url)
const assetTypes: Record<string, string> = {
  'inbox.css': 'text/css; charset=utf-8',
  'inbox.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

export function inboxRoutes(app: FastifyInstance, { messages, hints }: InboxOptions): void {
  const showing = (query: unknown): Omit<Showing, 'reader'> => ({
    messages: messages.all(),
    search: searchIn(query),
    hints: { ...hints, appUrl: hints.appUrl?.() },
  })

  app.get('/', async ({ query }, reply) => sendPage(reply, inboxPage(showing(query))))

  app.get('/inbox/:id', async ({ params, query }, reply) => {
    const { id } = params as { readonly id: string }
    const message = messages.get(id)
    const shown = showing(query)
    if (!message) return sendPage(reply.status(404), inboxPage({ ...shown, reader: missing(shown.search) }))
    const view = viewNamed((query as Record<string, unknown>).view, message)
    const source = view === 'source' ? (messages.source(id)?.toString('utf8') ?? '') : ''
    const reader = readerOf(message, { view, source, search: shown.search })
    return sendPage(reply, inboxPage({ ...shown, reader, open: message }))
  })

  app.get('/inbox/:id/mail', async ({ params }, reply) => {
    const message = messages.get((params as { readonly id: string }).id)
    return reply
      .status(message ? 200 : 404)
      .headers({ 'content-security-policy': mailPolicy, 'referrer-policy': 'no-referrer' })
      .type('text/html; charset=utf-8')
      .send(mailDocument(message?.html ?? ''))
  })

  for (const [name, type] of Object.entries(assetTypes)) {
    app.get(`/assets/${name}`, async (_request, reply) =>
      reply.type(type).send(await readFile(new URL(name, assets))),
    )
  }
}

function searchIn(query: unknown): string {
  const { q } = query as Record<string, unknown>
  return typeof q === 'string' ? q.slice(0, 200) : ''
}

function sendPage(reply: FastifyReply, page: Html): FastifyReply {
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
