import { getCountries } from 'libphonenumber-js/min'
import { type Html, html } from '../base/index.ts'
import { fill, type PageWords } from '../i18n/index.ts'
import { messageText } from './messages.ts'
import { type IdxField, type IdxForm, innerOf, isFixed, shownAs } from './response.ts'

/** What the fields of a page are rendered with. */
export interface FieldContext {
  readonly words: PageWords
  readonly language: string
  /** What was typed before, by path; never a secret. */
  readonly values: Readonly<Record<string, string>>
  /** Before the ids of a form that is not the first one of its page. */
  readonly idPrefix: string
  /** The id of the element with the messages of the page, where there are any. */
  readonly described?: string | undefined
  /** Which field gets the focus, by path. */
  readonly focus?: string | undefined
}

/** One thing to fill in, with everything that is shown of it. */
export interface Entry {
  /** As the field is posted, such as `credentials.passcode`. */
  readonly path: string
  readonly field: IdxField
  readonly label: string
  readonly kind: 'text' | 'password' | 'code' | 'checkbox' | 'select' | 'radio'
  readonly autocomplete: string
  readonly inputMode?: 'email' | 'tel' | 'url' | 'numeric'
  readonly type?: 'email' | 'tel' | 'url'
  readonly values: readonly { readonly label: string; readonly value: string }[]
  readonly hint?: string
  /** An address to read before a box is ticked. */
  readonly link?: string
  readonly isOptional: boolean
  /** A browser must not ask for it: it may be hidden. */
  readonly isUnasked?: boolean
  readonly prefilled?: string
}

/** How an answer is typed, by the authenticator that asks for it. */
export interface Asked {
  readonly key: string
  /** The label of the code or the password. */
  readonly label?: string
  readonly isNew?: boolean
  readonly isCode?: boolean
  /** Words of the form in place of those of the server, by path. */
  readonly labels?: Readonly<Record<string, string>>
  readonly hints?: Readonly<Record<string, string>>
  /** Whether the form offers a passkey while the name is typed. */
  readonly hasAutofill?: boolean
}

/** The names of HTML for what a browser may fill in, by the names of attributes. */
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
  phoneNumber: 'tel',
  streetAddress: 'address-line1',
  city: 'address-level2',
  state: 'address-level1',
  zipCode: 'postal-code',
  countryCode: 'country',
  profileUrl: 'url',
}

const keyboards: Readonly<Record<string, 'email' | 'tel' | 'url'>> = {
  email: 'email',
  secondEmail: 'email',
  mobilePhone: 'tel',
  primaryPhone: 'tel',
  phoneNumber: 'tel',
  profileUrl: 'url',
}

/**
 * The entries of some fields, those of inner fields included; what is fixed, hidden or a form of its own is
 * none.
 */
export function entriesOf(
  fields: readonly IdxField[],
  context: FieldContext,
  asked: Asked,
  prefix = '',
): readonly Entry[] {
  return fields.flatMap((field): readonly Entry[] => {
    if (field.visible === false || field.name === 'stateHandle' || field.name === 'captchaVerify') return []
    if (isFixed(field)) return []
    const inner = innerOf(field)
    if (inner !== undefined) return entriesOf(inner, context, asked, `${prefix}${field.name}.`)
    if (field.type === 'object') return []
    const entry = entryOf(field, context, asked, prefix)
    // One value to choose from is no choice.
    return entry.values.length === 1 && shownAs(field).display === undefined ? [] : [entry]
  })
}

