import type { IdxMessage, Input } from '@okta/okta-auth-js'
import { getCountries } from 'libphonenumber-js/min'
import { type Html, html } from '../html.ts'
import { errorOf, inputField, type Option, selectField } from './form.ts'
import type { Field, View } from './page.ts'

// The fields of a profile form, as the server asks for them: the SDK passes its inputs on as they are. Nothing here knows the
// attributes of a server; their names only choose what the browser may fill in.

/** How a field is shown. */
type Kind = 'text' | 'password' | 'select' | 'radio' | 'checkbox'

/** One field of the form. */
export interface ProfileField {
  readonly name: string
  readonly label: string
  readonly kind: Kind
  readonly required: boolean
  /** The values to choose from; of a text field none. */
  readonly entries: readonly Option[]
  readonly maxLength?: number
  readonly autocomplete: string
  readonly inputMode?: 'email' | 'tel' | 'url' | 'numeric'
  /** An address to read before a box is ticked, such as that of the terms of use. */
  readonly link?: string
}

/** How the server wants a field to be shown: the first option of an input is no value but this. */
interface Display {
  readonly inputType?: unknown
  readonly format?: unknown
  readonly options?: unknown
}

/** An input of the SDK, with the members that its types lack. */
type ProfileInput = Input & {
  readonly secret?: boolean
  readonly maxLength?: number
  readonly messages?: { readonly value?: readonly IdxMessage[] }
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

function displayOf({ options }: ProfileInput): Display {
  const first: unknown = options?.find(({ label }) => label === 'display')?.value
  return membersOf(membersOf(first).value)
}

/** The names of HTML for what a browser may fill in (autofill), by the names of attributes. */
const autofill: Readonly<Record<string, string>> = {
  firstName: 'given-name',
  lastName: 'family-name',
  middleName: 'additional-name',
  nickName: 'nickname',
  displayName: 'name',
  honorificPrefix: 'honorific-prefix',
  honorificSuffix: 'honorific-suffix',
  email: 'email',
  login: 'username',
  title: 'organization-title',
  organization: 'organization',
  mobilePhone: 'tel',
  primaryPhone: 'tel',
  streetAddress: 'address-line1',
  city: 'address-level2',
  state: 'address-level1',
  zipCode: 'postal-code',
  country: 'country',
  countryCode: 'country',
  profileUrl: 'url',
}

const keyboards: Readonly<Record<string, NonNullable<ProfileField['inputMode']>>> = {
  email: 'email',
  secondEmail: 'email',
  mobilePhone: 'tel',
  primaryPhone: 'tel',
  profileUrl: 'url',
}

/** The fields of a step, in the order of the server. */
export function profileFieldsOf({ step, words }: Pick<View, 'step' | 'words'>): readonly ProfileField[] {
  const inputs: readonly ProfileInput[] = step?.inputs ?? []
  return inputs.filter(isShown).map((input): ProfileField => {
    const { name, label, required, maxLength, secret } = input
    const display = displayOf(input)
    const isBoolean = input.type === 'boolean'
    const given = optionsIn(display.options)
    const listed = listFor(name, display, words.lang)
    const entries = listed ?? given
    const keyboard = keyboards[name]
    const own = words.signUp.labels[name] ?? label ?? name
    const link = input.type === 'boolean' ? addressInLabel.exec(own)?.[1] : undefined
    return {
      name,
      // The words of the page where it has them: a server names its attributes in one language.
      label: link === undefined ? own : own.replace(addressInLabel, ''),
      kind: kindOf({ isBoolean, isSecret: secret === true, display, hasEntries: entries.length > 0 }),
      // The server asks for it, but calls no box to tick required.
      required: required === true || name === 'termsAccepted',
      entries,
      autocomplete: secret === true ? 'new-password' : (autofill[name] ?? 'off'),
      ...(maxLength !== undefined && { maxLength }),
      ...(keyboard !== undefined && { inputMode: keyboard }),
      ...(link !== undefined && { link }),
    }
  })
}

/** What belongs to the protocol, such as the answer to a captcha, is no field of the form. */
const isShown = ({ name, type, visible }: ProfileInput & { readonly visible?: boolean }): boolean =>
  visible !== false && type !== 'object' && name !== 'stateHandle' && name !== 'captchaVerify'

function kindOf(field: {
  readonly isBoolean: boolean
  readonly isSecret: boolean
  readonly display: Display
  readonly hasEntries: boolean
}): Kind {
  if (field.isSecret) return 'password'
  if (field.hasEntries) return field.display.inputType === 'radio' ? 'radio' : 'select'
  return field.isBoolean ? 'checkbox' : 'text'
}

/** The lists that a server leaves to the page: countries by their codes (ISO 3166), time zones by their names (IANA). */
function listFor(name: string, { format }: Display, lang: string): readonly Option[] | undefined {
  if (format === 'country-code') return countriesIn(lang)
  if (name === 'timezone') return timeZones()
  return undefined
}

const optionsIn = (options: unknown): readonly Option[] =>
  (Array.isArray(options) ? options : []).flatMap((option: unknown): Option[] => {
    const { label, value } = membersOf(option)
    return typeof value === 'string' ? [{ value, label: typeof label === 'string' ? label : value }] : []
  })

/** The address in the label of a box, such as that of the terms of use: it is shown as a link below the box. */
const addressInLabel = /\s*\(?(https?:\/\/[^\s()]+)\)?\s*$/

const lists = new Map<string, readonly Option[]>()

function countriesIn(lang: string): readonly Option[] {
  const known = lists.get(lang)
  if (known) return known
  const names = new Intl.DisplayNames([lang], { type: 'region' })
  const list = getCountries()
    .filter((country) => /^[A-Z]{2}$/.test(country))
    .map((country) => ({ value: country, label: names.of(country) ?? country }))
    .toSorted((one, other) => one.label.localeCompare(other.label, lang))
  lists.set(lang, list)
  return list
}

const timeZones = (): readonly Option[] =>
  Intl.supportedValuesOf('timeZone').map((zone) => ({ value: zone, label: zone.replaceAll('_', ' ') }))

/** Renders a field with its label, its mark and its messages. */
export function profileField(
  view: View,
  field: ProfileField,
  { first, hasRules }: { readonly first: boolean; readonly hasRules: boolean },
): Html {
  const { name, kind, required, entries, autocomplete } = field
  const optional = !required
  const label = required ? html`${field.label}${mark}` : html`${field.label}`
  switch (kind) {
    case 'select': {
      const isCountry = autocomplete === 'country'
      return selectField(view, {
        name,
        label,
        autocomplete,
        required,
        entries: [{ value: '', label: view.words.signUp.choose }, ...entries],
        ...(isCountry && view.region !== undefined && { chosen: view.region }),
        ...(name === 'timezone' && { fills: 'timezone' }),
      })
    }
    case 'radio':
      return radios(view, field, label)
    case 'checkbox':
      return checkbox(view, field, label)
    case 'password':
      return inputField(view, {
        name,
        label,
        type: 'password',
        autocomplete,
        optional,
        first,
        ...(hasRules && { describedBy: 'rules' }),
      })
    default:
      return inputField(view, {
        name,
        label,
        autocomplete,
        optional,
        first,
        ...(field.maxLength !== undefined && { maxLength: field.maxLength }),
        ...(field.inputMode !== undefined && { inputMode: field.inputMode }),
      })
  }
}

/** Screen readers read that a field is required; the mark is for the eye. */
const mark = html`<span class="mark" aria-hidden="true"> *</span>`

/** No value is chosen beforehand: a question that was passed over has no answer. */
function radios(view: View, { name, required, entries }: ProfileField, label: Html): Html {
  const error = errorOf(view, name)
  return html`<fieldset${error && html` aria-describedby="${name}-error"`}>
<legend>${label}</legend>
${error}
${entries.map(
  (entry) => html`<label class="option">
<input type="radio" name="${name}" value="${entry.value}"${required && html` required`}${entry.value === view.field(name) && html` checked`}>
<span>${entry.label}</span>
</label>`,
)}
</fieldset>`
}

function checkbox(view: View, { name, required, link }: ProfileField, label: Html): Html {
  const error = errorOf(view, name)
  return html`<div class="field">
${error}
<label class="option">
<input type="checkbox" name="${name}" value="true"${required && html` required`}${view.field(name) === 'true' && html` checked`}${error && html` aria-invalid="true" aria-describedby="${name}-error" autofocus`}>
<span>${label}</span>
</label>
${link !== undefined && html`<p class="hint below-option"><a href="${link}" target="_blank" rel="noreferrer">${view.words.signUp.read}<span class="visually-hidden"> ${view.words.signUp.newTab}</span></a></p>`}
</div>`
}

/**
 * What was posted, as the server takes it. The SDK leaves a value out that is empty, `0` or `false`, and then sends nothing at
 * all where it was required: so each value is a text, and what is missing is found here.
 */
export function profileIn(
  fields: readonly ProfileField[],
  field: Field,
): { readonly values: Readonly<Record<string, string>>; readonly missing: readonly ProfileField[] } {
  const posted = fields.map((one) => ({ one, value: postedValue(one, field) }))
  return {
    values: Object.fromEntries(
      posted.filter(({ value }) => value !== '').map(({ one, value }) => [one.name, value]),
    ),
    missing: posted.flatMap(({ one, value }) =>
      one.required && (value === '' || (one.kind === 'checkbox' && value === 'false')) ? [one] : [],
    ),
  }
}

function postedValue({ kind, name, entries }: ProfileField, field: Field): string {
  const posted = field(name)
  // A box that is not ticked is not posted.
  if (kind === 'checkbox') return posted === 'true' ? 'true' : 'false'
  // A password may begin or end with a blank.
  if (kind === 'password') return posted
  if (kind === 'text') return posted.trim()
  return entries.some(({ value }) => value === posted) ? posted : ''
}
