import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Words } from '../words.ts'

/** The end of an attempt: it expired, was refused, or is done without signing in. The messages say which. */
export const stoppedPage = (words: Words, failed: boolean, again: string): Content => ({
  title: failed ? words.stopped.title : words.stopped.doneTitle,
  body: html`<p><a class="primary" href="${again}">${failed ? words.startAgain : words.home.signIn}</a></p>`,
})

/** An error page. `reference` finds the error in the log. */
export const problemPage = (words: Words, title: string, text: string, reference?: string): Content => ({
  title,
  body: html`<p class="lead">${text}</p>
${reference !== undefined && html`<p class="hint">${words.problem.reference}: <code>${reference}</code></p>`}
<nav class="links">
<a href="/login">${words.home.signIn}</a>
<a href="/recover-password">${words.identify.forgot}</a>
<a href="/">${words.problem.home}</a>
</nav>`,
})