function entryOf(field: IdxField, { words, language }: FieldContext, asked: Asked, prefix: string): Entry {
  const { name } = field
  const path = prefix + name
  const { display, values } = shownAs(field)
  const attributes: Readonly<Record<string, string>> = words.signUp.labels
  const methods: Readonly<Record<string, string>> = words.methods
  const isProfile = prefix === 'userProfile.'
  const given = asked.labels?.[path] ?? (isProfile ? attributes[name] : undefined) ?? field.label ?? name
  const listed =
    display?.format === 'country-code'
      ? countries(language)
      : values.map(({ label, value }) => ({
          value,
          label:
            name === 'methodType'
              ? (methods[value] ?? label)
              : field.type === 'boolean'
                ? ((value === 'true' ? words.yes : words.no) ?? label)
                : label,
        }))
  const kind = kindOf(field, display?.inputType, listed.length > 0, path, asked)
  const link = kind === 'checkbox' ? /\s*\((https?:\/\/[^\s()]+)\)/.exec(given) : null
  const keyboard = keyboards[name]
  const hint = asked.hints?.[path]
  return {
    path,
    field,
    kind,
    label: link === null ? given : given.replace(link[0], ''),
    values: kind === 'select' || kind === 'radio' ? listed : [],
    autocomplete: autocompleteOf(path, kind, asked),
    isOptional: field.required !== true && isProfile && kind !== 'checkbox',
    ...(kind === 'code' &&
      asked.key !== 'recovery_codes' &&
      field.format === undefined && { inputMode: 'numeric' as const }),
    ...(keyboard !== undefined && kind === 'text' && { inputMode: keyboard }),
    ...(hint !== undefined && { hint }),
    ...(link?.[1] !== undefined && { link: link[1] }),
    ...(typeof field.value === 'string' && { prefilled: field.value }),
  }
}

function kindOf(
  field: IdxField,
  inputType: string | undefined,
  hasValues: boolean,
  path: string,
  asked: Asked,
): Entry['kind'] {
  if (inputType === 'text') return 'text'
  if (field.name === 'methodType' || field.name === 'channel') return 'radio'
  if (hasValues) return inputType === 'radio' ? 'radio' : 'select'
  if (field.type === 'boolean') return 'checkbox'
  // An answer to a question is typed in the open: it is no password, and who mistypes it must see it.
  if (field.secret === true && field.name !== 'answer') return 'password'
  return path === 'credentials.passcode' && asked.isCode === true ? 'code' : 'text'
}

function autocompleteOf(path: string, kind: Entry['kind'], { key, isNew, hasAutofill }: Asked): string {
  if (kind === 'password') return isNew ? 'new-password' : 'current-password'
  if (kind === 'code') return key === 'recovery_codes' ? 'off' : 'one-time-code'
  if (path === 'identifier') return hasAutofill ? 'username webauthn' : 'username'
  return autofill[path.split('.').at(-1) ?? ''] ?? 'off'
}

const countriesIn = new Map<string, Entry['values']>()

/** All countries that have phone numbers, by their names in a language. */
function countries(language: string): Entry['values'] {
  const known = countriesIn.get(language)
  if (known !== undefined) return known
  const names = new Intl.DisplayNames([language], { type: 'region' })
  const list = getCountries()
    .map((value) => ({ value, label: names.of(value) ?? value }))
    .sort((one, other) => one.label.localeCompare(other.label, language))
  countriesIn.set(language, list)
  return list
}

/** The errors of a field, each text once. */
export const errorsOf = ({ field }: Entry, words: PageWords): readonly string[] => [
  ...new Set((field.messages?.value ?? []).map((message) => messageText(message, words))),
]

