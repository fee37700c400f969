import { OktaAuth } from '@okta/okta-auth-js'
import { settings, showFailure } from './page.js'

const { issuer, clientId } = settings
const root = document.querySelector('#app')
const auth = new OktaAuth({
  issuer,
  clientId,
  redirectUri: `${location.origin}/callback`,
  state: 'of-the-app',
})
/** Sends the browser to enrol authenticators. */
window.enrol = (...enrollAmrValues) =>
  auth.endpoints.authorize.enrollAuthenticator({
    enrollAmrValues,
    acrValues: 'urn:okta:loa:2fa:any:ifpossible',
  })

async function start() {
  if (location.pathname !== '/callback') return root.replaceChildren('Ready')
  // The answer has no code: this reads its state, and throws what is wrong with it.
  await auth.handleRedirect?.()
  root.replaceChildren(
    `Back with ${[...new URLSearchParams(location.search).keys()].toSorted().join(' and ')}`,
  )
}
start().catch(showFailure)
