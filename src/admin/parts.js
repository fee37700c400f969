// @ts-check
/** The parts of the views: chips, facts, lists with further pages, and the dialog with a form. */
import { el, searchIcon } from '../ui/dom.js'
import { ApiError, messageOf, request } from './api.js'

/** @typedef {import('./api.js').Json} Json */
/** @typedef {import('../ui/dom.js').Child} Child */
/** @typedef {import('../ui/dom.js').Children} Children */

/** @type {Readonly<Record<string, 'good' | 'waiting' | 'bad'>>} */
const tones = {
  ACTIVE: 'good',
  SUCCESS: 'good',
  ALLOW: 'good',
  STAGED: 'waiting',
  PROVISIONED: 'waiting',
  RECOVERY: 'waiting',
  PASSWORD_EXPIRED: 'waiting',
  SKIPPED: 'waiting',
  CHALLENGE: 'waiting',
  INACTIVE: 'bad',
  LOCKED_OUT: 'bad',
  SUSPENDED: 'bad',
  DEPROVISIONED: 'bad',
  FAILURE: 'bad',
  DENY: 'bad',
}

/** Words of statuses that are not the status in lower case. @type {Readonly<Record<string, string>>} */
const statusWords = { DEPROVISIONED: 'deactivated', PROVISIONED: 'activation pending' }

/** @param {string} word */
export const wordOf = (word) => statusWords[word] ?? word.toLowerCase().replaceAll('_', ' ')

/** @param {string} word */
export const chip = (word) => el('span', { class: `chip is-${tones[word] ?? 'quiet'}` }, wordOf(word))

/**
 * @param {Json} profile
 * @returns {string}
 */
export const nameOf = ({ firstName, lastName, login }) =>
  [firstName, lastName].filter(Boolean).join(' ') || login || '…'

/**
 * Names with values; those without one are left out.
 * @param {readonly (readonly [string, Children])[]} pairs
 */
export const facts = (pairs) =>
  el(
    'dl',
    { class: 'facts is-table' },
    pairs
      .filter(([, value]) => value && (!Array.isArray(value) || value.length > 0))
      .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
  )

/** @param {...Children} message */
export const blank = (...message) => el('p', { class: 'blank' }, ...message)

/** @param {string} text */
export const code = (text) => el('code', {}, text)

/**
 * A button.
 * @param {string} label
 * @param {() => unknown} onclick
 * @param {Readonly<Record<string, string>>} [attributes]
 */
export const button = (label, onclick, attributes = {}) =>
  el('button', { type: 'button', ...attributes, onclick }, label)

/**
 * A list with a button that loads the next page.
 * @param {HTMLElement} list
 * @param {(item: Json) => HTMLElement} itemOf
 * @param {import('./api.js').Answer} first
 * @param {{ readonly signal: AbortSignal, readonly onError: (error: unknown) => void }} context
 */
export function pagedList(list, itemOf, first, { signal, onError }) {
  /** @type {string | undefined} */
  let address
  const more = el('button', { type: 'button', class: 'more' }, 'Show more')
  /** @param {import('./api.js').Answer} page */
  const add = (page) => {
    list.append(...page.value.map(itemOf))
    more.hidden = !page.next || page.value.length === 0
    address = page.next
  }
  add(first)
  more.addEventListener('click', async () => {
    const at = list.children.length
    if (address === undefined) return
    try {
      add(await request('GET', address, { signal }))
      const next = list.children[at]?.querySelector('a, summary')
      if (next instanceof HTMLElement) next.focus()
    } catch (error) {
      onError(error)
    }
  })
  return [list, more]
}

/**
 * A search field with its icon and its key.
 * @param {HTMLElement} input
 */
export const searchField = (input) =>
  el('div', { class: 'search' }, searchIcon(), input, el('kbd', { 'aria-hidden': 'true' }, '/'))

// ---- The dialog with a form.

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [type] `text` if absent; `checkbox`, `select`, `checks` (several of `options`)
 * @property {string | boolean | readonly string[]} [value]
 * @property {boolean} [required]
 * @property {string} [hint]
 * @property {string} [cause] the member that messages of the API name; `name` if absent
 * @property {number} [maxlength]
 * @property {readonly (readonly [value: string, label: string])[]} [options]
 */

