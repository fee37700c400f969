import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Words } from '../words.ts'

/** The sign-up page of a server that offers none. */
export const registrationClosedPage = ({ signUp, recovery }: Words): Content => ({
  title: signUp.title,
  badge: 'user',
  body: html`<p class="lead"><strong>${signUp.closed}</strong> ${signUp.closedMore}</p>
<nav class="links"><a href="/login">${recovery.backToSignIn}</a></nav>`,
})
