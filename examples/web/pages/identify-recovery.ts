import { html } from '../html.ts'
import { error, messagesOf } from '../messages.ts'
import { inputField, postForm } from './form.ts'
import { refuse, type StepPage } from './page.ts'

/** The first step of a recovery: enter the username. */
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

  async submit({ client, field, words, captcha }) {
    const username = field('username').trim()
    if (username === '') return refuse('username', words.recovery.noUsername)
    const transaction = await client.idx.recoverPassword({ username, ...captcha })
    if (transaction.nextStep?.name !== 'identify') return transaction
    // The server returned to the sign-in form: the user is unknown and the server reveals it, or it offers no recovery.
    const wantsPassword = transaction.nextStep.inputs?.some(({ name }) => name === 'password')
    return { refused: wantsPassword ? [error(words.recovery.notOffered)] : messagesOf(transaction, words) }
  },
}
