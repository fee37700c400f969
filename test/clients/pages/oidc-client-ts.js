import { UserManager, WebStorageStateStore } from 'oidc-client-ts'
import { settings, showFailure, showSignedIn, showSignedOut } from './page.js'

const { issuer, clientId } = settings
const app = location.origin
const shared = {
  authority: issuer,
  client_id: clientId,
  redirect_uri: `${app}/callback`,
  post_logout_redirect_uri: `${app}/`,
  silent_redirect_uri: `${app}/silent`,
  automaticSilentRenew: false,
  loadUserInfo: true,
  userStore: new WebStorageStateStore({ store: sessionStorage }),
}
const manager = new UserManager({ ...shared, scope: 'openid profile offline_access' })
// Without a refresh token, it renews in a hidden frame.
const framing = new UserManager({ ...shared, scope: 'openid profile' })
/** What a silent sign-in answers, for the test. */
window.answerOf = async () => {
  await framing.removeUser()
  return framing.signinSilent().then(
    (user) => (user?.id_token === undefined ? 'nothing' : 'tokens'),
    (error) => `throws ${error.error ?? error.message}`,
  )
}

async function start() {
  if (location.pathname === '/silent') return framing.signinSilentCallback()
  if (location.pathname === '/callback') {
    await manager.signinCallback()
    location.replace('/')
    return
  }
  const user = await manager.getUser()
  if (user === null) return showSignedOut(() => manager.signinRedirect())
  showSignedIn(user.profile.name, {
    refresh: () => manager.signinSilent().then(start),
    signOut: () => manager.signoutRedirect(),
  })
}
start().catch(showFailure)
