import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Message } from '../messages.ts'
import type { Words } from '../words.ts'
import { csrfField } from './form.ts'

/**
 * Why an attempt does not continue: it has ended, the server requests a pause or a step without a page here, or it is
 * done without a sign-in.
 */
export interface Stopped {
  readonly kind: 'ended' | 'pause' | 'no-page' | 'done'
  readonly messages: readonly Message[]
  /** The address to continue at. */
  readonly again: string
}

export function stoppedPage({ stopped, problem, home }: Words, { kind, again }: Stopped): Content {
  const texts: Readonly<Record<Stopped['kind'], readonly [title: string, label: string]>> = {
    ended: [stopped.title, stopped.startAgain],
    pause: [problem.title, stopped.tryAgain],
    'no-page': [stopped.noPageTitle, stopped.startAgain],
    done: [stopped.doneTitle, home.signIn],
  }
  const [title, label] = texts[kind]
  return { title, body: html`<p><a class="primary" href="${again}">${label}</a></p>` }
}

/** An error page. `reference` identifies the error in the log. */
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

/** The link of an activation mail that has expired: another one can be sent. */
export const expiredLinkPage = (words: Words, csrf: string, path: string): Content => ({
  title: words.tokenLink.expiredTitle,
  badge: 'mail',
  body: html`<p class="lead">${words.tokenLink.expired}</p>
<form method="post" action="${path}">
${csrfField(csrf)}
<button type="submit" class="primary">${words.tokenLink.sendAgain}</button>
</form>
<nav class="links"><a href="/login">${words.home.signIn}</a></nav>`,
})

/** A link of an administrator's mail that leads nowhere any more. */
export const tokenLinkPage = (words: Words, text: string): Content => ({
  title: words.tokenLink.title,
  body: html`<p class="lead">${text}</p>
<nav class="links">
<a href="/recover-password">${words.identify.forgot}</a>
<a href="/login">${words.home.signIn}</a>
</nav>`,
})
