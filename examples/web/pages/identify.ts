import { html } from '../html.ts'
import { inputField, postForm } from './form.ts'
import { refuse, type StepPage } from './page.ts'

/** Sign in with username and password. */
export const identify: StepPage = {
  step: 'identify',
  path: '/login',
  begins: true,

  render(view) {
    const words = view.words.identify
    return {
      title: words.title,
      body: html`${postForm(
        view,
        this.path,
        html`
${inputField(view, { name: 'username', label: words.username, autocomplete: 'username', first: true })}
${inputField(view, { name: 'password', label: words.password, type: 'password', autocomplete: 'current-password' })}`,
      )}
<nav class="links">
<a href="/recover-password">${words.forgot}</a>
<a href="/register">${words.signUp}</a>
</nav>`,
    }
  },

  submit({ client, field, words }) {
    const username = field('username').trim()
    const password = field('password')
    if (username === '') return refuse('username', words.identify.noUsername)
    if (password === '') return refuse('password', words.identify.noPassword)
    return client.idx.authenticate({ username, password })
  },
}
