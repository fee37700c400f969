import { html } from '../html.ts'
import { inputField, postForm } from './form.ts'
import { refuse, type StepPage } from './page.ts'

/** The first step to a new password: who are you? */
export const identifyRecovery: StepPage = {
  step: 'identify-recovery',
  path: '/recover-password',
  begins: true,

  render(view) {
    const words = view.words.recovery
    return {
      title: words.title,
      body: html`<p class="lead">${words.lead}</p>
${postForm(
  view,
  this.path,
  inputField(view, { name: 'username', label: words.username, autocomplete: 'username', first: true }),
)}
<nav class="links"><a href="/login">${words.backToSignIn}</a></nav>`,
    }
  },

  submit({ client, field, words }) {
    const username = field('username').trim()
    if (username === '') return refuse('username', words.recovery.noUsername)
    return client.idx.recoverPassword({ username })
  },
}
