import { type Html, html } from '../html.ts'
import { inputField, postForm } from './form.ts'
import { type Field, type Refusal, refuse, type View } from './page.ts'
import { type Rule, rulesOf } from './password-rules.ts'

// The common parts of the pages for a new password.

/** The rules of the policy, and two fields for the password. `name` is the name of the password field of the step. */
export function newPasswordForm(view: View, action: string, name: string, more?: Html): Html {
  const words = view.words.reset
  const { rules, view: shown } = passwordHelp(view, name)
  const fields = [
    accountName(view),
    inputField(shown, {
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

/** What helps with a password that is chosen: the list of rules, described by the id `rules`, and the messages by rule. */
export const passwordHelp = (
  view: View,
  name: string,
): { readonly rules: Html | false; readonly view: View } => ({
  rules: rulesList(view, name),
  view: withUnmetRules(view, name),
})

/** Checks the two entries. Entries that differ are never sent to the server. */
export function refusePair(field: Field, name: string, words: View['words']): Refusal | undefined {
  if (field(name) === '') return refuse(name, words.reset.noPassword)
  if (field(name) !== field('confirmPassword')) return refuse('confirmPassword', words.reset.mismatch)
  return undefined
}

/**
 * Replaces the message of the server, which lists all rules, by the rules that failed. Where none of those that the app
 * can check did, one of the others failed; where there are no others, the message of the server stays.
 */
function withUnmetRules(view: View, name: string): View {
  const words = view.words.reset
  const rules = rulesFor(view)
  const textsOf = (some: readonly Rule[]) => some.map(({ text }) => text)
  const unmet = textsOf(rules.filter(({ isMet }) => isMet?.(view.field(name)) === false))
  const others = rules.filter(({ isMet }) => isMet === undefined)
  const short =
    unmet.length > 0 ? words.unmet(unmet) : words.oneOf(others.map(({ broken }) => broken).toReversed())
  // The longest password that a server takes is not among the settings: only its own message names it.
  const mayBeTooLong = unmet.length === 0 && view.field(name).length > 72
  if (mayBeTooLong || unmet.length + others.length === 0) return view
  const messages = view.messages.map((message) =>
    message.key === 'password.passwordRequirementsNotMet' ? { ...message, text: short } : message,
  )
  return { ...view, messages }
}

/** The list of rules. After a refusal, rules that the app can check are marked as met or not met. */
function rulesList(view: View, name: string): Html | false {
  const words = view.words.reset
  const rules = rulesFor(view)
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

/** The rules of the policy for the user of the transaction. */
function rulesFor(view: View): readonly Rule[] {
  // A profile form has the password among its fields, and the settings beside the form.
  const settings: unknown =
    view.step?.authenticator?.settings ?? view.transaction?.context?.currentAuthenticator?.value?.settings
  // There is no password before the first one.
  const isFirst = view.step?.name === 'enroll-authenticator' || view.step?.name === 'enroll-profile'
  return rulesOf(isFirst ? { ...Object(settings), age: {} } : settings, view.words.reset, accountOf(view))
}

/** Whose password is set: a link in a mail may have begun this. */
export function accountLine(view: View): Html | false {
  const name = accountOf(view)
  return name !== undefined && html`<p class="lead">${view.words.reset.forUser(name)}</p>`
}

/** The username of the transaction, once the server says it. */
export function accountOf(view: View): string | undefined {
  const name: unknown = view.transaction?.context?.user?.value.identifier
  return typeof name === 'string' ? name : undefined
}

/** A hidden username field, so that a password manager stores the password for the right account. */
function accountName(view: View): Html | false {
  const name = accountOf(view)
  return name !== undefined && html`<input name="account" value="${name}" autocomplete="username" hidden>`
}
