import { html } from '../base/index.ts'
import { acceptedLocales, wordsFor } from '../i18n/index.ts'
import { visitorPage } from '../ui/index.ts'

/** The OAuth error of the `authorize` endpoint (RFC 6749, section 4.1.2.1): no response type is supported yet. */
export const authorizeRefusal = {
  error: 'unsupported_response_type',
  error_description:
    'Sign-in by redirect is not served yet: there is no hosted sign-in page. Sign users in with the pages of the app, as with idx.authenticate() of okta-auth-js.',
} as const

/**
 * The page for a browser that an app sent to `authorize`. The request is not redirected to the app: an address in it is
 * not checked here, and a redirect to it would be an open one (RFC 9700, section 4.11).
 */
export function authorizePage(base: string, acceptLanguage: string | undefined): string {
  const words = wordsFor(acceptedLocales(acceptLanguage))
  return visitorPage(words, {
    base,
    title: words.error.title,
    body: html`<p>${words.error.noRedirectSignIn}</p>
<p><small lang="en" dir="ltr">${authorizeRefusal.error}: ${authorizeRefusal.error_description}</small></p>`,
  })
}
