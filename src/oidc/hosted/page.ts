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

/**
 * For a browser that is at a sign-in which is over, of which no app is at fault, and where another one
 * begins.
 */
export const endedPage = (
  words: Words,
  base: string,
  /** Where it went on to, for the browser that it began in. */
  app?: { readonly label: string; readonly address: string },
): string =>
  visitorPage(words, {
    base,
    title: words.error.endedTitle,
    body: html`<p role="status">${words.error.ended}</p>${app !== undefined && html`<p><a href="${app.address}">${fill(words.link.backTo, { app: app.label })}</a></p>`}
<p><a href="${base}/signin">${words.error.again}</a></p>`,
  })

/**
 * For a browser that asks too often, or that the engine fails: no app is at fault, and it can be tried again.
 */
export const unexpectedPage = (
  words: Words,
  base: string,
  { errorId }: { readonly errorId: string },
): string =>
  visitorPage(words, {
    base,
    title: words.error.title,
    body: html`<p role="alert">${words.error.unexpected}</p>
<p><small>${fill(words.error.reference, { errorId })}</small></p>`,
  })

/**
 * For a signed-in browser that goes on to an app with a scheme of its own: its user says so by a form of this
 * page.
 */
export const continuePage = (
  words: Words,
  base: string,
  page: {
    readonly app: string
    readonly login: string
    /** Of the address: `com.example.app:`. */
    readonly scheme: string
    readonly fields: Readonly<Record<string, string>>
  },
): string => {
  const { app, login, scheme, fields } = page
  return visitorPage(words, {
    base,
    title: fill(words.goOn.title, { app }),
    body: html`<p>${fill(words.signOut.signedInAs, { user: login })}</p>
<p>${fill(words.goOn.text, { scheme })}</p>
<form method="post" action="${base}/login/token/redirect">${Object.entries(fields).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
    )}<button type="submit">${words.goOn.confirm}</button></form>`,
  })
}
