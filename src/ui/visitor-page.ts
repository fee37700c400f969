import { type Html, html } from '../base/index.ts'
import { directionOf, type Words } from '../i18n/index.ts'

/** Where the stylesheet of these pages is served, below the engine's address. */
export const visitorStylesheet = '/assets/page.css'

/** The headers of a page for visitors: it loads its stylesheet and nothing else, and has no frame (A48). */
export const visitorPageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'content-type': 'text/html; charset=utf-8',
} as const

/**
 * The headers of such a page with a form. No `form-action`: browsers apply it to the redirect that follows. Where it was sent from
 * is said by its origin alone: without that browsers would send `Origin: null` with the form, and the address may have a token.
 */
export const visitorFormHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'strict-origin',
} as const

/** A page for visitors. */
interface VisitorPage {
  /** The engine's public address, without a slash at the end. */
  readonly base: string
  /** Also the heading. */
  readonly title: string
  /** Whose page it is: shown above the heading and in the title of the window. Without it the page names no one. */
  readonly brand?: string
  /** What follows the heading. */
  readonly body: Html
}

/**
 * The markup of a page that the engine itself shows to the users of apps, to be sent with `visitorPageHeaders`. No search
 * engine lists it: its address may have a token.
 */
export const visitorPage = (words: Words, { base, title, brand, body }: VisitorPage): string =>
  html`<!doctype html>
<html lang="${words.language}" dir="${directionOf(words.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}${brand !== undefined && ` · ${brand}`}</title>
<link rel="stylesheet" href="${base}${visitorStylesheet}">
</head>
<body><main>${brand !== undefined && html`<p class="brand"><strong>${brand}</strong></p>\n`}<h1>${title}</h1>${body}</main></body>
</html>
`.markup
