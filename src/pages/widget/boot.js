// @ts-check
// Starts the Sign-In Widget on the transaction of its page. Where it is not there, or does not start, the engine's own page goes on.

/** @typedef {{ renderEl(options: { el: string }, done: () => void, failed: () => void): void }} Widget */

const place = document.querySelector('#okta-login-container')
if (place instanceof HTMLElement) {
  const { settings = '{}', fallback = '/' } = place.dataset
  const goOn = () => location.replace(fallback)
  /** @type {{ OktaSignIn?: new (settings: object) => Widget }} */
  const loaded = Object(globalThis)
  try {
    if (loaded.OktaSignIn === undefined) goOn()
    // The end is an address of the engine, which the widget goes to by itself: there is nothing to do.
    else new loaded.OktaSignIn(JSON.parse(settings)).renderEl({ el: `#${place.id}` }, () => {}, goOn)
  } catch {
    goOn()
  }
}
