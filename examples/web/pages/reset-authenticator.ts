import { type Html, html } from '../html.ts'
import { backLink } from './form.ts'
import { accountLine, newPasswordForm, refusePair } from './new-password.ts'
import type { StepPage, View } from './page.ts'

/** Choose a new password after authentication. */
export const resetAuthenticator: StepPage = {
  step: 'reset-authenticator',
  path: '/reset-authenticator',

  render(view) {
    const more = offersRevoke(view) ? revokeSessions(view) : undefined
    return {
      title: view.words.reset.title,
      badge: 'lock',
      script: 'password.js',
      body: html`${accountLine(view)}
${newPasswordForm(view, this.path, 'password', more)}
<nav class="links">${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, words }) {
    const refusal = refusePair(field, 'password', words)
    if (refusal) return refusal
    // The checkbox exists only if the server offers it. If it is not checked, other sessions stay open.
    const choice = offersRevoke({ step }) ? { revokeSessions: field('revokeSessions') !== '' } : {}
    return client.idx.proceed({ password: field('password'), ...choice })
  },
}

const offersRevoke = ({ step }: Pick<View, 'step'>) =>
  step?.inputs?.some(({ name }) => name === 'revokeSessions') ?? false

const revokeSessions = (view: View): Html => html`<label class="option">
<input type="checkbox" name="revokeSessions" value="yes" checked>
<span>${view.words.reset.revokeSessions}</span>
</label>`
