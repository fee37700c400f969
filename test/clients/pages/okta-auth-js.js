import { OktaAuth } from '@okta/okta-auth-js'
import { settings, showFailure, showSignedIn, showSignedOut } from './page.js'

const { issuer, clientId } = settings
const app = location.origin
const auth = new OktaAuth({
  issuer,
  clientId,
  redirectUri: `${app}/callback`,
  postLogoutRedirectUri: `${app}/`,
  scopes: ['openid', 'profile', 'offline_access'],
  tokenManager: { storage: 'sessionStorage', autoRenew: false },
})
// A client that never had a refresh token.
const framing = new OktaAuth({
  issuer,
  clientId,
  redirectUri: `${app}/callback`,
  scopes: ['openid', 'profile'],
  tokenManager: { storageKey: 'framing', autoRenew: false },
})
const answer = (value) => ((value?.tokens ?? value)?.idToken === undefined ? String(value) : 'tokens')
const thrown = (error) => `throws ${error.errorCode ?? error.message}`
const calls = {
  getWithoutPrompt: () => framing.token.getWithoutPrompt(),
  async renewTokens() {
    const { accessToken, idToken } = await auth.tokenManager.getTokens()
    framing.tokenManager.setTokens({ accessToken, idToken })
    return framing.token.renewTokens()
  },
  renewByRefreshToken: () => auth.token.renewTokens(),
  getWithPopup: () => framing.token.getWithPopup({}),
  exists: () => auth.session.exists(),
  get: () => auth.session.get().then(({ status }) => status),
  refresh: () => auth.session.refresh().then(({ status }) => status),
  // Version 6 answers undefined for true and null for false.
  closeSession: () => auth.closeSession().then((closed) => closed !== false && closed !== null),
}
/** What a call answers, for the test. */
window.answerOf = (name) => calls[name]().then(answer, thrown)

async function start() {
  if (auth.isLoginRedirect()) {
    await auth.handleLoginRedirect()
    location.replace('/')
    return
  }
  // Removes the tokens that a sign-out has marked.
  await auth.start()
  const { idToken } = await auth.tokenManager.getTokens()
  if (idToken === undefined) return showSignedOut(() => auth.signInWithRedirect())
  showSignedIn(idToken.claims.name, {
    refresh: () =>
      auth.token
        .renewTokens()
        .then((tokens) => auth.tokenManager.setTokens(tokens))
        .then(start),
    signOut: () => auth.signOut(),
  })
}
start().catch(showFailure)
