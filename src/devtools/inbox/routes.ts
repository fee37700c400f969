import type { FastifyInstance } from 'fastify'
import { sendPage } from '../../ui/index.ts'
import type { MessageStore } from '../control/messages.ts'
import type { FlowReader } from '../inspector/facts.ts'
import { mailIdIn } from './addresses.ts'
import { mailDocument, mailPolicy } from './mail-document.ts'
import { inboxPage, type Showing } from './page.ts'
import { missing, readerOf, viewNamed } from './reader.ts'

interface InboxOptions {
  readonly messages: MessageStore
  /** The transactions, for the link from a mail to its flow. */
  readonly flows: FlowReader
  readonly hints: {
    readonly smtpUrl: string
    readonly appUrl?: () => string | undefined
    readonly login?: string
  }
}

/** How many of the latest transactions are searched for the one that a mail belongs to. */
const mostSearched = 100

export function inboxRoutes(app: FastifyInstance, { messages, flows, hints }: InboxOptions): void {
  // What was opened, in any browser. In memory, like the mails; ids are never used again.
  const opened = new Set<string>()

  const showing = (query: unknown): Omit<Showing, 'reader'> => ({
    messages: messages.all(),
    opened,
    search: searchIn(query),
    hints: { ...hints, appUrl: hints.appUrl?.() },
  })

  /** The transaction that queued a mail: its events have the id of the mail. */
  const flowOf = async (source: Buffer | undefined): Promise<string | undefined> => {
    const mailId = mailIdIn(source)
    if (mailId === undefined) return undefined
    const found = (await flows.list(mostSearched)).find(({ timeline }) =>
      timeline.events.some(({ debugContext }) => debugContext.debugData.mail === mailId),
    )
    return found?.timeline.id
  }

  app.get('/', async ({ query }, reply) => sendPage(reply, inboxPage(showing(query))))

  app.get('/inbox/:id', async ({ params, query }, reply) => {
    const { id } = params as { readonly id: string }
    const message = messages.get(id)
    const shown = showing(query)
    if (!message) return sendPage(reply.status(404), inboxPage({ ...shown, reader: missing(shown.search) }))
    opened.add(id)
    const view = viewNamed((query as Record<string, unknown>).view, message)
    const source = view === 'source' ? (messages.source(id)?.toString('utf8') ?? '') : ''
    const flow = await flowOf(messages.source(id))
    const reader = readerOf(message, { view, source, search: shown.search, flow })
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
