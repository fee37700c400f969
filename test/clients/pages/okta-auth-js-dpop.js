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
  dpop: true,
  tokenManager: { storage: 'sessionStorage', autoRenew: false },
})

/** What the access token is good for, for the test: with the key of this browser, and without it. */
window.useToken = async () => {
  const { accessToken, idToken } = await auth.tokenManager.getTokens()
  const { name } = await auth.token.getUserInfo(accessToken, idToken)
  const bearer = await fetch(accessToken.userinfoUrl, {
    headers: { authorization: `Bearer ${accessToken.accessToken}` },
  })
  const { cnf } = JSON.parse(
    atob(accessToken.accessToken.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')),
  )
  return { name, type: accessToken.tokenType, key: cnf?.jkt, withoutKey: bearer.status }
}

async function start() {
  if (auth.isLoginRedirect()) {
    await auth.handleLoginRedirect()
    location.replace('/')
    return
  }
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
