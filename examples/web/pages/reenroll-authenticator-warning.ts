import { html } from '../html.ts'
import { newPasswordForm, refusePair } from './new-password.ts'
import type { StepPage, View } from './page.ts'
import { asksToSkip, skipForm } from './skip.ts'

/** The password expires soon: choose a new one now, or later. */
export const reenrollAuthenticatorWarning: StepPage = {
  step: 'reenroll-authenticator-warning',
  path: '/reenroll-authenticator-warning',

  render(view) {
    const words = view.words.warning
    return {
      title: words.title,
      badge: 'lock',
      script: 'password.js',
      body: html`<p class="lead">${words.lead(daysOf(view))}</p>
${newPasswordForm(view, this.path, 'newPassword')}
${skipForm(view, this.path, view.words.enroll.remindLater)}`,
    }
  },

  submit({ client, field, step, words }) {
    if (asksToSkip(field, step)) return client.idx.proceed({ skip: true })
    return (
      refusePair(field, 'newPassword', words) ?? client.idx.proceed({ newPassword: field('newPassword') })
    )
  },
}

/** In how many days the password expires, where the server says it. */
function daysOf({ step }: View): number | undefined {
  const { daysToExpiry } = (step?.authenticator?.settings ?? {}) as { readonly daysToExpiry?: unknown }
  return typeof daysToExpiry === 'number' ? daysToExpiry : undefined
}
