import { html } from '../html.ts'
import { backLink, inputField, postForm } from './form.ts'
import { refuse, type StepPage } from './page.ts'

/** A signed-in user signs in afresh, before something of the account is changed: the name is there already. */
export const confirmIdentity: StepPage = {
  step: 'identify',
  path: '/confirm',

  render(view) {
    const words = view.words.confirm
    return {
      title: words.title,
      badge: 'lock',
      script: 'password.js',
      body: html`<p class="lead">${words.lead}</p>
${postForm(
  view,
  this.path,
  html`
${inputField(view, { name: 'username', label: view.words.identify.username, autocomplete: 'username', value: view.username ?? '' })}
${inputField(view, { name: 'password', label: view.words.identify.password, type: 'password', autocomplete: 'current-password', first: true })}`,
)}
<nav class="links">${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, words }) {
    const username = field('username').trim()
    const password = field('password')
    if (username === '') return refuse('username', words.identify.noUsername)
    if (password === '') return refuse('password', words.identify.noPassword)
    return client.idx.proceed({ username, password })
  },
}
