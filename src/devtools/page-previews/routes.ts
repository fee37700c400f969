import type { FastifyInstance } from 'fastify'
import { html } from '../../base/index.ts'
import { languageFor, pageLanguages } from '../../i18n/index.ts'
import { type Brand, renderPage } from '../../pages/index.ts'
import { sendPage } from '../../ui/index.ts'
import { notFound } from '../control/requests.ts'
import { toolPage } from '../pages/index.ts'
import { noticeSamples } from './notices.ts'
import { pageSamples } from './samples.ts'

/** Nothing is sent and nothing runs; the stylesheet is that of the engine. */
const policyOf = (engineUrl: string): string =>
  `default-src 'none'; style-src ${new URL(engineUrl).origin}; img-src data:; form-action 'none'; base-uri 'none'`

const nameOf = (language: string): string =>
  new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language

/** The names of all previews, in the order in which a user sees the pages. */
export const previewNames: readonly string[] = [...Object.keys(pageSamples), ...Object.keys(noticeSamples)]

const titleOf = (name: string): string => name[0]?.toUpperCase() + name.slice(1).replaceAll('-', ' ')

/** A preview in a language; undefined where there is none of this name. */
function previewOf(name: string, brand: Brand, language: string): string | undefined {
  const notice = Object.hasOwn(noticeSamples, name) ? noticeSamples[name] : undefined
  if (notice !== undefined) return notice(brand, language)
  const sample = Object.hasOwn(pageSamples, name) ? pageSamples[name] : undefined
  if (sample === undefined) return undefined
  const page = renderPage(sample, brand, language, { wayOn: { label: 'Shop', address: '/pages' } })
  return asWithScript(page)
}

/** As the script leaves the page where a browser has passkeys: with their buttons. It does not run here. */
const asWithScript = (page: string): string =>
  page
    .replaceAll(/<script [^>]*><\/script>\n?/g, '')
    .replaceAll(/<p class="message" data-without>[^<]*<\/p>\n?/g, '')
    .replaceAll(/(<button type="submit" class="\w+") hidden>/g, '$1>')

/** `/pages` lists the pages, `/pages/{name}?lang=de` shows one. */
export function pagePreviewRoutes(app: FastifyInstance, { engineUrl }: { readonly engineUrl: string }): void {
  if (engineUrl === '') return
  const brand = { base: engineUrl, name: 'Rekey' }
  app.get('/pages', async (_, reply) =>
    sendPage(
      reply,
      toolPage({
        tab: 'Pages',
        title: 'Sign-in pages',
        skip: ['pages', 'Skip to the pages'],
        body: html`<main class="page" id="pages" tabindex="-1">
  <h2>The sign-in pages</h2>
  <p class="quiet">Each with made-up users, as it follows the light or dark mode of the system. Their forms are not sent.</p>
  <ul>${previewNames.map(
    (name) =>
      html`<li><a href="/pages/${name}?lang=en">${titleOf(name)}</a>${Object.keys(pageLanguages)
        .filter((language) => language !== 'en')
        .map(
          (language) =>
            html` <a class="quiet" href="/pages/${name}?lang=${language}" lang="${language}" hreflang="${language}">${nameOf(language)}</a>`,
        )}</li>`,
  )}</ul>
</main>`,
      }),
    ),
  )
  app.get('/pages/:name', async ({ params, query }, reply) => {
    const { name } = params as { readonly name: string }
    const { lang } = query as Readonly<Record<string, unknown>>
    const markup = previewOf(name, brand, languageFor(typeof lang === 'string' ? lang : undefined))
    if (markup === undefined) throw notFound('there is no page of this name')
    return reply
      .header('content-security-policy', policyOf(engineUrl))
      .type('text/html; charset=utf-8')
      .send(markup)
  })
}
