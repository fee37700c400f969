import { html } from '../html.ts'
import { optionsOf, postForm, radioGroup, withHints } from './form.ts'
import { refuse, type StepPage } from './page.ts'

/** Choose an authenticator. */
export const selectAuthenticatorAuthenticate: StepPage = {
  step: 'select-authenticator-authenticate',
  path: '/select-authenticator-authenticate',

  render(view) {
    const words = view.words.select
    const options = withHints(optionsOf(view.step, 'authenticator'), words.hints)
    return {
      title: words.title,
      badge: 'key',
      body: html`<p class="lead">${words.lead}</p>
${postForm(view, this.path, radioGroup(view, 'authenticator', words.legend, options))}
<nav class="links"><a href="/login">${view.words.recovery.backToSignIn}</a></nav>`,
    }
  },

  submit({ client, field, step, words }) {
    const authenticator = field('authenticator')
    const offered = optionsOf(step, 'authenticator').some(({ value }) => value === authenticator)
    if (!offered) return refuse('authenticator', words.select.noChoice)
    return client.idx.proceed({ authenticator })
  },
}
