import { type Html, html } from '../base/index.ts'
import { directionOf, fill, type Words } from '../i18n/index.ts'

const page = (words: Words, base: string, title: string, body: Html): string =>
  html`<!doctype html>
<html lang="${words.language}" dir="${directionOf(words.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="stylesheet" href="${base}/assets/page.css">
</head>
<body><main><h1>${title}</h1>${body}</main></body>
</html>
`.markup

/** What a browser may load for these pages: the stylesheet alone. */
export const pagePolicy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** For a sign-out without an address to return to. */
export const signedOutPage = (words: Words, base: string): string =>
  page(
    words,
    base,
    words.signOut.title,
    html`<p role="status">${words.signOut.done}</p><p>${words.signOut.close}</p>`,
  )

/** For a browser whose sign-out cannot be carried out: what that means for its user, and for developers why. */
export const signOutFailedPage = (
  words: Words,
  base: string,
  { reason, errorId }: { readonly reason: string; readonly errorId: string },
): string =>
  page(
    words,
    base,
    words.signOut.failedTitle,
    html`<p role="status">${words.signOut.failed} ${words.signOut.failedNext}</p>
<p lang="en" dir="ltr"><small>${reason}</small></p>
<p><small>${fill(words.error.reference, { errorId })}</small></p>`,
  )
