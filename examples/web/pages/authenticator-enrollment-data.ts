import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/min'
import { html } from '../html.ts'
import { otherEnrolment } from './challenge-parts.ts'
import { backLink, inputField, type Option, optionsOf, postForm, radioGroup, selectField } from './form.ts'
import { type Field, refuse, type StepPage, type View } from './page.ts'
import { asksToSkip, skipForm } from './skip.ts'

/** Which phone is to be set up, and how its codes are sent. */
export const authenticatorEnrollmentData: StepPage = {
  step: 'authenticator-enrollment-data',
  path: '/authenticator-enrollment-data',

  render(view) {
    const words = view.words.phone
    const methods = methodsOf(view)
    return {
      title: words.title,
      badge: 'phone',
      body: html`<p class="lead">${words.lead}</p>
${postForm(
  view,
  this.path,
  html`${selectField(view, {
    name: 'country',
    label: words.country,
    autocomplete: 'country',
    entries: countriesIn(view.words.lang),
    chosen: countryOf(view.region),
  })}
${inputField(view, {
  name: 'phoneNumber',
  label: words.number,
  type: 'tel',
  autocomplete: 'tel-national',
  describedBy: 'number-hint',
  first: true,
  maxLength: 40,
})}
<p class="hint below-field" id="number-hint">${words.numberHint}</p>
${methods.length > 1 && radioGroup(view, 'methodType', words.legend, methods)}`,
  words.send,
)}
${skipForm(view, this.path)}
${otherEnrolment(view)}
<nav class="links">${backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, words }) {
    if (asksToSkip(field, step)) return client.idx.proceed({ skip: true })
    const methods = methodsOf({ step, words })
    const methodType = methods.length > 1 ? field('methodType') : (methods[0]?.value ?? 'sms')
    if (methods.length > 1 && !methods.some(({ value }) => value === methodType)) {
      return refuse('methodType', words.select.noChoice)
    }
    if (field('phoneNumber').trim() === '') return refuse('phoneNumber', words.phone.noNumber)
    const phoneNumber = internationalNumber(field)
    if (phoneNumber === undefined) return refuse('phoneNumber', words.phone.invalid)
    return client.idx.proceed({ methodType, phoneNumber })
  },
}

/** The number with the code of its country (E.164): one that begins with a plus has it already. */
export function internationalNumber(field: Field): string | undefined {
  const country = countryOf(field('country'))
  const read = parsePhoneNumberFromString(field('phoneNumber'), country)
  if (read?.isPossible() !== true) return undefined
  return read.ext === undefined ? read.number : `${read.number} x${read.ext}`
}

const countryOf = (text: string | undefined): CountryCode =>
  text !== undefined && isSupportedCountry(text) ? text : 'US'

const lists = new Map<string, readonly Option[]>()

/** All countries with their codes, sorted by name. */
function countriesIn(lang: string): readonly Option[] {
  const known = lists.get(lang)
  if (known) return known
  const names = new Intl.DisplayNames([lang], { type: 'region' })
  const list = getCountries()
    .map((country) => ({
      value: country,
      label: `${names.of(country) ?? country} (+${getCountryCallingCode(country)})`,
    }))
    .toSorted((one, other) => one.label.localeCompare(other.label, lang))
  lists.set(lang, list)
  return list
}

function methodsOf({ step, words }: Pick<View, 'step' | 'words'>): readonly Option[] {
  const { methods, hints } = words.verification
  return optionsOf(step, 'methodType').map(({ value, label }) => {
    const hint = hints[value]
    return { value, label: methods[value] ?? label, ...(hint !== undefined && { hint }) }
  })
}
