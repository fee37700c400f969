import type { FastifyInstance, FastifyReply } from 'fastify'
import { ConfigError, html, systemClock } from '../../base/index.ts'
import { loadTemplates, type RenderedMail, type Renderer, templateNames } from '../../delivery/index.ts'
import { languageFor } from '../../i18n/index.ts'
import { sendPage } from '../../ui/index.ts'
import { notFound } from '../control/requests.ts'
import { mailDocument, mailPolicy } from '../inbox/index.ts'
import { addressOf, mailsPage, type Preview, refusedPage, widths } from './page.ts'
import { sampleOf } from './samples.ts'

interface MailsOptions {
  readonly templates?: (() => Promise<Renderer>) | undefined
}

export function mailRoutes(app: FastifyInstance, { templates = () => loadTemplates() }: MailsOptions): void {
  const render = async ({ template, language }: Preview): Promise<RenderedMail> => {
    const variables = sampleOf(template, language, systemClock.now())
    return (await templates()).render({ template, variables, locale: language })
  }

  app.get('/mails', async (_, reply) => {
    const first: Preview = { template: 'ForgotPassword', language: 'en', width: 'fit' }
    return reply.redirect(addressOf(first), 302)
  })

  app.get('/mails/:template', async ({ params, query }, reply) => {
    const preview = previewIn(params, query)
    try {
      return sendPage(reply, mailsPage(preview, await render(preview)))
    } catch (error) {
      if (error instanceof ConfigError)
        return sendPage(reply.status(200), refusedPage(preview, error.problems))
      throw error
    }
  })

  app.get('/mails/:template/html', async ({ params, query }, reply) => {
    const mail = await render(previewIn(params, query))
    return sendMail(reply, mailDocument(mail.html))
  })

  app.get('/mails/:template/text', async ({ params, query }, reply) => {
    const mail = await render(previewIn(params, query))
    const text = html`<style>pre { margin: 16px; font: 14px/1.6 monospace; white-space: pre-wrap; overflow-wrap: anywhere }</style><pre lang="${mail.language}" dir="auto">${mail.text}</pre>`
    return sendMail(reply, mailDocument(text.markup))
  })
}

function previewIn(params: unknown, query: unknown): Preview {
  const { template: name } = params as { readonly template: string }
  const { lang, width } = query as Readonly<Record<string, unknown>>
  const template = templateNames.find((known) => known === name)
  if (template === undefined) throw notFound('there is no mail of this name')
  return {
    template,
    language: languageFor(typeof lang === 'string' ? lang : undefined),
    width: widths.find((known) => String(known) === width) ?? 'fit',
  }
}

const sendMail = (reply: FastifyReply, document: string): FastifyReply =>
  reply
    .headers({ 'content-security-policy': mailPolicy, 'referrer-policy': 'no-referrer' })
    .type('text/html; charset=utf-8')
    .send(document)
