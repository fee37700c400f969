import { html } from '../html.ts'
import { optionsOf, postForm, radioGroup, withHints } from './form.ts'
import { refuse, type StepPage } from './page.ts'
import { asksToSkip, skipForm } from './skip.ts'

/** Choose an authenticator to enrol, because the policy of the server requires or offers it. */
export const selectAuthenticatorEnroll: StepPage = {
  step: 'select-authenticator-enroll',
  path: '/select-authenticator-enroll',

  render(view) {
    const words = view.words.enroll
    const options = withHints(optionsOf(view.step, 'authenticator'), words.hints)
    return {
      title: words.selectTitle,
      badge: 'key',
      body: html`<p class="lead">${words.selectLead}</p>
${postForm(view, this.path, radioGroup(view, 'authenticator', words.legend, options))}
${skipForm(view, this.path)}
<nav class="links"><a href="/login">${view.words.recovery.backToSignIn}</a></nav>`,
    }
  },

  submit({ client, field, step, words }) {
    if (asksToSkip(field, step)) return client.idx.proceed({ skip: true })
    const authenticator = field('authenticator')
    const offered = optionsOf(step, 'authenticator').some(({ value }) => value === authenticator)
    if (!offered) return refuse('authenticator', words.select.noChoice)
    return client.idx.proceed({ authenticator })
  },
}
