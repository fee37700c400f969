import { ConfigError, type Random } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { HostedPageCall } from '../oidc/index.ts'
import {
  findWidget,
  isWidgetProblem,
  type PagesParts,
  pageQuery,
  type WidgetPackage,
  widgetPageFor,
  widgetPath,
  widgetRoutes,
} from '../pages/index.ts'

/**
 * The package of the Sign-In Widget, where it is the page of this installation; undefined where the pages are the engine's own.
 *
 * @throws ConfigError where it is not there
 */
export function widgetPackageOf({
  pages,
  widget,
}: Pick<Config, 'pages' | 'widget'>): WidgetPackage | undefined {
  if (pages !== 'widget') return undefined
  const found = findWidget(widget, process.cwd())
  if (isWidgetProblem(found)) throw new ConfigError([`widget.${found.option}: ${found.words}`])
  return found
}

/** The answers to requests that begin a transaction, and what their pages load. */
export function widgetPageOf(
  { widget: { language }, captcha: { type, scriptUrl } }: Pick<Config, 'widget' | 'captcha'>,
  widget: WidgetPackage,
  site: Pick<PagesParts, 'brands' | 'baseUrl'> & { readonly random: Random },
) {
  const own = {
    ...{ widget, language, random: site.random },
    ...(type !== undefined && { captcha: { type, script: scriptUrl } }),
  }
  return {
    /** The page itself, or, where that could not be loaded again by a reload, the address of one. */
    deliver({ stateToken, interactionHandle: handle, clientId, acceptLanguage, mayRepeat }: HostedPageCall) {
      if (!mayRepeat) return { location: site.baseUrl() + widgetPath + pageQuery(handle) }
      const about = { stateToken, handle, appId: clientId, acceptLanguage }
      const { markup, headers } = widgetPageFor(site, own, about)
      return { page: markup, headers }
    },
    routes: (parts: PagesParts) => [widgetRoutes(parts, own)],
  }
}
