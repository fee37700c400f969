import { html } from '../../base/index.ts'
import { acceptedLocales, fill, type Words, wordsFor } from '../../i18n/index.ts'
import { visitorPage, visitorPageHeaders } from '../../ui/index.ts'
import type { BrowserAnswer } from './flow.ts'

/** For a browser whose request goes to no app: what that means for its user, and for developers why. */
export const failedPage = (
  words: Words,
  base: string,
  { reason, errorId }: { readonly reason: string; readonly errorId: string },
): string =>
  visitorPage(words, {
    base,
    title: words.error.title,
    body: html`<p role="alert">${words.signOut.failed}</p>
<p lang="en" dir="ltr"><small>${reason}</small></p>
<p><small>${fill(words.error.reference, { errorId })}</small></p>`,
  })

/** Where a sign-in is to go on: the state token stands in the page for a client of the protocol's endpoints. */
export function signInPage({
  base,
  orgName,
  stateToken,
  acceptLanguage,
}: {
  readonly base: string
  readonly orgName: string
  readonly stateToken: string
  readonly acceptLanguage: string | undefined
}): BrowserAnswer {
  const words = wordsFor(acceptedLocales(acceptLanguage))
  const page = visitorPage(words, {
    base,
    brand: orgName,
    title: 'Sign in',
    body: html`<form method="post" action="${base}/signin"><input type="hidden" name="stateToken" value="${stateToken}"></form>`,
  })
  return { delivered: { page, headers: visitorPageHeaders }, cookies: [] }
}

/** For a browser that another site sent to sign out: its user says so here, by a link of this page. */
export const signOutPage = (words: Words, base: string): string =>
  visitorPage(words, {
    base,
    title: words.signOut.ask,
    body: html`<p><a href="${base}/login/signout">${words.signOut.confirm}</a></p>`,
  })
