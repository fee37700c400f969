import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Message } from '../messages.ts'
import type { Words } from '../words.ts'

/** The end of an attempt: it has ended, the server requests a pause, or it is done without a sign-in. */
export interface Stopped {
  readonly kind: 'ended' | 'pause' | 'done'
  readonly messages: readonly Message[]
  /** The address to continue at. */
  readonly again: string
}

export function stoppedPage({ stopped, problem, home }: Words, { kind, again }: Stopped): Content {
  const title = { ended: stopped.title, pause: problem.title, done: stopped.doneTitle }[kind]
  const label = { ended: stopped.startAgain, pause: stopped.tryAgain, done: home.signIn }[kind]
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
