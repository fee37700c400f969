// @ts-check
// Enhancements of the code page. Without this script the button and the link on the page do the same.

// Continues automatically once the mailed link was used in this browser, for instance in another tab.
const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector('a[data-poll]'))

/** @param {HTMLAnchorElement} waiting */
async function poll(waiting) {
  let pause = Number(waiting.dataset.poll)
  try {
    const response = await fetch(waiting.href, { headers: { Accept: 'application/json' } })
    // The server is busy or has failed: poll less often.
    if (!response.ok) pause = 60_000
    const { location } = response.ok ? await response.json() : {}
    if (location) return window.location.assign(location)
  } catch {
    pause = 15_000
  }
  setTimeout(poll, pause, waiting)
}

if (link) setTimeout(poll, Number(link.dataset.poll), link)

// Counts down until another mail may be requested.
const button = /** @type {HTMLButtonElement | null} */ (document.querySelector('button[data-wait]'))

/**
 * @param {HTMLButtonElement} waiting
 * @param {number} until
 */
function countDown(waiting, until) {
  const seconds = Math.ceil((until - Date.now()) / 1000)
  const { label = '' } = waiting.dataset
  waiting.disabled = seconds > 0
  waiting.textContent = seconds > 0 ? `${label} (${seconds})` : label
  if (seconds > 0) setTimeout(countDown, 1000, waiting, until)
}

if (button) {
  button.dataset.label = button.textContent ?? ''
  countDown(button, Date.now() + Number(button.dataset.wait) * 1000)
}
