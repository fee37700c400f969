import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { html, type Random, randomToken } from '../../base/index.ts'
import { acceptedLocales } from '../../i18n/index.ts'
import { signInPath } from '../render.ts'
import type { IdxResponse } from '../response.ts'
import { type PagesParts, visitOf } from '../routes.ts'
import type { WidgetPackage } from './package.ts'
import { renderWidgetPage, type WidgetCaptcha, widgetFilesPath, widgetScriptPath } from './page.ts'

/** The widget as the page of this installation. */
export interface WidgetParts {
  readonly widget: WidgetPackage
  /** Of all browsers; absent: each has its own. */
  readonly language?: string | undefined
  readonly captcha?: WidgetCaptcha | undefined
  readonly random: Random
}

/**
 * The page of the transaction that the cookie of a browser binds it to: for what cannot be loaded again by
 * its own address.
 */
export const widgetPath = `${signInPath}/widget`

type Answered = ReturnType<typeof renderWidgetPage>

/** A page with the widget for one request of a browser. */
export const widgetPageFor = (
  { brands, baseUrl }: Pick<PagesParts, 'brands' | 'baseUrl'>,
  { widget, language, captcha, random }: WidgetParts,
  {
    stateToken,
    handle,
    appId,
    acceptLanguage,
  }: {
    readonly stateToken: string
    /** Of the interaction: its own page is where a browser goes on without the widget, whatever other tabs are at. */
    readonly handle: string
    readonly appId: string | undefined
    readonly acceptLanguage: string | undefined
  },
): Answered =>
  renderWidgetPage({
    ...{ base: baseUrl(), widget, language, captcha, stateToken, handle },
    look: brands.of(appId),
    locales: acceptedLocales(acceptLanguage),
    nonce: randomToken(random),
  })

/** The files of the widget, and its page at an address of its own. */
export function widgetRoutes(parts: PagesParts, own: WidgetParts): FastifyPluginAsync {
  const { files, build } = own.widget
  const packed = new Map<string, Promise<Buffer>>()
  return async (app) => {
    app.get(`${widgetFilesPath}/:build/*`, async (request, reply) => {
      const { build: asked, '*': path } = request.params as { readonly build: string; readonly '*': string }
      const found = asked === build ? files.get(path) : undefined
      if (found === undefined) return reply.callNotFound()
      reply
        .removeHeader('pragma')
        .headers({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'Accept-Encoding' })
        .type(found.type)
      // Its scripts have megabytes: sent as they are they would be most of what a first sign-in waits for. Each request has a copy of its own
      // in memory only as far as it is read (A45).
      if (!isText.test(found.type) || !acceptsGzip(request)) return reply.send(createReadStream(found.file))
      const small = packed.get(path) ?? readFile(found.file).then((content) => promisify(gzip)(content))
      packed.set(path, small)
      small.catch(() => packed.delete(path))
      return reply.header('content-encoding', 'gzip').send(await small)
    })
    const script = await readFile(new URL('./boot.js', import.meta.url), 'utf8')
    app.get(widgetScriptPath, async (_request, reply) =>
      reply
        .header('cache-control', 'public, max-age=3600')
        .type('text/javascript; charset=utf-8')
        .send(script),
    )
    // The second generation shows this in a question for consent, where the app has no logo: it is in no
    // package.
    app.get('/img/logos/default.png', async (_request, reply) => {
      const { logo, name, colour = '#3a4fd0' } = parts.brands.of(undefined)
      if (logo !== undefined) return reply.redirect(parts.baseUrl() + logo, 302)
      reply.header('cache-control', 'public, max-age=3600').type('image/svg+xml; charset=utf-8')
      return reply.send(letterIn(name, colour))
    })
    const onRequest = async ({ ip }: FastifyRequest): Promise<void> => {
      await parts.limits.charge('page', { address: ip })
    }
    app.get(widgetPath, { onRequest, exposeHeadRoute: false }, (request, reply) =>
      show(parts, own, request, reply),
    )
  }
}

/** As the engine's own pages show a brand without a logo: its first letter. */
const letterIn = (name: string, colour: string): string =>
  html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="10" fill="${colour}"/><text x="24" y="33" text-anchor="middle" font-family="sans-serif" font-size="26" fill="#fff">${[...name][0] ?? ''}</text></svg>`
    .markup

const isText = /^(text\/|application\/json|image\/svg)/

const acceptsGzip = ({ headers }: FastifyRequest): boolean =>
  /(^|,)\s*gzip\s*(,|;\s*q=(1|0\.\d*[1-9])|$)/i.test(String(headers['accept-encoding'] ?? ''))

/** Where there is no transaction any more the engine's own page says so. */
async function show(parts: PagesParts, own: WidgetParts, request: FastifyRequest, reply: FastifyReply) {
  const { brand, handle } = visitOf(parts, request)
  const answer =
    handle === undefined
      ? undefined
      : await parts.idx({
          path: 'introspect',
          body: { interactionHandle: handle },
          address: request.ip,
        })
  const { remediation, stateHandle, app } = (answer?.body ?? {}) as Partial<IdxResponse>
  if (handle === undefined || remediation === undefined || stateHandle === undefined) {
    return reply.redirect(brand.base + signInPath + (brand.query ?? ''), 302)
  }
  const { markup, headers } = widgetPageFor(parts, own, {
    stateToken: stateHandle,
    handle,
    appId: app?.value.id,
    acceptLanguage: request.headers['accept-language'],
  })
  return reply.headers(headers).send(markup)
}
