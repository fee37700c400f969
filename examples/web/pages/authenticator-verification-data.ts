import { html } from '../html.ts'
import { optionsOf, postForm, radioGroup } from './form.ts'
import { refuse, type StepPage } from './page.ts'

/** Choose how to receive the code: by mail, SMS or call. Only some servers have this step. */
export const authenticatorVerificationData: StepPage = {
  step: 'authenticator-verification-data',
  path: '/authenticator-verification-data',

  render(view) {
    const words = view.words.verification
    return {
      title: words.title,
      badge: 'key',
      body: html`<p class="lead">${words.lead}</p>
${postForm(view, this.path, radioGroup(view, 'methodType', words.legend, optionsOf(view.step, 'methodType')))}
<nav class="links"><a href="/login">${view.words.recovery.backToSignIn}</a></nav>`,
    }
  },

  submit({ client, field, step, words }) {
    const methodType = field('methodType')
    const offered = optionsOf(step, 'methodType').some(({ value }) => value === methodType)
    if (!offered) return refuse('methodType', words.select.noChoice)
    return client.idx.proceed({ methodType })
  },
}
