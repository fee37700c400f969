import * as oauth from 'oauth4webapi'
import { createListener, signedIn, signedOut } from './app.js'

/** Every answer goes through the library's checks of it. */
export async function createApp({ issuer, clientId, clientSecret, url }) {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const server = await oauth.processDiscoveryResponse(
    new URL(issuer),
    await oauth.discoveryRequest(new URL(issuer), insecure),
  )
  const client = { client_id: clientId }
  const authentication = oauth.ClientSecretBasic(clientSecret)
  const redirectUri = `${url}/callback`

  return createListener(url, {
    async 'GET /'({ tokens }) {
      if (tokens === undefined) return { html: signedOut }
      const response = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
      const { name } = await oauth.processUserInfoResponse(server, client, tokens.sub, response)
      return { html: signedIn(name) }
    },
    async 'GET /sign-in'() {
      const checks = {
        state: oauth.generateRandomState(),
        nonce: oauth.generateRandomNonce(),
        verifier: oauth.generateRandomCodeVerifier(),
      }
      const location = new URL(server.authorization_endpoint)
      const parameters = {
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid profile offline_access',
        state: checks.state,
        nonce: checks.nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(checks.verifier),
        code_challenge_method: 'S256',
        max_age: '3600',
      }
      for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value)
      return { location, session: { checks } }
    },
    async 'GET /callback'({ checks }, at) {
      const parameters = oauth.validateAuthResponse(server, client, at, checks.state)
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        parameters,
        redirectUri,
        checks.verifier,
        insecure,
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
        expectedNonce: checks.nonce,
        maxAge: 3600,
        requireIdToken: true,
      })
      await oauth.validateApplicationLevelSignature(server, response, insecure)
      const { sub } = oauth.getValidatedIdTokenClaims(tokens)
      return { location: '/', session: { tokens: { ...tokens, sub } } }
    },
    async 'POST /refresh'({ tokens }) {
      const response = await oauth.refreshTokenGrantRequest(
        server,
        client,
        authentication,
        tokens.refresh_token,
        insecure,
      )
      const next = await oauth.processRefreshTokenResponse(server, client, response)
      await oauth.validateApplicationLevelSignature(server, response, insecure)
      return { location: '/', session: { tokens: { ...tokens, ...next } } }
    },
    async 'POST /sign-out'({ tokens }) {
      const revoked = await oauth.revocationRequest(
        server,
        client,
        authentication,
        tokens.refresh_token,
        insecure,
      )
      await oauth.processRevocationResponse(revoked)
      const asked = await oauth.introspectionRequest(
        server,
        client,
        authentication,
        tokens.refresh_token,
        insecure,
      )
      const { active } = await oauth.processIntrospectionResponse(server, client, asked)
      if (active) throw new Error('the refresh token was not revoked')
      const location = new URL(server.end_session_endpoint)
      location.searchParams.set('id_token_hint', tokens.id_token)
      location.searchParams.set('post_logout_redirect_uri', `${url}/`)
      return { location, session: {} }
    },
  })
}
