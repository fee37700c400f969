import { type Html, html } from '../html.ts'
import { inputField, postForm } from './form.ts'
import { type Field, type Refusal, refuse, type View } from './page.ts'
import { rulesOf } from './password-rules.ts'

// What the pages that take a new password have in common.

/** The policy's rules, and the password twice. `name` is what the step calls the password. */
export function newPasswordForm(view: View, action: string, name: string, more?: Html): Html {
  const words = view.words.reset
  const rules = rulesList(view, name)
  const fields = [
    accountName(view),
    inputField(view, {
      name,
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
    more,
  ]
  return html`${rules}
${postForm(view, action, html`${fields}`)}`
}

/** What is wrong with the two entries. Two that differ never leave the app. */
export function refusePair(field: Field, name: string, words: View['words']): Refusal | undefined {
  if (field(name) === '') return refuse(name, words.reset.noPassword)
  if (field(name) !== field('confirmPassword')) return refuse('confirmPassword', words.reset.mismatch)
  return undefined
}

/** The rules before the first try; after a refusal, those that can be told apart are marked met or not met. */
function rulesList(view: View, name: string): Html | false {
  const words = view.words.reset
  const rules = rulesOf(view.step?.authenticator?.settings, words)
  if (rules.length === 0) return false
  const password = view.field(name)
  const refused = view.messages.some(({ kind, field }) => kind === 'error' && field === name)
  return html`<div class="rules" id="rules">
<p>${words.rules}</p>
<ul>
${rules.map(({ text, isMet }) => {
  if (!refused || password === '' || isMet === undefined) return html`<li>${text}</li>`
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
