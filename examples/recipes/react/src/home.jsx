import { useOktaAuth } from '@okta/okta-react'
import { Link } from 'react-router-dom'

export function Home() {
  const { authState } = useOktaAuth()
  if (!authState) return <p>Loading…</p>
  return authState.isAuthenticated ? (
    <h1>Hello {authState.idToken.claims.email}</h1>
  ) : (
    <Link to="/recover">Forgot your password?</Link>
  )
}
