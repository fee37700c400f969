/**
 * Live updates, keyboard shortcuts, copying and opening without a reload. The server renders every state of the page;
 * this script fetches it and replaces the parts, so that only the server converts mails to markup.
 */
const byId = (id) => document.getElementById(id)
const unseen = new Set()
let pageTitle = document.title

document.documentElement.classList.add('has-script')

let loading = new AbortController()
let latest = Promise.resolve()
let wanted = new Set()

/**
 * Replaces the parts with these ids with those of the page at the current address. A later call aborts an earlier one
 * and also loads its parts; both resolve together.
 */
function show(...parts) {
  for (const part of parts) wanted.add(part)
  loading.abort()
  loading = new AbortController()
  latest = load(loading.signal)
  return latest
}

async function load(signal) {
  try {
    const response = await fetch(location.href, { signal })
    const next = new DOMParser().parseFromString(await response.text(), 'text/html')
    signal.throwIfAborted()
    const restoreFocus = savedFocus()
    for (const id of wanted) byId(id).replaceChildren(...(next.getElementById(id)?.childNodes ?? []))
    byId('panes').className = next.getElementById('panes').className
    byId('empty').disabled = next.getElementById('empty').disabled
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
  for (const time of document.querySelectorAll('time:not([title])')) {
    const at = new Date(time.dateTime)
    const short = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }
    const long = { dateStyle: 'medium', timeStyle: 'medium' }
    time.title = time.dateTime
    time.textContent = at.toLocaleString(undefined, time.dataset.style === 'short' ? short : long)
  }
  unseen.delete(openId())
  for (const row of rows()) row.classList.toggle('is-new', unseen.has(row.dataset.id))
  document.title = unseen.size > 0 ? `(${unseen.size}) ${pageTitle}` : pageTitle
}

const rows = () => [...document.querySelectorAll('.row')]
const linkOf = (row) => row?.querySelector('.row-link')
const openId = () => location.pathname.match(/^\/inbox\/(\w+)/)?.[1]
const searchBox = byId('search')

/** Saves which message has the focus. Returns a function that restores it. */
function savedFocus() {
  const focused = document.activeElement
  const id = focused?.closest?.('.row')?.dataset.id
  const selector = focused?.dataset?.what ? `[data-what="${focused.dataset.what}"]` : '.row-link'
  return () => {
    if (id && document.activeElement === document.body) {
      document.querySelector(`.row[data-id="${id}"] ${selector}`)?.focus({ preventScroll: true })
    }
  }
}

/** Shows a status message, which screen readers announce. */
function announce(text) {
  byId('status').textContent = text
}

// Opening, going back and switching views

async function go(address) {
  history.pushState(null, '', address)
  await arrive()
}

async function arrive() {
  const wasAt = openId()
  await show('messages', 'reader')
  searchBox.value = new URLSearchParams(location.search).get('q') ?? ''
  if (wasAt) byId('subject')?.focus({ preventScroll: true })
  else linkOf(rows()[0])?.focus({ preventScroll: true })
}

addEventListener('popstate', () => arrive())

document.addEventListener('click', (event) => {
  const copy = event.target.closest('[data-copy]')
  if (copy) return void copyFrom(copy)
  const link = event.target.closest('a')
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
  if (!link || !plain || link.target || link.hasAttribute('download')) return
  const { origin, pathname, search, hash } = new URL(link.href)
  if (origin !== location.origin || hash || !/^\/(inbox\/\w+)?$/.test(pathname)) return
  event.preventDefault()
  go(pathname + search)
})

async function copyFrom(button) {
  const label = button.querySelector('span')
  const before = label.textContent
  try {
    await navigator.clipboard.writeText(button.dataset.copy)
    announce(`Copied the ${button.dataset.what}.`)
    button.classList.add('is-done')
    if (label.className === 'copy-label') label.textContent = 'Copied'
    setTimeout(() => {
      button.classList.remove('is-done')
      label.textContent = before
    }, 1600)
  } catch {
    announce(`The browser does not let this page copy. The ${button.dataset.what} is ${button.dataset.copy}`)
  }
}

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
  announce(byId('count')?.textContent ?? 'Nothing found')
}

searchBox.addEventListener('input', search)
searchBox.form.addEventListener('submit', (event) => {
  event.preventDefault()
  linkOf(rows()[0])?.focus()
})

// Keys

function move(step) {
  const all = rows()
  const at = all.findIndex((row) => row.contains(document.activeElement))
  const from = at >= 0 ? at : all.findIndex((row) => row.dataset.id === openId())
  const next = from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1)
  // On a narrow screen the list is hidden: open the next message instead of moving the focus.
  if (byId('messages').offsetParent === null) linkOf(all[next])?.click()
  else linkOf(all[next])?.focus()
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  '/': () => {
    searchBox.focus()
    searchBox.select()
  },
  c: () => {
    const row = document.activeElement.closest('.row')
    const button = (row ?? byId('reader')).querySelector('[data-what="code"]')
    if (button) copyFrom(button)
  },
  Escape: () => {
    if (openId()) byId('reader').querySelector('.back')?.click()
  },
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('confirm').open) return
  if (event.target === searchBox) {
    if (event.key === 'ArrowDown') {
      event.preventDefault()
      linkOf(rows()[0])?.focus()
    } else if (event.key === 'Escape' && searchBox.value === '') searchBox.blur()
    return
  }
  // Arrow keys scroll the focused text of a mail.
  if (event.key.startsWith('Arrow') && event.target.closest('pre')) return
  const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined
  if (!act) return
  event.preventDefault()
  act()
})

// Emptying

byId('empty').addEventListener('click', () => byId('confirm').showModal())
byId('confirm').addEventListener('close', async ({ target }) => {
  if (target.returnValue === 'delete') await fetch('/messages', { method: 'DELETE' })
  target.returnValue = ''
})

// Live update

const live = byId('live')
const stream = new EventSource('/messages/stream')
let wasLost = false

stream.onopen = () => {
  live.hidden = false
  live.textContent = 'Live'
  live.classList.remove('is-lost')
  // Load what changed while the connection was lost.
  if (wasLost) show('messages')
  wasLost = false
}
stream.onerror = () => {
  wasLost = true
  live.hidden = false
  live.textContent = 'Connecting…'
  live.classList.add('is-lost')
}
stream.addEventListener('message', async ({ data }) => {
  const { id, to, subject, code } = JSON.parse(data)
  unseen.add(id)
  announce(`New mail to ${to}: ${subject}.${code ? ` The code is ${code}.` : ''}`)
  // An open mail is not replaced while it is being read.
  await show('messages', ...(openId() ? [] : ['reader']))
  document.querySelector(`.row[data-id="${id}"]`)?.classList.add('is-arriving')
})
stream.addEventListener('cleared', async () => {
  unseen.clear()
  history.replaceState(null, '', '/')
  searchBox.value = ''
  await show('messages', 'reader')
  announce('The inbox is empty.')
})

settle()
