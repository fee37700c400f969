import { type Html, html } from '../html.ts'
import { offersOthers } from './choices.ts'
import type { View } from './page.ts'

/** The link to the choice of another authenticator, where there is another one. */
export const otherWay = (view: View): Html | false =>
  offersOthers(view.transaction, 'select-authenticator-authenticate') &&
  html`<p class="other"><a href="/select-authenticator-authenticate">${view.words.select.another}</a></p>`

/** The same while an authenticator is set up. */
export const otherEnrolment = (view: View): Html | false =>
  offersOthers(view.transaction, 'select-authenticator-enroll') &&
  html`<p class="other"><a href="/select-authenticator-enroll">${view.words.enroll.another}</a></p>`
