// @ts-check
/**
 * Live updates, keyboard shortcuts, copying and opening without a reload. The server renders every state of the page;
 * this script fetches it and replaces the parts, so that only the server converts mails to markup.
 */
import {
  allOf,
  announce,
  byId,
  closestOf,
  confirmed,
  copyFrom,
  elementOf,
  liveStream,
  loadedPage,
  onKeys,
  showLocalTimes,
} from '../../ui/dom.js'

/** The mails that arrived while the page was open, and were not opened in it. @type {Set<string>} */
const arrived = new Set()
let pageTitle = document.title
const searchBox = elementOf('search', HTMLInputElement)
const emptyButton = elementOf('empty', HTMLButtonElement)

document.documentElement.classList.add('has-script')

let loading = new AbortController()
/** @type {Promise<void>} */
let latest = Promise.resolve()
/** @type {Set<string>} */
let wanted = new Set()

/**
 * Replaces the parts with these ids with those of the page at the current address. A later call aborts an earlier one
 * and also loads its parts; both resolve together.
 * @param {...string} parts
 */
function show(...parts) {
  for (const part of parts) wanted.add(part)
  loading.abort()
  loading = new AbortController()
  latest = load(loading.signal)
  return latest
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
async function load(signal) {
  try {
    const next = await loadedPage(signal)
    const restoreFocus = savedFocus()
    for (const id of wanted) byId(id).replaceChildren(...(next.getElementById(id)?.childNodes ?? []))
    byId('panes').className = next.getElementById('panes')?.className ?? 'panes'
    emptyButton.disabled = next.getElementById('empty')?.hasAttribute('disabled') ?? false
    pageTitle = next.title
    wanted = new Set()
    settle()
    restoreFocus()
  } catch {
    if (signal.aborted) return latest
    announce('The inbox does not answer.')
  }
}

/** Applies the state of the browser: its time zone, and the mails that arrived while the page was open. */
function settle() {
  showLocalTimes()
  arrived.delete(openId() ?? '')
  document.title = arrived.size > 0 ? `(${arrived.size}) ${pageTitle}` : pageTitle
}

const rows = () => allOf('.row')
/** @param {Element | null | undefined} row */
const linkOf = (row) => {
  const link = row?.querySelector('.row-link')
  return link instanceof HTMLElement ? link : undefined
}
const openId = () => location.pathname.match(/^\/inbox\/(\w+)/)?.[1]

/** Saves which message has the focus. Returns a function that restores it. */
function savedFocus() {
  const focused = document.activeElement
  const id = focused instanceof HTMLElement ? closestOf({ target: focused }, '.row')?.dataset.id : undefined
  const what = focused instanceof HTMLElement ? focused.dataset.what : undefined
  return () => {
    if (id && document.activeElement === document.body) {
      const again = document.querySelector(
        `.row[data-id="${id}"] ${what ? `[data-what="${what}"]` : '.row-link'}`,
      )
      if (again instanceof HTMLElement) again.focus({ preventScroll: true })
    }
  }
}

// Opening, going back and switching views

/** @param {string} address */
async function go(address) {
  history.pushState(null, '', address)
  await arrive()
}

async function arrive() {
  const wasAt = openId()
  await show('messages', 'reader')
  searchBox.value = new URLSearchParams(location.search).get('q') ?? ''
  if (wasAt) document.getElementById('subject')?.focus({ preventScroll: true })
  else linkOf(rows()[0])?.focus({ preventScroll: true })
}

addEventListener('popstate', () => arrive())

document.addEventListener('click', (event) => {
  const copy = closestOf(event, '[data-copy]')
  if (copy) return void copyText(copy)
  const remove = closestOf(event, '#delete')
  if (remove?.dataset.id) return void deleteOne(remove.dataset.id)
  const link = closestOf(event, 'a')
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
  if (!(link instanceof HTMLAnchorElement) || !isPlain || link.target || link.hasAttribute('download')) return
  const { origin, pathname, search, hash } = new URL(link.href)
  if (origin !== location.origin || hash || !/^\/(inbox\/\w+)?$/.test(pathname)) return
  event.preventDefault()
  go(pathname + search)
})

/** @param {HTMLElement} button */
const copyText = (button) =>
  copyFrom(
    button,
    (value) => `The browser does not let this page copy. The ${button.dataset.what} is ${value}`,
  )

// Searching while typing

const searchAddress = () => {
  const address = new URL(location.href)
  if (searchBox.value) address.searchParams.set('q', searchBox.value)
  else address.searchParams.delete('q')
  return address
}

async function search() {
  history.replaceState(null, '', searchAddress())
  await show('messages')
  announce(document.getElementById('count')?.textContent ?? 'Nothing found')
}

searchBox.addEventListener('input', search)
searchBox.form?.addEventListener('submit', (event) => {
  event.preventDefault()
  linkOf(rows()[0])?.focus()
})
searchBox.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown') {
    event.preventDefault()
    linkOf(rows()[0])?.focus()
  } else if (event.key === 'Escape' && searchBox.value === '') searchBox.blur()
})

