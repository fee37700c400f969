// Enhancements of the code page. Without this script the button and the link on the page do the same.

// Continues automatically once the mailed link was used in this browser, for instance in another tab.
const link = document.querySelector('a[data-poll]')

async function poll() {
  let pause = Number(link.dataset.poll)
  try {
    const response = await fetch(link.href, { headers: { Accept: 'application/json' } })
    // The server is busy or has failed: poll less often.
    if (!response.ok) pause = 60_000
    const { location } = response.ok ? await response.json() : {}
    if (location) return window.location.assign(location)
  } catch {
    pause = 15_000
  }
  setTimeout(poll, pause)
}

if (link) setTimeout(poll, Number(link.dataset.poll))

// Counts down until another mail may be requested.
const button = document.querySelector('button[data-wait]')

function countDown(until) {
  const seconds = Math.ceil((until - Date.now()) / 1000)
  button.disabled = seconds > 0
  button.textContent = seconds > 0 ? `${button.dataset.label} (${seconds})` : button.dataset.label
  if (seconds > 0) setTimeout(countDown, 1000, until)
}

if (button) {
  button.dataset.label = button.textContent
  countDown(Date.now() + Number(button.dataset.wait) * 1000)
}
