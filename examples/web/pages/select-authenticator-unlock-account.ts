import { html } from '../html.ts'
import { choicesOf } from './choices.ts'
import { backLink, inputField, type Option, postForm, radioGroup, withHints } from './form.ts'
import { refuse, type StepPage, type Submission, type View } from './page.ts'

/** Open a locked account: whose it is, and how that is proven. The answer is the same for every name. */
export const selectAuthenticatorUnlockAccount: StepPage = {
  step: 'select-authenticator-unlock-account',
  path: '/select-authenticator-unlock-account',

  render(view) {
    const words = view.words.unlock
    return {
      title: words.title,
      badge: 'lock',
      body: html`<p class="lead">${words.lead}</p>
${postForm(
  view,
  this.path,
  html`${inputField(view, { name: 'username', label: words.username, autocomplete: 'username', first: true })}
${radioGroup(view, 'authenticator', view.words.select.legend, waysOf(view))}`,
)}
<nav class="links">${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, transaction, words, captcha }) {
    const username = field('username').trim()
    if (username === '') return refuse('username', words.recovery.noUsername)
    const way = waysOf({ step, transaction, words }).find(({ value }) => value === field('authenticator'))
    if (way === undefined) return refuse('authenticator', words.select.noChoice)
    const [authenticator = '', methodType] = way.value.split(':')
    return client.idx.proceed({
      username,
      authenticator,
      ...(methodType !== undefined && { methodType }),
      ...captcha,
    })
  },
}

/** The authenticators, and of one that sends codes in several ways each way. */
function waysOf({
  transaction,
  step,
  words,
}: Pick<View, 'transaction' | 'step' | 'words'> | Submission): readonly Option[] {
  const ways = choicesOf(transaction, step).flatMap(({ key, label, methods }) =>
    methods.length > 1
      ? methods.map((method) => ({
          value: `${key}:${method.value}`,
          label: words.verification.methods[method.value] ?? method.label,
        }))
      : [{ value: key, label }],
  )
  return withHints(ways, words.select.hints)
}
