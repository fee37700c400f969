import { OktaAuth } from '@okta/okta-auth-js'
import { Security } from '@okta/okta-react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter, Route, Routes, useNavigate } from 'react-router-dom'
import { Home } from './home.jsx'
import { Recover } from './recover.jsx'

const oktaAuth = new OktaAuth({
  issuer: import.meta.env.VITE_ISSUER,
  clientId: import.meta.env.VITE_CLIENT_ID,
  redirectUri: `${location.origin}/login/callback`,
  scopes: ['openid', 'profile', 'email'],
  idx: { enableLegacyMode: true },
})

function App() {
  const navigate = useNavigate()
  return (
    <Security oktaAuth={oktaAuth} restoreOriginalUri={(_, uri) => navigate(uri ?? '/', { replace: true })}>
      <Routes>
        <Route path="/" element={<Home />} />
        <Route path="/recover" element={<Recover />} />
      </Routes>
    </Security>
  )
}

createRoot(document.querySelector('#root')).render(
  <BrowserRouter>
    <App />
  </BrowserRouter>,
)
