// @ts-check
/**
 * The admin page. All values are shown as text nodes: names, emails and log fields are untrusted input. The fragment of the
 * address determines the view, so that back, reload and new tabs work.
 */
import { allOf, byId, el, elementOf } from '../ui/dom.js'
import { ApiError, messageOf, removeToken, storeToken, token, tokenFromAddress, toolsPort } from './api.js'
import { apps } from './apps.js'
import { groups } from './groups.js'
import { log } from './log.js'
import { policies } from './policies.js'
import { users } from './users.js'

/**
 * Where in the page: the id that is open, and the query.
 * @typedef {{ readonly id: string | undefined, readonly query: URLSearchParams }} Place
 */
/**
 * What a view gets: the signal that ends its requests, and how it shows the view again, a notice or an error.
 * @typedef {{
 *   readonly signal: AbortSignal,
 *   readonly show: () => Promise<void>,
 *   readonly showNotice: (message: string) => void,
 *   readonly onError: (error: unknown) => void,
 * }} Context
 */

const main = byId('main')
const tokenField = elementOf('token', HTMLInputElement)

function lock(why = '') {
  removeToken()
  document.body.classList.add('is-locked')
  main.replaceChildren()
  showError(why)
  tokenField.value = ''
  tokenField.focus()
}

/** @param {string} message */
function showNotice(message) {
  byId('error').textContent = ''
  byId('notice').textContent = message
}
/** @param {string} message */
function showError(message) {
  byId('notice').textContent = ''
  byId('error').textContent = message
}

/** @param {unknown} error */
function onError(error) {
  if (error instanceof Error && error.name === 'AbortError') return
  if (error instanceof ApiError && error.status === 401) lock('This token is invalid or was revoked.')
  else showError(messageOf(error))
}

/** @type {Readonly<Record<string, (place: Place, context: Context) => Promise<HTMLElement>>>} */
const views = { users, groups, apps, policies, log }
let loading = new AbortController()

async function show() {
  loading.abort()
  loading = new AbortController()
  const { signal } = loading
  const [, name = 'users', id, words] = /^#\/(\w+)(?:\/([^?]+))?(?:\?(.*))?$/.exec(location.hash) ?? []
  const known = Object.hasOwn(views, name) ? name : 'users'
  const view = views[known]
  const isSearching = document.activeElement?.id === 'search'
  if (view === undefined) return
  try {
    const place = { id: id && decodeURIComponent(id), query: new URLSearchParams(words) }
    const content = await view(place, { signal, show, showNotice, onError })
    if (signal.aborted) return
    document.body.classList.remove('is-locked')
    main.replaceChildren(content)
    for (const tab of allOf('.tab[data-view]')) {
      if (tab.dataset.view === known) tab.setAttribute('aria-current', 'page')
      else tab.removeAttribute('aria-current')
    }
    const open = document.getElementById('reader')?.querySelector('h2')?.textContent
    document.title = `${open ?? known.charAt(0).toUpperCase() + known.slice(1)} · Rekey admin`
    if (isSearching) document.getElementById('search')?.focus()
    else if (place.id !== undefined) document.getElementById('reader')?.focus({ preventScroll: true })
  } catch (error) {
    if (!signal.aborted) onError(error)
  }
}

/** In development, the tabs that lead back to the pages of `rekey dev`. */
function showToolTabs() {
  const port = toolsPort()
  if (port === null || document.querySelector('.tab[data-tool]') !== null) return
  const tools = { Inbox: '/', Flows: '/flows', Mails: '/mails', Tools: '/tools', API: '/docs' }
  const base = `http://${location.hostname}:${port}`
  byId('tabs').prepend(
    ...Object.entries(tools).map(([label, path]) =>
      el('a', { class: 'tab', 'data-tool': label, href: base + path }, label),
    ),
    el('span', { class: 'tab-gap', 'aria-hidden': 'true' }),
  )
}

const start = () => {
  showToolTabs()
  if (token() === null) lock()
  else show()
}

byId('entry').addEventListener('submit', (event) => {
  event.preventDefault()
  const typed = tokenField.value.trim()
  // Other characters cannot be sent in a header.
  if (!/^[\w.-]{1,200}$/.test(typed))
    return showError('This is not an API token: tokens consist of letters, digits, - and _.')
  showError('')
  storeToken(typed)
  tokenField.value = ''
  show()
})
byId('leave').addEventListener('click', () => lock())
addEventListener('hashchange', () => {
  tokenFromAddress()
  showNotice('')
  start()
})
addEventListener('keydown', (event) => {
  const { activeElement } = document
  const isTyping = activeElement?.matches('input, textarea, select') ?? false
  if (document.querySelector('dialog[open]') !== null) return
  const search = document.getElementById('search')
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey) {
    if (!(search instanceof HTMLInputElement)) return
    event.preventDefault()
    search.focus()
    search.select()
  }
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const rows = allOf('.row-link')
    const at = rows.indexOf(/** @type {HTMLElement} */ (activeElement))
    if (at < 0 && activeElement !== search) return
    event.preventDefault()
    const next = event.key === 'ArrowDown' ? at + 1 : at - 1
    if (next < 0) search?.focus()
    else rows[Math.min(next, rows.length - 1)]?.focus()
  }
})

tokenFromAddress()
start()