/** @param {Field} field */
function fieldOf(field) {
  const {
    name,
    label,
    type = 'text',
    value = '',
    required = false,
    hint,
    cause = name,
    maxlength = 200,
    options = [],
  } = field
  const id = `field-${name}`
  const described = hint === undefined ? {} : { 'aria-describedby': `${id}-hint` }
  const note = hint !== undefined && el('p', { class: 'quiet', id: `${id}-hint` }, hint)
  if (type === 'checkbox') {
    return el(
      'div',
      { class: 'field' },
      el(
        'label',
        { class: 'check' },
        el('input', { type, id, name, checked: value === true, ...described }),
        label,
      ),
      note,
    )
  }
  if (type === 'checks') {
    const chosen = Array.isArray(value) ? value : []
    const checks = options.map(([one, text]) =>
      el(
        'label',
        { class: 'check' },
        el('input', { type: 'checkbox', name, value: one, checked: chosen.includes(one) }),
        text,
      ),
    )
    return el('fieldset', { class: 'field' }, el('legend', {}, label), note, checks)
  }
  const common = { id, name, required, 'data-cause': cause, ...described }
  const control =
    type === 'select'
      ? el(
          'select',
          common,
          options.map(([one, text]) => el('option', { value: one, selected: one === value }, text)),
        )
      : el('input', {
          ...common,
          type,
          value: String(value),
          maxlength,
          autocomplete: type === 'password' ? 'new-password' : 'off',
          spellcheck: 'false',
        })
  return el('div', { class: 'field' }, el('label', { for: id }, label), control, note)
}

/** @param {HTMLElement} form */
function clearFields(form) {
  for (const note of form.querySelectorAll('.wrong[id]')) note.remove()
  for (const control of form.querySelectorAll('[aria-invalid]')) {
    control.removeAttribute('aria-invalid')
    const others = control
      .getAttribute('aria-describedby')
      ?.split(' ')
      .filter((id) => !id.endsWith('-wrong'))
    if (others?.length) control.setAttribute('aria-describedby', others.join(' '))
    else control.removeAttribute('aria-describedby')
  }
}

/**
 * Shows what is wrong with a field beside it. Returns the causes of no field of the form; undefined where all are.
 * @param {HTMLElement} form
 * @param {unknown} error
 */
function showAtFields(form, error) {
  if (!(error instanceof ApiError)) return undefined
  /** @type {string[]} */
  const rest = []
  /** @type {Map<Element, string[]>} */
  const ofFields = new Map()
  for (const cause of error.causes) {
    const [, name = '', why = ''] = /^(\w+): (.*)$/s.exec(cause) ?? []
    const control = name === '' ? null : form.querySelector(`[data-cause="${name}"]`)
    if (control === null) rest.push(cause)
    else ofFields.set(control, [...(ofFields.get(control) ?? []), why])
  }
  if (ofFields.size === 0) return undefined
  for (const [control, reasons] of ofFields) {
    const id = `${control.id}-wrong`
    control.setAttribute('aria-invalid', 'true')
    const described = [control.getAttribute('aria-describedby'), id].filter(Boolean)
    control.setAttribute('aria-describedby', described.join(' '))
    control.closest('.field')?.append(el('p', { class: 'wrong', id }, sentenceOf(reasons)))
  }
  return rest
}

/**
 * @param {readonly string[]} reasons
 * @returns {string}
 */
function sentenceOf(reasons) {
  const unmet = reasons.flatMap((reason) => /^not met: (.*)$/s.exec(reason)?.[1] ?? [])
  const others = reasons.filter((reason) => !reason.startsWith('not met: '))
  return [...(unmet.length > 0 ? [`not met: ${unmet.join(', ')}`] : []), ...others]
    .map((reason) => `${reason.charAt(0).toUpperCase()}${reason.slice(1).replace(/\.$/, '')}.`)
    .join(' ')
}

/**
 * Shows a dialog with a form. `save` gets the values; where it fails the dialog stays open with the reason. Resolves to
 * whether something was saved.
 * @param {{
 *   readonly title: string,
 *   readonly text?: string,
 *   readonly fields: readonly Field[],
 *   readonly yes: string,
 *   readonly save: (values: FormData) => Promise<unknown>,
 * }} form
 * @returns {Promise<boolean>}
 */
export function editor({ title, text, fields, yes, save }) {
  const wrong = el('p', { class: 'wrong', role: 'alert' })
  const submit = el('button', { class: 'primary' }, yes)
  const cancel = el('button', { type: 'button' }, 'Cancel')
  const form = el(
    'form',
    { class: 'form', method: 'dialog' },
    el('h2', { id: 'editor-title' }, title),
    text !== undefined && el('p', { class: 'quiet' }, text),
    fields.map(fieldOf),
    wrong,
    el('div', { class: 'choices' }, cancel, submit),
  )
  const dialog = document.createElement('dialog')
  dialog.id = 'editor'
  dialog.setAttribute('aria-labelledby', 'editor-title')
  dialog.append(form)
  document.body.append(dialog)
  let isSaved = false
  cancel.addEventListener('click', () => dialog.close())
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (!(form instanceof HTMLFormElement) || !(submit instanceof HTMLButtonElement)) return
    submit.disabled = true
    wrong.textContent = ''
    clearFields(form)
    try {
      await save(new FormData(form))
      isSaved = true
      dialog.close()
    } catch (error) {
      const rest = showAtFields(form, error)
      wrong.textContent = rest === undefined ? messageOf(error) : rest.join(' ')
      submit.disabled = false
      const first = form.querySelector('[aria-invalid=true]')
      if (first instanceof HTMLElement) first.focus()
      else wrong.scrollIntoView({ block: 'nearest' })
    }
  })
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(isSaved)
    })
  })
}
