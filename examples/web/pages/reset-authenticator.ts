import { type Html, html } from '../html.ts'
import { inputField, postForm } from './form.ts'
import { refuse, type StepPage, type View } from './page.ts'
import { rulesOf } from './password-rules.ts'

/** Choose a new password. */
export const resetAuthenticator: StepPage = {
  step: 'reset-authenticator',
  path: '/reset-authenticator',

  render(view) {
    const words = view.words.reset
    const rules = rulesList(view)
    const fields = [
      accountName(view),
      inputField(view, {
        name: 'password',
        label: words.password,
        type: 'password',
        autocomplete: 'new-password',
        ...(rules && { describedBy: 'rules' }),
        first: true,
      }),
      inputField(view, {
        name: 'confirmPassword',
        label: words.confirm,
        type: 'password',
        autocomplete: 'new-password',
      }),
      offersRevoke(view) && revokeSessions(view),
    ]
    return {
      title: words.title,
      badge: 'lock',
      body: html`${rules}
${postForm(view, this.path, html`${fields}`)}`,
    }
  },

  submit({ client, field, step, words }) {
    const password = field('password')
    if (password === '') return refuse('password', words.reset.noPassword)
    // Two different entries never leave the app.
    if (password !== field('confirmPassword')) return refuse('confirmPassword', words.reset.mismatch)
    // The box is only there if the server offers it; unchecked means that other sessions live on.
    const choice = offersRevoke({ step }) ? { revokeSessions: field('revokeSessions') !== '' } : {}
    return client.idx.recoverPassword({ password, ...choice })
  },
}

/** The policy's rules before the first try; after a refusal, those that can be told apart are marked met or not met. */
function rulesList(view: View): Html | false {
  const words = view.words.reset
  const rules = rulesOf(view.step?.authenticator?.settings, words)
  if (rules.length === 0) return false
  const password = view.field('password')
  const tried =
    password !== '' && view.messages.some(({ kind, field }) => kind === 'error' && field === 'password')
  return html`<div class="rules" id="rules">
<p>${words.rules}</p>
<ul>
${rules.map(({ text, isMet }) => {
  if (!tried || isMet === undefined) return html`<li>${text}</li>`
  return isMet(password)
    ? html`<li class="met"><span class="visually-hidden">${words.met}</span>${text}</li>`
    : html`<li class="not-met"><span class="visually-hidden">${words.notMet}</span>${text}</li>`
})}
</ul>
</div>`
}

/** Not shown: it tells a password manager whose password this is. */
function accountName(view: View): Html | false {
  const name = view.transaction?.context?.user?.value.identifier
  return (
    typeof name === 'string' && html`<input name="account" value="${name}" autocomplete="username" hidden>`
  )
}

const offersRevoke = ({ step }: Pick<View, 'step'>) =>
  step?.inputs?.some(({ name }) => name === 'revokeSessions') ?? false

const revokeSessions = (view: View): Html => html`<label class="option">
<input type="checkbox" name="revokeSessions" value="yes" checked>
<span>${view.words.reset.revokeSessions}</span>
</label>`
