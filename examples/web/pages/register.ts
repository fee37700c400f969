import { html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Words } from '../words.ts'

/** Shows whether sign-up is open. This sample has no pages for it. */
export const registerPage = ({ register }: Words, open: boolean): Content => ({
  title: register.title,
  body: html`${
    open
      ? html`<p class="lead">${register.open}</p>`
      : html`<p class="lead"><strong>${register.closed}</strong> ${register.closedMore}</p>`
  }
<nav class="links"><a href="/login">${register.backToSignIn}</a></nav>`,
})
