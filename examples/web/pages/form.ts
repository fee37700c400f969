import type { NextStep } from '@okta/okta-auth-js'
import { captchaField } from '../captcha.ts'
import { type Html, html } from '../html.ts'
import type { Field, View } from './page.ts'

interface InputOptions {
  readonly name: string
  readonly label: string | Html
  readonly type?: 'text' | 'password' | 'tel'
  readonly autocomplete: string
  /** Shown until something else is typed. */
  readonly value?: string
  readonly optional?: boolean
  readonly maxLength?: number
  /** The id of an element with a further description. */
  readonly describedBy?: string
  readonly first?: boolean
  readonly numeric?: boolean
  /** The keyboard of a phone; `numeric` is one of them. */
  readonly inputMode?: 'email' | 'tel' | 'url' | 'numeric'
}

/** The errors of a field, each once: a server may say the same of a field in two ways. */
export const errorOf = (view: Pick<View, 'messages'>, name: string): Html | false => {
  const texts = new Set(view.messages.filter(({ field }) => field === name).map(({ text }) => text))
  return texts.size > 0 && html`<p class="field-error" id="${name}-error">${[...texts].join(' ')}</p>`
}

/** A labelled field with its messages. The focus is on the first field, or on the first one with an error. */
export function inputField(view: View, options: InputOptions): Html {
  const { name, label, type = 'text', first = false, inputMode = options.numeric && 'numeric' } = options
  const own = view.messages.filter(({ field }) => field === name)
  const others = view.messages.filter(({ field }) => field === undefined)
  const failedElsewhere = view.messages.some(({ field }) => field !== undefined && field !== name)
  const described = [
    own.length > 0 && `${name}-error`,
    // Screen readers read the messages of the page with the focused field.
    first && others.length > 0 && 'messages',
    options.describedBy,
  ].filter((id) => typeof id === 'string')

  const attributes = [
    inputMode && html` inputmode="${inputMode}"`,
    own.length > 0 && html` aria-invalid="true"`,
    described.length > 0 && html` aria-describedby="${described.join(' ')}"`,
    (own.length > 0 || (first && !failedElsewhere)) && html` autofocus`,
  ]
  return html`<div class="field">
<label for="${name}">${label}</label>
${errorOf(view, name)}
<input id="${name}" name="${name}" type="${type}" value="${type === 'password' ? '' : view.field(name) || (options.value ?? '')}"
  autocomplete="${options.autocomplete}"${type === 'password' && html` data-show="${view.words.showPassword.show}" data-hide="${view.words.showPassword.hide}"`} autocapitalize="none" spellcheck="false" maxlength="${options.maxLength ?? 1024}"${options.optional !== true && html` required`}${attributes}>
</div>`
}

export interface Option {
  readonly label: string
  readonly value: string
  readonly hint?: string
}

/** A list to choose one entry from. */
export const selectField = (
  view: View,
  options: {
    readonly name: string
    readonly label: string | Html
    readonly autocomplete?: string
    readonly chosen?: string
    readonly entries: readonly Option[]
    readonly required?: boolean
    /** What a script of the page fills in. */
    readonly fills?: string
  },
): Html => {
  const { name, label, autocomplete = 'off', entries, fills } = options
  const chosen = view.field(name) || options.chosen
  const error = errorOf(view, name)
  return html`<div class="field">
<label for="${name}">${label}</label>
${error}
<select id="${name}" name="${name}" autocomplete="${autocomplete}"${options.required && html` required`}${fills !== undefined && html` data-fills="${fills}"`}${error && html` aria-invalid="true" aria-describedby="${name}-error"`}>
${entries.map((entry) => html`<option value="${entry.value}"${entry.value === chosen && html` selected`}>${entry.label}</option>`)}
</select>
</div>`
}

/** A form of one button, for what a page offers besides its own form. */
export const buttonForm = (
  view: Pick<View, 'csrf'>,
  action: string,
  label: string,
  fields: Readonly<Record<string, string>> = {},
): Html => html`<form method="post" action="${action}" class="again">
${csrfField(view.csrf)}
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button type="submit" class="secondary">${label}</button>
</form>`

/** The options that a step offers for one of its inputs. */
export const optionsOf = (step: NextStep | undefined, input: string): readonly Option[] =>
  (step?.inputs?.find(({ name }) => name === input)?.options ?? []).flatMap(({ label, value }) =>
    typeof value === 'string' ? [{ label, value }] : [],
  )

/** The posted code. Copied codes may contain spaces. */
export const codeIn = (field: Field): string => field('verificationCode').replace(/\s/g, '')

/** The options with a line of explanation where `hints` has one for the value. */
export const withHints = (
  options: readonly Option[],
  hints: Readonly<Record<string, string>>,
): readonly Option[] =>
  options.map((option) => {
    const hint = hints[option.value]
    return hint === undefined ? option : { ...option, hint }
  })

/** A group of radio buttons, the first one chosen unless another was. */
export function radioGroup(view: View, name: string, legend: string, options: readonly Option[]): Html {
  const given = options.findIndex(({ value }) => value === view.field(name))
  const chosen = Math.max(0, given)
  const error = errorOf(view, name)
  return html`<fieldset${error && html` aria-describedby="${name}-error"`}>
<legend class="visually-hidden">${legend}</legend>
${error}
${options.map(
  ({ label, value, hint }, index) => html`<label class="option">
<input type="radio" name="${name}" value="${value}" required${index === chosen && html` checked`}>
<span>${label}${hint !== undefined && html` <small>${hint}</small>`}</span>
</label>`,
)}
</fieldset>`
}

/** A form with its token against forgery (CSRF) and its submit button. */
export const postForm = (
  view: View,
  action: string,
  fields: Html,
  label: string = view.words.next,
): Html => html`<form method="post" action="${action}">
${csrfField(view.csrf)}
${fields}
${captchaField(view)}
<button type="submit" class="primary">${label}</button>
</form>`

export const csrfField = (token: string): Html => html`<input type="hidden" name="csrf" value="${token}">`

/** The link that gives the attempt up. */
export const backLink = (view: View): Html => html`<a href="${view.back.path}">${view.back.label}</a>`
