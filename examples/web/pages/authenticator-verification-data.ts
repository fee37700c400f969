import { html } from '../html.ts'
import { otherWay } from './challenge-parts.ts'
import { backLink, type Option, optionsOf, postForm, radioGroup } from './form.ts'
import { refuse, type StepPage, type Submission, type View } from './page.ts'

/** Choose how to receive the code: by mail, text message or call. Nothing was sent yet. */
export const authenticatorVerificationData: StepPage = {
  step: 'authenticator-verification-data',
  path: '/authenticator-verification-data',

  render(view) {
    const words = view.words.verification
    const methods = methodsOf(view)
    const { phoneNumber, email } = view.step?.authenticator?.profile ?? {}
    const to = [phoneNumber, email].find((one) => typeof one === 'string')
    const [only, ...others] = methods
    const label = only && others.length === 0 ? (words.send[only.value] ?? words.sendCode) : words.sendCode
    return {
      title: words.title,
      badge: view.step?.authenticator?.key === 'phone_number' ? 'phone' : 'mail',
      body: html`<p class="lead">${to === undefined ? words.lead : words.leadTo(String(to))}</p>
${postForm(
  view,
  this.path,
  only && others.length === 0
    ? html`<input type="hidden" name="methodType" value="${only.value}">`
    : radioGroup(view, 'methodType', words.legend, methods),
  label,
)}
${otherWay(view)}
<nav class="links">${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, words }) {
    const methodType = field('methodType')
    const offered = methodsOf({ step, words }).some(({ value }) => value === methodType)
    if (!offered) return refuse('methodType', words.select.noChoice)
    return client.idx.proceed({ methodType })
  },
}

/** The methods that the step offers. Where the server has fixed the only one, it is among the fields without options. */
function methodsOf({ step, words }: Pick<View, 'step' | 'words'> | Submission): readonly Option[] {
  const { methods, hints } = words.verification
  const offered = optionsOf(step, 'methodType')
  const found =
    offered.length > 0
      ? offered
      : [{ value: step?.authenticator?.key === 'phone_number' ? 'sms' : 'email', label: '' }]
  return found.map(({ value, label }) => {
    const hint = hints[value]
    return { value, label: methods[value] ?? label, ...(hint !== undefined && { hint }) }
  })
}
