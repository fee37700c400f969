import { html } from '../html.ts'
import { choicesOf, chosen } from './choices.ts'
import { backLink, postForm, radioGroup, withHints } from './form.ts'
import { refuse, type StepPage } from './page.ts'

/** Choose an authenticator. Also where one is asked for already: the user may take another one. */
export const selectAuthenticatorAuthenticate: StepPage = {
  step: 'select-authenticator-authenticate',
  path: '/select-authenticator-authenticate',
  besides: true,

  render(view) {
    const words = view.words.select
    const options = withHints(choicesOf(view.transaction, view.step), words.hints)
    return {
      title: words.title,
      badge: 'key',
      body: html`<p class="lead">${words.lead}</p>
${postForm(view, this.path, radioGroup(view, 'authenticator', words.legend, options))}
<nav class="links">${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, transaction, words }) {
    const choice = choicesOf(transaction, step).find(({ value }) => value === field('authenticator'))
    if (choice === undefined) return refuse('authenticator', words.select.noChoice)
    return client.idx.proceed({ authenticator: chosen(choice) })
  },
}
