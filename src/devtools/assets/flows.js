/**
 * Live updates, keyboard shortcuts, copying and opening without a reload. The server renders every state of the page;
 * this script fetches it and replaces the parts.
 */
const byId = (id) => document.getElementById(id)

document.documentElement.classList.add('has-script')

let loading = new AbortController()

/** Replaces the list and the open flow with those of the page at the current address. */
async function show() {
  loading.abort()
  loading = new AbortController()
  const { signal } = loading
  try {
    const response = await fetch(location.href, { signal })
    const next = new DOMParser().parseFromString(await response.text(), 'text/html')
    signal.throwIfAborted()
    const restore = savedState()
    for (const id of ['flows', 'reader']) swap(byId(id), next.getElementById(id))
    byId('panes').className = next.getElementById('panes').className
    document.title = next.title
    settle()
    restore()
  } catch {
    if (!signal.aborted) announce('The engine does not answer.')
  }
}

/** Replaces a part only if its markup has changed, so that a selection in it is not lost. */
function swap(part, next) {
  const markup = next?.innerHTML ?? ''
  if (part.dataset.markup === markup) return
  part.dataset.markup = markup
  part.replaceChildren(...(next?.childNodes ?? []))
}

const styles = {
  short: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  long: { dateStyle: 'medium', timeStyle: 'medium' },
  clock: { timeStyle: 'short' },
  second: { timeStyle: 'medium' },
}

/** Shows times in the time zone of the browser, which the server does not know. */
function settle() {
  for (const time of document.querySelectorAll('time:not([title])')) {
    time.title = time.dateTime
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, styles[time.dataset.style])
  }
}

const rows = () => [...document.querySelectorAll('.row')]
const linkOf = (row) => row?.querySelector('.row-link')
const openId = () => location.pathname.match(/^\/flows\/(\w+)/)?.[1]

/** Saves the focus, the open details and the scroll positions. Returns a function that restores them. */
function savedState() {
  const id = document.activeElement?.closest?.('.row')?.dataset.id
  const within = document.activeElement?.id
  const unfolded = [...document.querySelectorAll('details')].map((details) => details.open)
  const places = ['flows', 'reader'].map((part) => [part, byId(part).scrollTop])
  return () => {
    for (const [index, details] of [...document.querySelectorAll('details')].entries()) {
      if (unfolded[index]) details.open = true
    }
    for (const [part, top] of places) byId(part).scrollTop = top
    if (document.activeElement !== document.body) return
    const focused = id ? linkOf(document.querySelector(`.row[data-id="${id}"]`)) : within && byId(within)
    focused?.focus?.({ preventScroll: true })
  }
}

/** Shows a status message, which screen readers announce. */
function announce(text) {
  byId('status').textContent = text
}

// Opening and going back

async function arrive() {
  await show()
  byId('reader').scrollTop = 0
  if (openId()) byId('subject')?.focus({ preventScroll: true })
  else linkOf(rows()[0])?.focus({ preventScroll: true })
}

addEventListener('popstate', () => arrive())

document.addEventListener('click', (event) => {
  const copy = event.target.closest('[data-copy]')
  if (copy) return void copyFrom(copy)
  const link = event.target.closest('a')
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
  if (!link || !plain || link.target || link.hasAttribute('download')) return
  const { origin, pathname, hash } = new URL(link.href)
  if (origin !== location.origin || hash || !/^\/flows(\/\w+)?$/.test(pathname)) return
  event.preventDefault()
  history.pushState(null, '', pathname)
  arrive()
})

async function copyFrom(button) {
  const label = button.querySelector('span')
  const before = label.textContent
  try {
    await navigator.clipboard.writeText(button.dataset.copy)
    announce(`Copied the ${button.dataset.what}.`)
    button.classList.add('is-done')
    label.textContent = 'Copied'
    setTimeout(() => {
      button.classList.remove('is-done')
      label.textContent = before
    }, 1600)
  } catch {
    announce('The browser does not let this page copy. Select the text and copy it yourself.')
    byId('mermaid')?.select()
  }
}

// Keys

function move(step) {
  const all = rows()
  const at = all.findIndex((row) => row.contains(document.activeElement))
  const from = at >= 0 ? at : all.findIndex((row) => row.dataset.id === openId())
  const next = from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1)
  if (byId('flows').offsetParent === null) linkOf(all[next])?.click()
  else linkOf(all[next])?.focus()
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  c: () => {
    const button = document.querySelector('[data-copy]')
    if (button) copyFrom(button)
  },
  Escape: () => {
    if (openId()) byId('reader').querySelector('.back')?.click()
  },
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('textarea')) return
  // Arrow keys scroll the focused element.
  if (event.key.startsWith('Arrow') && event.target.closest('.scroll, .flow')) return
  const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined
  if (!act) return
  event.preventDefault()
  act()
})

// Live update

const live = byId('live')
const stream = new EventSource('/flows/stream')
let wasLost = false
let soon
let later

/** Updates once for several changes, and again later: a mail is delivered after the response that queued it. */
function changed() {
  clearTimeout(soon)
  clearTimeout(later)
  soon = setTimeout(show, 80)
  later = setTimeout(show, 2500)
}

stream.onopen = () => {
  live.hidden = false
  live.textContent = 'Live'
  live.classList.remove('is-lost')
  if (wasLost) changed()
  wasLost = false
}
stream.onerror = () => {
  wasLost = true
  live.hidden = false
  live.textContent = 'Connecting…'
  live.classList.add('is-lost')
}
stream.addEventListener('flow', changed)
stream.addEventListener('cleared', () => {
  history.replaceState(null, '', '/flows')
  changed()
  announce('The engine was reset.')
})
// Codes and transactions also expire without any request.
setInterval(() => document.visibilityState === 'visible' && show(), 15_000)

for (const id of ['flows', 'reader']) byId(id).dataset.markup = byId(id).innerHTML
settle()
