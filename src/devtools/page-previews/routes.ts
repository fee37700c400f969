import type { FastifyInstance } from 'fastify'
import { html } from '../../base/index.ts'
import { languageFor, pageLanguages } from '../../i18n/index.ts'
import { renderPage } from '../../pages/index.ts'
import { notFound } from '../control/requests.ts'
import { pageSamples } from './samples.ts'

/** Nothing is sent and nothing runs; the stylesheet is that of the engine. */
const policyOf = (engineUrl: string): string =>
  `default-src 'none'; style-src ${new URL(engineUrl).origin}; img-src data:; form-action 'none'; base-uri 'none'`

/** `/pages` lists the pages, `/pages/{name}?lang=de` shows one. */
export function pagePreviewRoutes(app: FastifyInstance, { engineUrl }: { readonly engineUrl: string }): void {
  if (engineUrl === '') return
  const brand = { base: engineUrl, name: 'Rekey' }
  app.get('/pages', async (_, reply) => {
    const links = Object.keys(pageSamples).map(
      (name) =>
        html`<p><strong>${name}</strong> ${Object.keys(pageLanguages).map((language) => html` <a href="/pages/${name}?lang=${language}" hreflang="${language}">${language}</a>`)}</p>`,
    )
    const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign-in pages</title>
<link rel="stylesheet" href="${engineUrl}/assets/signin.css"></head>
<body><main class="card"><h1>Sign-in pages</h1>${links}</main></body></html>
`
    return reply
      .header('content-security-policy', policyOf(engineUrl))
      .type('text/html; charset=utf-8')
      .send(page.markup)
  })
  app.get('/pages/:name', async ({ params, query }, reply) => {
    const { name } = params as { readonly name: string }
    const { lang } = query as Readonly<Record<string, unknown>>
    const sample = Object.hasOwn(pageSamples, name) ? pageSamples[name] : undefined
    if (sample === undefined) throw notFound('there is no page of this name')
    const language = languageFor(typeof lang === 'string' ? lang : undefined)
    return reply
      .header('content-security-policy', policyOf(engineUrl))
      .type('text/html; charset=utf-8')
      .send(renderPage(sample, brand, language, { wayOn: { label: 'Shop', address: '/pages' } }))
  })
}
