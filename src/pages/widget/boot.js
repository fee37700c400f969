// @ts-check
// Starts the Sign-In Widget on the transaction of its page. Where it is not there, or does not start, the engine's own page goes on.

/** @typedef {{ renderEl(options: { el: string }, done: () => void, failed: (reason: unknown) => void): void }} Widget */

const place = document.querySelector('#okta-login-container')
if (place instanceof HTMLElement) {
  const { settings: text = '{}', fallback = '/' } = place.dataset
  const settings = JSON.parse(text)
  /** @param {unknown} reason */
  const goOn = (reason) => {
    console.error('the Sign-In Widget', reason)
    location.replace(fallback)
  }
  /** @type {{ OktaSignIn?: new (settings: object) => Widget }} */
  const loaded = Object(globalThis)
  try {
    if (loaded.OktaSignIn === undefined) goOn('was not loaded')
    // The end is an address of the engine, which the widget goes to by itself: there is nothing to do.
    else new loaded.OktaSignIn(settings).renderEl({ el: `#${place.id}` }, () => {}, goOn)
  } catch (error) {
    goOn(error)
  }
  // Where nothing can be cancelled any more the widget's way back is the engine's address. The sign-in begins at that of the request, and
  // there anew: the widget would ask for the transaction that it remembers.
  document.addEventListener(
    'click',
    (event) => {
      const link = event.target instanceof Element ? event.target.closest('a') : null
      if (link === null || link.href.replace(/\/$/, '') !== settings.baseUrl) return
      event.preventDefault()
      event.stopImmediatePropagation()
      sessionStorage.removeItem('osw-oie-state-handle')
      location.reload()
    },
    { capture: true },
  )
}
