import type { FastifyInstance } from 'fastify'
import type { MessageStore } from '../control/messages.ts'
import { sendPage } from '../pages/index.ts'
import { mailDocument, mailPolicy } from './mail-document.ts'
import { inboxPage, type Showing } from './page.ts'
import { missing, readerOf, viewNamed } from './reader.ts'

export interface InboxOptions {
  readonly messages: MessageStore
  readonly hints: {
    readonly smtpUrl: string
    readonly appUrl?: () => string | undefined
    readonly login?: string
  }
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
}

function searchIn(query: unknown): string {
  const { q } = query as Record<string, unknown>
  return typeof q === 'string' ? q.slice(0, 200) : ''
}
