import { html, raw } from '../../base/index.ts'
import type { BrandStyle } from '../../brand/index.ts'
import { languageFor, pageWordsFor } from '../../i18n/index.ts'
import { pageAddress } from '../render.ts'
import type { WidgetPackage } from './package.ts'

/** Where its files are served, below the engine's address: followed by the build and the path. */
export const widgetFilesPath = '/assets/widget'
export const widgetScriptPath = '/assets/signin-widget.js'

/** What the captcha of the forms is, where one is configured. */
export interface WidgetCaptcha {
  readonly type: 'HCAPTCHA' | 'RECAPTCHA_V2' | 'TURNSTILE'
  /** Where its script comes from in place of the provider. */
  readonly script?: string | undefined
}

export interface WidgetPage {
  /** The engine's public address, without a slash at the end. */
  readonly base: string
  readonly widget: WidgetPackage
  readonly look: BrandStyle
  readonly stateToken: string
  /** Of the interaction: it stands in no page, only the address of the engine's own page is made of it. */
  readonly handle: string
  /** The wanted locales, the preferred one first. */
  readonly locales: string | undefined
  /** The language of the installation, in place of that of the browser. */
  readonly language?: string | undefined
  readonly captcha?: WidgetCaptcha | undefined
  /** Drawn anew for each answer. */
  readonly nonce: string
}

/** Where the widget loads each provider's captcha from. It has none of Turnstile. */
const captchaSources = {
  HCAPTCHA: 'https://hcaptcha.com https://*.hcaptcha.com',
  RECAPTCHA_V2:
    'https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/ https://recaptcha.google.com/recaptcha/',
  TURNSTILE: '',
} as const

/** Without an address of its own the widget's link to help leads to a page of Okta's, which is not here. */
const withoutHelp = raw('[data-se="help"]{display:none!important}')

/**
 * The page with the widget on the transaction of a state token. It has one script of ours, which starts it;
 * without JavaScript, or where the widget does not start, the browser goes on at the engine's own page of the
 * same transaction.
 */
export function renderWidgetPage(page: WidgetPage): {
  readonly markup: string
  readonly headers: Readonly<Record<string, string>>
} {
  const { base, widget, look, locales, nonce, handle } = page
  const language = page.language ?? widgetLanguage(widget.languages, locales)
  const words = pageWordsFor(locales)
  const files = `${base}${widgetFilesPath}/${widget.build}`
  const fallback = pageAddress(base, handle)
  const settings = { ...settingsOf(page), language, assets: { baseUrl: files }, cspNonce: nonce }
  const markup = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${words.signIn.title} · ${look.name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${files}/${widget.stylesheet}">
${look.links.help === undefined && html`<style nonce="${nonce}">${withoutHelp}</style>`}
<noscript><meta http-equiv="refresh" content="0; url=${fallback}"></noscript>
<script src="${files}/${widget.script}" nonce="${nonce}" defer></script>
<script src="${base}${widgetScriptPath}" nonce="${nonce}" defer></script>
</head>
<body>
<main id="okta-login-container" data-settings="${JSON.stringify(settings)}" data-fallback="${fallback}"></main>
</body>
</html>
`.markup
  return {
    markup,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(page),
      // The engine alone is said where its own calls come from: the address has what the app asked for.
      'referrer-policy': 'same-origin',
      vary: 'Accept-Language, Cookie',
    },
  }
}

/**
 * The best of the widget's languages. It has one form of Portuguese and one of Dutch; Chinese is the
 * simplified one where no region says else.
 */
export function widgetLanguage(languages: readonly string[], locales: string | undefined): string {
  const bare = new Map(
    languages
      .filter((one) => one.includes('-'))
      .map((one) => [one.slice(0, 2), one] as const)
      .reverse(),
  )
  const found = languageFor(locales, [...languages, ...bare.keys()])
  return languages.includes(found) ? found : (bare.get(found) ?? found)
}

/** What the widget is given, besides where it finds its files. A value that is undefined is left out. */
function settingsOf({ base, widget, look, stateToken, captcha }: WidgetPage) {
  const { colour, links, logo, name } = look
  const custom = (['privacy', 'terms'] as const).flatMap((one) => links[one] ?? [])
  return {
    baseUrl: base,
    stateToken,
    brandName: name,
    ...(logo !== undefined && { logo: base + logo, logoText: name }),
    ...(colour !== undefined &&
      (widget.generation === 2 ? { colors: { brand: colour } } : { brandColors: { primaryColor: colour } })),
    helpLinks: { help: links.help, custom },
    ...(captcha?.script !== undefined && {
      [captcha.type === 'HCAPTCHA' ? 'hcaptcha' : 'recaptcha']: { scriptSource: captcha.script },
    }),
  }
}

/**
 * The policy of the page: the widget's files, its calls and what it has in styles come from the engine, and
 * nothing else, but for the captcha of an installation that has one. No `form-action`: the widget leaves by a
 * form, and browsers apply it to every redirect after that.
 */
function policyOf({ nonce, captcha }: WidgetPage): string {
  const { type, script } = captcha ?? {}
  const others =
    type === undefined
      ? ''
      : ` ${captchaSources[type]}${script === undefined ? '' : ` ${new URL(script).origin}`}`.trimEnd()
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'${others}`,
    `style-src 'self' 'nonce-${nonce}'${others}`,
    `img-src 'self' data:${others}`,
    "font-src 'self' data:",
    `connect-src 'self'${others}`,
    ...(others === '' ? [] : [`frame-src${others}`]),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
