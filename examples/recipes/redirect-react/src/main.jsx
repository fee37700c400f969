import { OktaAuth } from '@okta/okta-auth-js'
import { LoginCallback, Security } from '@okta/okta-react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter, Route, Routes, useNavigate } from 'react-router-dom'
import { Home } from './home.jsx'

const oktaAuth = new OktaAuth({
  issuer: import.meta.env.VITE_ISSUER,
  clientId: import.meta.env.VITE_CLIENT_ID,
  redirectUri: `${location.origin}/login/callback`,
  postLogoutRedirectUri: location.origin,
  // With `offline_access` the tokens are renewed by a refresh token, which works on every site.
  scopes: ['openid', 'profile', 'email', 'offline_access'],
})

function App() {
  const navigate = useNavigate()
  const restoreOriginalUri = (_, uri) =>
    navigate(new URL(uri ?? '/', location.origin).pathname, { replace: true })
  return (
    <Security oktaAuth={oktaAuth} restoreOriginalUri={restoreOriginalUri}>
      <Routes>
        <Route path="/" element={<Home />} />
        <Route path="/login/callback" element={<LoginCallback />} />
      </Routes>
    </Security>
  )
}

createRoot(document.querySelector('#root')).render(
  <BrowserRouter>
    <App />
  </BrowserRouter>,
)