// Keys

/** @param {number} step */
function move(step) {
  const all = rows()
  const at = all.findIndex((row) => row.contains(document.activeElement))
  const from = at >= 0 ? at : all.findIndex((row) => row.dataset.id === openId())
  const next = from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1)
  // On a narrow screen the list is hidden: open the next message instead of moving the focus.
  if (byId('messages').offsetParent === null) linkOf(all[next])?.click()
  else linkOf(all[next])?.focus()
}

onKeys(
  {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    '/': () => {
      searchBox.focus()
      searchBox.select()
    },
    c: () => {
      const row = document.activeElement?.closest('.row')
      const button = (row ?? byId('reader')).querySelector('[data-what="code"]')
      if (button instanceof HTMLElement) copyText(button)
    },
    d: () => {
      const id = openId()
      if (id) deleteOne(id)
    },
    Escape: () => {
      if (openId()) allOf('.back', byId('reader'))[0]?.click()
    },
  },
  // Arrow keys scroll the focused text of a mail.
  (event) => event.key.startsWith('Arrow') && closestOf(event, 'pre') !== null,
)

// Deleting

emptyButton.addEventListener('click', async () => {
  const isSure = await confirmed({
    title: 'Delete all messages?',
    text: 'This cannot be undone. The codes and links in them stay valid.',
    yes: 'Delete all',
    danger: true,
  })
  if (isSure) await fetch('/messages', { method: 'DELETE' })
})

/**
 * Deletes one mail, and opens the next one of the list. Does not ask: the mail is one of many, made by a test.
 * @param {string} id
 */
async function deleteOne(id) {
  const all = rows()
  const at = all.findIndex((row) => row.dataset.id === id)
  const next = linkOf(all[at + 1] ?? all[at - 1])
  const address = next instanceof HTMLAnchorElement ? new URL(next.href) : undefined
  await fetch(`/messages/${id}`, { method: 'DELETE' })
  announce('The message was deleted.')
  await go(address ? address.pathname + address.search : '/')
}

// Live update

const stream = liveStream('/messages/stream', () => show('messages'))
stream.addEventListener('message', async ({ data }) => {
  const { id, to, subject, code } = JSON.parse(data)
  arrived.add(id)
  announce(`New mail to ${to}: ${subject}.${code ? ` The code is ${code}.` : ''}`)
  // An open mail is not replaced while it is being read.
  await show('messages', ...(openId() ? [] : ['reader']))
  document.querySelector(`.row[data-id="${id}"]`)?.classList.add('is-arriving')
})
stream.addEventListener('removed', ({ data }) => {
  const { id } = JSON.parse(data)
  arrived.delete(id)
  show('messages')
})
stream.addEventListener('cleared', async () => {
  arrived.clear()
  history.replaceState(null, '', '/')
  searchBox.value = ''
  await show('messages', 'reader')
  announce('The inbox is empty.')
})

settle()
