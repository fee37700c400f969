import { html } from '../html.ts'
import { type Choice, choicesOf } from './choices.ts'
import { backLink, postForm, radioGroup } from './form.ts'
import { refuse, type StepPage, type View } from './page.ts'
import { asksToSkip, skipForm } from './skip.ts'

/** Choose an authenticator to enrol, because the policy of the server requires or offers it. */
export const selectAuthenticatorEnroll: StepPage = {
  step: 'select-authenticator-enroll',
  path: '/select-authenticator-enroll',
  besides: true,

  render(view) {
    const words = view.words.enroll
    const choices = choicesOf(view.transaction, view.step)
    const options = choices.map((choice) => ({ ...choice, ...hintOf(choice, view) }))
    const isPutOff = choices.some(({ gracePeriod }) => gracePeriod !== undefined)
    const maySkip = view.step?.canSkip === true
    return {
      title: isPutOff ? words.requiredSoonTitle : words.selectTitle,
      badge: 'key',
      body: html`<p class="lead">${isPutOff ? words.requiredSoonLead : leadOf(view, maySkip)}</p>
${postForm(view, this.path, radioGroup(view, 'authenticator', words.legend, options))}
${skipForm(view, this.path, isPutOff ? words.remindLater : undefined)}
<nav class="links">${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, transaction, words }) {
    if (asksToSkip(field, step)) return client.idx.proceed({ skip: true })
    const choice = choicesOf(transaction, step).find(({ value }) => value === field('authenticator'))
    if (choice === undefined) return refuse('authenticator', words.select.noChoice)
    return client.idx.proceed({ authenticator: choice.key })
  },
}

/** A new account may have no password, so nothing is said of one. */
function leadOf({ newAddress, words: { enroll, signUp } }: View, maySkip: boolean): string {
  if (newAddress !== undefined) return maySkip ? signUp.optionalLead : signUp.selectLead
  return maySkip ? enroll.optionalLead : enroll.selectLead
}

/** What the authenticator does, and until when it may be put off. */
function hintOf({ key, gracePeriod }: Choice, { words }: View): { readonly hint?: string } {
  const { hints, until, skipsLeft } = words.enroll
  const texts = [
    hints[key],
    gracePeriod?.type === 'BY_DATE_TIME' &&
      until(`${words.shortDate.format(new Date(gracePeriod.expiry))} UTC`),
    gracePeriod?.type === 'BY_SKIP_COUNT' && skipsLeft(gracePeriod.remainingSkips),
  ].filter((text) => typeof text === 'string')
  return texts.length === 0 ? {} : { hint: texts.join(' ') }
}
