import { html } from '../base/index.ts'
import { acceptedLocales, directionOf, wordsFor } from '../i18n/index.ts'

/** The OAuth error of the `authorize` endpoint (RFC 6749, section 4.1.2.1): no response type is supported yet. */
export const authorizeRefusal = {
  error: 'unsupported_response_type',
  error_description:
    'Sign-in by redirect is not served yet: there is no hosted sign-in page. Sign users in with the pages of the app, as with idx.authenticate() of okta-auth-js.',
} as const

/** The policy of the page: it loads its stylesheet and nothing else (A48). */
export const authorizePolicy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/**
 * The page for a browser that an app sent to `authorize`. The request is not redirected to the app: an address in it is
 * not checked here, and a redirect to it would be an open one (RFC 9700, section 4.11).
 */
export function authorizePage(base: string, acceptLanguage: string | undefined): string {
  const words = wordsFor(acceptedLocales(acceptLanguage))
  return html`<!doctype html>
<html lang="${words.language}" dir="${directionOf(words.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${words.error.title}</title>
<link rel="stylesheet" href="${base}/assets/page.css">
</head>
<body><main><h1>${words.error.title}</h1><p>${words.error.noRedirectSignIn}</p>
<p><small lang="en" dir="ltr">${authorizeRefusal.error}: ${authorizeRefusal.error_description}</small></p></main></body>
</html>
`.markup
}
