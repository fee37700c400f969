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
    // The name is still there, the password is not: it is what has to be typed again.
    const asksAgain = view.field('username') !== '' && view.messages.some(({ kind }) => kind === 'error')
    return {
      title: words.title,
      script: 'password.js',
      body: html`${view.signedIn && html`<p class="message">${words.signedInAlready} <a href="/">${words.backHome}</a></p>`}
${postForm(
  view,
  this.path,
  html`
${inputField(view, { name: 'username', label: words.username, autocomplete: 'username', first: !asksAgain })}
${inputField(view, { name: 'password', label: words.password, type: 'password', autocomplete: 'current-password', first: asksAgain })}`,
)}
<nav class="links">
<a href="/recover-password">${words.forgot}</a>
${view.unlocks !== false && html`<a href="/unlock-account">${words.unlock}</a>`}
</nav>
${view.signsUp !== false && html`<p class="other">${words.noAccount} <a href="/register">${words.signUp}</a></p>`}`,
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
