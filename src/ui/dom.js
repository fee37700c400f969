// @ts-check
/**
 * What the scripts of the pages share. Text is never parsed as markup: names, subjects and log fields are untrusted input.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Child | readonly (Child | readonly Child[])[]} Children */
/** @typedef {(event: any) => unknown} Listener */

/**
 * The element with this id, which the page contains.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no element #${id}`)
  return element
}

/**
 * The element with this id, of this class.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function elementOf(id, kind) {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new Error(`#${id} is not a ${kind.name}`)
  return element
}

/**
 * All elements of a selector.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement[]}
 */
export const allOf = (selector, within = document) =>
  [...within.querySelectorAll(selector)].filter((element) => element instanceof HTMLElement)

/**
 * The closest ancestor of what an event happened at.
 * @param {Event | { readonly target: EventTarget | null }} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closestOf({ target }, selector) {
  const found = target instanceof Element ? target.closest(selector) : null
  return found instanceof HTMLElement ? found : null
}

/**
 * Creates an element. Attributes whose name begins with `on` are listeners; false and undefined omit an attribute.
 * @param {string} name
 * @param {Readonly<Record<string, string | number | boolean | Listener | undefined>>} [attributes]
 * @param {...Children} children
 * @returns {HTMLElement}
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value)
    else if (value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? '' : String(value))
    }
  }
  for (const child of children.flat(2)) {
    if (child !== undefined && child !== null && child !== false) {
      element.append(child instanceof Node ? child : String(child))
    }
  }
  return element
}

const svgNames = 'http://www.w3.org/2000/svg'

/** The magnifying glass of a search field. */
export function searchIcon() {
  const icon = document.createElementNS(svgNames, 'svg')
  for (const [name, value] of [
    ['class', 'icon'],
    ['viewBox', '0 0 16 16'],
    ['aria-hidden', 'true'],
  ])
    icon.setAttribute(name ?? '', value ?? '')
  const path = document.createElementNS(svgNames, 'path')
  path.setAttribute('d', 'M7 2.75a4.25 4.25 0 1 0 0 8.5 4.25 4.25 0 0 0 0-8.5Zm3.25 7.5 3.25 3.25')
  icon.append(path)
  return icon
}

/** @satisfies {Readonly<Record<string, Intl.DateTimeFormatOptions>>} */
const timeStyles = /** @type {const} */ ({
  short: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  long: { dateStyle: 'medium', timeStyle: 'medium' },
  clock: { timeStyle: 'short' },
  second: { timeStyle: 'medium' },
})

/** Shows the times of the page in the time zone of the browser, which the server does not know. */
export function showLocalTimes() {
  for (const time of document.querySelectorAll('time:not([title])')) {
    if (!(time instanceof HTMLTimeElement)) continue
    time.title = time.dateTime
    const style =
      Object.entries(timeStyles).find(([name]) => name === time.dataset.style)?.[1] ?? timeStyles.long
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, style)
  }
}

/**
 * A time in the time zone of the browser; `never` where there is none.
 * @param {string | null | undefined} iso
 * @returns {HTMLElement | string}
 */
export function timeOf(iso) {
  if (!iso) return 'never'
  return el('time', { datetime: iso, title: iso }, new Date(iso).toLocaleString(undefined, timeStyles.long))
}

/**
 * Shows a status message, which screen readers announce.
 * @param {string} text
 */
export function announce(text) {
  byId('status').textContent = text
}

/**
 * Asks in the dialog of the page, and resolves to whether the answer was yes. Cancel has the focus, so that Enter pressed
 * twice changes nothing.
 * @param {{ readonly title: string, readonly text: string, readonly yes: string, readonly danger?: boolean }} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, yes, danger = false }) {
  const dialog = elementOf('confirm', HTMLDialogElement)
  const button = byId('confirm-yes')
  byId('confirm-title').textContent = title
  byId('confirm-text').textContent = text
  button.textContent = yes
  button.className = danger ? 'danger' : 'primary'
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    const onClose = () => {
      // The event of an earlier question comes late where the dialog is opened again at once: this one is still open.
      if (dialog.open) return
      dialog.removeEventListener('close', onClose)
      resolve(dialog.returnValue === 'yes')
    }
    dialog.addEventListener('close', onClose)
  })
}

/**
 * Copies the value of a copy button, and says so on it.
 * @param {HTMLElement} button
 * @param {(value: string) => string} fallback what is announced where the browser refuses
 */
export async function copyFrom(button, fallback) {
  const { copy = '', what = '' } = button.dataset
  const label = button.querySelector('span')
  const before = label?.textContent ?? ''
  try {
    await navigator.clipboard.writeText(copy)
    announce(`Copied the ${what}.`)
    button.classList.add('is-done')
    if (label?.className !== 'unseen' && label) label.textContent = 'Copied'
    setTimeout(() => {
      button.classList.remove('is-done')
      if (label) label.textContent = before
    }, 1600)
  } catch {
    announce(fallback(copy))
  }
}

/**
 * Loads the page at the current address and answers it as a document.
 * @param {AbortSignal} signal
 */
export async function loadedPage(signal) {
  const response = await fetch(location.href, { signal })
  const next = new DOMParser().parseFromString(await response.text(), 'text/html')
  signal.throwIfAborted()
  return next
}

/**
 * A stream of server-sent events with its state in the bar. `onAgain` is called when the connection was lost and is back.
 * @param {string} address
 * @param {() => void} onAgain
 */
export function liveStream(address, onAgain) {
  const live = byId('live')
  const stream = new EventSource(address)
  let wasLost = false
  stream.onopen = () => {
    live.hidden = false
    live.textContent = 'Live'
    live.classList.remove('is-lost')
    if (wasLost) onAgain()
    wasLost = false
  }
  stream.onerror = () => {
    wasLost = true
    live.hidden = false
    live.textContent = 'Connecting…'
    live.classList.add('is-lost')
  }
  return stream
}

/**
 * Handles single keys without modifiers, except while a text is typed.
 * @param {Readonly<Record<string, () => void>>} keys
 * @param {(event: KeyboardEvent) => boolean} [isExempt]
 */
export function onKeys(keys, isExempt = () => false) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
    if (isExempt(event) || closestOf(event, 'input, textarea, select')) return
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined
    if (!act) return
    event.preventDefault()
    act()
  })
}
