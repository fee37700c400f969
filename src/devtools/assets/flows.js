// @ts-check
/**
 * Live updates, keyboard shortcuts, copying and opening without a reload. The server renders every state of the page;
 * this script fetches it and replaces the parts.
 */
import {
  allOf,
  announce,
  byId,
  closestOf,
  copyFrom,
  liveStream,
  loadedPage,
  onKeys,
  showLocalTimes,
} from '../../ui/dom.js'

document.documentElement.classList.add('has-script')

let loading = new AbortController()

/** Replaces the list and the open flow with those of the page at the current address. */
async function show() {
  loading.abort()
  loading = new AbortController()
  const { signal } = loading
  try {
    const next = await loadedPage(signal)
    const restore = savedState()
    for (const id of ['flows', 'reader']) swap(byId(id), next.getElementById(id))
    byId('panes').className = next.getElementById('panes')?.className ?? 'panes'
    document.title = next.title
    showLocalTimes()
    restore()
  } catch {
    if (!signal.aborted) announce('The engine does not answer.')
  }
}

/**
 * Replaces a part only if its markup has changed, so that a selection in it is not lost.
 * @param {HTMLElement} part
 * @param {HTMLElement | null} next
 */
function swap(part, next) {
  const markup = next?.innerHTML ?? ''
  if (part.dataset.markup === markup) return
  part.dataset.markup = markup
  part.replaceChildren(...(next?.childNodes ?? []))
}

const rows = () => allOf('.row')
/** @param {Element | null | undefined} row */
const linkOf = (row) => {
  const link = row?.querySelector('.row-link')
  return link instanceof HTMLElement ? link : undefined
}
const openId = () => location.pathname.match(/^\/flows\/(\w+)/)?.[1]

/** Saves the focus, the open details and the scroll positions. Returns a function that restores them. */
function savedState() {
  const focused = document.activeElement
  const id = focused ? closestOf({ target: focused }, '.row')?.dataset.id : undefined
  const within = focused?.id
  const detailsOf = () => allOf('details').filter((details) => details instanceof HTMLDetailsElement)
  const unfolded = detailsOf().map((details) => details.open)
  const places = /** @type {const} */ (['flows', 'reader']).map((part) => ({
    part,
    top: byId(part).scrollTop,
  }))
  return () => {
    for (const [index, details] of detailsOf().entries()) {
      if (unfolded[index]) details.open = true
    }
    for (const { part, top } of places) byId(part).scrollTop = top
    if (document.activeElement !== document.body) return
    const again = id
      ? linkOf(document.querySelector(`.row[data-id="${id}"]`))
      : within
        ? document.getElementById(within)
        : undefined
    again?.focus({ preventScroll: true })
  }
}

// Opening and going back

async function arrive() {
  await show()
  byId('reader').scrollTop = 0
  if (openId()) document.getElementById('subject')?.focus({ preventScroll: true })
  else linkOf(rows()[0])?.focus({ preventScroll: true })
}

addEventListener('popstate', () => arrive())

document.addEventListener('click', (event) => {
  const copy = closestOf(event, '[data-copy]')
  if (copy) return void copyText(copy)
  const link = closestOf(event, 'a')
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
  if (!(link instanceof HTMLAnchorElement) || !isPlain || link.target || link.hasAttribute('download')) return
  const { origin, pathname, hash } = new URL(link.href)
  if (origin !== location.origin || hash || !/^\/flows(\/\w+)?$/.test(pathname)) return
  event.preventDefault()
  history.pushState(null, '', pathname)
  arrive()
})

/** @param {HTMLElement} button */
const copyText = (button) =>
  copyFrom(button, () => {
    const text = document.getElementById('mermaid')
    if (text instanceof HTMLTextAreaElement) text.select()
    return 'The browser does not let this page copy. Select the text and copy it yourself.'
  })

// Keys

/** @param {number} step */
function move(step) {
  const all = rows()
  const at = all.findIndex((row) => row.contains(document.activeElement))
  const from = at >= 0 ? at : all.findIndex((row) => row.dataset.id === openId())
  const next = from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1)
  if (byId('flows').offsetParent === null) linkOf(all[next])?.click()
  else linkOf(all[next])?.focus()
}

onKeys(
  {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    c: () => {
      const [button] = allOf('[data-copy]')
      if (button) copyText(button)
    },
    Escape: () => {
      if (openId()) allOf('.back', byId('reader'))[0]?.click()
    },
  },
  // Arrow keys scroll the focused element.
  (event) => event.key.startsWith('Arrow') && closestOf(event, '.scroll, .flow') !== null,
)

// Live update

/** @type {ReturnType<typeof setTimeout> | undefined} */
let soon
/** @type {ReturnType<typeof setTimeout> | undefined} */
let later

/** Updates once for several changes, and again later: a mail is delivered after the response that queued it. */
function changed() {
  clearTimeout(soon)
  clearTimeout(later)
  soon = setTimeout(show, 80)
  later = setTimeout(show, 2500)
}

const stream = liveStream('/flows/stream', changed)
stream.addEventListener('flow', changed)
stream.addEventListener('cleared', () => {
  history.replaceState(null, '', '/flows')
  changed()
  announce('The engine was reset.')
})
// Codes and transactions also expire without any request.
setInterval(() => document.visibilityState === 'visible' && show(), 15_000)

for (const id of ['flows', 'reader']) byId(id).dataset.markup = byId(id).innerHTML
showLocalTimes()
