import { OktaAuth } from '@okta/okta-auth-js'
import { LoginCallback, Security, useOktaAuth } from '@okta/okta-react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter, Route, Routes, useNavigate } from 'react-router-dom'
import { settings } from './page.js'

const oktaAuth = new OktaAuth({
  issuer: settings.issuer,
  clientId: settings.clientId,
  redirectUri: `${location.origin}/callback`,
  postLogoutRedirectUri: `${location.origin}/`,
  scopes: ['openid', 'profile', 'offline_access'],
  tokenManager: { storage: 'sessionStorage' },
})

function Home() {
  const { authState } = useOktaAuth()
  if (authState === null) return <p>Loading</p>
  if (!authState.isAuthenticated) {
    return (
      <button type="button" onClick={() => oktaAuth.signInWithRedirect()}>
        Sign in
      </button>
    )
  }
  return (
    <p>
      Hello {authState.idToken.claims.name}
      <button type="button" onClick={() => oktaAuth.tokenManager.renew('accessToken')}>
        Refresh
      </button>
      <button type="button" onClick={() => oktaAuth.signOut()}>
        Sign out
      </button>
    </p>
  )
}

function App() {
  const navigate = useNavigate()
  return (
    <Security oktaAuth={oktaAuth} restoreOriginalUri={() => navigate('/', { replace: true })}>
      <Routes>
        <Route path="/" element={<Home />} />
        <Route path="/callback" element={<LoginCallback />} />
      </Routes>
    </Security>
  )
}

createRoot(document.querySelector('#app')).render(
  <BrowserRouter>
    <App />
  </BrowserRouter>,
)
