import { html } from '../base/index.ts'
import { fill, type Words } from '../i18n/index.ts'
import { visitorPage } from '../ui/index.ts'

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