/** An entry with its label, its hint and its errors. */
export function renderEntry(entry: Entry, context: FieldContext): Html {
  const { path, label, field, kind } = entry
  const { words, idPrefix, focus, described } = context
  const id = idPrefix + path
  const errors = errorsOf(entry, words)
  const isFocused = focus === path
  const about = [
    errors.length > 0 && `${id}-error`,
    entry.hint !== undefined && `${id}-hint`,
    isFocused && described,
  ].filter((one) => typeof one === 'string')
  const error = errors.length > 0 && html`<p class="field-error" id="${id}-error">${errors.join(' ')}</p>`
  const hint = entry.hint !== undefined && html`<p class="hint" id="${id}-hint">${entry.hint}</p>`
  const states = html`${errors.length > 0 && html` aria-invalid="true"`}${about.length > 0 && html` aria-describedby="${about.join(' ')}"`}${isFocused && html` autofocus`}`
  const asks = field.required === true && entry.isUnasked !== true
  const required = asks && html` required`
  const optional = entry.isOptional && html` <span class="optional">(${words.optional})</span>`
  const value = kind === 'password' || kind === 'code' ? '' : (context.values[path] ?? entry.prefilled ?? '')

  if (kind === 'checkbox') {
    return html`<div class="field">${error}<label class="tick" for="${id}"><input type="checkbox" id="${id}" name="${path}" value="true"${value === 'true' && html` checked`}${required}${states}>
<span>${label}${entry.link !== undefined && html` <a href="${entry.link}" target="_blank" rel="noopener noreferrer">${words.readTerms}</a>`}</span></label></div>`
  }
  if (kind === 'radio') {
    const chosen = value === '' ? entry.values[0]?.value : value
    return html`<fieldset class="field"${about.length > 0 && html` aria-describedby="${about.join(' ')}"`}><legend>${label}</legend>${error}
${entry.values.map((one, index) => html`<label class="option"><input type="radio" name="${path}" value="${one.value}"${one.value === chosen && html` checked`}${isFocused && index === 0 && html` autofocus`}${required}><span>${one.label}</span></label>`)}</fieldset>`
  }
  if (kind === 'select') {
    return html`<div class="field"><label for="${id}">${label}${optional}</label>${error}
<select id="${id}" name="${path}" autocomplete="${entry.autocomplete}"${required}${states}>
<option value="">${words.choose}</option>${entry.values.map((one) => html`<option value="${one.value}"${one.value === value && html` selected`}>${one.label}</option>`)}</select>${hint}</div>`
  }
  const type = kind === 'password' ? 'password' : 'text'
  return html`<div class="field"><label for="${id}">${label}${optional}</label>${error}
<input id="${id}" name="${path}" type="${type}" value="${value}" autocomplete="${entry.autocomplete}" autocapitalize="${capitals(path)}" spellcheck="false" maxlength="${field.maxLength ?? 1024}"${kind === 'code' && html` class="code"`}${entry.inputMode && html` inputmode="${entry.inputMode}"`}${isLeftToRight(entry) && html` dir="ltr"`}${required}${states}>${hint}</div>`
}

const capitals = (path: string): string => (/Name$/.test(path) ? 'words' : 'none')

/** Addresses, numbers and codes are written from left to right in every language. */
const isLeftToRight = ({ kind, inputMode, path }: Entry): boolean =>
  kind === 'code' || inputMode !== undefined || path === 'identifier'

/** The path of the first entry that has errors, else of the first one to type in. */
export function focusOf(entries: readonly Entry[]): string | undefined {
  const wrong = entries.find(({ field }) => (field.messages?.value.length ?? 0) > 0)
  return (
    wrong ??
    entries.find(({ kind, prefilled }) => kind !== 'checkbox' && prefilled === undefined) ??
    entries[0]
  )?.path
}

/** What is posted with every form beside its fields: which form it is, and of which page. */
export const hiddenFields = (form: IdxForm, token: string): Html =>
  html`<input type="hidden" name="form" value="${form.name}"><input type="hidden" name="page" value="${token}">`

/**
 * A sentence with the name of a user or an app in it, set apart so that its direction does not mix with that
 * of the sentence.
 */
export function sentence(text: string, values: Readonly<Record<string, string>>): Html {
  const [name = ''] = Object.keys(values)
  const value = values[name]
  const [before = '', after] = text.split(`\${${name}}`)
  return after === undefined || value === undefined
    ? html`${fill(text, values)}`
    : html`${before}<bdi class="value">${breakable(value)}</bdi>${after}`
}

/** A masked address, which breaks before its host where it is too long for a line, and not in a word. */
function breakable(value: string): Html {
  const [user = '', host] = value.split('@')
  return host === undefined || !user.includes('*') ? html`${value}` : html`${user}<wbr>@${host}`
}
