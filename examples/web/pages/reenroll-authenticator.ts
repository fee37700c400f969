import { html } from '../html.ts'
import { newPasswordForm, refusePair } from './new-password.ts'
import type { StepPage } from './page.ts'

/** The password was correct but has expired: choose a new one to continue. */
export const reenrollAuthenticator: StepPage = {
  step: 'reenroll-authenticator',
  path: '/reenroll-authenticator',

  render(view) {
    const words = view.words.reenroll
    return {
      title: words.title,
      badge: 'lock',
      script: 'password.js',
      body: html`<p class="lead">${words.lead}</p>
${newPasswordForm(view, this.path, 'newPassword')}`,
    }
  },

  submit({ client, field, words }) {
    return (
      refusePair(field, 'newPassword', words) ?? client.idx.proceed({ newPassword: field('newPassword') })
    )
  },
}
