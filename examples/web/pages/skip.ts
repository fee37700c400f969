import type { NextStep } from '@okta/okta-auth-js'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { csrfField } from './form.ts'
import type { Field, View } from './page.ts'

/** The button that declines an enrolment, if the server offers that: a form of its own, which needs no other field. */
export const skipForm = (view: View, action: string, label: string = view.words.enroll.skip): Html | false =>
  view.step?.canSkip === true &&
  html`<form method="post" action="${action}" class="again">
${csrfField(view.csrf)}
<button type="submit" name="skip" value="yes" class="secondary">${label}</button>
</form>`

/** Whether the form declines an enrolment that may be declined. */
export const asksToSkip = (field: Field, step: NextStep | undefined): boolean =>
  field('skip') !== '' && step?.canSkip === true
