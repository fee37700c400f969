import { html } from '../base/index.ts'
import { fill, type Words } from '../i18n/index.ts'
import { visitorPage } from '../ui/index.ts'
import type { SignOutQuestion } from './hosted/sign-out.ts'

/** For a sign-out without an address to return to. */
export const signedOutPage = (words: Words, base: string): string =>
  visitorPage(words, {
    base,
    title: words.signOut.title,
    body: html`<p role="status">${words.signOut.done}</p><p>${words.signOut.close}</p>`,
  })

/** For a browser whose sign-out cannot be carried out: what that means for its user, and for developers why. */
export const signOutFailedPage = (
  words: Words,
  base: string,
  { reason, errorId }: { readonly reason: string; readonly errorId: string },
): string =>
  visitorPage(words, {
    base,
    title: words.signOut.failedTitle,
    body: html`<p role="status">${words.signOut.failed} ${words.signOut.failedNext}</p>
<p lang="en" dir="ltr"><small>${reason}</small></p>
<p><small>${fill(words.error.reference, { errorId })}</small></p>`,
  })

/** For a browser whose sign-out needs the word of its user: a form of this page, or the way back. */
export const signOutPage = (
  words: Words,
  base: string,
  { login, returnTo, fields, isRefused }: SignOutQuestion,
): string =>
  visitorPage(words, {
    base,
    title: words.signOut.ask,
    body: html`${isRefused && html`<p role="alert">${words.signOut.again}</p>`}
<p>${fill(words.signOut.signedInAs, { user: login })}</p>
<form method="post" action="${base}/login/signout">${Object.entries(fields).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
    )}<button type="submit">${words.signOut.confirm}</button></form>
<p class="beside"><a href="${returnTo ?? `${base}/signin/done`}">${words.signOut.stay}</a></p>`,
  })
