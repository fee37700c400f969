import { html } from '../../base/index.ts'
import { fill, type Words } from '../../i18n/index.ts'
import { visitorPage } from '../../ui/index.ts'

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
