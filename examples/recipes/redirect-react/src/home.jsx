import { useOktaAuth } from '@okta/okta-react'

export function Home() {
  const { authState, oktaAuth } = useOktaAuth()
  if (!authState) return <p>Loading…</p>
  if (!authState.isAuthenticated) {
    const signIn = () => oktaAuth.signInWithRedirect({ originalUri: '/' })
    return (
      <button type="button" onClick={signIn}>
        Sign in
      </button>
    )
  }
  return (
    <>
      <h1>Hello {authState.idToken.claims.name}</h1>
      <button type="button" onClick={() => oktaAuth.tokenManager.renew('accessToken')}>
        Renew the tokens
      </button>
      <button type="button" onClick={() => oktaAuth.signOut()}>
        Sign out
      </button>
    </>
  )
}
